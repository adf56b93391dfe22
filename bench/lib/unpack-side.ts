/**
 * One run of `bench/unpack.ts`, in a process of its own so that its memory is its own: `ours` unpacks archives side by side, `floor` reads,
 * inflates, hashes and writes the same bytes without looking at them. The argument after that is a directory to fill; then come the archives.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { UnpackPool } from "../../src/images/unpack/pool.ts";

const CHUNK = 1 << 20;
const [side = "", into = "", ...archives] = process.argv.slice(2);

const pool = new UnpackPool();
if (side === "ours") await warm();
const [began, before] = [performance.now(), process.cpuUsage()];
await Promise.all(archives.map((archive, i) => (side === "ours" ? unpack(archive, i) : floor(archive, i))));
const ms = performance.now() - began;
const { user, system } = process.cpuUsage(before);
await pool.close();
console.log(JSON.stringify({ ms, rss: process.resourceUsage().maxRSS * 1024, cpu: (user + system) / 1000 }));

async function unpack(archive: string, i: number): Promise<void> {
  const directory = join(into, `${i}`);
  mkdirSync(directory);
  await pool.run({
    chunks: createReadStream(archive, { highWaterMark: 256 * 1024 }),
    size: statSync(archive).size,
    options: { directory, standalone: false },
  });
}

async function floor(archive: string, i: number): Promise<void> {
  const hashed = (): Transform => {
    const hash = createHash("sha256");
    return new Transform({
      transform(chunk: Buffer, _, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
  };
  await pipeline(
    createReadStream(archive, { highWaterMark: CHUNK }),
    hashed(),
    createGunzip({ chunkSize: CHUNK }),
    hashed(),
    createWriteStream(join(into, `${i}`), { highWaterMark: CHUNK }),
  );
}

/** Starts the threads: from the sources that takes longer than from a build. */
async function warm(): Promise<void> {
  await Promise.all(
    ["warm-1", "warm-2"].map(async (name) => {
      const directory = join(into, name);
      mkdirSync(directory);
      const chunks = (async function* () {
        yield Buffer.alloc(1024);
      })();
      await pool.run({ chunks, size: CHUNK, options: { directory, standalone: false } });
    }),
  );
}
