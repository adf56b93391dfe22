/** A blob on its way from a registry: its bytes as far as they have come, in any order, and a note of which those are. */

import { constants } from "node:fs";
import { type FileHandle, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { stopwatch } from "../../lib/clock.ts";
import type { Digest } from "../../model/digest.ts";
import { count, list, parseJson, WrongShape } from "../shape.ts";
import type { Layout } from "./layout.ts";
import { giveBack, PIECE_SIZE, type Piece, takePiece } from "./pieces.ts";

/** A part of the blob that comes from its beginning to its end. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  /** Bytes before this offset are in the file. */
  at: number;
  /** Bytes before this offset have come: the next ones belong here. */
  got: number;
}

/** So many bytes come between two notes of how far a segment is: what a killed process has to fetch again at most, for each segment. */
const NOTE_EVERY = 4 << 20;
const READ_SIZE = PIECE_SIZE;
/** Of files that are written past the page cache: offsets and lengths. */
const BLOCK = 4096;
/** A reader that waited so long, and for such a part of the time, could do with more connections. */
const HUNGRY_MS = 200;
const HUNGRY_SHARE = 2 / 3;
/** What comes faster than it is read waits so long for the reader; then it goes on without. */
const PATIENCE_MS = 500;

/**
 * What the reader waits for is handed to it from memory, and goes to the disk past the page cache, for it is not read again soon. What comes before
 * the reader can take it is read back from the file.
 */
export class Partial {
  readonly segments: readonly Segment[];
  /** Whether an earlier process left some of it. */
  readonly resumed: boolean;
  /** Told when the reader waits for bytes much of the time. */
  hungry: () => void = () => {};
  /** Segments come several at once: none of them waits for the reader. */
  crowded = false;
  readonly #path: string;
  readonly #file: FileHandle;
  /** The same file past the page cache; `null` where it cannot be written so. */
  #direct: FileHandle | null;
  readonly #size: number;
  readonly #pieces = new Map<Segment, Piece>();
  #unnoted = 0;
  #noting: Promise<void> = Promise.resolve();
  #problem: { readonly error: unknown } | null = null;
  /** Where the reader is; `null` while there is none. */
  #offset: number | null = null;
  /** Ends the reader's wait, with a piece for it or because there may be something. */
  #wake: ((piece: Uint8Array | null) => void) | null = null;
  /** Ends the wait of a segment for the reader. */
  #called: () => void = () => {};
  #patience = PATIENCE_MS;

  private constructor(of: {
    readonly path: string;
    readonly file: FileHandle;
    readonly direct: FileHandle | null;
    readonly size: number;
    readonly segments: readonly Segment[];
    readonly resumed: boolean;
  }) {
    this.#path = of.path;
    this.#file = of.file;
    this.#direct = of.direct;
    this.#size = of.size;
    this.segments = of.segments;
    this.resumed = of.resumed;
  }

  /** Takes up what is there of a blob, or begins it. The caller sees to it that no other process does the same. */
  static async open(layout: Layout, digest: Digest, { size, segmentSize }: { readonly size: number; readonly segmentSize: number }) {
    const path = layout.partial(digest);
    const segments: Segment[] = [];
    for (let from = 0; from < size; from += segmentSize)
      segments.push({ from, to: Math.min(from + segmentSize, size), at: from, got: from });
    const noted = await readNote(path);
    const length = await lengthOf(path);
    // A note may outlive the bytes that it speaks of: it goes last.
    const usable =
      noted !== null &&
      noted.length === segments.length &&
      segments.every(({ from, to }, i) => within(noted[i], from, to) && (noted[i] === from || (noted[i] ?? 0) <= length));
    if (usable) for (const [i, segment] of segments.entries()) segment.at = segment.got = noted[i] ?? segment.from;
    const resumed = usable && segments.some(({ from, at }) => at > from);
    const file = await open(path, resumed ? "r+" : "w+", 0o600);
    const direct = size < PIECE_SIZE ? null : await openDirect(path);
    return new Partial({ path, file, direct, size, segments, resumed });
  }

  /** Bytes that have come, wherever they belong. */
  get received(): number {
    return this.segments.reduce((sum, { from, got }) => sum + got - from, 0);
  }

  /** Bytes that lie in the file for the reader. */
  get ahead(): number {
    return this.#offset === null ? 0 : Math.max(0, this.#prefix() - this.#offset);
  }

  /** From now on all of a segment is to come again. */
  restart(segment: Segment): void {
    segment.at = segment.got = segment.from;
  }

