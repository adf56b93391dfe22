import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Service } from "../../src/model/service.ts";
import { errorsOf, line, loadFiles, serviceText } from "./support.ts";

const it = suite("merging files");

/** The service `web` of attributes laid over others, each given as the lines under `web:`. */
async function over(base: string, ...others: readonly string[]): Promise<Service> {
  const [first = "", ...rest] = [base, ...others].map((text) => `services:\n  web:\n${text.trim().replace(/^/gm, "    ")}\n`);
  const names = rest.map((_, index) => `/p/shop/${index}.yaml`);
  const files = {
    "/p/shop/base.yaml": `${first}volumes: {v: }\n`,
    ...Object.fromEntries(rest.map((text, index) => [names[index] ?? "", text])),
  };
  const { project } = await loadFiles(files, { files: ["base.yaml", ...names] });
  const [web] = project.services;
  if (web === undefined) throw new Error("no service");
  return web;
}

it("mappings merge and single values are replaced", async () => {
  const web = await over("image: a\nlabels: {x: 1, y: 2}\nhostname: h", "image: b\nlabels: {y: 3}");
  assert.equal([web.image, web.labels, web.hostname], ["docker.io/library/b:latest", { x: "1", y: "3" }, "h"]);
});

it("lists and mappings of variables merge by name, whichever form they have", async () => {
  const web = await over("image: a\nenvironment: {A: 1, B: 2}", "environment: [B=3, C=4]", "env: {A: x}");
  assert.equal(web.environment, { A: "x", B: "3", C: "4" });
});

it("a name without a value takes one away that was given before; elsewhere nothing says nothing", async () => {
  const base = "image: a\nhostname: h\ntty: true\nports: ['80:80']\nenvironment: {A: 1, B: 2, C: 3}\nlabels: {x: 1, y: 2}";
  const web = await over(base, "hostname:\ntty:\nports:\nenvironment: [A]\nlabels: [x]", "env: {B: null}");
  assert.equal([web.hostname, web.tty, web.ports.length], ["h", true, 1]);
  assert.equal(
    [web.environment, web.labels],
    [
      { A: null, B: null, C: "3" },
      { x: "", y: "2" },
    ],
  );
});

it("a command of nothing is the image's own again", async () => {
  const web = await over("image: a\ncommand: [a, b]\nentrypoint: [e]", "command:\nentrypoint: null");
  assert.equal([web.command, web.entrypoint], [null, null]);
});

it("commands are replaced whole", async () => {
  const web = await over("image: a\ncommand: [a, b]\nentrypoint: [e]", "cmd: c");
  assert.equal([web.command, web.entrypoint], [["c"], ["e"]]);
});

it("ports append, and one that is the same stands once", async () => {
  const web = await over("image: a\nports: ['80:80', '81:81/udp']", "ports: [{target: 80, published: 80}, '82:80', '81:81']");
  assert.equal(
    web.ports.map(({ published, target, protocol }) => `${published?.from}:${target}/${protocol}`),
    ["80:80/tcp", "81:81/udp", "82:80/tcp", "81:81/tcp"],
  );
});

it("a mount takes the place of the one with its target", async () => {
  const web = await over(
    "image: a\nvolumes: ['/a:/x', '/b:/y']\ntmpfs: /t:size=1m",
    "volumes: [{type: volume, source: v, target: /x}]\ntmpfs: [/t, /u]",
  );
  assert.equal(
    web.mounts.map((mount) => `${mount.type} ${mount.target}`),
    ["volume /x", "bind /y", "tmpfs /t", "tmpfs /u"],
  );
});

it("dependencies merge in both forms", async () => {
  const text = "services: {web: {image: a, depends_on: [b]}, b: {image: b}, c: {image: c}}";
  const other = "services: {web: {depends_on: {c: {condition: service_completed_successfully, required: false}}}}";
  const { project } = await loadFiles({ "/p/shop/wharf.yaml": text, "/p/shop/wharf.override.yaml": other });
  assert.equal(project.services[0]?.dependsOn, [
    { service: "b", condition: "started", restart: false, required: true },
    { service: "c", condition: "completed", restart: false, required: false },
  ]);
});

