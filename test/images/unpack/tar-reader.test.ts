import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type TarEntry as Entry, TarReader } from "../../../src/images/unpack/tar-reader.ts";
import { Failure } from "../../../src/model/diagnostic.ts";
import { type TarEntry, tar } from "../../support/tar.ts";

const it = suite("tar reader");

interface Read {
  readonly entry: Entry;
  /** Content with its holes filled. */
  readonly content: string;
}

function read(archive: Buffer, split = archive.length): readonly Read[] {
  const found: { entry: Entry; bytes: Buffer }[] = [];
  const reader = new TarReader({
    entry: (entry) => found.push({ entry, bytes: Buffer.alloc(Math.min(entry.size, 1 << 20)) }),
    data: (chunk, offset) => chunk.copy(found.at(-1)?.bytes ?? Buffer.alloc(0), offset),
    end: () => {},
  });
  for (let at = 0; at < archive.length; at += split) reader.write(archive.subarray(at, at + split));
  reader.finish({ requireEnd: false });
  return found.map(({ entry, bytes }) => ({ entry, content: bytes.toString("latin1") }));
}

function only(entry: TarEntry): Read {
  const [first, ...rest] = read(tar([entry]));
  assert.is(rest.length, 0);
  if (first === undefined) throw new Error("nothing was read");
  return first;
}

function problem(archive: Buffer): string {
  try {
    read(archive);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.message.replace("the layer is not a readable tar archive: ", "");
  }
  throw new Error("the archive was read");
}

/** Writes over bytes of the first header and gives it its checksum again. */
function patched(archive: Buffer, patches: Readonly<Record<number, string | Buffer>>): Buffer {
  for (const [at, bytes] of Object.entries(patches)) archive.set(Buffer.from(bytes.toString("latin1"), "latin1"), Number(at));
  archive.fill(" ", 148, 156);
  const sum = archive.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  archive.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return archive;
}

it("names and targets of any length come from PAX records", () => {
  const path = `${"d/".repeat(100)}file`;
  assert.is(only({ path, content: "x" }).entry.path, path);
  assert.is(only({ path: "l", type: "symlink", target: path }).entry.target, path);
});

it("names and targets of any length come from GNU's long names, and only for the entry after them", () => {
  const long = "n".repeat(300);
  const [first, second] = read(
    tar([
      { path: "././@LongLink", type: { flag: "L" }, content: `${long}\0` },
      { path: "././@LongLink", type: { flag: "K" }, content: `${long}t\0` },
      { path: "cut", type: "symlink", target: "cut" },
      { path: "next", type: "symlink", target: "there" },
    ]),
  );
  assert.equal([first?.entry.path, first?.entry.target], [long, `${long}t`]);
  assert.equal([second?.entry.path, second?.entry.target], ["next", "there"]);
});

it("a ustar prefix goes before the name; in GNU's own format other things are in its place", () => {
  assert.is(read(patched(tar([{ path: "name" }]), { 345: "some/where" }))[0]?.entry.path, "some/where/name");
  assert.is(read(patched(tar([{ path: "name" }]), { 257: "ustar  \0", 345: "12345670123" }))[0]?.entry.path, "name");
});

it("an archive older than ustar has no magic, and directories by the slash at their end", () => {
  const old = patched(tar([{ path: "d/", type: { flag: "\0" } }]), { 257: Buffer.alloc(255, 7) });
  assert.equal([read(old)[0]?.entry.type, read(old)[0]?.entry.path], ["directory", "d/"]);
});

