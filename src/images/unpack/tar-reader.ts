/**
 * A streaming tar reader: ustar, PAX and GNU long names, base-256 numbers. Content is handed on as it comes, nothing is kept of it.
 * Sparse files are refused. What follows the end mark is ignored, so that a caller can drain (and hash) the stream.
 */
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
  /** Bytes of content that will follow; 0 unless it is a file. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly major: number;
  readonly minor: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

export interface TarSink {
  entry(entry: TarEntry): void;
  /** A part of the content of the file last announced. Valid only during the call. */
  data(chunk: Buffer): void;
  /** The file last announced is complete. */
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
};

/** What the bytes that come next are. */
type State = "header" | "file" | "extension" | "skip" | "end";

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

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  write(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && this.#state !== "end"; ) {
      if (this.#state !== "header" && this.#remaining === 0) {
        const skipped = Math.min(this.#padding, chunk.length - at);
        this.#padding -= skipped;
        at += skipped;
        if (this.#padding === 0) this.#state = "header";
        continue;
      }
      const wanted = this.#state === "header" ? BLOCK_SIZE - this.#partialLength : this.#remaining;
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
        if (block !== null) this.#header(parseHeader(block));
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
        this.#sink.data(part);
        if (this.#remaining > 0) return;
        this.#sink.end();
        break;
      case "skip":
        this.#remaining -= part.length;
        if (this.#remaining > 0) return;
        break;
      case "end":
        return;
    }
    if (this.#padding === 0) this.#state = "header";
  }

  #header(header: TarHeader | null): void {
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
    else {
      const entry = this.#entry(header);
      this.#expect(entry.type === "file" ? "file" : "skip", entry.size);
      this.#sink.entry(entry);
      if (entry.type === "file" && entry.size === 0) this.#sink.end();
    }
  }

  /** Puts a header together with the extensions that came before it. */
  #entry(plain: TarHeader): TarEntry {
    const pax = this.#pax;
    const header = withPax({ ...plain, path: this.#longPath ?? plain.path, target: this.#longTarget ?? plain.target }, pax);
    this.#pax = NO_PAX;
    this.#longPath = null;
    this.#longTarget = null;
    const { path, target, mode, uid, gid, mtime, major, minor } = header;
    const named = Object.hasOwn(TYPES, header.flag) ? TYPES[header.flag] : undefined;
    if (header.flag === "S" || hasSparse(pax)) throw malformed(`"${path}" is a sparse file, which is not supported`);
    if (named === undefined) throw malformed(`"${path}" has the type ${JSON.stringify(header.flag)}, which is not supported`);
    if (path === "" || path.includes("\0") || target.includes("\0")) throw malformed("an entry has no usable name");
    const type = named === "file" && path.endsWith("/") ? "directory" : named; // how archives older than ustar write a directory
    return {
      type,
      path,
      target,
      mode: mode & 0o7777,
      uid,
      gid,
      size: type === "file" ? header.size : 0,
      mtime,
      major,
      minor,
      xattrs: xattrsOf(pax),
    };
  }

  #extend(content: Buffer): void {
    const flag = this.#extension?.flag;
    this.#extension = null;
    if (flag === "x") this.#pax = parsePax(content);
    else if (flag === "L") this.#longPath = untilNul(content);
    else if (flag === "K") this.#longTarget = untilNul(content);
    // A global header (`g`) holds nothing that an image needs.
    if (this.#padding === 0) this.#state = "header";
  }

  #expect(state: "file" | "extension" | "skip", size: number): void {
    this.#remaining = size;
    this.#padding = (BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE;
    this.#state = size === 0 ? "header" : state;
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
const EXTENSIONS: ReadonlySet<string> = new Set(["x", "g", "L", "K"]);
const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();
const STAR_XATTR = "SCHILY.xattr.";
const BSD_XATTR = "LIBARCHIVE.xattr.";

function hasSparse(pax: ReadonlyMap<string, string>): boolean {
  for (const key of pax.keys()) if (key.startsWith("GNU.sparse.")) return true;
  return false;
}

function xattrsOf(pax: ReadonlyMap<string, string>): ReadonlyMap<string, Buffer> {
  if (pax.size === 0) return NO_XATTRS;
  const found = new Map<string, Buffer>();
  for (const [key, value] of pax) {
    if (key.startsWith(STAR_XATTR)) found.set(key.slice(STAR_XATTR.length), Buffer.from(value, "latin1"));
    else if (key.startsWith(BSD_XATTR)) found.set(percentDecoded(key.slice(BSD_XATTR.length)), Buffer.from(value, "base64"));
  }
  return found;
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
