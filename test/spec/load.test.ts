import { suite } from "uvu";
import * as assert from "uvu/assert";
import { plainNetwork } from "../../src/model/network.ts";
import { errorsOf, type Files, line, loadFiles, onlyError } from "./support.ts";

const it = suite("loading");

const SPEC = "services:\n  web:\n    image: nginx\n";

it("the first default name is found in the current directory or the nearest one above", async () => {
  const files: Files = { "/p/compose.yaml": SPEC, "/p/docker-compose.yml": "services: {other: {image: x}}" };
  const { project } = await loadFiles(files, { cwd: "/p/shop/deep" });
  assert.equal([project.files, project.directory, project.name], [["/p/compose.yaml"], "/p", "p"]);
});

it("wharf's own name goes before Compose's", async () => {
  const { project } = await loadFiles({ "/p/shop/wharf.yml": SPEC, "/p/shop/compose.yaml": "services: {}" });
  assert.equal(project.files, ["/p/shop/wharf.yml"]);
});

it("of several of Compose's names the first is read, with a warning", async () => {
  const { project, warnings } = await loadFiles({ "/p/shop/compose.yaml": SPEC, "/p/shop/docker-compose.yml": SPEC });
  assert.equal(project.files, ["/p/shop/compose.yaml"]);
  assert.equal(warnings.map(line), ["W_SEVERAL_FILES - `compose.yaml` and `docker-compose.yml` are all here: only `compose.yaml` is read"]);
});

it("an override file beside a default file is laid over it, and not beside one that was named", async () => {
  const files: Files = { "/p/shop/wharf.yaml": SPEC, "/p/shop/wharf.override.yaml": "services: {web: {image: other}}" };
  assert.is((await loadFiles(files)).project.services[0]?.image, "docker.io/library/other:latest");
  assert.is((await loadFiles(files, { files: ["wharf.yaml"] })).project.services[0]?.image, "docker.io/library/nginx:latest");
});

it("without a file the error says where it looked and what to do", async () => {
  assert.match(await onlyError({}), /^E_NO_SPEC - there is no wharf.yaml or compose.yaml in \/p\/shop or a directory above it/);
  assert.match(await onlyError({}, { files: ["a.yaml", "b.yaml"] }), /`a.yaml` does not exist\n.*`b.yaml` does not exist/);
});

it("standard input is a file, and relative paths start from the current directory", async () => {
  const stdin = async () => new TextEncoder().encode("services: {web: {image: nginx, volumes: ['./a:/a']}}");
  const { project } = await loadFiles({}, { files: ["-"], stdin });
  assert.equal([project.files, project.inputs, project.directory], [["-"], [], "/p/shop"]);
  assert.match(await onlyError({}, { files: ["-"] }), /there is none/);
});

it("the project's name comes from the caller, the variables, the file, or the directory made valid", async () => {
  const named = { "/p/My Shop.2/wharf.yaml": `name: in-\${WHAT:-file}\n${SPEC}` };
  const nameOf = async (files: Files, options: Parameters<typeof loadFiles>[1]) => (await loadFiles(files, options)).project.name;
  const cwd = "/p/My Shop.2";
  assert.is(await nameOf(named, { cwd, projectName: "given" }), "given");
  assert.is(await nameOf(named, { cwd, env: { COMPOSE_PROJECT_NAME: "variable" } }), "variable");
  assert.is(await nameOf(named, { cwd }), "in-file");
  assert.is(await nameOf({ "/p/My Shop.2/wharf.yaml": SPEC }, { cwd }), "myshop2");
});

it("a name that no project can have is refused where it stands", async () => {
  assert.match(await onlyError(`name: "!!"\n${SPEC}`), /^E_PROJECT_NAME 1:7-11 `!!` cannot name a project$/);
  assert.match(await onlyError(`name: $NOBODY\n${SPEC}`), /^E_PROJECT_NAME 1:7-14 `` cannot name a project$/);
  assert.match(await onlyError(SPEC, { projectName: "ÄÖ" }), /^E_PROJECT_NAME - /);
});

it("a name of the file is made one that a project can have, with a warning; an empty one is none", async () => {
  const { project, warnings } = await loadFiles(`name: My Shop!\n${SPEC}`);
  assert.is(project.name, "myshop");
  assert.match(warnings.map(line).join("\n"), /^W_PROJECT_NAME 1:7-15 `My Shop!` cannot name a project: it is called `myshop`$/m);
  assert.is((await loadFiles(`name: ""\n${SPEC}`)).project.name, "shop");
});

it("where the file lies above, the variables of the directory in which one stands go first", async () => {
  const spec = "services: {web: {image: nginx, labels: {a: '$A', b: '$B'}}}";
  const files = { "/p/compose.yaml": spec, "/p/.env": "A=above\nB=$A-2\n", "/p/shop/.env": "A=here\n" };
  const { project } = await loadFiles(files);
  assert.equal(project.services[0]?.labels, { a: "here", b: "here-2" });
});

