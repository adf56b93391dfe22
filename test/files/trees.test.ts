import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { packChanges, packTree } from "../../src/files/pack.ts";
import { type UnpackRequest, unpackTree } from "../../src/files/unpack.ts";
import { setXattr } from "../../src/images/unpack/special.ts";
import { Failure } from "../../src/model/diagnostic.ts";
import { tar } from "../support/tar.ts";

interface Ground {
  top: string;
  from: string;
  to: string;
}

const it = suite<Ground>("trees of files as tar streams");

it.before.each((ground) => {
  ground.top = mkdtempSync(join(tmpdir(), "wharf-trees-"));
  ground.from = join(ground.top, "from");
  ground.to = join(ground.top, "to");
  mkdirSync(ground.from);
  mkdirSync(ground.to);
});

it.after.each(({ top }) => rmSync(top, { recursive: true, force: true }));

it("a tree comes out as it went in: modes, times, links, names of bytes", async ({ from, to }) => {
  mkdirSync(join(from, "tree/deep"), { recursive: true });
  writeFileSync(join(from, "tree/deep/ünï"), "text");
  chmodSync(join(from, "tree/deep/ünï"), 0o640);
  utimesSync(join(from, "tree/deep/ünï"), 1000, 1000);
  linkSync(join(from, "tree/deep/ünï"), join(from, "tree/other"));
  symlinkSync("/nowhere", join(from, "tree/link"));
  writeFileSync(join(from, "tree", "n".repeat(200)), "long");
  chmodSync(join(from, "tree/deep"), 0o500);
  utimesSync(join(from, "tree/deep"), 2000, 2000);
  await unpack(to, pack(from, { name: "tree", as: "copy" }));
  assert.is(readFileSync(join(to, "copy/deep/ünï"), "utf8"), "text");
  assert.is(statSync(join(to, "copy/deep/ünï")).mode & 0o7777, 0o640);
  assert.is(statSync(join(to, "copy/deep/ünï")).mtimeMs, 1_000_000);
  assert.is(statSync(join(to, "copy/other")).ino, statSync(join(to, "copy/deep/ünï")).ino);
  assert.is(readlinkSync(join(to, "copy/link")), "/nowhere");
  assert.is(readFileSync(join(to, "copy", "n".repeat(200)), "utf8"), "long");
  assert.is(statSync(join(to, "copy/deep")).mode & 0o7777, 0o500);
  assert.is(statSync(join(to, "copy/deep")).mtimeMs, 2_000_000);
});

it("times before 1970 come out as they went in, of files, links and directories", async ({ from, to }) => {
  mkdirSync(join(from, "old"));
  writeFileSync(join(from, "old/file"), "");
  symlinkSync("file", join(from, "old/link"));
  const moon = new Date("1969-07-20T20:17:40Z");
  utimesSync(join(from, "old/file"), moon, moon);
  lutimesSync(join(from, "old/link"), moon, moon);
  utimesSync(join(from, "old"), moon, moon);
  await unpack(to, pack(from, { name: "old", as: "copy" }));
  for (const name of ["copy", "copy/file", "copy/link"]) assert.is(lstatSync(join(to, name)).mtimeMs, moon.getTime(), name);
});

it("what is packed is read by GNU tar", async ({ top, from, to }) => {
  writeFileSync(join(from, "a"), "x".repeat(70_000));
  writeFileSync(join(from, "é".repeat(90)), "");
  writeFileSync(join(top, "t.tar"), await whole(pack(from, { name: null, as: "." })));
  execFileSync("tar", ["-xf", join(top, "t.tar"), "-C", to]);
  assert.is(readFileSync(join(to, "a"), "utf8").length, 70_000);
  assert.ok(existsSync(join(to, "é".repeat(90))));
});

it("a directory that is there keeps its mode, and what is in it stays", async ({ from, to }) => {
  mkdirSync(join(from, "d"));
  writeFileSync(join(from, "d/new"), "");
  chmodSync(join(from, "d"), 0o700);
  mkdirSync(join(to, "d"));
  chmodSync(join(to, "d"), 0o751);
  writeFileSync(join(to, "d/old"), "");
  await unpack(to, pack(from, { name: "d", as: "d" }));
  assert.is(statSync(join(to, "d")).mode & 0o7777, 0o751);
  assert.ok(existsSync(join(to, "d/old")) && existsSync(join(to, "d/new")));
  await unpack(to, pack(from, { name: "d", as: "d" }), { changeDirectories: true });
  assert.is(statSync(join(to, "d")).mode & 0o7777, 0o700);
});

