/** Layers to unpack, made once: as many files and bytes as real images have, and about as compressible. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { type TarEntry, tar } from "../../test/support/tar.ts";

export interface LayerSet {
  readonly what: string;
  readonly layers: readonly { readonly files: number; readonly bytes: number }[];
}

const MIB = 1 << 20;

export const SETS: readonly LayerSet[] = [
  {
    what: "three layers, 500 MiB, 18,000 files",
    layers: [
      { files: 6000, bytes: 120 * MIB },
      { files: 9000, bytes: 200 * MIB },
      { files: 3000, bytes: 180 * MIB },
    ],
  },
  { what: "one layer, 250 MiB, 1,000 files", layers: [{ files: 1000, bytes: 250 * MIB }] },
];

/** Writes the set's archives, gzipped; gives their paths. */
export async function writeLayers(directory: string, { layers }: LayerSet): Promise<readonly string[]> {
  return Promise.all(
    layers.map(async (layer, i) => {
      const path = join(directory, `${layer.files}-${i}.tar.gz`);
      const gzip = createGzip({ chunkSize: MIB });
      const written = pipeline(gzip, createWriteStream(path));
      for (const part of archive(layer, i)) if (!gzip.write(part)) await once(gzip, "drain");
      gzip.end();
      await written;
      return path;
    }),
  );
}

/** The archive in parts. Most files are small and few are large, as in images. */
function* archive({ files, bytes }: { readonly files: number; readonly bytes: number }, seed: number): Generator<Buffer> {
  const random = randomNumbers(seed + 1);
  const text = words(random);
  const weights = Array.from({ length: files }, () => random() ** 12 + 0.002);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const directories = Math.ceil(files / 12);
  for (let i = 0; i < directories; i += 1) yield tar([{ path: `usr/lib/part-${i}/`, type: "directory" }], { end: false });
  for (const [i, weight] of weights.entries()) {
    const entry: TarEntry = {
      path: `usr/lib/part-${i % directories}/file-${i}`,
      mode: i % 9 === 0 ? 0o755 : 0o644,
      mtime: 1_700_000_000 + i,
    };
    yield tar([{ ...entry, content: content(text, random, Math.round((weight / total) * bytes)) }], { end: false });
  }
  yield tar([]);
}

function content(text: Buffer, random: () => number, length: number): Buffer {
  const made = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; ) {
    const from = Math.floor(random() * (text.length - 600));
    at += text.copy(made, at, from, from + 20 + Math.floor(random() * 500));
  }
  return made;
}

/** Something between text and programs: gzip makes it about two fifths. */
function words(random: () => number): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i < 60_000; i += 1)
    parts.push(
      Buffer.from(
        i % 3 === 0 ? Array.from({ length: 8 }, () => Math.floor(random() * 256)) : `${Math.floor(random() * 5000).toString(36)} import `,
      ),
    );
  return Buffer.concat(parts);
}

function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
