import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readXattrs } from "../../../src/images/unpack/special.ts";
import { type TarEntry, tar } from "../../support/tar.ts";
import { asRoot, outline, refusal, withLayer } from "../../support/unpacked.ts";

const it = suite("unpack");
const rootly = asRoot(it);
const CAPABILITY = Buffer.from("0100000200040000000000000000000000000000", "hex");
const sha256 = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const zstdOf = (bytes: Buffer, args: readonly string[] = []): Buffer => {
  const { stdout, status } = spawnSync("zstd", ["-q", "-c", ...args], { input: bytes, maxBuffer: 1 << 28 });
  assert.is(status, 0);
  return stdout;
};
const hasZstd = spawnSync("zstd", ["--version"]).status === 0;
const withZstd: (name: string, test: () => Promise<void>) => void = hasZstd ? it : (name, test) => it.skip(`${name} (needs zstd)`, test);

const ARCHIVE = tar([
  { path: "d/", type: "directory" },
  { path: "d/f", content: "hello ".repeat(50_000) },
  { path: "g", content: "x" },
]);

rootly("owners, modes and times are those of the archive, set-id bits among them", async () => {
  const entries: readonly TarEntry[] = [
    { path: "d/", type: "directory", mode: 0o2775, uid: 10, gid: 20, mtime: 1000 },
    { path: "d/suid", content: "x", mode: 0o6755, uid: 1000, gid: 1000, mtime: 2000 },
    { path: "d/open", content: "x", mode: 0o666, mtime: 3000 },
    { path: "d/none", content: "x", mode: 0, mtime: 3000 },
    { path: "tmp/", type: "directory", mode: 0o1777, mtime: 4000 },
    { path: "l", type: "symlink", target: "/d/suid", uid: 5, gid: 6, mtime: 5000 },
  ];
  await withLayer(tar(entries), (layer) => {
    assert.equal(outline(layer), {
      d: "directory 2775 10:20",
      "d/none": "file 0 0:0",
      "d/open": "file 666 0:0",
      "d/suid": "file 6755 1000:1000",
      l: "symlink 777 5:6",
      tmp: "directory 1777 0:0",
    });
    const times = entries.map(({ path }) => lstatSync(join(layer.directory, path.replace(/\/$/, ""))).mtimeMs / 1000);
    assert.equal(times, [1000, 2000, 3000, 3000, 4000, 5000], "a directory's also after what came into it");
  });
});

rootly("fractions of seconds are kept to the microsecond", async () => {
  await withLayer(tar([{ path: "f", pax: { mtime: "1700000000.123456789" } }]), ({ directory }) => {
    const { mtimeNs } = lstatSync(join(directory, "f"), { bigint: true });
    assert.ok(Math.abs(Number(mtimeNs - 1_700_000_000_123_456_789n)) < 1000, `${mtimeNs}`);
  });
});

rootly("times before 1970 are kept", async () => {
  const pax = { mtime: "-77.5" };
  const link: TarEntry = { path: "l", type: "symlink", target: "x", pax };
  await withLayer(tar([{ path: "f", pax }, { path: "d/", type: "directory", pax }, link]), ({ directory }) => {
    for (const path of ["f", "d", "l"]) assert.is(lstatSync(join(directory, path)).mtimeMs, -77_500, path);
  });
});

rootly("times that a file system cannot keep are the nearest that it can", async () => {
  await withLayer(
    tar([
      { path: "f", pax: { mtime: "9999999999999999" } },
      { path: "g", pax: { mtime: "-9999999999999999" } },
    ]),
    ({ tree }) => assert.is(tree.size, 3),
  );
});

rootly("devices and FIFOs are made", async () => {
  await withLayer(
    tar([
      { path: "null", type: "character", major: 1, minor: 3, mode: 0o666 },
      { path: "disk", type: "block", major: 259, minor: 70_000, mode: 0o660, gid: 6 },
      { path: "pipe", type: "fifo", mode: 0o600 },
    ]),
    (layer) => {
      assert.equal(outline(layer), { disk: "block 660 0:6", null: "character 666 0:0", pipe: "fifo 600 0:0" });
      assert.is(lstatSync(join(layer.directory, "null")).rdev, 0x103);
      assert.is(lstatSync(join(layer.directory, "disk")).rdev, 259 * 256 + (70_000 & 0xff) + (70_000 >> 8) * 0x100000);
    },
  );
});

rootly("capabilities of programs and users' attributes are kept, byte for byte, and survive the change of owner", async () => {
  const pax = { "SCHILY.xattr.security.capability": CAPABILITY, "SCHILY.xattr.user.bytes": Buffer.from([0, 0x80, 0xff, 10]) };
  await withLayer(
    tar([
      { path: "ping", content: "x", uid: 7, mode: 0o755, pax },
      { path: "d/", type: "directory", pax: { "SCHILY.xattr.user.d": "1" } },
    ]),
    ({ directory }) => {
      const xattrs = readXattrs(join(directory, "ping"));
      assert.is(xattrs.get("security.capability")?.toString("hex"), CAPABILITY.toString("hex"));
      assert.is(xattrs.get("user.bytes")?.toString("hex"), "0080ff0a");
      assert.is(readXattrs(join(directory, "d")).get("user.d")?.toString(), "1");
    },
  );
});

