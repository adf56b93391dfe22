/** A blob on its way from a registry: its bytes as far as they have come, in any order, and a note of which those are. */
import { type FileHandle, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import type { Digest } from "../../model/digest.ts";
import { count, list, parseJson, WrongShape } from "../shape.ts";
import type { Layout } from "./layout.ts";

/** A part of the blob that comes from its beginning to its end. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  /** Bytes before this offset are here. */
  at: number;
}

/** So many bytes come between two notes of how far a segment is: what a killed process has to fetch again at most, for each segment. */
const NOTE_EVERY = 4 << 20;
const READ_SIZE = 256 * 1024;

export class Partial {
  readonly segments: readonly Segment[];
  /** Whether an earlier process left some of it. */
  readonly resumed: boolean;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #size: number;
  #unnoted = 0;
  #noting: Promise<void> = Promise.resolve();
  #problem: { readonly error: unknown } | null = null;
  #wake: () => void = () => {};

  private constructor(of: {
    readonly path: string;
    readonly file: FileHandle;
    readonly size: number;
    readonly segments: readonly Segment[];
    readonly resumed: boolean;
  }) {
    this.#path = of.path;
    this.#file = of.file;
    this.#size = of.size;
    this.segments = of.segments;
    this.resumed = of.resumed;
  }

  /** Takes up what is there of a blob, or begins it. The caller sees to it that no other process does the same. */
  static async open(layout: Layout, digest: Digest, { size, segmentSize }: { readonly size: number; readonly segmentSize: number }) {
    const path = layout.partial(digest);
    const segments: Segment[] = [];
    for (let from = 0; from < size; from += segmentSize) segments.push({ from, to: Math.min(from + segmentSize, size), at: from });
    const noted = await readNote(path);
    const usable = noted !== null && noted.length === segments.length && segments.every(({ from, to }, i) => within(noted[i], from, to));
    if (usable) for (const [i, segment] of segments.entries()) segment.at = noted[i] ?? segment.from;
    const file = await open(path, usable ? "r+" : "w+", 0o600);
    return new Partial({ path, file, size, segments, resumed: usable && segments.some(({ from, at }) => at > from) });
  }

  /** Bytes that are here, wherever they are. */
  get received(): number {
    return this.segments.reduce((sum, { from, at }) => sum + at - from, 0);
  }

  /** Adds the bytes that come next in a segment. */
  async write(segment: Segment, chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length; )
      done += (await this.#file.write(chunk, done, chunk.length - done, segment.at + done)).bytesWritten;
    segment.at += chunk.length;
    this.#unnoted += chunk.length;
    if (this.#unnoted >= NOTE_EVERY) await this.note();
    this.#wake();
  }

  /** Writes down how far it is, so that a later process can go on from there. */
  note(): Promise<void> {
    this.#unnoted = 0;
    const content = JSON.stringify(this.segments.map(({ at }) => at));
    this.#noting = this.#noting.then(() => writeFile(`${this.#path}.json`, content, { mode: 0o600 }));
    return this.#noting;
  }

  /** What waits for bytes is told that none will come. */
  fail(error: unknown): void {
    this.#problem ??= { error };
    this.#wake();
  }

  /** All bytes from the first on, each as soon as those before it are here. One reader at a time. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    for (let offset = 0; offset < this.#size; ) {
      const here = this.#prefix();
      if (here > offset) {
        const buffer = Buffer.allocUnsafe(Math.min(READ_SIZE, here - offset));
        const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, offset);
        if (bytesRead === 0) throw new Error(`${this.#path} is shorter than was noted`);
        offset += bytesRead;
        yield buffer.subarray(0, bytesRead);
      } else if (this.#problem !== null) throw this.#problem.error;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
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
  }

  /** Removes what is there. */
  async discard(): Promise<void> {
    await this.close();
    await rm(this.#path, { force: true });
    await rm(`${this.#path}.json`, { force: true });
  }

  /** How many bytes are here without a gap. */
  #prefix(): number {
    for (const { to, at } of this.segments) if (at < to) return at;
    return this.#size;
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

function within(value: number | undefined, from: number, to: number): boolean {
  return value !== undefined && value >= from && value <= to;
}
