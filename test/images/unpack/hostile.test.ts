import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { LayerWriter } from "../../../src/images/unpack/layer-writer.ts";
import { TarReader } from "../../../src/images/unpack/tar-reader.ts";
import { unpackLayer } from "../../../src/images/unpack/unpack.ts";
import { Failure } from "../../../src/model/diagnostic.ts";
import { type TarEntry, tar } from "../../support/tar.ts";
import { readTree } from "../../support/tree.ts";
import { asRoot, chunks, refusal, withDirectory, withLayer } from "../../support/unpacked.ts";

const it = suite("hostile layers");
const rootly = asRoot(it);

/** Unpacks beside a directory that must stay as it is, whether the archive is refused or not. Gives the code of the refusal. */
async function contained(entries: readonly TarEntry[] | ((outside: string) => readonly TarEntry[])): Promise<string | null> {
  return withDirectory(async (place) => {
    const outside = join(place, "outside");
    const directory = join(place, "layer");
    for (const path of [outside, directory]) mkdirSync(path);
    writeFileSync(join(outside, "precious"), "untouched", { mode: 0o600 });
    const before = readTree(outside);
    let code: string | null = null;
    try {
      await unpackLayer(chunks(tar(typeof entries === "function" ? entries(outside) : entries)), { directory, standalone: false });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      code = error.diagnostics[0]?.code ?? null;
    }
    assert.equal(readTree(outside), before, "outside the layer nothing changes, not even a count of links");
    assert.equal(readdirSync(place).sort(), ["layer", "outside"]);
    return code;
  });
}

it("a path that leads out with dots is refused; a slash at its beginning is dropped", async () => {
  for (const path of ["../outside/f", "a/../../outside/f", "..", "a/.."]) assert.is(await contained([{ path }]), "E_LAYER_PATH", path);
  assert.is(await contained((outside) => [{ path: `${outside}/precious`, content: "owned" }]), null);
});

it("a symbolic link leads nowhere on the machine: not to its target, not through chains, not as a parent of links", async () => {
  const link = (path: string, target: string): TarEntry => ({ path, type: "symlink", target });
  const ways: readonly ((outside: string) => readonly TarEntry[])[] = [
    (outside) => [link("l", outside), { path: "l/precious", content: "owned" }],
    () => [link("l", "../outside"), { path: "l/precious", content: "owned" }],
    () => [link("a", ".."), link("b", "a/.."), { path: "b/outside/precious", content: "owned" }],
    (outside) => [link("l", `${outside}/precious`), { path: "l", content: "owned" }],
    (outside) => [link("l", `${outside}/precious`), { path: "h", type: "hardlink", target: "l" }, { path: "h", content: "owned" }],
    (outside) => [link("l", outside), { path: "h", type: "hardlink", target: "l/precious" }],
    (outside) => [link("l", outside), { path: "l/.wh.precious" }, { path: "l/.wh..wh..opq" }],
    (outside) => [link("l", outside), { path: "l/", type: "directory", mode: 0o777 }],
    (outside) => [link("l", outside), { path: "l/d/", type: "directory" }, { path: "l", content: "" }],
    (outside) => [{ path: "d/", type: "directory" }, { path: "d/x" }, link("d", outside), { path: "d/precious", content: "" }],
  ];
  for (const way of ways) assert.is(await contained(way), null, String(way));
});

it("links in a circle are refused, as parents", async () => {
  const entries: readonly TarEntry[] = [
    { path: "a", type: "symlink", target: "b" },
    { path: "b", type: "symlink", target: "a" },
    { path: "a/f", content: "x" },
  ];
  assert.is(await contained(entries), "E_LAYER_PATH");
  assert.is(await contained([{ path: "a", type: "symlink", target: "a/a/a" }, { path: "a/.wh.f" }]), "E_LAYER_PATH");
});

it("a hard link out of the layer is refused, or one that only lower layers can make", async () => {
  assert.is(await contained([{ path: "h", type: "hardlink", target: "../outside/precious" }]), "E_LAYER_PATH");
  await withLayer(tar([{ path: "h", type: "hardlink", target: "/etc/passwd" }]), ({ unpacked, tree }) => {
    assert.equal(unpacked.lowerLinks, [{ path: "h", target: "etc/passwd" }]);
    assert.is(tree.size, 1);
  });
  assert.match(await refusal(tar([{ path: "h", type: "hardlink", target: "/etc/passwd" }]), { standalone: true }), /^E_LAYER_LINK/);
});

it("links to directories, to nothing and to what is below a file are refused", async () => {
  assert.is(
    await contained([
      { path: "d/", type: "directory" },
      { path: "h", type: "hardlink", target: "d" },
    ]),
    "E_LAYER_LINK",
  );
  assert.is(await contained([{ path: "h", type: "hardlink", target: "" }]), "E_LAYER_TAR");
  assert.is(await contained([{ path: "l", type: "symlink", target: "" }]), "E_LAYER_TAR");
  assert.is(await contained([{ path: "f" }, { path: "h", type: "hardlink", target: "f/x" }]), "E_LAYER_PATH");
});

it("a link to itself changes nothing", async () => {
  await withLayer(
    tar([
      { path: "f", content: "x" },
      { path: "f", type: "hardlink", target: "f" },
    ]),
    ({ directory }) => assert.is(readFileSync(join(directory, "f"), "utf8"), "x"),
  );
});

