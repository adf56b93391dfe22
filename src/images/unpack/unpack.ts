/** One layer from its stream of bytes to its directory, in a single pass: count and hash, inflate, hash again, read the archive, write files. */
import { createHash, type Hash } from "node:crypto";
import { statfsSync } from "node:fs";
import { Failure, fullDisk } from "../../model/diagnostic.ts";
import { type Digest, parseDigest } from "../../model/digest.ts";
import { decompress, detectCompression } from "./decompress.ts";
import { badLink, noRoom } from "./layer-tree.ts";
import { LayerWriter, type Written } from "./layer-writer.ts";
import { printable } from "./printable.ts";
import { TarReader } from "./tar-reader.ts";

export interface UnpackOptions {
  /** Exists, is empty, and belongs to this call. What it holds after a failure is the caller's to remove. */
  readonly directory: string;
  /** A layer of its own, with nothing below it: the archive must be whole and every hard link lead to a file in it. */
  readonly standalone: boolean;
  /** Of the digest of the bytes as they come; sha256 unless given. */
  readonly algorithm?: string;
  /** Bytes that its files may have together; most of what the disk has room for unless given. */
  readonly bytes?: number;
  /** Make everything but the content of files, which have their sizes: to hold another tree against it. */
  readonly hollow?: boolean;
}

export interface Unpacked extends Written {
  /** Of the bytes as they came. */
  readonly digest: Digest;
  readonly compressedSize: number;
  /** Of the plain archive, all of it. */
  readonly diffId: Digest;
}

/** What diffIDs are made with. */
const SHA256 = "sha256";
/** Entries and device nodes that one layer may have: far beyond what images have, far below what exhausts a machine. */
const ENTRY_LIMIT = 5_000_000;
const DEVICE_LIMIT = 10_000;
/** The part of the free space that one layer may fill. */
const FREE_SHARE = 0.95;
/** Bytes that an archive may have besides the content of its files. */
const OVERHEAD = 1 << 30;

export async function unpackLayer(chunks: AsyncIterable<Uint8Array>, options: UnpackOptions): Promise<Unpacked> {
  const { hollow = false } = options;
  const room = options.bytes ?? (hollow ? Number.MAX_SAFE_INTEGER : Math.floor(freeBytes(options.directory) * FREE_SHARE));
  const writer = new LayerWriter(options.directory, { entries: ENTRY_LIMIT, devices: DEVICE_LIMIT, bytes: room, hollow });
  const reader = new TarReader(writer);
  const algorithm = options.algorithm ?? SHA256;
  const raw = new Meter(algorithm);
  const plain = new Meter(SHA256);
  let unpacked = 0;
  try {
    const source = await detectCompression(raw.through(chunks));
    for await (const chunk of decompress(source.chunks, source.compression)) {
      const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      unpacked += buffer.length;
      // Little data can be inflated to so much that nothing would ever be done with it.
      if (unpacked > room + OVERHEAD) throw noRoom(`more than ${room} bytes when it is unpacked`);
      if (source.compression !== "none" || algorithm !== SHA256) plain.add(buffer);
      writing(() => reader.write(buffer));
    }
    reader.finish({ requireEnd: options.standalone });
    const written = writing(() => writer.finish());
    const [link] = written.lowerLinks;
    if (options.standalone && link !== undefined)
      throw badLink(`${printable(link.path)} is a hard link to ${printable(link.target)}, which is not there`);
    const digest = raw.digest();
    return {
      ...written,
      digest,
      compressedSize: raw.bytes,
      diffId: source.compression === "none" && algorithm === SHA256 ? digest : plain.digest(),
    };
  } finally {
    writer.close();
  }
}

/** Counts and hashes what passes. */
class Meter {
  readonly #algorithm: string;
  readonly #hash: Hash;
  bytes = 0;

  constructor(algorithm: string) {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  async *through(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.add(chunk);
      yield chunk;
    }
  }

  add(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
  }

  digest(): Digest {
    const digest = parseDigest(`${this.#algorithm}:${this.#hash.digest("hex")}`);
    if (typeof digest !== "string") throw new Error(digest.problem);
    return digest;
  }
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/** Runs what writes files; a refusal of the file system is the layer's failure. */
function writing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) throw error;
    const full = fullDisk(error);
    if (full !== null) throw new Failure(full, { cause: error });
    const privilege = error.code === "EPERM" || error.code === "EACCES";
    throw new Failure(
      {
        code: "E_LAYER_WRITE",
        message: `a file of the layer cannot be written: ${error.message}`,
        ...(privilege ? { hint: "layers keep owners, devices and attributes, which only root may set" } : {}),
      },
      { cause: error },
    );
  }
}
