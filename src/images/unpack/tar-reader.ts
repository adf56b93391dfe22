/**
 * A streaming tar reader: v7, ustar and PAX archives, GNU's long names and sparse files, base-256 numbers. Content is handed on as it comes,
 * nothing is kept of it. What follows the end mark is ignored, so that a caller can drain (and hash) the stream.
 */
import { printable } from "./printable.ts";
import { checkedMap, continuedMap, headerMap, type Segment, type SparseMap, sparseRecords } from "./sparse.ts";
import { BLOCK_SIZE, malformed, parseHeader, parsePax, type TarHeader, untilNul, withPax } from "./tar-header.ts";

export type EntryType = "file" | "directory" | "symlink" | "hardlink" | "character" | "block" | "fifo";

export interface TarEntry {
  readonly type: EntryType;
  /** Latin1 text, one character a byte, as written in the archive. Never empty, never with a NUL. */
  readonly path: string;
  readonly target: string;
  /** Permission bits with set-id and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes that the file has once it is complete, holes among them; 0 unless it is a file. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly major: number;
  readonly minor: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

export interface TarSink {
  entry(entry: TarEntry): void;
  /** A part of the content of the file last announced, and where it belongs. Valid only during the call; comes in order. */
  data(chunk: Buffer, offset: number): void;
  /** The file last announced is complete; where nothing came, it has zeros. */
  end(): void;
}

/** Bytes that the extended header of one entry may have: names and attributes, not content. */
const EXTENSION_LIMIT = 1 << 20;

const TYPES: Readonly<Record<string, EntryType>> = {
  "0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
  S: "file",
  D: "directory", // with a list of names, of incremental archives
};

/** What the bytes that come next are. `map` is the block of a sparse file's map. */
type State = "header" | "map" | "file" | "extension" | "skip" | "padding" | "end";

