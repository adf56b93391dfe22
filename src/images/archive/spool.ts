/** Takes an archive of images apart as it comes: its files go to the store's drafts, each hashed on the way, since what they are is said last. */
import { createHash, type Hash } from "node:crypto";
import { closeSync, constants, createReadStream, openSync, readFileSync, statfsSync, statSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { posix } from "node:path";
import { Failure } from "../../model/diagnostic.ts";
import { type Digest, parseDigest } from "../../model/digest.ts";
import { draftPath } from "../store/blobs.ts";
import type { Layout } from "../store/layout.ts";
import type { Lease } from "../store/lease.ts";
import { decompress, detectCompression } from "../unpack/decompress.ts";
import { type TarEntry, TarReader, type TarSink } from "../unpack/tar-reader.ts";

export interface SpooledFile {
  /** Of its bytes. */
  readonly digest: Digest;
  readonly size: number;
  /** Where they are now. */
  readonly path: string;
}

/** Files that an archive may have: far beyond what archives of images have. */
const FILE_LIMIT = 100_000;
const LINK_LIMIT = 8;
const DOCUMENT_LIMIT = 8 << 20;
/** The part of the free space that an archive may fill. */
const FREE_SHARE = 0.9;

export class Spool implements TarSink {
  readonly #layout: Layout;
  readonly #lease: Lease;
  readonly #files = new Map<string, SpooledFile>();
  readonly #links = new Map<string, string>();
  readonly #paths: string[] = [];
  #room: number;
  #open: { readonly name: string; readonly path: string; readonly descriptor: number; readonly hash: Hash; size: number } | null = null;

  private constructor(layout: Layout, lease: Lease) {
    this.#layout = layout;
    this.#lease = lease;
    const { bavail, bsize } = statfsSync(layout.drafts);
    this.#room = bavail * bsize * FREE_SHARE;
  }

  /** Reads an archive to its end. What was written of it goes with `remove`, and after a failure at once. */
  static async read(
    archive: AsyncIterable<Uint8Array>,
    { layout, lease, signal }: { readonly layout: Layout; readonly lease: Lease; readonly signal: AbortSignal },
  ): Promise<Spool> {
    const spool = new Spool(layout, lease);
    try {
      const source = await detectCompression(archive);
      const reader = new TarReader(spool);
      for await (const chunk of decompress(source.chunks, source.compression)) {
        signal.throwIfAborted();
        reader.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      }
      reader.finish({ requireEnd: false });
      return spool;
    } catch (error) {
      await spool.remove();
      throw asArchive(error);
    }
  }

  /** A file by its name in the archive; links among its files are followed. `null` when there is none. */
  find(name: string): SpooledFile | null {
    let at = plain(name);
    for (let hops = 0; hops < LINK_LIMIT; hops += 1) {
      const target = this.#links.get(at);
      if (target === undefined) return this.#files.get(at) ?? null;
      at = target;
    }
    return null;
  }

  /** The content of a small file. Throws `E_ARCHIVE` where it is missing or too large. */
  document(name: string): Buffer {
    const file = this.find(name);
    if (file === null) throw badArchive(`it has no ${JSON.stringify(name)}`);
    if (statSync(file.path).size > DOCUMENT_LIMIT) throw badArchive(`its ${name} is larger than any such document`);
    return readFileSync(file.path);
  }

  async remove(): Promise<void> {
    if (this.#open !== null) closeSync(this.#open.descriptor);
    this.#open = null;
    for (const path of this.#paths) await rm(path, { force: true });
  }

  entry({ type, path, target }: TarEntry): void {
    const name = plain(path);
    if (this.#paths.length + this.#links.size >= FILE_LIMIT) throw badArchive(`it has more than ${FILE_LIMIT} files`);
    if (type === "symlink") this.#links.set(name, plain(posix.join(posix.dirname(name), target)));
    if (type === "hardlink") this.#links.set(name, plain(target));
    if (type !== "file") return;
    this.#links.delete(name);
    const at = draftPath(this.#layout, this.#lease);
    this.#paths.push(at);
    const descriptor = openSync(at, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    this.#open = { name, path: at, descriptor, hash: createHash("sha256"), size: 0 };
  }

  data(chunk: Buffer): void {
    const open = this.#open;
    if (open === null) return;
    this.#room -= chunk.length;
    if (this.#room < 0) throw badArchive("it is larger than the disk has room for");
    open.hash.update(chunk);
    open.size += chunk.length;
    for (let done = 0; done < chunk.length; ) done += writeSync(open.descriptor, chunk, done, chunk.length - done);
  }

  end(): void {
    const open = this.#open;
    if (open === null) return;
    closeSync(open.descriptor);
    this.#open = null;
    const digest = parseDigest(`sha256:${open.hash.digest("hex")}`);
    if (typeof digest !== "string") throw new Error(digest.problem);
    this.#files.set(open.name, { digest, size: open.size, path: open.path });
  }
}

/** The digest of a file by another algorithm than the spool's own. */
export async function fileDigest(path: string, algorithm: string): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) hash.update(chunk);
  return `${algorithm}:${hash.digest("hex")}`;
}

export function badArchive(problem: string, options?: ErrorOptions): Failure {
  return new Failure(
    {
      code: "E_ARCHIVE",
      message: `this is not an archive of images that can be used: ${problem}`,
      hint: "wharf image save and docker save make such archives",
    },
    options,
  );
}

/** The names of an archive are names only: nothing is written under them. */
function plain(name: string): string {
  return posix.join("/", name).slice(1);
}

/** What the readers of layers say, said of an archive. */
function asArchive(error: unknown): unknown {
  if (!(error instanceof Failure) || !(error.has("E_LAYER_TAR") || error.has("E_LAYER_COMPRESSION"))) return error;
  return badArchive(error.message.replace(/^the layer (is not a readable tar archive|cannot be read): /, ""), { cause: error });
}
