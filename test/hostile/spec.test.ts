import { suite } from "uvu";
import * as assert from "uvu/assert";
import { errorsOf, type Files, loadFiles } from "../spec/support.ts";

const it = suite("hostile specs");

/** The codes of a spec's errors. That they come at all is half of what is asked for: the runner ends what takes minutes. */
async function codes(files: Files | string): Promise<string> {
  const errors = await errorsOf(files, { files: typeof files === "string" ? null : Object.keys(files).slice(0, 1) });
  return [...new Set(errors.map(({ code }) => code))].join();
}

const one = (count: number, text: (index: number) => string) => Array.from({ length: count }, (_, index) => text(index)).join("");

it("aliases that multiply end with a clear error", async () => {
  const names = "abcdefghi";
  const lines = [...names].map((name, index) =>
    index === 0 ? "x-a: &a [x,x,x,x,x,x,x,x,x]\n" : `x-${name}: &${name} [${`*${names[index - 1]},`.repeat(9)}]\n`,
  );
  assert.is(await codes(`${lines.join("")}services: {a: {image: x}}\n`), "E_ALIAS");
});

it("deep nesting in every form ends with a clear error", async () => {
  assert.is(await codes(`x-a: ${"[".repeat(5000)}${"]".repeat(5000)}\n`), "E_YAML");
  assert.is(await codes(one(3000, (index) => `${" ".repeat(index)}a:\n`)), "E_YAML");
  assert.is(await codes(`x-a:\n  ${"- ".repeat(100_000)}x\n`), "E_YAML");
});

it("a file that is too large is not read", async () => {
  assert.is(await codes({ "/p/shop/big.yaml": new Uint8Array(50 * 1024 * 1024) }), "E_TOO_LARGE");
});

it("10,000 services load, and a circle of 10,000 is drawn short", async () => {
  const text = (wanted: (index: number) => string) => `services:\n${one(10_000, (i) => `  s${i}: {image: x${wanted(i)}}\n`)}`;
  const { project } = await loadFiles(text((i) => (i === 0 ? "" : `, depends_on: [s${i - 1}]`)));
  assert.is(project.services.length, 10_000);
  const [error] = await errorsOf(text((i) => `, depends_on: [s${(i + 1) % 10_000}]`));
  assert.ok(error?.code === "E_DEPENDENCY_CYCLE" && error.message.length < 300);
});

it("long chains of extends and include end", async () => {
  assert.is(await codes(`services:\n${one(1000, (i) => `  s${i}: {image: x, extends: s${i + 1}}\n`)}  s1000: {image: x}\n`), "E_EXTENDS");
  const chain: Record<string, string> = {};
  for (let i = 0; i < 80; i++) chain[`/p/shop/f${i}.yaml`] = `include: [f${i + 1}.yaml]\n`;
  assert.match(await codes({ ...chain, "/p/shop/f80.yaml": "services: {a: {image: x}}" }), /E_INCLUDE/);
});

it("ranges of ports cannot fill the memory", async () => {
  assert.match(await codes(`services:\n${one(50, (i) => `  s${i}: {image: x, ports: ['1-65535:1-65535']}\n`)}`), /E_PORT/);
});

it("variables that stand for themselves in defaults end", async () => {
  assert.match(await codes(`services: {a: {image: '${"${A:-".repeat(500)}x${"}".repeat(500)}'}}`), /E_INTERPOLATION/);
});

it("names with control characters and of prototypes are names like others", async () => {
  const { project } = await loadFiles("services:\n  constructor: {image: x, environment: {__proto__: 1, toString: 2}}\n");
  assert.equal(Object.keys(project.services[0]?.environment ?? {}), ["__proto__", "toString"]);
  const [error] = await errorsOf('services:\n  web: {image: x, "a\\e[31m\\nb": 1}\n');
  assert.not.match(error?.message ?? "", /[\u0000-\u001f]/);
});

it.run();
