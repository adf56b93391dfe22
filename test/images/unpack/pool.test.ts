import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { UnpackPool } from "../../../src/images/unpack/pool.ts";
import type { Unpacked } from "../../../src/images/unpack/unpack.ts";
import { Failure } from "../../../src/model/diagnostic.ts";
import { tar } from "../../support/tar.ts";
import { readTree } from "../../support/tree.ts";
import { chunks, withDirectory } from "../../support/unpacked.ts";

const it = suite<{ pool: UnpackPool }>("unpack pool");

it.before((context) => {
  context.pool = new UnpackPool();
});
it.after(({ pool }) => pool.close());

/** So large that it goes to a thread. */
const LARGE = 2 << 20;
const ARCHIVE = tar([
  { path: "d/", type: "directory" },
  { path: "d/f", content: Buffer.alloc(3 << 20, "large ") },
]);

async function run(pool: UnpackPool, archive: AsyncIterable<Uint8Array>, directory: string): Promise<Unpacked> {
  mkdirSync(directory);
  return pool.run({ chunks: archive, size: LARGE, options: { directory, standalone: true } });
}

/** A zstd frame of blocks that are not compressed (RFC 8878, 3.1.1). */
function zstdOf(content: Buffer): Buffer {
  const BLOCK = 128 << 10;
  const pieces: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38])];
  for (let at = 0; at < content.length; at += BLOCK) {
    const block = content.subarray(at, at + BLOCK);
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.length << 3) | (at + BLOCK >= content.length ? 1 : 0), 0, 3);
    pieces.push(header, block);
  }
  return Buffer.concat(pieces);
}

it("a thread makes the same as this one would, layer after layer and several at once", async ({ pool }) => {
  await withDirectory(async (place) => {
    const here = join(place, "here");
    mkdirSync(here);
    const expected = await pool.run({ chunks: chunks(ARCHIVE), size: 1, options: { directory: here, standalone: true } });
    for (let round = 0; round < 2; round += 1) {
      const made = await Promise.all(
        [ARCHIVE, gzipSync(ARCHIVE, { level: 1 }), zstdOf(ARCHIVE)].map((archive, i) =>
          run(pool, chunks(archive, 70_000), join(place, `${round}-${i}`)),
        ),
      );
      for (const [i, { diffId, size, entries }] of made.entries()) {
        assert.equal([diffId, size, entries], [expected.diffId, expected.size, expected.entries]);
        assert.equal([...readTree(join(place, `${round}-${i}`)).keys()], [".", "d", "d/f"]);
      }
    }
  });
});

it("a refusal comes back from its thread with its code, and the next layer is unpacked", async ({ pool }) => {
  await withDirectory(async (place) => {
    const error: unknown = await run(pool, chunks(tar([{ path: "../f" }])), join(place, "bad")).catch((reason: unknown) => reason);
    assert.ok(error instanceof Failure);
    assert.equal(
      error.diagnostics.map(({ code }) => code),
      ["E_LAYER_PATH"],
    );
    assert.is((await run(pool, chunks(ARCHIVE), join(place, "good"))).entries, 2);
  });
});

it("what the source of the bytes fails with comes through, and its thread is not used again", async ({ pool }) => {
  await withDirectory(async (place) => {
    const broken = new Error("the line is dead");
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield ARCHIVE.subarray(0, 1 << 20);
      throw broken;
    };
    const error: unknown = await run(pool, source(), join(place, "bad")).catch((reason: unknown) => reason);
    assert.is(error, broken);
    assert.is((await run(pool, chunks(ARCHIVE), join(place, "good"))).entries, 2);
  });
});

it.run();
