import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Json } from "../../src/model/json.ts";
import { bytesOf } from "../../src/model/secret.ts";
import { explainPath } from "../../src/spec/explain.ts";
import { errorsOf, type Files, line, loadFiles, onlyError } from "./support.ts";

const it = suite("include and extends");

const WEB = "services: {web: {image: x}}\n";

/** A service in Compose's JSON. */
async function service(files: Files, name: string, options: Parameters<typeof loadFiles>[1] = {}): Promise<Record<string, Json>> {
  const { config } = await loadFiles(files, options);
  return (config as { services: Record<string, Record<string, Json>> }).services[name] ?? {};
}

it("an included file has its own directory and its own `.env`, under the variables that are known", async () => {
  const files: Files = {
    "/p/shop/wharf.yaml": `include: [sub/compose.yaml]\n${WEB}`,
    "/p/shop/sub/compose.yaml": "services: {api: {image: 'a:$A-$B', volumes: ['./d:/d'], build: ., networks: [n]}}\nnetworks: {n: }\n",
    "/p/shop/.env": "A=1\n",
    "/p/shop/sub/.env": "A=2\nB=3\n",
  };
  const api = await service(files, "api");
  assert.is(api["image"], "a:1-3");
  assert.equal(api["build"], { context: "/p/shop/sub", dockerfile: "Dockerfile" });
  assert.equal(api["volumes"], [{ type: "bind", source: "/p/shop/sub/d", target: "/d", bind: { create_host_path: true } }]);
  const { project } = await loadFiles(files);
  assert.equal(project.inputs, ["/p/shop/wharf.yaml", "/p/shop/.env", "/p/shop/sub/compose.yaml", "/p/shop/sub/.env"]);
});

it("an empty `include` includes nothing", async () => {
  assert.equal(
    (await loadFiles(`include:\n${WEB}`)).services.map(({ name }) => name),
    ["web"],
  );
});

it("the long form merges several files, from another directory, with other variables", async () => {
  const files: Files = {
    "/p/shop/wharf.yaml": `include:\n  - path: [a.yaml, b.yaml]\n    project_directory: other\n    env_file: [x.env]\n${WEB}`,
    "/p/shop/a.yaml": "services: {api: {image: 'a:$V', build: ./c}}",
    "/p/shop/b.yaml": "services: {api: {labels: [l=1]}}",
    "/p/shop/x.env": "V=7\n",
  };
  const api = await service(files, "api");
  assert.equal([api["image"], api["labels"], api["build"]], ["a:7", { l: "1" }, { context: "/p/shop/other/c", dockerfile: "Dockerfile" }]);
});

it("what an included project takes from outside it takes from its own variables", async () => {
  const outer = `include:\n  - path: sub/a.yaml\n    env_file: [x.env]\n${WEB}secrets: {o: {environment: OUTER}}\n`;
  const files: Files = {
    "/p/shop/wharf.yaml": outer,
    "/p/shop/x.env": "V=7\n",
    "/p/shop/sub/a.yaml":
      "include: [b/b.yaml]\nservices: {api: {image: x, environment: [V], env_file: f.env, secrets: [s], configs: [c]}}\n".concat(
        "secrets: {s: {environment: V}}\nconfigs: {c: {environment: V}}\n",
      ),
    "/p/shop/sub/f.env": "FROM=${V?}\n",
    "/p/shop/sub/b/.env": "W=8\n",
    "/p/shop/sub/b/b.yaml": "services: {deep: {image: x, environment: [V, W]}}\n",
  };
  const { project } = await loadFiles(files, { env: { OUTER: "1" } });
  assert.equal(project.services.map(({ name, environment }) => [name, environment]).sort(), [
    ["api", { FROM: "7", V: "7" }],
    ["deep", { V: "7", W: "8" }],
    ["web", {}],
  ]);
  const held = [...project.configs, ...project.secrets].map(({ key, content }) => [key, content && bytesOf(content).toString()]);
  assert.equal(held, [
    ["c", "7"],
    ["s", "7"],
  ]);
});

it("an override file changes what was included, and the including file cannot", async () => {
  const files: Files = {
    "/p/shop/compose.yaml": "include: [sub.yaml]\nservices: {}\n",
    "/p/shop/sub.yaml": "services: {api: {image: a}}",
    "/p/shop/compose.override.yaml": "services: {api: {image: b}}",
  };
  assert.is((await service(files, "api"))["image"], "b");
  const wrong = { ...files, "/p/shop/compose.yaml": "include: [sub.yaml]\nservices: {api: {image: c}}\n" };
  assert.match(await onlyError(wrong), /^E_INCLUDE 2:12-15 `services.api` is declared here and in the included `sub.yaml`/);
});

it("what an included file declares the same way is no conflict", async () => {
  const files: Files = {
    "/p/shop/wharf.yaml": `include: [a.yaml, b.yaml]\n${WEB}networks: {n: {}}\n`,
    "/p/shop/a.yaml": "networks: {n: {}}\nservices: {a: {image: x, networks: [n]}}",
    "/p/shop/b.yaml": "networks: {n: {}}\nservices: {b: {image: x, networks: [n]}}",
  };
  assert.is((await service(files, "b"))["image"], "x");
});

it("a spec, an included file and an extended file that lie elsewhere are not fetched", async () => {
  for (const file of ["oci://host/app:1", "https://host/app.git#main:web", "git@host:app.git"]) {
    assert.match(
      await onlyError("services: {}", { files: [file] }),
      /^E_NO_SPEC - the spec lies elsewhere \(`[a-z@:]+…`\): only files of this/,
    );
    assert.match(await onlyError(`include: ["${file}"]\n${WEB}`), /^E_INCLUDE .* the included file lies elsewhere/);
  }
});