it("COMPOSE_PROJECT_NAME is a variable for the file", async () => {
  const { project } = await loadFiles("services: {web: {image: nginx, hostname: '$COMPOSE_PROJECT_NAME-web'}}");
  assert.is(project.services[0]?.hostname, "shop-web");
});

it("`.env` of the project's directory gives variables, under those of the caller", async () => {
  const files: Files = {
    "/p/shop/wharf.yaml": "services: {web: {image: 'nginx:$TAG', hostname: $HOST}}",
    "/p/shop/.env": "TAG=1\nHOST=file\n",
  };
  const { project } = await loadFiles(files, { env: { HOST: "caller" } });
  assert.equal([project.services[0]?.image, project.services[0]?.hostname], ["docker.io/library/nginx:1", "caller"]);
  assert.equal(project.inputs, ["/p/shop/wharf.yaml", "/p/shop/.env"]);
});

it("`.env` may name the files, as COMPOSE_FILE", async () => {
  const files: Files = {
    "/p/shop/.env": "COMPOSE_FILE=a.yaml:b.yaml\n",
    "/p/shop/a.yaml": SPEC,
    "/p/shop/b.yaml": "services: {web: {hostname: h}}",
    "/p/shop/compose.yaml": "services: {other: {image: x}}",
  };
  const { project } = await loadFiles(files);
  assert.equal([project.files, project.services[0]?.hostname], [["/p/shop/a.yaml", "/p/shop/b.yaml"], "h"]);
});

it("a value that is wrong is shown with what it took the place of", async () => {
  const files: Files = { "/p/shop/a.yaml": "services: {web: {image: x, tty: true}}", "/p/shop/b.yaml": "services: {web: {tty: [1]}}" };
  const [error] = await errorsOf(files, { files: ["a.yaml", "b.yaml"] });
  assert.equal([error?.source?.file, error?.related?.[0]?.source], ["b.yaml", { file: "a.yaml", line: 1, column: 33, end: 37 }]);
});

it("files named with --env-file stand in for `.env` and must be there", async () => {
  const files: Files = {
    "/p/shop/wharf.yaml": "services: {web: {image: 'nginx:$TAG'}}",
    "/p/shop/.env": "TAG=1",
    "/p/shop/a": "TAG=2",
    "/p/shop/b": "TAG=3",
  };
  assert.is((await loadFiles(files, { envFiles: ["a", "b"] })).project.services[0]?.image, "docker.io/library/nginx:3");
  assert.match(await onlyError(files, { envFiles: ["none"] }), /^E_ENV_FILE - the env file `none` does not exist$/);
});

it("a file of variables knows those of the ones before it, and goes by its own first", async () => {
  const files = { "/p/shop/wharf.yaml": SPEC, "/p/shop/a": "A=1\nB=${A}1\n", "/p/shop/b": "C=$A$B\nB=2\nD=$B\n" };
  const { variables } = await loadFiles(files, { envFiles: ["a", "b"] });
  assert.equal(
    ["A", "B", "C", "D"].map((name) => variables.get(name)),
    ["1", "2", "111", "2"],
  );
});

it("a broken file of variables names its line", async () => {
  const files: Files = { "/p/shop/wharf.yaml": SPEC, "/p/shop/.env": "A=1\nB!=2\n" };
  assert.match(await onlyError(files), /^E_ENV_FILE 2:2-3 `.env`: the character `!` cannot stand/);
});

it("services of inactive profiles are left out and named", async () => {
  const text = "services: {a: {image: x}, b: {image: x, profiles: [p, q]}, c: {image: x, profiles: [r]}}";
  const names = async (profiles: readonly string[], env = {}) => {
    const { project } = await loadFiles(text, { profiles, env });
    return [project.services.map(({ name }) => name).join(), project.disabled.join()];
  };
  assert.equal(await names([]), ["a", "b,c"]);
  assert.equal(await names(["q"]), ["a,b", "c"]);
  assert.equal(await names(["*"]), ["a,b,c", ""]);
  assert.equal(await names([], { COMPOSE_PROFILES: "r, p" }), ["a,b,c", ""]);
});

it("what a disabled service says wrong of values is not looked at", async () => {
  const { project } = await loadFiles("services: {a: {image: x}, b: {image: X, env_file: none, profiles: [p]}}");
  assert.equal(project.disabled, ["b"]);
});

it("volumes that are used and the default network get their names in the engine", async () => {
  const { project } = await loadFiles(
    "services: {a: {image: x, volumes: ['v:/v', 'e:/e', 'n:/n']}}\nvolumes: {v: , e: {external: true}, n: {name: given, labels: [k=v]}, unused: }\n",
  );
  assert.equal(project.volumes, [
    { key: "v", name: "shop_v", external: false, labels: {} },
    { key: "e", name: "e", external: true, labels: {} },
    { key: "n", name: "given", external: false, labels: { k: "v" } },
  ]);
  assert.equal(project.networks, [plainNetwork("default", "shop_default")]);
});

