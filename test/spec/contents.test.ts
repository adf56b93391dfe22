import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bytesOf } from "../../src/model/secret.ts";
import type { LoadOptions } from "../../src/spec/load.ts";
import { errorsOf, type Files, line, loadFiles } from "./support.ts";

const it = suite("configs and secrets");

it("a service's files stand where Compose has them, and their owner and mode are read", async () => {
  const { configs, secrets } = await web(
    "[c, {source: c, target: d/e, uid: '5', gid: '6', mode: 0440}]",
    "[s, {source: s, target: t}, {source: s, target: /k, mode: '0400'}]",
  );
  const plain = { uid: 0, gid: 0, mode: 0o444 };
  assert.equal(configs, [
    { source: "c", target: "/c", ...plain },
    { source: "c", target: "/d/e", uid: 5, gid: 6, mode: 0o440 },
  ]);
  assert.equal(secrets, [
    { source: "s", target: "/run/secrets/s", ...plain },
    { source: "s", target: "/run/secrets/t", ...plain },
    { source: "s", target: "/k", ...plain, mode: 0o400 },
  ]);
});

it("content comes from a file, a variable or the spec, byte for byte", async () => {
  const { configs, secrets, inputs } = await project(
    "configs: {a: {content: 'x=$${Y} $X'}, b: {environment: X}, c: {file: c}}\nsecrets: {s: {file: ./s, driver: copy}, t: {environment: X}}",
    { "/p/shop/c": new Uint8Array([0, 255]), "/p/shop/s": "hush" },
  );
  const held = [...configs, ...secrets].map(({ key, content }) => [key, content === null ? null : bytesOf(content).toString("latin1")]);
  assert.equal(held, [
    ["a", "x=${Y} 1"],
    ["b", "1"],
    ["c", "\u0000\u00ff"],
    ["s", "hush"],
    ["t", "1"],
  ]);
  assert.ok(["/p/shop/c", "/p/shop/s"].every((path) => inputs.includes(path)));
  assert.not.match(JSON.stringify(secrets), /hush|aHVzaA/);
});

it("what a variable holds is not printed: the spec names the variable", async () => {
  const { config } = await loadFiles("services: {web: {image: x, configs: [c]}}\nconfigs: {c: {environment: X}}\n", OPTIONS);
  assert.match(JSON.stringify(config), /"configs":\{"c":\{"name":"shop_c","environment":"X"\}\}/);
});

it("content that cannot be had is no error of the spec, and is remembered with its place", async () => {
  const { configs, secrets } = await project(
    "configs: {a: {file: none}, b: {external: true}, c: {content: x, template_driver: golang}}\nsecrets: {s: {environment: NONE}, t: {environment: X, driver: vault}}",
    {},
  );
  const said = [...configs, ...secrets].map(({ problem }) => (problem === null ? "" : line(problem)));
  assert.equal(
    said.map((text) => text.replace(/^(\S+) \S+ /, "$1 ")),
    [
      "E_CONTENT_MISSING `configs.a`: the file `none` does not exist",
      "E_CONTENT_UNSUPPORTED `configs.b` is external, and nothing keeps configs here",
      "E_CONTENT_UNSUPPORTED `configs.c.template_driver` is `golang`: there are no drivers for configs here",
      "E_CONTENT_MISSING `secrets.s`: the variable `NONE` is not set",
      "E_CONTENT_UNSUPPORTED `secrets.t.driver` is `vault`: there are no drivers for secrets here",
    ],
  );
});

it("files that cannot be placed are refused at their place", async () => {
  const wrong: readonly (readonly [configs: string, error: RegExp])[] = [
    ["[{source: c, uid: app}]", /^E_VALUE .*`services.web.configs\[0\].uid` is `app`: it must be a number/],
    ["[{source: c, mode: '0999'}]", /^E_VALUE .*permission bits/],
    ["[{source: c, mode: 07777}]", /^E_VALUE .*permission bits/],
    ["[{source: c, target: /}]", /^E_MOUNT .*it names no file/],
    ["[{source: c, target: /x/}]", /^E_MOUNT .*it names no file/],
    ["[c, {source: d, target: /c}]", /^E_MOUNT .*has `\/c` twice/],
    ["[{source: c, target: /data}]", /^E_MOUNT .*has `\/data` twice/],
    ["[{target: /x}]", /^E_MISSING_KEY .*no `source`/],
  ];
  for (const [configs, error] of wrong) {
    const errors = await errorsOf(
      `services: {web: {image: x, volumes: ['/tmp:/data'], configs: ${configs}}}\nconfigs: {c: {content: x}, d: {content: y}}\n`,
    );
    assert.match(errors.map(line).join("\n"), error, configs);
  }
});

it.run();

async function web(configs: string, secrets: string) {
  const { project: made } = await loadFiles(
    `services: {web: {image: x, configs: ${configs}, secrets: ${secrets}}}\nconfigs: {c: {content: x}}\nsecrets: {s: {environment: X}}\n`,
    OPTIONS,
  );
  const [service] = made.services;
  if (service === undefined) throw new Error("no service");
  return service;
}

/** A project with one service that uses all of these. */
async function project(sections: string, files: Files) {
  const names = (section: string) =>
    [...(new RegExp(`${section}: \\{(.*)\\}`).exec(sections)?.[1] ?? "").matchAll(/(\w): \{/g)].map(([, name]) => name);
  const text = `services: {web: {image: x, configs: [${names("configs")}], secrets: [${names("secrets")}]}}\n${sections}\n`;
  return (await loadFiles({ ...files, "/p/shop/wharf.yaml": text }, OPTIONS)).project;
}

const OPTIONS: Partial<LoadOptions> = { env: { HOME: "/home/u", X: "1" } };