it("a file below a file is refused", async () => {
  assert.is(await contained([{ path: "f" }, { path: "f/g" }]), "E_LAYER_PATH");
});

it("the layer's root stays a directory", async () => {
  for (const path of [".", "./", "/"]) assert.is(await contained([{ path, type: "symlink", target: "x" }]), "E_LAYER_PATH");
});

it("a whiteout of nothing, of the directory itself or of its parent is refused", async () => {
  for (const path of [".wh.", ".wh..", ".wh..."]) assert.is(await contained([{ path: `d/${path}` }]), "E_LAYER_TAR", path);
});

it("names and paths longer than the kernel takes are refused", async () => {
  assert.is(await contained([{ path: "n".repeat(256) }]), "E_LAYER_LIMIT");
  assert.is(await contained([{ path: "d/".repeat(2100) }]), "E_LAYER_LIMIT");
  assert.is(
    await contained([{ path: `${`${"d".repeat(200)}/`.repeat(20)}${"f".repeat(70)}` }]),
    "E_LAYER_LIMIT",
    "with the layer's place before it",
  );
  assert.is(await contained([{ path: "l", type: "symlink", target: "t".repeat(5000) }]), "E_LAYER_LIMIT");
  assert.is(await contained([{ path: "h", type: "hardlink", target: "t/".repeat(5000) }]), "E_LAYER_LIMIT");
});

it("more than 500 directories in one another are refused, also by way of links", async () => {
  assert.is(await contained([{ path: `${"d/".repeat(500)}f` }]), null);
  assert.is(await contained([{ path: `${"d/".repeat(501)}f` }]), "E_LAYER_LIMIT");
  const link: TarEntry = { path: "l", type: "symlink", target: "d/".repeat(400) };
  assert.is(await contained([{ path: "d/".repeat(400), type: "directory" }, link, { path: `l/${"e/".repeat(101)}f` }]), "E_LAYER_LIMIT");
  assert.is(await contained([{ path: `${"d/".repeat(500)}f` }, { path: "d", content: "in its place" }]), null);
});

it("more entries or devices than a layer may have are refused", async () => {
  await withDirectory((directory) => {
    const limited = (entries: readonly TarEntry[]): string => {
      const writer = new LayerWriter(directory, { entries: 3, devices: 1, bytes: 100 });
      try {
        new TarReader(writer).write(tar(entries));
        return "";
      } catch (error) {
        return error instanceof Failure ? error.message : String(error);
      } finally {
        writer.close();
      }
    };
    assert.match(limited(Array.from({ length: 4 }, (_, i) => ({ path: `.wh.${i}` }))), /too many entries/);
    assert.match(limited([1, 2].map((i) => ({ path: `p${i}`, type: "fifo" as const }))), /too many device nodes/);
    assert.match(limited([1, 2].map((i) => ({ path: `f${i}`, content: "x".repeat(60) }))), /more than 100 bytes/);
  });
});

rootly("device numbers beyond the kernel's are refused", async () => {
  assert.is(await contained([{ path: "n", type: "character", major: 0o7777777, minor: 0 }]), "E_LAYER_TAR");
  assert.is(await contained([{ path: "n", type: "block", major: 1, minor: 0o7777777 }]), "E_LAYER_TAR");
});

rootly("a layer cannot make a whiteout of its own out of a device", async () => {
  await withLayer(
    tar([
      { path: "d/", type: "directory" },
      { path: "d/w", type: "character", major: 0, minor: 0 },
    ]),
    ({ unpacked }) => assert.is(unpacked.entries, 2),
  );
});

it("attributes larger than the kernel takes are refused, or left out where the file system has no place for them", async () => {
  const code = await contained([{ path: "f", pax: { "SCHILY.xattr.user.a": "x".repeat(70_000) } }]);
  assert.ok(code === "E_LAYER_WRITE" || code === null, String(code));
});

it("a name with a NUL is refused wherever it comes from", async () => {
  assert.is(await contained([{ path: "f", pax: { path: "f\0../../etc/passwd" } }]), "E_LAYER_TAR");
  assert.is(await contained([{ path: "f", type: "hardlink", pax: { linkpath: "a\0b" } }]), "E_LAYER_TAR");
  assert.is(await contained([{ path: "f", pax: { "SCHILY.xattr.user.a\0b": "x" } }]), "E_LAYER_TAR");
});

it("messages show names so that no terminal acts on them", async () => {
  const message = await refusal(tar([{ path: "../\x1b[31m\x9bred\n" }]));
  assert.not.match(message, /[\x00-\x1f\x7f-\x9f]/);
  assert.match(message, /\\u001b\[31m/);
});

it("a thousand links deep in one another cost no more than they are", async () => {
  const deep = "d/".repeat(500);
  const entries: TarEntry[] = [{ path: deep, type: "directory" }];
  for (let i = 0; i < 39; i += 1)
    entries.push({ path: `l${i}`, type: "symlink", target: i === 0 ? deep : `l${i - 1}/${"../".repeat(600)}${deep}` });
  for (let i = 0; i < 300; i += 1) entries.push({ path: `l${i % 39}/.wh.${i}` });
  assert.is(await contained(entries), null);
});

it.run();