rootly("attributes that would deceive overlayfs or the machine's security modules are left out", async () => {
  const names = [
    "trusted.overlay.opaque",
    "trusted.overlay.redirect",
    "user.overlay.opaque",
    "security.selinux",
    "trusted.x",
    "user.overlay.whiteout",
  ];
  const pax = Object.fromEntries(names.map((name) => [`SCHILY.xattr.${name}`, "y"]));
  await withLayer(tar([{ path: "d/", type: "directory", pax }]), ({ directory }) => assert.is(readXattrs(join(directory, "d")).size, 0));
});

rootly("a user's attribute where there can be none is no reason to fail", async () => {
  await withLayer(tar([{ path: "l", type: "symlink", target: "x", pax: { "SCHILY.xattr.user.a": "1" } }]), ({ tree }) =>
    assert.ok(tree.has("l")),
  );
});

rootly("hard links share their file, also links to links, symbolic links and devices", async () => {
  const entries: readonly TarEntry[] = [
    { path: "a", content: "x" },
    { path: "b", type: "hardlink", target: "a" },
    { path: "c", type: "hardlink", target: "./b" },
    { path: "s", type: "symlink", target: "a" },
    { path: "t", type: "hardlink", target: "/s" },
  ];
  await withLayer(tar(entries), ({ directory, tree }) => {
    assert.is(lstatSync(join(directory, "a")).nlink, 3);
    assert.match(tree.get("t") ?? "", /^symlink .* a links s$/);
  });
});

rootly("of two entries with one name the last counts", async () => {
  const entries: readonly TarEntry[] = [
    { path: "f", content: "old" },
    { path: "f", content: "new", mode: 0o600 },
    { path: "d/", type: "directory", mode: 0o700 },
    { path: "d/kept" },
    { path: "d/", type: "directory", mode: 0o711 },
    { path: "dir/\xffname/x" },
    { path: "dir", content: "now a file" },
    { path: "l", type: "symlink", target: "d" },
    { path: "l/", type: "directory" },
  ];
  await withLayer(tar(entries), (layer) => {
    assert.is(readFileSync(join(layer.directory, "f"), "utf8"), "new");
    assert.equal(outline(layer), {
      d: "directory 711 0:0",
      "d/kept": "file 644 0:0",
      dir: "file 644 0:0",
      f: "file 600 0:0",
      l: "directory 755 0:0",
    });
  });
});

rootly("names are bytes: what is not UTF-8 stays as it is", async () => {
  await withLayer(
    tar([
      { path: "\xe4\xff/", type: "directory" },
      { path: "\xe4\xff/\xc3\xa4", content: "x" },
      { path: "l", type: "symlink", target: "\xff" },
    ]),
    ({ tree }) => {
      assert.ok(tree.has("\xe4\xff/\xc3\xa4"));
      assert.match(tree.get("l") ?? "", /\xff$/);
    },
  );
});

rootly("a hole stays a hole", async () => {
  const pax = { "GNU.sparse.size": String(1 << 26), "GNU.sparse.map": `${1 << 20},5` };
  await withLayer(tar([{ path: "s", content: "abcde", pax }]), ({ directory, unpacked }) => {
    const { size, blocks } = lstatSync(join(directory, "s"));
    assert.is(size, 1 << 26);
    assert.ok(blocks < 100, `${blocks} blocks`);
    assert.is(readFileSync(join(directory, "s")).indexOf("abcde"), 1 << 20);
    assert.is(unpacked.size, 1 << 26);
  });
});

rootly("the layer's own links to directories are followed as in a container", async () => {
  const entries: readonly TarEntry[] = [
    { path: "usr/lib/", type: "directory" },
    { path: "lib", type: "symlink", target: "usr/lib" },
    { path: "up", type: "symlink", target: "../../../usr" },
    { path: "lib/a", content: "x" },
    { path: "up/b", content: "x" },
  ];
  await withLayer(tar(entries), ({ tree }) =>
    assert.equal([...tree.keys()].sort(), [".", "lib", "up", "usr", "usr/b", "usr/lib", "usr/lib/a"]),
  );
});

it("the digests are over every byte: padding, what follows the end, all members of a gzip file and the zeros after those", async () => {
  const plain = Buffer.concat([ARCHIVE, Buffer.alloc(4096), Buffer.from("trailing")]);
  const members = Buffer.concat([gzipSync(plain.subarray(0, 700)), gzipSync(plain.subarray(700)), gzipSync(Buffer.from("more"))]);
  const rest = Buffer.alloc(100_000);
  for (const [bytes, diff] of [
    [plain, plain],
    [gzipSync(plain), plain],
    [members, Buffer.concat([plain, Buffer.from("more")])],
    [Buffer.concat([members, rest]), Buffer.concat([plain, Buffer.from("more")])],
  ] as const)
    for (const split of [bytes.length, 1000])
      await withLayer(
        bytes,
        ({ unpacked, tree }) => {
          assert.equal([unpacked.digest, unpacked.compressedSize, unpacked.diffId], [sha256(bytes), bytes.length, sha256(diff)]);
          assert.is(tree.size, 4);
        },
        { split },
      );
});

