import { spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { chainOf, completeLayer } from "../../src/images/complete.ts";
import { claimDirectory, overlayOf, recordLayer } from "../../src/images/store/layers.ts";
import { type Layout, layoutOf, prepare } from "../../src/images/store/layout.ts";
import type { LayerRecord } from "../../src/images/store/records.ts";
import { unpackLayer } from "../../src/images/unpack/unpack.ts";
import { type TarEntry, tar } from "../support/tar.ts";
import { readTree, type Tree } from "../support/tree.ts";
import { asRoot, chunks, withDirectory } from "../support/unpacked.ts";

const it = suite("complete layers");
const rootly = asRoot(it);
const signal = new AbortController().signal;

interface Stacked {
  readonly layout: Layout;
  readonly records: readonly LayerRecord[];
  /** The highest layer as it was unpacked. */
  readonly alone: LayerRecord;
  /** What the highest layer is in its place. */
  readonly tree: Tree;
  readonly top: LayerRecord;
}

/** Unpacks layers, the lowest first, and completes each. */
async function stacked(layers: readonly (readonly TarEntry[])[], work: (stack: Stacked) => void | Promise<void>): Promise<void> {
  await withDirectory(async (directory) => {
    const layout = layoutOf(directory);
    await prepare(layout);
    const records: LayerRecord[] = [];
    const alone: LayerRecord[] = [];
    for (const entries of layers) {
      const claim = await claimDirectory(layout);
      const filled = await unpackLayer(chunks(tar(entries)), { directory: claim.path, standalone: false });
      const record = await recordLayer(layout, filled.diffId, { claim, filled });
      alone.push(record);
      const key = chainOf(alone.map(({ diffId }) => diffId)).at(-1) ?? record.diffId;
      records.push(await completeLayer(layout, key, { record, lower: [...records] }, signal));
    }
    const [top, topAlone] = [records.at(-1), alone.at(-1)];
    if (top === undefined || topAlone === undefined) throw new Error("no layers");
    await work({ layout, records, alone: topAlone, top, tree: readTree(layout.layer(top.name)) });
  });
}

async function refusal(layers: readonly (readonly TarEntry[])[]): Promise<string> {
  try {
    await stacked(layers, () => {});
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("the layers were completed");
}

const CAPABILITY = Buffer.from("0100000200040000000000000000000000000000", "hex");
const directory = (path: string, more: Partial<TarEntry> = {}): TarEntry => ({ path: `${path}/`, type: "directory", ...more });
const file = (path: string, more: Partial<TarEntry> = {}): TarEntry => ({ path, content: path, ...more });
const link = (path: string, target: string): TarEntry => ({ path, type: "hardlink", target });
const symlink = (path: string, target: string): TarEntry => ({ path, type: "symlink", target });
const begins = (tree: Tree, path: string): string => tree.get(path)?.split(" ").slice(0, 3).join(" ") ?? "is not there";

rootly("a layer that says everything itself is used as it is", async () => {
  await stacked([[directory("tmp", { mode: 0o1777 })], [directory("tmp"), file("tmp/a")]], ({ top, alone }) => assert.is(top, alone));
});

rootly("so is one that passes through directories which nothing is special about", async () => {
  await stacked(
    [
      [directory("usr"), file("usr/a")],
      [file("usr/b"), file("new/c")],
    ],
    ({ top, alone }) => assert.is(top, alone),
  );
});

rootly("a directory that is only passed through keeps the lower one's owner, mode, times and attributes", async () => {
  const lower = [
    directory("tmp", { mode: 0o1777, mtime: 1000 }),
    directory("home/web", { mode: 0o2750, uid: 1000, gid: 100, mtime: 2000, pax: { "SCHILY.xattr.user.a": "b" } }),
  ];
  await stacked([lower, [file("tmp/a/b"), file("home/web/c")]], ({ top, alone, tree, layout }) => {
    assert.is.not(top.name, alone.name);
    assert.is(begins(tree, "tmp"), "directory 1777 0:0");
    assert.is(tree.get("home/web"), "directory 2750 1000:100 2000000 user.a=62");
    assert.is(lstatSync(join(layout.layer(top.name), "tmp")).mtimeMs, 1_000_000);
    assert.is(begins(tree, "home"), "directory 755 0:0");
    assert.equal([top.implicit, top.diffId], [[], alone.diffId]);
    assert.is(begins(readTree(layout.layer(alone.name)), "tmp"), "directory 755 0:0", "the layer itself may stand elsewhere, and stays");
    assert.is(lstatSync(join(layout.layer(top.name), "tmp/a/b")).nlink, 2, "no content is copied");
  });
});

rootly("the nearest lower layer that has the directory is the one that counts", async () => {
  const layers = [[directory("d", { mode: 0o700 })], [directory("d", { mode: 0o711 })], [file("other")], [file("d/a")]];
  await stacked(layers, ({ tree }) => assert.is(begins(tree, "d"), "directory 711 0:0"));
});

rootly("a directory that was removed or hidden below is not looked at", async () => {
  for (const middle of [[file(".wh.d")], [directory("d"), file("d/.wh..wh..opq")], [file("d")], [symlink("d", "/nowhere")]])
    await stacked([[directory("d/e", { mode: 0o700 })], middle, [file("d/e/a")]], ({ tree }) =>
      assert.is(begins(tree, "d/e"), "directory 755 0:0", JSON.stringify(middle)),
    );
});

rootly("a directory that hides what is below it still is like the lower one, what is in it is not", async () => {
  const lower = [directory("d", { mode: 0o750, uid: 5 }), directory("d/e", { mode: 0o700 })];
  await stacked([lower, [file("d/.wh..wh..opq"), file("d/e/a")]], ({ tree, top }) => {
    assert.is(begins(tree, "d"), "directory 750 5:0");
    assert.match(tree.get("d") ?? "", /trusted\.overlay\.opaque=79/);
    assert.is(begins(tree, "d/e"), "directory 755 0:0");
    assert.equal(top.opaque, ["d"]);
  });
  await stacked([lower, [file(".wh.d"), file("d/a")]], ({ tree }) => assert.is(begins(tree, "d"), "directory 755 0:0"));
});

rootly("what lies in a directory that is a symbolic link below goes where the link leads", async () => {
  const lower = [directory("usr/lib", { mode: 0o711 }), file("usr/lib/old"), symlink("lib", "usr/lib"), symlink("abs", "/lib/../lib")];
  const upper = [file("lib/a"), file("lib/sub/b"), file("lib/.wh.old"), file("abs/c")];
  await stacked([lower, upper], ({ tree }) => {
    assert.equal([...tree.keys()].sort(), [".", "usr", "usr/lib", "usr/lib/a", "usr/lib/c", "usr/lib/old", "usr/lib/sub", "usr/lib/sub/b"]);
    assert.is(begins(tree, "usr/lib"), "directory 711 0:0");
    assert.match(tree.get("usr/lib/old") ?? "", /^character/);
  });
});

rootly("a symbolic link below that leads nowhere gives way to the directory", async () => {
  for (const target of ["nowhere", "../../../../etc/nowhere", "loop"])
    await stacked([[symlink("loop", "loop"), symlink("d", target)], [file("d/a")]], ({ tree }) =>
      assert.equal([...tree.keys()], [".", "d", "d/a"]),
    );
});

rootly("a hard link to a file of a lower layer brings it up under both names, with all that it is", async () => {
  const lower = [
    directory("bin", { mode: 0o750, gid: 3 }),
    file("bin/tool", { mode: 0o4755, uid: 7, mtime: 5000, pax: { "SCHILY.xattr.security.capability": CAPABILITY } }),
  ];
  await stacked([lower, [directory("opt"), link("opt/tool", "/bin/tool")]], ({ tree, top, layout, records }) => {
    assert.is(
      tree.get("bin/tool"),
      readTree(layout.layer(records[0]?.name ?? ""))
        .get("bin/tool")
        ?.concat(" links bin/tool"),
    );
    assert.is(tree.get("opt/tool"), tree.get("bin/tool"));
    assert.is(begins(tree, "bin"), "directory 750 0:3");
    assert.equal(top.lowerLinks, []);
  });
});

rootly("two links to one file of a lower layer, and a link to such a link, are one file", async () => {
  await stacked([[file("a")], [link("b", "a"), link("c", "./a"), link("d", "c")]], ({ tree }) => {
    assert.equal([...tree.keys()], [".", "a", "b", "c", "d"]);
    for (const path of ["b", "c", "d"]) assert.match(tree.get(path) ?? "", / links a$/);
  });
});

rootly("a link to a file that the layer removes keeps only the new name", async () => {
  for (const removal of [file(".wh.a"), file("d/.wh.a")])
    await stacked(
      [
        [file("a"), file("d/a")],
        [link("b", removal.path.replace(".wh.", "")), removal],
      ],
      ({ tree }) => {
        assert.match(tree.get("b") ?? "", /^file/);
        assert.match(tree.get(removal.path.replace(".wh.", "")) ?? "", /^character/);
      },
    );
  await stacked([[file("d/a")], [link("b", "d/a"), directory("d"), file("d/.wh..wh..opq")]], ({ tree }) => {
    assert.equal([...tree.keys()], [".", "b", "d"], "what the layer hides does not come back");
  });
});

rootly("links follow symbolic links of all layers inside the image, and symbolic links can be linked to", async () => {
  const lower = [file("usr/bin/tool"), symlink("bin", "usr/bin"), symlink("sh", "usr/bin/tool")];
  await stacked([lower, [link("a", "bin/tool"), link("b", "sh"), symlink("up", "../../usr/bin"), link("c", "up/tool")]], ({ tree }) => {
    assert.match(tree.get("a") ?? "", /^file .* links a$/);
    assert.match(tree.get("c") ?? "", /^file .* links a$/);
    assert.match(tree.get("usr/bin/tool") ?? "", /^file .* links a$/);
    assert.match(tree.get("b") ?? "", /^symlink .* usr\/bin\/tool/);
  });
});

rootly("a link to what no layer has, or to a directory, is refused", async () => {
  assert.match(await refusal([[file("a")], [link("b", "missing")]]), /"b" is a hard link to "missing", which no lower layer has/);
  assert.match(await refusal([[directory("d")], [link("b", "d")]]), /"b" is a hard link to "d", which is a directory/);
  assert.match(await refusal([[link("b", "a")]]), /"b" is a hard link to "a", which is not there/);
  assert.match(await refusal([[file("a")], [file(".wh.a")], [link("b", "a")]]), /no lower layer has/);
});

rootly("nothing of the machine comes into a layer by way of links in one", async () => {
  await withDirectory(async (outside) => {
    writeFileSync(join(outside, "secret"), "of the machine");
    mkdirSync(join(outside, "d"));
    const before = readTree(outside);
    const leading = symlink("l", outside);
    const ways: readonly (readonly (readonly TarEntry[])[])[] = [
      [[file("a")], [leading, link("h", "l/secret")]],
      [[leading], [link("h", "l/secret")]],
      [[leading], [directory("l")], [link("h", "l/secret")]],
      [[symlink("l", `${"../".repeat(20)}${outside}`)], [link("h", "l/secret")]],
    ];
    for (const way of ways) assert.match(await refusal(way), /no lower layer has/, JSON.stringify(way));
    await stacked([[leading], [file("l/d/a")]], ({ tree }) => assert.ok(tree.has("l/d/a"), "the link leads nowhere in the image"));
    assert.equal(readTree(outside), before);
  });
});

rootly("a layer that hides everything below is the lowest that overlayfs gets", async () => {
  await stacked([[file("a")], [file("b")], [file(".wh..wh..opq"), file("c")], [file("d")]], ({ records }) => {
    assert.equal(overlayOf(records), [records[3]?.name, records[2]?.name]);
    assert.equal(overlayOf(records.slice(0, 2)), [records[1]?.name, records[0]?.name]);
  });
});

rootly("what overlayfs shows of the completed layers is what unpacking one after the other would have made", async () => {
  const layers = [
    [directory("etc", { mode: 0o711 }), file("etc/a"), file("etc/b"), directory("usr/lib"), symlink("lib", "usr/lib"), file("old/x")],
    [file("etc/.wh.a"), file("etc/c"), file("lib/so", { mode: 0o755 }), link("b", "etc/b")],
    [file("old/.wh..wh..opq"), file("old/y"), file("etc/a", { mode: 0o600 })],
  ];
  await stacked(layers, ({ layout, records }) => {
    const merged = join(layout.layers, "..", "merged");
    mkdirSync(merged);
    const lower = records.map(({ name }) => layout.layer(name)).reverse();
    const mounted = spawnSync("mount", ["-t", "overlay", "overlay", "-o", `ro,lowerdir=${lower.join(":")}`, merged]);
    if (mounted.status !== 0) return; // no overlayfs here
    try {
      const tree = readTree(merged);
      assert.equal([...tree.keys()], [".", "b", "etc", "etc/a", "etc/b", "etc/c", "lib", "old", "old/y", "usr", "usr/lib", "usr/lib/so"]);
      assert.is(begins(tree, "etc"), "directory 711 0:0");
      assert.is(begins(tree, "etc/a"), "file 600 0:0");
    } finally {
      spawnSync("umount", [merged]);
    }
    assert.equal(readdirSync(merged), []);
  });
});

it.run();
