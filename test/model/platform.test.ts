import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formatPlatform, type Platform, parsePlatform, runnable } from "../../src/model/platform.ts";

const it = suite("platforms");

const parsed = (text: string): Platform => {
  const platform = parsePlatform(text);
  if ("problem" in platform) throw new Error(platform.problem);
  return platform;
};
const normal = (text: string): string => formatPlatform(parsed(text));
const runs = (text: string): readonly string[] => runnable(parsed(text)).map(formatPlatform);

it("equal platforms have one spelling", () => {
  assert.is(normal("linux/x86_64"), "linux/amd64");
  assert.is(normal("amd64"), "linux/amd64");
  assert.is(normal("linux/arm64/v8"), "linux/arm64");
  assert.is(normal("Linux/aarch64"), "linux/arm64");
  assert.is(normal("linux/arm"), "linux/arm/v7");
  assert.is(normal("linux/arm/6"), "linux/arm/v6");
});

it("what is not a platform is refused", () => {
  for (const text of ["", "a/b/c/d", "linux/", "linux/amd 64"]) assert.ok("problem" in parsePlatform(text), text);
});

it("a machine runs its own variant first, then older ones", () => {
  assert.equal(runs("linux/amd64"), ["linux/amd64", "linux/386"]);
  assert.equal(runs("linux/amd64/v3"), ["linux/amd64/v3", "linux/amd64/v2", "linux/amd64", "linux/386"]);
  assert.equal(runs("linux/arm64"), ["linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"]);
  assert.equal(runs("linux/arm/v6"), ["linux/arm/v6", "linux/arm/v5"]);
  assert.equal(runs("linux/riscv64"), ["linux/riscv64"]);
});

it.run();