it("numbers may be base 256: beyond octal, and times before 1970", () => {
  const base256 = (value: bigint, width: number): Buffer => {
    const bytes = Buffer.alloc(width, value < 0n ? 0xff : 0);
    bytes.writeBigInt64BE(value, width - 8);
    bytes[0] = value < 0n ? 0xff : 0x80;
    return bytes;
  };
  const [found] = read(patched(tar([{ path: "f" }]), { 108: base256(3_000_000_000n, 8), 136: base256(-5n, 12) }));
  assert.equal([found?.entry.uid, found?.entry.mtime], [3_000_000_000, -5]);
  assert.match(problem(patched(tar([{ path: "f" }]), { 124: base256(-1n, 12) })), /a size of -1 is out of range/);
  assert.match(problem(patched(tar([{ path: "f" }]), { 116: base256(0xffff_ffffn, 8) })), /a gid of 4294967295 is out of range/);
  assert.match(
    problem(patched(tar([{ path: "f" }]), { 124: Buffer.from("\x80\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "latin1") })),
    /out of range/,
  );
});

it("PAX records say owners, sizes and times beyond what a header can", () => {
  const { entry } = only({ path: "f", pax: { uid: "3000000", gid: "7", mtime: "1700000000.25" } });
  assert.equal([entry.uid, entry.gid, entry.mtime], [3_000_000, 7, 1_700_000_000.25]);
  assert.is(only({ path: "f", pax: { mtime: "-1.5" } }).entry.mtime, -1.5);
  assert.is(only({ path: "f", content: "four", claimedSize: 0, pax: { size: "4" } }).content, "four");
});

it("an empty PAX value takes the record back", () => {
  assert.is(only({ path: "f", pax: { path: "", uid: "" } }).entry.path, "f");
});

it("names are bytes, whatever character set a record speaks of", () => {
  assert.is(only({ path: "x", pax: { hdrcharset: "BINARY", path: "\xff\xfe" } }).entry.path, "\xff\xfe");
});

it("a global header changes nothing, as in Docker", () => {
  const archive = tar([{ path: "pax_global_header", type: { flag: "g" }, content: "14 path=other\n19 SCHILY.xattr.a=b\n" }, { path: "f" }]);
  assert.equal(
    read(archive).map(({ entry }) => entry.path),
    ["f"],
  );
});

it("attributes are binary: SCHILY's as they are, LIBARCHIVE's in base64 with encoded names", () => {
  const value = Buffer.from([0, 1, 0x80, 0xff, 0x0a]);
  const { entry } = only({ path: "f", pax: { "SCHILY.xattr.user.a": value, "LIBARCHIVE.xattr.user.%62": value.toString("base64") } });
  assert.equal(
    [...entry.xattrs],
    [
      ["user.a", value],
      ["user.b", value],
    ],
  );
});

const SPARSE = `${"\0".repeat(1024)}abc${"\0".repeat(1021)}de${"\0".repeat(998)}`;
const sparseHeader = (segments: readonly (readonly [number, number])[], at: number): Record<number, string> =>
  Object.fromEntries(
    segments.flatMap(([offset, length], i) => [
      [at + i * 24, `${offset.toString(8).padStart(11, "0")}\0`],
      [at + i * 24 + 12, `${length.toString(8).padStart(11, "0")}\0`],
    ]),
  );

it("a sparse file in GNU's old format has its content where its map says", () => {
  const archive = patched(tar([{ path: "s", type: { flag: "S" }, content: "abcde" }]), {
    257: "ustar  \0",
    345: Buffer.alloc(155),
    ...sparseHeader([[1024, 3], [2048, 2], [3048, 0]], 386), // biome-ignore format: pairs
    483: `${(3048).toString(8).padStart(11, "0")}\0`,
  });
  assert.is(read(archive)[0]?.content, SPARSE.padEnd(3048, "\0"));
});

it("such a map goes on in blocks of its own", () => {
  const all = Array.from({ length: 30 }, (_, i) => [i * 10, 1] as const);
  const block = Buffer.alloc(512);
  for (const [at, text] of Object.entries(sparseHeader(all.slice(4, 25), 0))) block.write(text, Number(at), "latin1");
  block[504] = 1;
  const last = Buffer.alloc(512);
  for (const [at, text] of Object.entries(sparseHeader(all.slice(25), 0))) last.write(text, Number(at), "latin1");
  const archive = patched(tar([{ path: "s", type: { flag: "S" }, content: "x".repeat(30) }]), {
    257: "ustar  \0",
    345: Buffer.alloc(155),
    ...sparseHeader(all.slice(0, 4), 386),
    482: "\x01",
    483: `${(300).toString(8).padStart(11, "0")}\0`,
  });
  const whole = Buffer.concat([archive.subarray(0, 512), block, last, archive.subarray(512)]);
  for (const split of [whole.length, 7]) assert.is(read(whole, split)[0]?.content, `x${"\0".repeat(9)}`.repeat(30));
});

it("a sparse file in PAX versions 0.0, 0.1 and 1.0 has its content where its map says", () => {
  const name = { "GNU.sparse.name": "real" };
  const list = { ...name, "GNU.sparse.size": "3048", "GNU.sparse.numblocks": "2", "GNU.sparse.map": "1024,3,2048,2" };
  const archives: readonly Buffer[] = [
    tar([{ path: "GNUSparseFile.1/s", content: "abcde", pax: list }]),
    Buffer.concat([
      tar(
        [
          {
            path: "x",
            type: { flag: "x" },
            content: records([
              "GNU.sparse.size=3048",
              ...[1024, 3, 2048, 2].map((n, i) => `GNU.sparse.${i % 2 === 0 ? "offset" : "numbytes"}=${n}`),
              "GNU.sparse.name=real",
            ]),
          },
        ],
        { end: false },
      ),
      tar([{ path: "s", content: "abcde" }]),
    ]),
    tar([
      {
        path: "s",
        content: `${"2\n1024\n3\n2048\n2\n".padEnd(512, "\0")}abcde`,
        pax: { ...name, "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "3048" },
      },
    ]),
  ];
  for (const archive of archives)
    for (const split of [archive.length, 100]) {
      const [found] = read(archive, split);
      assert.equal([found?.entry.path, found?.content], ["real", SPARSE.padEnd(3048, "\0")]);
    }
});

it("a map that does not fit its file is refused", () => {
  const pax = (map: string): TarEntry => ({ path: "s", content: "abcde", pax: { "GNU.sparse.size": "3048", "GNU.sparse.map": map } });
  assert.match(problem(tar([pax("2048,3,1024,2")])), /does not fit it/);
  assert.match(problem(tar([pax("3047,5")])), /does not fit it/);
  assert.match(problem(tar([pax("0,4")])), /has other content than its map says/);
  assert.match(problem(tar([pax("0,4,")])), /not well-formed|out of range/);
  assert.match(problem(tar([pax("0,99999999999999999999")])), /out of range/);
  const written = (content: string): TarEntry => ({
    path: "s",
    content,
    pax: { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "10" },
  });
  assert.match(problem(tar([written("5\n1\n".padEnd(512, "\0"))])), /does not end/);
  assert.match(problem(tar([written("many\n".padEnd(512, "\0"))])), /out of range/);
  assert.match(problem(tar([{ path: "s", pax: { "GNU.sparse.major": "2", "GNU.sparse.minor": "0" } }])), /not known/);
});

it("what is not an archive is refused, and says why", () => {
  assert.match(problem(Buffer.alloc(512, 65)), /octal|checksum/);
  assert.match(problem(tar([{ path: "f", content: "long enough" }]).subarray(0, 515)), /ends too early/);
  assert.match(problem(tar([{ path: "f", type: { flag: "M" } }])), /has the type "M"/);
  assert.match(problem(Buffer.concat([Buffer.alloc(512), tar([{ path: "f" }])])), /an entry follows an end mark/);
  assert.match(problem(tar([{ path: "f", pax: { path: "a\0b" } }])), /no usable name/);
  assert.match(problem(tar([{ path: "" }])), /no usable name/);
  assert.match(problem(tar([{ path: "x", type: { flag: "x" }, content: "999 path=a\n" }])), /not well-formed/);
  assert.match(problem(tar([{ path: "x", type: { flag: "x" }, claimedSize: 1 << 21 }])), /too long/);
  assert.match(problem(tar([{ path: "f", pax: { mtime: "soon" } }])), /not a time/);
  assert.match(problem(tar([{ path: "f", pax: { uid: "-1" } }])), /not a number/);
});

it("where the stream is cut into pieces makes no difference", () => {
  const archive = tar([
    { path: "a".repeat(200), content: "x".repeat(700), pax: { "SCHILY.xattr.user.a": "b" } },
    { path: "d/", type: "directory" },
    { path: "e" },
  ]);
  const whole = read(archive);
  for (const split of [1, 3, 511, 512, 513, 1000]) assert.equal(read(archive, split), whole);
});

it("everything after the end mark is left alone", () => {
  assert.is(read(Buffer.concat([tar([{ path: "f" }]), Buffer.from("anything"), tar([{ path: "g" }])])).length, 1);
});

/** PAX records, of which a key may come twice. */
function records(pairs: readonly string[]): string {
  return pairs
    .map((pair) => {
      const length = [2, 3].map((digits) => digits + pair.length + 2).find((total) => String(total).length + pair.length + 2 === total);
      return `${length} ${pair}\n`;
    })
    .join("");
}

it.run();
