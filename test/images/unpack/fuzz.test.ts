import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { TarReader } from "../../../src/images/unpack/tar-reader.ts";
import { unpackLayer } from "../../../src/images/unpack/unpack.ts";
import { Failure } from "../../../src/model/diagnostic.ts";
import { damaged, perhapsPacked, type Random, randomOf, wildArchive } from "../../support/random-archive.ts";
import { readTree, type Tree } from "../../support/tree.ts";
import { asRoot, chunks, withDirectory } from "../../support/unpacked.ts";

/** WHARF_FUZZ_RUNS widens it; WHARF_SEED with one run does again what a message names. */
const seed = Number(process.env["WHARF_SEED"] ?? Date.now() % 2 ** 31);
const runs = Number(process.env["WHARF_FUZZ_RUNS"] ?? 80);
/** Reading alone is quick. */
const READS = 20;
/** Seeds that once found something. */
const KEPT: readonly number[] = [1, 2, 3];

const it = suite(`fuzz (WHARF_SEED=${seed})`);
const rootly = asRoot(it);

async function eachSeed(count: number, work: (random: Random) => void | Promise<void>): Promise<void> {
  for (const one of [...KEPT, ...Array.from({ length: count }, (_, i) => seed + i)]) {
    try {
      await work(randomOf(one));
    } catch (error) {
      throw new Error(`WHARF_SEED=${one} WHARF_FUZZ_RUNS=1: ${detail(error)}`, { cause: error });
    }
  }
}

/** uvu keeps what differs beside the message. */
function detail(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "details" in error && typeof error.details === "string" ? error.details : (error.stack ?? error.message);
}

/** The work's failure as text, or what it gives. Anything else that it throws is a defect. */
function outcome<T>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.message;
  }
}

it("any bytes are read or refused with a reason, and how they come in pieces makes no difference", async () => {
  const read = (archive: Buffer, split: number): string => {
    const seen: string[] = [];
    const reader = new TarReader({
      entry: ({ xattrs, ...entry }) => seen.push(JSON.stringify([entry, [...xattrs]])),
      data: (chunk, offset) => {
        for (const [i, byte] of chunk.entries()) seen.push(`${offset + i}:${byte}`);
      },
      end: () => seen.push("end"),
    });
    const end = outcome(() => {
      for (let at = 0; at < archive.length; at += split) reader.write(archive.subarray(at, at + split));
      reader.finish({ requireEnd: true });
      return "whole";
    });
    return [...seen, end].join("\n");
  };
  await eachSeed(runs * READS, (random) => {
    const wild = wildArchive(random, "/outside");
    const archive = random.rarely(4) ? wild : damaged(random, wild);
    assert.is(read(archive, 1 + random.int(1100)), read(archive, archive.length + 1));
  });
});

rootly("any layer is unpacked or refused with a reason, never touches what is outside, and pieces make no difference", async () => {
  await withDirectory(async (place) => {
    const outside = join(place, "outside");
    mkdirSync(outside);
    for (const name of ["a", "b"]) writeFileSync(join(outside, name), "untouched", { mode: 0o600 });
    const before = readTree(outside);
    const unpack = async (archive: Buffer, split: number): Promise<Tree | string> => {
      const directory = join(place, "layer");
      mkdirSync(directory);
      const tree = await unpackLayer(chunks(archive, split), { directory, standalone: false, bytes: 1 << 20 }).then(
        ({ diffId, digest, implicit, opaque, lowerLinks }) =>
          new Map([
            ...readTree(directory, { timeless: () => true }),
            ["", JSON.stringify({ diffId, digest, implicit, opaque, lowerLinks })],
          ]),
        (error: unknown) => {
          if (!(error instanceof Failure)) throw error;
          return "refused"; // which of two reasons is met first depends on the pieces
        },
      );
      assert.equal(readTree(outside), before);
      assert.equal(readdirSync(place).sort(), ["layer", "outside"]);
      rmSync(directory, { recursive: true });
      return tree;
    };
    await eachSeed(runs, async (random) => {
      const wild = wildArchive(random, outside);
      const archive = perhapsPacked(random, random.rarely(3) ? damaged(random, wild) : wild);
      assert.equal(await unpack(archive, 1 + random.int(1100)), await unpack(archive, archive.length));
    });
  });
});

it.run();