it("hosts append, mappings and lists alike, each once", async () => {
  const web = await over("image: a\nextra_hosts: {x: 1.1.1.1}", "extra_hosts: ['x=1.1.1.1', 'y:2.2.2.2']");
  assert.equal(web.extraHosts, [
    { name: "x", address: "1.1.1.1" },
    { name: "y", address: "2.2.2.2" },
  ]);
});

it("keys for a build merge by name, whichever form they have", async () => {
  const { config } = await loadFiles(
    { "/p/shop/a.yaml": serviceText("build: {ssh: [default]}"), "/p/shop/b.yaml": serviceText("build: {ssh: {default: , k: ./k}}") },
    { files: ["a.yaml", "b.yaml"] },
  );
  assert.match(JSON.stringify(config), /"ssh":\["default","k=\/p\/shop\/k"\]/);
});

it("a host that one file has twice stands twice, as for Compose", async () => {
  const { config } = await loadFiles("services: {web: {image: a, extra_hosts: {x: [1.1.1.1, 1.1.1.1]}}}");
  assert.match(JSON.stringify(config), /"extra_hosts":\["x=1.1.1.1","x=1.1.1.1"\]/);
});

it("a link takes the place of one to the same service, and lists of names that of what is the same", async () => {
  const { config } = await loadFiles(
    {
      "/p/shop/a.yaml": serviceText("links: [db, cache]\ncap_add: [A]"),
      "/p/shop/b.yaml": serviceText("links: [cache=c]\ncap_add: [B, A]"),
    },
    { files: ["a.yaml", "b.yaml"], consistency: false, normalise: false },
  );
  assert.match(JSON.stringify(config), /"cap_add":\["A","B"\].*"links":\["db","cache=c"\]/);
});

it("what has parts is not laid over by what has others: the two places are told", async () => {
  const wrong: readonly (readonly [base: string, over: string, error: RegExp])[] = [
    ["x-a: {b: 1}", "x-a: [1]", /^E_TYPE .*`services.web.x-a` is a list, and is to be laid over a mapping/],
    ["cap_add: [A]", "cap_add: B", /^E_TYPE .*`services.web.cap_add` is a single value, and is to be laid over a list/],
    ["ports: [80]", "ports: {a: b}", /^E_TYPE .*is a mapping, and is to be laid over a list/],
    ["deploy: {resources: {limits: {cpus: '1'}}}", "deploy: {resources: [x]}", /^E_TYPE .*`services.web.deploy.resources` is a list/],
  ];
  for (const [base, own, error] of wrong) {
    const [first, ...more] = await errorsOf(
      { "/p/shop/a.yaml": serviceText(base), "/p/shop/b.yaml": serviceText(own) },
      { files: ["a.yaml", "b.yaml"] },
    );
    assert.match(first === undefined ? "" : line(first), error);
    assert.equal(more, []);
    assert.is(first?.related?.length, 1);
    const inside = await errorsOf(`services: {base: {image: x, ${base}}, web: {extends: base, ${own}}}`);
    assert.ok(
      inside.map(line).some((text) => error.test(text)),
      own,
    );
  }
});

it("`!reset` takes an attribute out, of a service, of a mapping, and through an alias", async () => {
  const web = await over(
    "image: a\nports: ['80:80']\nenvironment: {A: 1, B: 2}\nhostname: h",
    "ports: !reset []\nenvironment: {A: !reset }\nhostname: !reset null",
  );
  assert.equal([web.ports, web.environment, web.hostname], [[], { B: "2" }, null]);
});

it("`!override` replaces what would merge", async () => {
  const web = await over("image: a\nports: ['80:80']\nlabels: {a: 1}", "ports: !override ['81:81']\nlabels: !override {b: 2}");
  assert.equal([web.ports.length, web.ports[0]?.target, web.labels], [1, 81, { b: "2" }]);
});

it("an attribute without a value changes nothing", async () => {
  const web = await over("image: a\nports: ['80:80']\ncommand:\n", "ports:\n");
  assert.equal([web.ports.length, web.command], [1, null]);
});

it("documents of one file are laid over each other like files", async () => {
  const { project } = await loadFiles("services: {web: {image: a}}\n---\nservices: {web: {image: b}}\n");
  assert.is(project.services[0]?.image, "docker.io/library/b:latest");
});

it.run();
