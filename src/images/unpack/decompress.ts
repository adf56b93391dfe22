/** Layers come plain, gzipped or as zstd, whatever their media type says: the first bytes decide. */
import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import { Failure } from "../../model/diagnostic.ts";
import { decodeZstd } from "./zstd.ts";

export type Compression = "none" | "gzip" | "zstd";

/** Big pieces: the reader's work per piece is then small beside that on the bytes. */
const CHUNK_SIZE = 512 * 1024;
/** Inflated by another thread while what came before is written. */
const AHEAD = { chunkSize: CHUNK_SIZE, readableHighWaterMark: 2 * CHUNK_SIZE, writableHighWaterMark: CHUNK_SIZE };
const MAGIC_LENGTH = 6;

const MAGIC: readonly { readonly bytes: Buffer; readonly name: string; readonly compression: Compression | null }[] = [
  { bytes: Buffer.from([0x1f, 0x8b]), name: "gzip", compression: "gzip" },
  { bytes: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), name: "zstd", compression: "zstd" },
  { bytes: Buffer.from([0x42, 0x5a, 0x68]), name: "bzip2", compression: null },
  { bytes: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), name: "xz", compression: null },
];

/** Looks at the first bytes of a stream; gives it back whole. Throws `E_LAYER_COMPRESSION` for a kind that cannot be read. */
export async function detectCompression(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly compression: Compression; readonly chunks: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let start = Buffer.alloc(0);
  while (start.length < MAGIC_LENGTH) {
    const next = await iterator.next();
    if (next.done === true) break;
    head.push(next.value);
    start = Buffer.concat([start, next.value.subarray(0, MAGIC_LENGTH)]);
  }
  const found = MAGIC.find(({ bytes }) => start.subarray(0, bytes.length).equals(bytes));
  if (found?.compression === null) {
    await iterator.return?.();
    throw unreadable(`it is compressed with ${found.name}`, { hint: "only plain tar, gzip and zstd are read" });
  }
  return { compression: found?.compression ?? "none", chunks: rejoined(head, iterator) };
}

/**
 * The plain bytes of a stream. It is read to its last byte in any case, also past the end of the compressed data, so that who counts and
 * hashes it sees everything. Throws `E_LAYER_COMPRESSION` where it is damaged or cut off.
 */
export async function* decompress(chunks: AsyncIterable<Uint8Array>, compression: Compression): AsyncGenerator<Uint8Array> {
  if (compression === "none") {
    yield* chunks;
    return;
  }
  const inflater = compression === "gzip" ? zlib.createGunzip(AHEAD) : zstdOfNode();
  if (inflater === null) {
    yield* decodeZstd(chunks);
    return;
  }
  const feeding = feed(chunks, inflater);
  try {
    yield* inflater;
  } catch (error) {
    const cause = await feeding; // what went wrong at the source is the reason for what went wrong here
    if (cause !== null) throw cause.error;
    const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
    if (!code.startsWith("Z_") && !code.startsWith("ZSTD_")) throw error;
    throw unreadable(`its ${compression} data is damaged or cut off`, { cause: error });
  }
  const failed = await feeding;
  if (failed !== null) throw failed.error;
}

/** Writes everything into the inflater; gives the error that ended the source, if any. */
async function feed(chunks: AsyncIterable<Uint8Array>, inflater: Transform): Promise<{ readonly error: unknown } | null> {
  try {
    for await (const chunk of chunks) {
      if (inflater.readableEnded) continue; // drained, for those who count
      if (inflater.destroyed) return null;
      if (!inflater.write(chunk)) await room(inflater);
    }
    inflater.end();
    return null;
  } catch (error) {
    inflater.destroy(error instanceof Error ? error : new Error(String(error)));
    return { error };
  }
}

/** Waits until the inflater takes more, or never will. */
function room(inflater: Transform): Promise<void> {
  const events = ["drain", "end", "close"] as const;
  return new Promise((resolve) => {
    const go = (): void => {
      for (const event of events) inflater.off(event, go);
      resolve();
    };
    for (const event of events) inflater.on(event, go);
    if (inflater.destroyed) go();
  });
}

/** Node has zstd from 22.15 and 23.8 on. */
function zstdOfNode(): Transform | null {
  const create: unknown = "createZstdDecompress" in zlib ? zlib.createZstdDecompress : undefined;
  return typeof create === "function" ? (create(AHEAD) as Transform) : null;
}

async function* rejoined(head: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

export function unreadable(problem: string, options: { readonly hint?: string; readonly cause?: unknown }): Failure {
  const diagnostic = { code: "E_LAYER_COMPRESSION", message: `the layer cannot be read: ${problem}` } as const;
  return new Failure(options.hint === undefined ? diagnostic : { ...diagnostic, hint: options.hint }, { cause: options.cause });
}