it("sources tell where values stand, by Compose's names, short names and merged files included", async () => {
  const { project } = await loadFiles({
    "/p/shop/wharf.yaml":
      "services:\n  web:\n    image: nginx\n    env:\n      COLOR: red\n    ports:\n      - 8080-8081:80-81\n    volumes: ['./d:/data']\n",
    "/p/shop/wharf.override.yaml": "services:\n  web:\n    env: [SIZE=big]\n    env_file: extra.env\n",
    "/p/shop/extra.env": "A=1\nB=2\n",
  });
  const at = (path: string) => {
    const source = project.sources[path];
    return source === undefined ? null : `${source.file}:${source.line}:${source.column}-${source.end}`;
  };
  assert.is(at("services.web"), "wharf.override.yaml:2:3-6");
  assert.is(at("services.web.image"), "wharf.yaml:3:12-17");
  assert.is(at("services.web.environment.COLOR"), "wharf.yaml:5:14-17");
  assert.is(at("services.web.environment.SIZE"), "wharf.override.yaml:3:16-19");
  assert.is(at("services.web.environment.B"), "extra.env:2:3-4");
  assert.is(at("services.web.ports.0"), at("services.web.ports.1"));
  assert.is(at("services.web.volumes./data"), "wharf.yaml:8:15-26");
});

it("files outside of the current directory are shown whole", async () => {
  const [error] = await errorsOf({ "/q/a.yaml": "services: {web: {imag: x}}" }, { files: ["/q/a.yaml"] });
  assert.is(error?.source?.file, "/q/a.yaml");
});

it("all problems come at once, from top to bottom", async () => {
  const errors = await errorsOf(
    "services:\n  a:\n    image: X\n    prots: []\n  b:\n    image: x\n    restart: alwys\n    depends_on: [c]\nvolume: {}\n",
  );
  assert.equal(
    errors.map(({ code, source }) => `${code} ${source?.line}`),
    ["E_IMAGE_NAME 3", "E_UNKNOWN_KEY 4", "E_VALUE 7", "E_UNKNOWN_SERVICE 8", "E_UNKNOWN_KEY 9"],
  );
});

it("the canonical form has the long forms of Compose, and dollar signs doubled", async () => {
  const { config } = await loadFiles(
    "services:\n  web:\n    image: nginx\n    cmd: echo $$HOME\n    env: [A=1, B]\n    ports: ['127.0.0.1:80:8080/udp']\n    volumes: ['data:/d:ro', './h:/h']\n    depends_on: [db]\n    stop_grace_period: 90s\n  db: {image: x}\nvolumes: {data: }\nx-more: {a: 1}\n",
  );
  assert.equal(config, {
    name: "shop",
    networks: { default: { name: "shop_default", ipam: {} } },
    services: {
      db: { command: null, entrypoint: null, image: "x", networks: { default: null } },
      web: {
        command: ["echo", "$$HOME"],
        depends_on: { db: { condition: "service_started", required: true } },
        entrypoint: null,
        environment: { A: "1", B: null },
        image: "nginx",
        networks: { default: null },
        ports: [{ mode: "ingress", host_ip: "127.0.0.1", target: 8080, published: "80", protocol: "udp" }],
        stop_grace_period: "1m30s",
        volumes: [
          { type: "volume", source: "data", target: "/d", read_only: true, volume: {} },
          { type: "bind", source: "/p/shop/h", target: "/h", bind: { create_host_path: true } },
        ],
      },
    },
    volumes: { data: { name: "shop_data" } },
    "x-more": { a: 1 },
  });
});

it("what is not supported yet is told of with its place, and obsolete keys too", async () => {
  const { warnings } = await loadFiles(
    "version: '3'\nservices:\n  web:\n    image: nginx\n    healthcheck: {test: x}\n    deploy: {replicas: 2, endpoint_mode: vip}\n    networks: {default: , back: {driver_opts: {a: b}}}\n    volumes: [{type: image, source: x, target: /x}]\n    depends_on: {db: {condition: service_healthy}}\n  db: {image: x}\nnetworks: {back: {driver_opts: {odd: x}}}\nmodels: {}\n",
  );
  assert.equal(
    warnings.map(({ code, source, message }) => `${code} ${source?.line} ${/`[^`]*`/.exec(message)?.[0]}`),
    [
      "W_OBSOLETE 1 `version`",
      "W_UNSUPPORTED 6 `services.web.deploy.endpoint_mode`",
      "W_UNSUPPORTED 7 `services.web.networks.back.driver_opts.a`",
      "W_NO_HEALTHCHECK 9 `web`",
      "W_UNSUPPORTED 11 `networks.back.driver_opts.odd`",
      "W_UNSUPPORTED 12 `models`",
    ],
  );
});

it("a variable that is not set is a warning, once, where it is used first", async () => {
  const { warnings } = await loadFiles("services:\n  web:\n    image: nginx$TAG\n    hostname: a$TAG\n");
  assert.equal(warnings.map(line), ["W_UNSET_VARIABLE 3:17-21 the variable `TAG` is not set: it is taken as empty"]);
});

it("an empty file says so", async () => {
  assert.match(await onlyError("# nothing\n"), /^E_EMPTY_SPEC - there is nothing in wharf.yaml$/);
});

it.run();
