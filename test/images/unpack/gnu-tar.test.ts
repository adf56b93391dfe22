import { spawnSync } from "node:child_process";
import {
  closeSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makeSpecial, setXattr } from "../../../src/images/unpack/special.ts";
import { unpackLayer } from "../../../src/images/unpack/unpack.ts";
import { randomOf, tameArchive } from "../../support/random-archive.ts";
import { differences, readTree, type TreeOptions } from "../../support/tree.ts";
import { asRoot, chunks, withDirectory } from "../../support/unpacked.ts";

const seed = Number(process.env["WHARF_SEED"] ?? Date.now() % 2 ** 31);
const runs = Math.ceil(Number(process.env["WHARF_FUZZ_RUNS"] ?? 80) / 10);

const it = suite(`agreement with GNU tar (WHARF_SEED=${seed})`);
const gnu = /GNU tar/.test(spawnSync("tar", ["--version"], { encoding: "utf8" }).stdout ?? "");
const withTar: ReturnType<typeof asRoot> = gnu ? asRoot(it) : (name, test) => it.skip(`${name} (needs GNU tar)`, test);
const TIMELESS: TreeOptions = { timeless: (path) => path === "." };

function gnuTar(args: readonly string[], input?: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync("tar", args, { input, maxBuffer: 1 << 26 });
  assert.is(status, 0, stderr.toString());
  return stdout;
}

async function bothMake(archive: Buffer, place: string): Promise<readonly string[]> {
  const [theirs, ours] = [join(place, "theirs"), join(place, "ours")];
  for (const directory of [theirs, ours]) mkdirSync(directory);
  gnuTar(
    ["--xattrs", "--xattrs-include=*", "--numeric-owner", "--same-owner", "--delay-directory-restore", "-xpf", "-", "-C", theirs],
    archive,
  );
  await unpackLayer(chunks(archive, 10_000), { directory: ours, standalone: true });
  return differences(readTree(theirs, TIMELESS), readTree(ours, TIMELESS));
}

withTar("what GNU tar makes of archives of any kind, we make too", async () => {
  for (let i = 0; i < runs; i += 1)
    await withDirectory(async (place) => {
      assert.equal(await bothMake(tameArchive(randomOf(seed + i)), place), [], `WHARF_SEED=${seed + i} WHARF_FUZZ_RUNS=1`);
    });
});

/** A tree with one of everything. Old formats cannot say it all. */
function makeTree(directory: string, options: { readonly old: boolean }): void {
  const at = (path: string): string => join(directory, path);
  mkdirSync(at("d/e"), { recursive: true, mode: 0o711 });
  writeFileSync(at("d/f"), "content".repeat(1000));
  linkSync(at("d/f"), at("d/hard"));
  symlinkSync("f", at("d/soft"));
  lutimesSync(at("d/soft"), 77, 77);
  writeFileSync(at("empty"), "");
  if (!options.old) {
    const long = `${"l".repeat(90)}/${"m".repeat(150)}`;
    mkdirSync(at("l".repeat(90)));
    writeFileSync(at(long), "x");
    symlinkSync("t".repeat(200), at("far"));
    makeSpecial(at("null"), { kind: "character", major: 1, minor: 3 });
    makeSpecial(at("pipe"), { kind: "fifo", major: 0, minor: 0 });
  }
  for (const [i, path] of ["d/f", "empty", "d/e", "d"].entries()) utimesSync(at(path), 1_600_000_000 + i, 1_600_000_000 + i);
}

for (const format of ["v7", "ustar", "gnu", "oldgnu", "posix"])
  withTar(`what GNU tar writes as ${format} becomes the tree that GNU tar makes of it`, async () => {
    await withDirectory(async (place) => {
      const source = join(place, "source");
      mkdirSync(source);
      makeTree(source, { old: format === "v7" || format === "ustar" });
      if (format === "posix") {
        setXattr(join(source, "empty"), "security.capability", Buffer.from("0100000200040000000000000000000000000000", "hex"));
        setXattr(join(source, "d"), "user.bytes", Buffer.from([0, 1, 0x80, 0xff, 0x0a, 0x3d]));
      }
      const xattrs = format === "posix" ? ["--xattrs", "--xattrs-include=*"] : [];
      const archive = gnuTar([`--format=${format}`, ...xattrs, "--numeric-owner", "-cf", "-", "-C", source, "."]);
      assert.equal(await bothMake(archive, place), []);
    });
  });

for (const form of [
  "--format=gnu",
  "--format=posix --sparse-version=0.0",
  "--format=posix --sparse-version=0.1",
  "--format=posix --sparse-version=1.0",
])
  withTar(`a sparse file that GNU tar writes with ${form} is the one that GNU tar makes of it`, async () => {
    await withDirectory(async (place) => {
      const source = join(place, "source");
      mkdirSync(source);
      for (const segments of [0, 1, 3, 60]) {
        const file = openSync(join(source, `s${segments}`), "w");
        for (let i = 0; i < segments; i += 1) writeSync(file, `part ${i}`, i * 65_536 + 4096);
        ftruncateSync(file, segments * 65_536 + 100_000);
        closeSync(file);
      }
      const archive = gnuTar([...form.split(" "), "--sparse", "-cf", "-", "-C", source, "."]);
      assert.ok(archive.length < 1_500_000, "it is sparse in the archive");
      assert.equal(await bothMake(archive, place), []);
    });
  });

it.run();