export class TarReader {
  readonly #sink: TarSink;
  #state: State = "header";
  /** Bytes of the present content that are still to come, and the padding after it. */
  #remaining = 0;
  #padding = 0;
  /** A header or an extension that came in parts. */
  #partial: Buffer[] = [];
  #partialLength = 0;
  #extension: TarHeader | null = null;
  #pax: ReadonlyMap<string, string> = NO_PAX;
  #longPath: string | null = null;
  #longTarget: string | null = null;
  #zeroBlocks = 0;
  /** The sparse file whose map is being read. */
  #sparse: { readonly entry: TarEntry; readonly map: SparseMap; readonly inContent: boolean } | null = null;
  /** Where in the file the next byte of content belongs, how many more belong there, and the segments after that. */
  #offset = 0;
  #run = 0;
  #segments: readonly Segment[] = [];
  #nextSegment = 0;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  write(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && this.#state !== "end"; ) {
      const inBlocks = this.#state === "header" || this.#state === "map";
      const wanted = inBlocks ? BLOCK_SIZE - this.#partialLength : this.#state === "padding" ? this.#padding : this.#remaining;
      const part = chunk.subarray(at, at + wanted);
      at += part.length;
      this.#take(part);
    }
  }

  /** To be called after the last byte. With `requireEnd` the archive must have had its end mark. */
  finish(options: { readonly requireEnd: boolean }): void {
    if (this.#state === "end") return;
    const between = this.#state === "header" && this.#partialLength === 0 && this.#extension === null;
    if (!between || options.requireEnd) throw malformed("it ends too early");
  }

  #take(part: Buffer): void {
    switch (this.#state) {
      case "header": {
        const block = this.#collect(part, BLOCK_SIZE);
        if (block !== null) this.#header(block);
        return;
      }
      case "map": {
        const block = this.#collect(part, BLOCK_SIZE);
        if (block !== null) this.#map(block);
        return;
      }
      case "extension": {
        const size = this.#remaining + this.#partialLength;
        this.#remaining -= part.length;
        const content = this.#collect(part, size);
        if (content !== null) this.#extend(content);
        return;
      }
      case "file":
        this.#remaining -= part.length;
        this.#content(part);
        if (this.#remaining > 0) return;
        this.#sink.end();
        this.#pad();
        return;
      case "skip":
        this.#remaining -= part.length;
        if (this.#remaining === 0) this.#pad();
        return;
      case "padding":
        this.#padding -= part.length;
        if (this.#padding === 0) this.#state = "header";
        return;
      case "end":
        return;
    }
  }

  #header(block: Buffer): void {
    const header = parseHeader(block);
    if (header === null) {
      this.#zeroBlocks += 1;
      if (this.#zeroBlocks === 2) this.#state = "end";
      return;
    }
    if (this.#zeroBlocks > 0) throw malformed("an entry follows an end mark");
    if (EXTENSIONS.has(header.flag)) {
      if (header.size > EXTENSION_LIMIT) throw malformed(`an extended header of ${header.size} bytes is too long`);
      this.#extension = header;
      this.#expect("extension", header.size);
      if (header.size === 0) this.#extend(Buffer.alloc(0));
    } else if (header.flag === "V") this.#expect("skip", header.size);
    else this.#announce(header, block);
  }

  /** Puts a header together with the extensions that came before it. */
  #announce(plain: TarHeader, block: Buffer): void {
    const pax = this.#pax;
    const header = withPax({ ...plain, path: this.#longPath ?? plain.path, target: this.#longTarget ?? plain.target }, pax);
    this.#pax = NO_PAX;
    this.#longPath = null;
    this.#longTarget = null;
    const old = header.flag === "S" ? headerMap(block) : null;
    const sparse = old === null ? sparseRecords(pax) : null;
    const entry = entryOf(header, { pax, path: sparse?.path ?? header.path, size: old?.size ?? sparse?.size ?? header.size });
    const content = entry.type === "file";
    this.#expect(content ? "file" : "skip", content || header.flag === "D" ? header.size : 0);
    if (!content || (old === null && sparse === null)) this.#begin(entry, null);
    else if (old !== null) {
      if (old.more) this.#awaitMap(entry, { map: continuedMap(old.segments), inContent: false });
      else this.#begin(entry, old.segments);
    } else if (sparse !== null) {
      if ("take" in sparse.map) this.#awaitMap(entry, { map: sparse.map, inContent: true });
      else this.#begin(entry, sparse.map);
    }
  }

  #awaitMap(entry: TarEntry, options: { readonly map: SparseMap; readonly inContent: boolean }): void {
    this.#sparse = { entry, ...options };
    this.#state = "map";
  }

  #map(block: Buffer): void {
    if (this.#sparse === null) throw new Error("a block of a map that nobody waits for");
    const { entry, map, inContent } = this.#sparse;
    if (inContent && this.#remaining < BLOCK_SIZE) throw malformed("the map of a sparse file does not end");
    if (inContent) this.#remaining -= BLOCK_SIZE;
    const segments = map.take(block);
    if (segments === null) return;
    this.#sparse = null;
    this.#state = "file";
    this.#begin(entry, segments);
  }

  /** Announces an entry whose content comes next; `segments` when not all of it does. */
  #begin(entry: TarEntry, segments: readonly Segment[] | null): void {
    this.#offset = 0;
    this.#run = segments === null ? this.#remaining : 0;
    this.#segments = segments === null ? [] : checkedMap(segments, { size: entry.size, stored: this.#remaining });
    this.#nextSegment = 0;
    this.#sink.entry(entry);
    if (entry.type === "file" && this.#remaining === 0) {
      this.#sink.end();
      this.#pad();
    }
  }

  #content(part: Buffer): void {
    for (let at = 0; at < part.length; ) {
      if (this.#run === 0) {
        const segment = this.#segments[this.#nextSegment];
        if (segment === undefined) throw new Error("content beyond a map that was checked");
        this.#nextSegment += 1;
        this.#offset = segment.offset;
        this.#run = segment.length;
      }
      const piece = part.subarray(at, at + this.#run);
      this.#sink.data(piece, this.#offset);
      this.#offset += piece.length;
      this.#run -= piece.length;
      at += piece.length;
    }
  }

  #extend(content: Buffer): void {
    const flag = this.#extension?.flag;
    this.#extension = null;
    if (flag === "x" || flag === "X") this.#pax = parsePax(content);
    else if (flag === "L") this.#longPath = untilNul(content);
    else if (flag === "K") this.#longTarget = untilNul(content);
    // What a global header (`g`) says is not applied, as Docker does not: notes of version control systems, mostly.
    this.#pad();
  }

  #expect(state: "file" | "extension" | "skip", size: number): void {
    this.#remaining = size;
    this.#padding = (BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE;
    this.#state = size === 0 ? "header" : state;
  }

  #pad(): void {
    this.#state = this.#padding === 0 ? "header" : "padding";
  }

  /** Joins parts until there are `length` bytes; `null` until then. A part that is whole by itself is not copied. */
  #collect(part: Buffer, length: number): Buffer | null {
    if (this.#partialLength === 0 && part.length === length) return part;
    this.#partial.push(Buffer.from(part));
    this.#partialLength += part.length;
    if (this.#partialLength < length) return null;
    const whole = Buffer.concat(this.#partial);
    this.#partial = [];
    this.#partialLength = 0;
    return whole;
  }
}

const NO_PAX: ReadonlyMap<string, string> = new Map();
const EXTENSIONS: ReadonlySet<string> = new Set(["x", "X", "g", "L", "K"]);
const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();
const STAR_XATTR = "SCHILY.xattr.";
const BSD_XATTR = "LIBARCHIVE.xattr.";

function entryOf(
  { flag, target, mode, uid, gid, mtime, major, minor }: TarHeader,
  { pax, path, size }: { readonly pax: ReadonlyMap<string, string>; readonly path: string; readonly size: number },
): TarEntry {
  const named = Object.hasOwn(TYPES, flag) ? TYPES[flag] : undefined;
  if (named === undefined) throw malformed(`${printable(path)} has the type ${printable(flag)}, which is not supported`);
  if (path === "" || path.includes("\0") || target.includes("\0")) throw malformed("an entry has no usable name");
  if (!Number.isSafeInteger(size) || size < 0) throw malformed(`a size of ${size} is out of range`);
  const type = named === "file" && path.endsWith("/") ? "directory" : named; // how archives older than ustar write a directory
  const common = { path, target, mode: mode & 0o7777, uid, gid, mtime, major, minor, xattrs: xattrsOf(pax) };
  return { type, size: type === "file" ? size : 0, ...common };
}

function xattrsOf(pax: ReadonlyMap<string, string>): ReadonlyMap<string, Buffer> {
  if (pax.size === 0) return NO_XATTRS;
  const found = new Map<string, Buffer>();
  for (const [key, value] of pax) {
    if (!key.startsWith(STAR_XATTR) && !key.startsWith(BSD_XATTR)) continue;
    if (key.includes("\0")) throw malformed("an attribute has no usable name");
    if (key.startsWith(STAR_XATTR)) found.set(key.slice(STAR_XATTR.length), Buffer.from(value, "latin1"));
    else if (key.startsWith(BSD_XATTR)) found.set(percentDecoded(key.slice(BSD_XATTR.length)), Buffer.from(value, "base64"));
  }
  return found;
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
