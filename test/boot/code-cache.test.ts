import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cacheDirectory, readCache, writeCache } from "../../src/lib/code-cache.ts";

const KEY = { build: "0123456789abcdef", verb: "up" };
const CODE = Buffer.from("compiled");

const it = suite<{ home: string; directory: string }>("code cache");

it.before.each((context) => {
  context.home = mkdtempSync(join(tmpdir(), "wharf-cache-"));
  context.directory = join(context.home, "wharf", "code");
});

it.after.each(({ home }) => rmSync(home, { recursive: true, force: true }));

it("what was written is read again, by the same build and verb only", ({ directory }) => {
  writeCache(directory, KEY, CODE);
  assert.equal(readCache(directory, KEY), CODE);
  assert.is(readCache(directory, { ...KEY, verb: "down" }), undefined);
  assert.is(readCache(directory, { ...KEY, build: "fedcba9876543210" }), undefined);
});

it("what cannot be kept leaves nothing half-written", ({ directory }) => {
  writeCache(directory, KEY, CODE);
  const [name = ""] = readdirSync(directory);
  rmSync(join(directory, name));
  mkdirSync(join(directory, name));
  assert.throws(() => writeCache(directory, KEY, CODE), /EISDIR/);
  assert.equal(readdirSync(directory), [name]);
});

it("nobody else can enter the directory or read the file", ({ directory }) => {
  writeCache(directory, KEY, CODE);
  assert.is(statSync(directory).mode & 0o777, 0o700);
  for (const name of readdirSync(directory)) assert.is(statSync(join(directory, name)).mode & 0o777, 0o600);
});

it("a directory that others may enter is neither read nor written", ({ directory }) => {
  writeCache(directory, KEY, CODE);
  chmodSync(directory, 0o755);
  assert.is(readCache(directory, KEY), undefined);
  writeCache(directory, { ...KEY, verb: "down" }, CODE);
  assert.is(readdirSync(directory).length, 1);
});

it("code that somebody else planted is not loaded", ({ directory }) => {
  if (process.geteuid?.() !== 0) return; // only root can make a file somebody else's
  writeCache(directory, KEY, CODE);
  for (const name of readdirSync(directory)) chownSync(join(directory, name), 65534, 65534);
  assert.is(readCache(directory, KEY), undefined);
});

it("a link in the place of the file, or of the directory, leads nowhere", ({ home, directory }) => {
  writeCache(directory, KEY, CODE);
  const [name = ""] = readdirSync(directory);
  renameSync(join(directory, name), join(home, "elsewhere"));
  symlinkSync(join(home, "elsewhere"), join(directory, name));
  assert.is(readCache(directory, KEY), undefined);
  writeCache(directory, KEY, CODE);
  renameSync(directory, join(home, "moved"));
  symlinkSync(join(home, "moved"), directory);
  assert.is(readCache(directory, KEY), undefined);
  writeCache(directory, { build: "fedcba9876543210", verb: "ps" }, CODE);
  assert.equal(readdirSync(join(home, "moved")), [name]);
});

it("what older builds left goes with the first write of a new one", ({ directory }) => {
  writeCache(directory, KEY, CODE);
  writeCache(directory, { build: "fedcba9876543210", verb: "ps" }, CODE);
  assert.equal(
    readdirSync(directory).map((name) => name.slice(0, 16)),
    ["fedcba9876543210"],
  );
});

it("a place that cannot be written costs nothing but the cache", ({ home }) => {
  writeFileSync(join(home, "file"), "");
  writeCache(join(home, "file", "code"), KEY, CODE);
  assert.is(readCache(join(home, "file", "code"), KEY), undefined);
});

it("a relative XDG_CACHE_HOME is ignored, as its specification says", () => {
  assert.is(cacheDirectory({ XDG_CACHE_HOME: "here", HOME: "/home/a" }), "/home/a/.cache/wharf/code");
  assert.is(cacheDirectory({ XDG_CACHE_HOME: "/cache", HOME: "/home/a" }), "/cache/wharf/code");
  assert.is(cacheDirectory({ HOME: "" }), null);
});

it("nothing is made where nothing is written", ({ directory }) => {
  assert.is(readCache(directory, KEY), undefined);
  assert.not.ok(existsSync(directory));
});

it.run();