it("an archive that is cut off, or whose gzip data is, is refused", async () => {
  assert.match(await refusal(gzipSync(ARCHIVE).subarray(0, -20)), /^E_LAYER_COMPRESSION .*damaged or cut off/);
  const damaged = gzipSync(ARCHIVE);
  damaged[damaged.length - 6] = (damaged[damaged.length - 6] ?? 0) ^ 1;
  assert.match(await refusal(damaged), /^E_LAYER_COMPRESSION/);
  assert.match(await refusal(Buffer.concat([gzipSync(ARCHIVE), Buffer.from("no gzip")])), /^E_LAYER_COMPRESSION/, "as Docker does");
  assert.match(await refusal(gzipSync(ARCHIVE.subarray(0, 2000))), /^E_LAYER_TAR .*ends too early/);
  assert.match(await refusal(tar([{ path: "f" }], { end: false }), { standalone: true }), /^E_LAYER_TAR .*ends too early/);
});

it("what the source of the bytes fails with comes through as it is", async () => {
  const broken = new Error("the line is dead");
  const { unpackLayer } = await import("../../../src/images/unpack/unpack.ts");
  const { withDirectory } = await import("../../support/unpacked.ts");
  for (const bytes of [ARCHIVE, gzipSync(ARCHIVE)])
    await withDirectory(async (directory) => {
      const source = async function* (): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, 600);
        throw broken;
      };
      const error: unknown = await unpackLayer(source(), { directory, standalone: false }).catch((reason: unknown) => reason);
      assert.is(error, broken);
    });
});

withZstd("zstd is read: several frames, frames to skip, content without a checksum, a large window", async () => {
  const large = Buffer.concat([tar([{ path: "big", content: pattern(3_000_000) }], { end: false }), ARCHIVE]);
  const skip = Buffer.from("502a4d180400000061626364", "hex");
  const stored = zstdOf(large, ["--no-check", "-1"]);
  for (const bytes of [
    zstdOf(large),
    stored,
    zstdOf(large, ["--long=27"]),
    Buffer.concat([skip, zstdOf(large.subarray(0, 999)), skip, zstdOf(large.subarray(999)), skip]),
  ])
    for (const split of [bytes.length, 9973])
      await withLayer(
        bytes[1] === 0x2a ? Buffer.concat([bytes.subarray(skip.length), skip]) : bytes,
        ({ unpacked, tree }) => {
          assert.is(unpacked.diffId, sha256(large));
          assert.is(tree.size, 5);
        },
        { split },
      );
});

withZstd("zstd data that is damaged, cut off or wants too large a window is refused", async () => {
  const good = zstdOf(pattern(400_000));
  assert.match(await refusal(good.subarray(0, -3)), /^E_LAYER_(COMPRESSION|TAR)/);
  const whole = zstdOf(ARCHIVE);
  for (const cut of [1, 3, 8, 20]) assert.match(await refusal(whole.subarray(0, -cut)), /^E_LAYER_COMPRESSION/);
  for (const at of [6, 20, whole.length - 2]) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ 0x55;
    assert.match(await refusal(damaged), /^E_LAYER_(COMPRESSION|TAR)/);
  }
  assert.match(await refusal(Buffer.concat([whole, Buffer.from("no zstd at all")])), /^E_LAYER_COMPRESSION/);
  assert.match(await refusal(Buffer.from("28b52ffd00a80100000000", "hex")), /^E_LAYER_COMPRESSION/); // a window of 2 GiB
});

it("other compressions are refused by their name", async () => {
  assert.match(await refusal(Buffer.from("fd377a585a000000", "hex")), /^E_LAYER_COMPRESSION .*compressed with xz/);
  assert.match(await refusal(Buffer.from("425a683931415926", "hex")), /compressed with bzip2/);
});

it("a bomb is refused before it has filled the disk", async () => {
  const zeros = { path: "z", content: Buffer.alloc(4 << 20) };
  const bomb = gzipSync(tar([zeros, zeros]), { level: constants.Z_BEST_COMPRESSION });
  assert.ok(bomb.length < 20_000);
  assert.match(await refusal(bomb, { bytes: 6 << 20 }), /^E_LAYER_LIMIT .*more than 6291456 bytes/);
  const claims = tar([{ path: "z", claimedSize: 2 ** 33 - 1 }]);
  assert.match(await refusal(claims, { bytes: 1 << 30 }), /^E_LAYER_LIMIT/);
  const sparse = tar([{ path: "s", pax: { "GNU.sparse.size": String(2 ** 50), "GNU.sparse.map": `${2 ** 50},0` } }]);
  assert.match(await refusal(sparse), /^E_LAYER_LIMIT/);
});

/** Bytes that compress to about half. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0, state = 1; at < length; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = (state >>> 16) & 0x3f;
  }
  return bytes;
}

it.run();