it("an included file that is not there, that is broken, or that includes itself is an error with its place", async () => {
  assert.match(await onlyError(`include: [none.yaml]\n${WEB}`), /^E_INCLUDE 1:11-20 the included file `none.yaml` does not exist$/);
  assert.match(
    await onlyError({ "/p/shop/wharf.yaml": `include: [b.yaml]\n${WEB}`, "/p/shop/b.yaml": "services: {b: {imag: x}}" }),
    /E_UNKNOWN_KEY 1:16-20 `imag`/,
  );
  const circle = { "/p/shop/wharf.yaml": `include: [b.yaml]\n${WEB}`, "/p/shop/b.yaml": "include: [wharf.yaml]\n" };
  assert.match(await onlyError(circle), /^E_INCLUDE 1:11-21 files include each other in a circle: wharf.yaml -> b.yaml -> wharf.yaml$/);
});

it("files that lie elsewhere are not fetched, and said to be so", async () => {
  assert.match(
    await onlyError(`include: ['oci://example.org/a:1']\n${WEB}`),
    /^E_INCLUDE 1:11-34 the included file lies elsewhere \(`oci:…`\)/,
  );
});

it("a service extends another one of its file, of another file, and through several", async () => {
  const files: Files = {
    "/p/shop/wharf.yaml":
      "services:\n  web: {extends: {file: lib/base.yaml, service: web}, environment: {B: own}}\n  dev: {extends: web, command: dev}\n",
    "/p/shop/lib/base.yaml":
      "services:\n  root: {labels: [r=1], env_file: r.env}\n  web: {extends: root, image: 'x:$T', build: ., environment: [A=1, B=1], ports: ['80:80']}\n",
    "/p/shop/lib/r.env": "R=1\n",
    "/p/shop/.env": "T=9\n",
  };
  const dev = await service(files, "dev");
  assert.equal(dev["command"], ["dev"]);
  assert.equal(dev["environment"], { A: "1", B: "own", R: "1" });
  assert.equal([dev["image"], dev["labels"]], ["x:9", { r: "1" }]);
  assert.equal(dev["build"], { context: "/p/shop/lib", dockerfile: "Dockerfile" });
});

it("`!reset` and `!override` act on what is extended", async () => {
  const text =
    "services:\n  a: {image: x, ports: ['1:1'], volumes: ['/a:/a'], labels: {k: v}}\n  web: {extends: a, ports: !reset [], volumes: !override ['/b:/b'], labels: {k: !reset }}\n";
  const web = await service({ "/p/shop/wharf.yaml": text }, "web");
  assert.equal([web["ports"], (web["volumes"] as unknown[]).length, web["labels"]], [undefined, 1, undefined]);
});

it("what cannot be extended is said at its place, with what may be meant", async () => {
  const [error] = await errorsOf("services:\n  web: {image: x}\n  dev: {image: x, extends: wbe}\n");
  assert.is(error && line(error), "E_EXTENDS 3:28-31 service `dev` extends `wbe`, and there is no such service");
  assert.is(error?.hint, "did you mean `web`?");
  assert.match(await onlyError("services: {web: {image: x, extends: {file: a.yaml}}}"), /`services.web.extends` has no `service`/);
  assert.match(await onlyError("services: {web: {image: x, extends: {file: a.yaml, service: b}}}"), /`a.yaml` does not exist$/);
});

it("services that extend each other are drawn as a circle", async () => {
  const text = "services: {a: {image: x, extends: b}, b: {image: x, extends: c}, c: {image: x, extends: a}}";
  assert.match(await onlyError(text), /services extend each other in a circle: a -> b -> c -> a/);
});

it("explains where a value comes from: file, include, extends, variable, and what it took the place of", async () => {
  const loaded = await loadFiles({
    "/p/shop/compose.yaml": "include: [sub/compose.yaml]\nservices:\n  web:\n    extends: {file: base.yaml, service: b}\n",
    "/p/shop/compose.override.yaml": "services: {web: {image: 'x:$T'}, api: {labels: [o=1]}}\n",
    "/p/shop/base.yaml": "services: {b: {image: old, command: [run]}}\n",
    "/p/shop/sub/compose.yaml": "services: {api: {image: a}}\n",
    "/p/shop/.env": "T=2\n",
  });
  const told = (path: string) => explainPath(loaded, path).map(({ place, text }) => `${place} ${text}`);
  assert.equal(told("services.web.image"), [
    'compose.override.yaml:1:25 services.web.image is "x:2"',
    "compose.override.yaml:1:25 is written as x:$T",
    ".env:1:3 sets the variable T",
    'base.yaml:1:23 is overridden: "old"',
  ]);
  assert.equal(told("services.web.command.0"), [
    'base.yaml:1:38 services.web.command.0 is "run"',
    "compose.yaml:4:41 by `extends` from b of base.yaml",
  ]);
  assert.equal(told("services.api.image"), [
    'sub/compose.yaml:1:25 services.api.image is "a"',
    "compose.yaml:1:11 by `include` of sub/compose.yaml",
  ]);
  assert.equal(told("services.api.labels.o"), ['compose.override.yaml:1:51 services.api.labels.o is "1"']);
  assert.equal(told("networks.default.name"), ['null networks.default.name is "shop_default": it goes without saying, no file has it']);
  assert.throws(() => told("services.web.imgae"), /there is nothing at `services.web.imgae`/);
});

it.run();