it("a file takes the place of a file or a link, never of a directory, nor a directory that of a file", async ({ top, from, to }) => {
  writeFileSync(join(from, "f"), "new");
  writeFileSync(join(top, "outside"), "mine");
  symlinkSync("../outside", join(to, "f"));
  await unpack(to, pack(from, { name: "f", as: "f" }));
  assert.is(readFileSync(join(top, "outside"), "utf8"), "mine");
  assert.is(readFileSync(join(to, "f"), "utf8"), "new");
  mkdirSync(join(to, "d"));
  assert.match(await refusal(unpack(to, pack(from, { name: "f", as: "d" }))), /"d" is a directory there/);
  mkdirSync(join(from, "e"));
  assert.match(await refusal(unpack(to, pack(from, { name: "e", as: "f" }))), /"f.*" is no directory there/);
});

it("nothing is written through a link, whatever the archive says", async ({ top, to }) => {
  symlinkSync(top, join(to, "out"));
  assert.match(await refusal(unpack(to, [tar([{ path: "out/stolen", content: "x" }])])), /leads through "out"/);
  assert.match(await refusal(unpack(to, [tar([{ path: "../stolen", content: "x" }])])), /leads out of it/);
  const chain = tar([
    { path: "in", type: "symlink", target: ".." },
    { path: "in/stolen", content: "x" },
  ]);
  assert.match(await refusal(unpack(to, [chain])), /leads through "in"/);
  await refusal(unpack(to, [tar([{ path: "h", type: "hardlink", target: "out/from" }])]));
  assert.not(existsSync(join(top, "stolen")));
  assert.not(existsSync(join(to, "h")));
});

it("another owner does not get set-id bits, the archive's own owner does", async ({ from, to }) => {
  if (process.geteuid?.() !== 0) return;
  writeFileSync(join(from, "s"), "");
  chownSync(join(from, "s"), 12, 34);
  chmodSync(join(from, "s"), 0o6755);
  await unpack(to, pack(from, { name: "s", as: "mine" }), { owner: { uid: 0, gid: 0 } });
  await unpack(to, pack(from, { name: "s", as: "kept" }), { owner: null });
  assert.is(statSync(join(to, "mine")).mode & 0o7777, 0o755);
  const kept = statSync(join(to, "kept"));
  assert.equal([kept.uid, kept.gid, kept.mode & 0o7777], [12, 34, 0o6755]);
});

it("device nodes are left out where they are not wanted, and said", async ({ to }) => {
  const left: string[] = [];
  await unpack(to, [tar([{ path: "disk", type: "block", major: 8, minor: 0 }])], { skipped: (path) => left.push(path) });
  assert.equal(left, ['"disk"']);
  assert.not(existsSync(join(to, "disk")));
});

it("what an overlay has and no layer can say is refused, not said wrongly", async ({ from }) => {
  const marks = { content: "trusted.overlay.metacopy", moved: "trusted.overlay.redirect" };
  for (const [name, mark] of Object.entries(marks)) {
    const path = join(from, name);
    if (name === "moved") mkdirSync(path);
    else writeFileSync(path, "");
    setXattr(path, mark, Buffer.from(""));
    await isRefused(from);
    rmSync(path, { recursive: true });
  }
  writeFileSync(join(from, ".wh.passwd"), "");
  await isRefused(from);
  assert.ok((await changes(from, (path) => path === ".wh.passwd")).length > 0);
});

it.run();

async function isRefused(directory: string): Promise<void> {
  const error = await changes(directory).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.is(error instanceof Failure ? error.diagnostics[0]?.code : error, "E_COMMIT");
}

async function changes(directory: string, skip: (path: string) => boolean = () => false): Promise<Buffer> {
  const descriptor = openSync(directory, constants.O_RDONLY);
  try {
    return await whole(packChanges({ directory: descriptor, skip }));
  } finally {
    closeSync(descriptor);
  }
}

function pack(directory: string, options: { readonly name: string | null; readonly as: string }): AsyncIterable<Buffer> {
  const bytes = (text: string): string => Buffer.from(text).toString("latin1");
  return (async function* () {
    const descriptor = openSync(directory, constants.O_RDONLY);
    try {
      yield* packTree({ directory: descriptor, name: options.name === null ? null : bytes(options.name), as: bytes(options.as) });
    } finally {
      closeSync(descriptor);
    }
  })();
}

async function unpack(
  directory: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: Partial<UnpackRequest> = {},
): Promise<void> {
  const descriptor = openSync(directory, constants.O_RDONLY);
  try {
    const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    const request = { directory: descriptor, owner, changeDirectories: false, devices: false, skipped: () => {} };
    await unpackTree(each(chunks), { ...request, ...options });
  } finally {
    closeSync(descriptor);
  }
}

async function* each(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function whole(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

async function refusal(work: Promise<void>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
  throw new Error("it was not refused");
}