  /** Adds the bytes that come next in a segment. They are copied: `chunk` may be used again. */
  async write(segment: Segment, chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length; ) {
      const piece = this.#pieces.get(segment) ?? takePiece();
      this.#pieces.set(segment, piece);
      // Up to the next boundary, so that all after the first piece of a segment that goes on begin at one.
      const end = Math.min(segment.to, segment.at - (segment.at % PIECE_SIZE) + PIECE_SIZE);
      const part = chunk.subarray(done, done + end - segment.got);
      piece.bytes.set(part, segment.got - segment.at);
      segment.got += part.length;
      done += part.length;
      if (segment.got === end) await this.#flush(segment, { mayWait: true });
    }
  }

  /** Writes down how far it is, so that a later process can go on from there. */
  async note(): Promise<void> {
    for (const segment of this.#pieces.keys()) await this.#flush(segment, { mayWait: false });
    await this.#note();
  }

  /** What waits for bytes is told that none will come. */
  fail(error: unknown): void {
    this.#problem ??= { error };
    this.#wake?.(null);
  }

  /** All bytes from the first on, each as soon as those before it are here; what is given is the reader's. One reader at a time. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    try {
      let waited = 0;
      let since = stopwatch();
      for (let offset = 0; offset < this.#size; ) {
        this.#offset = offset;
        const here = this.#prefix();
        if (here > offset) {
          const buffer = Buffer.allocUnsafeSlow(Math.min(READ_SIZE, here - offset));
          const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, offset);
          if (bytesRead === 0) throw new Error(`${this.#path} is shorter than was noted`);
          offset += bytesRead;
          yield buffer.subarray(0, bytesRead);
          continue;
        }
        if (this.#problem !== null) throw this.#problem.error;
        const began = stopwatch();
        const look = (): void => {
          const now = stopwatch();
          if (waited + now - began < Math.max(HUNGRY_MS, (now - since) * HUNGRY_SHARE)) return;
          this.hungry();
          waited = began - now; // counts anew from here
          since = now;
        };
        const piece = await this.#next(look);
        look();
        waited += stopwatch() - began;
        if (piece === null) continue;
        offset += piece.length;
        yield piece;
      }
    } finally {
      this.#offset = null;
      this.#called();
    }
  }

  /** Throws unless all of it is in the file. */
  finish(): void {
    if (this.#problem !== null) throw this.#problem.error;
    if (this.#prefix() < this.#size) throw new Error(`${this.#path} is not whole`);
  }

  /** It is whole and verified: from now on it is a blob. It is on disk for good once the image's layers are. */
  async commit(blob: string): Promise<void> {
    await this.close();
    await rename(this.#path, blob);
    await rm(`${this.#path}.json`, { force: true });
  }

  /** Lets go of it and keeps what is there for later. */
  async close(): Promise<void> {
    await this.#noting;
    await this.#file.close();
    await this.#direct?.close();
    for (const piece of this.#pieces.values()) giveBack(piece);
    this.#pieces.clear();
  }

  /** Removes what is there. */
  async discard(): Promise<void> {
    await this.close();
    await rm(this.#path, { force: true });
    await rm(`${this.#path}.json`, { force: true });
  }

  /** Waits for the piece that comes next, or until something changed. */
  async #next(look: () => void): Promise<Uint8Array | null> {
    const timer = setInterval(look, HUNGRY_MS);
    const piece = await new Promise<Uint8Array | null>((resolve) => {
      this.#wake = resolve;
      this.#called();
    });
    clearInterval(timer);
    this.#wake = null;
    return piece;
  }

  /** Puts what came of a segment where it belongs. */
  async #flush(segment: Segment, { mayWait }: { readonly mayWait: boolean }): Promise<void> {
    const piece = this.#pieces.get(segment);
    if (piece === undefined) return;
    this.#pieces.delete(segment);
    const bytes = piece.bytes.subarray(0, segment.got - segment.at);
    try {
      if (mayWait) await this.#awaitReader(segment.at);
      const handed = this.#hand(segment.at, bytes);
      await this.#put(bytes, segment.at, handed && piece.aligned);
      segment.at += bytes.length;
    } finally {
      giveBack(piece);
    }
    this.#unnoted += bytes.length;
    if (this.#unnoted >= NOTE_EVERY) await this.#note();
    this.#wake?.(null);
  }

  /** Waits until the reader wants the bytes from an offset on, as long as it has not got there. */
  async #awaitReader(from: number): Promise<void> {
    const behind = (): boolean => this.#offset !== null && this.#offset <= from && !(this.#wake !== null && this.#offset === from);
    if (this.crowded || this.#patience === 0 || !behind()) return;
    let ended = false;
    const timer = setTimeout(() => {
      ended = true;
      this.#patience = 0;
      this.#called();
    }, this.#patience);
    while (behind() && !this.crowded && !ended)
      await new Promise<void>((resolve) => {
        this.#called = resolve;
      });
    clearTimeout(timer);
  }

  /** Gives a copy of the bytes to the reader if it waits for them. */
  #hand(from: number, bytes: Uint8Array): boolean {
    if (this.#wake === null || this.#offset !== from) return false;
    this.#wake(bytes.slice());
    this.#wake = null;
    return true;
  }

  async #put(bytes: Uint8Array, offset: number, past: boolean): Promise<void> {
    const direct = this.#direct;
    if (past && direct !== null && offset % BLOCK === 0 && bytes.length % BLOCK === 0) {
      try {
        return await writeAll(direct, bytes, offset);
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "EINVAL")) throw error;
        this.#direct = null; // the file system wants other sizes
        await direct.close();
      }
    }
    await writeAll(this.#file, bytes, offset);
  }

  #note(): Promise<void> {
    this.#unnoted = 0;
    const content = JSON.stringify(this.segments.map(({ at }) => at));
    this.#noting = this.#noting.then(() => writeFile(`${this.#path}.json`, content, { mode: 0o600 }));
    return this.#noting;
  }

  /** How many bytes are in the file without a gap. */
  #prefix(): number {
    for (const { to, at } of this.segments) if (at < to) return at;
    return this.#size;
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
}

/** `null` where the file system does not have it. */
async function openDirect(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_WRONLY | constants.O_DIRECT);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EINVAL") return null;
    throw error;
  }
}

/** The noted offsets, or `null` where there is no note that makes sense: then everything comes again. */
async function readNote(path: string): Promise<readonly number[] | null> {
  try {
    return list(parseJson(await readFile(`${path}.json`, "utf8"), "note"), "note").map((at) => count(at, "note"));
  } catch (error) {
    if (error instanceof WrongShape || (error instanceof Error && "code" in error && error.code === "ENOENT")) return null;
    throw error;
  }
}

/** Bytes of a file; 0 where there is none. */
async function lengthOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
    throw error;
  }
}

function within(value: number | undefined, from: number, to: number): boolean {
  return value !== undefined && value >= from && value <= to;
}
