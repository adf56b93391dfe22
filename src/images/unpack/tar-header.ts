/** One 512-byte tar header and the extended (PAX) records before it, as data. Names are latin1 text: one character a byte. */
import { Failure } from "../../model/diagnostic.ts";

export const BLOCK_SIZE = 512;

export interface TarHeader {
  readonly path: string;
  /** The type flag as written; NUL reads as `0`. */
  readonly flag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly target: string;
  readonly major: number;
  readonly minor: number;
}

/** Reads a header block; `null` for a block of zeros. Throws `E_LAYER_TAR` where it is not one. */
export function parseHeader(block: Buffer): TarHeader | null {
  const stored = numberAt(block, 148, 8);
  const sum = checksum(block);
  if (sum === BLANK_SUM && stored === 0) return null;
  if (stored !== sum && stored !== signedChecksum(block, sum)) throw malformed("a header's checksum is wrong");
  const magic = block.toString("latin1", 257, 263);
  const posix = magic === "ustar\0"; // GNU's own magic puts other things where the prefix would be
  const prefix = posix ? textAt(block, 345, 155) : "";
  const name = textAt(block, 0, 100);
  const flag = block.toString("latin1", 156, 157);
  const device = (flag === "3" || flag === "4") && magic.startsWith("ustar"); // others may have anything there
  return {
    path: prefix === "" ? name : `${prefix}/${name}`,
    flag: flag === "\0" ? "0" : flag,
    mode: natural(numberAt(block, 100, 8), "mode"),
    uid: identity(numberAt(block, 108, 8), "uid"),
    gid: identity(numberAt(block, 116, 8), "gid"),
    size: natural(numberAt(block, 124, 12), "size"),
    mtime: numberAt(block, 136, 12),
    target: textAt(block, 157, 100),
    major: device ? natural(numberAt(block, 329, 8), "device number") : 0,
    minor: device ? natural(numberAt(block, 337, 8), "device number") : 0,
  };
}

/**
 * Reads PAX records (`LENGTH KEY=VALUE\n`), values as latin1 text. A key that comes twice has its last value, except for those that list
 * the map of a sparse file: their values are joined.
 */
export function parsePax(content: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const digits = space === -1 ? "" : content.toString("latin1", at, space);
    const length = /^[0-9]{1,9}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = content.indexOf(0x3d, space);
    if (length === 0 || end > content.length || equals === -1 || equals >= end || content[end - 1] !== 0x0a)
      throw malformed("an extended header is not well-formed");
    const key = content.toString("latin1", space + 1, equals);
    const value = content.toString("latin1", equals + 1, end - 1);
    if (key !== "GNU.sparse.offset" && key !== "GNU.sparse.numbytes") records.set(key, value);
    else records.set("GNU.sparse.map", records.has("GNU.sparse.map") ? `${records.get("GNU.sparse.map")},${value}` : value);
    at = end;
  }
  return records;
}

/** The header with the extended records that go before it. */
export function withPax(header: TarHeader, pax: ReadonlyMap<string, string>): TarHeader {
  if (pax.size === 0) return header;
  const given = (key: string): string | undefined => pax.get(key) || undefined; // an empty value takes a record back
  const whole = (key: string, otherwise: number): number => {
    const text = given(key);
    if (text === undefined) return otherwise;
    if (!/^[0-9]{1,16}$/.test(text)) throw malformed(`the extended header's ${key} is not a number`);
    return key === "size" ? natural(Number(text), key) : identity(Number(text), key);
  };
  const time = given("mtime");
  if (time !== undefined && !/^-?[0-9]{1,16}(\.[0-9]*)?$/.test(time)) throw malformed("the extended header's mtime is not a time");
  return {
    ...header,
    path: given("path") ?? header.path,
    target: given("linkpath") ?? header.target,
    size: whole("size", header.size),
    uid: whole("uid", header.uid),
    gid: whole("gid", header.gid),
    mtime: time === undefined ? header.mtime : Number(time),
  };
}

/** The text of a GNU long name (`L`, `K`): up to its NUL. */
export function untilNul(content: Buffer): string {
  return textAt(content, 0, content.length);
}

export function malformed(problem: string, options?: ErrorOptions): Failure {
  return new Failure({ code: "E_LAYER_TAR", message: `the layer is not a readable tar archive: ${problem}` }, options);
}

/** Sum of a block of zeros: its checksum field counts as eight spaces. */
const BLANK_SUM = 8 * 0x20;

function checksum(block: Buffer): number {
  let sum = BLANK_SUM;
  for (let at = 0; at < 148; at += 1) sum += block[at] ?? 0;
  for (let at = 156; at < BLOCK_SIZE; at += 1) sum += block[at] ?? 0;
  return sum;
}

/** Some old programs added up signed bytes. */
function signedChecksum(block: Buffer, sum: number): number {
  let signed = sum;
  for (let at = 0; at < BLOCK_SIZE; at += 1) if ((at < 148 || at >= 156) && (block[at] ?? 0) > 127) signed -= 256;
  return signed;
}

export function textAt(block: Buffer, at: number, width: number): string {
  const nul = block.indexOf(0, at);
  return block.toString("latin1", at, nul === -1 || nul > at + width ? at + width : nul);
}

/** Octal digits between spaces and NULs, or a big-endian number (base 256) when the first bit is set. */
export function numberAt(block: Buffer, at: number, width: number): number {
  const first = block[at] ?? 0;
  if ((first & 0x80) !== 0) return base256(block.subarray(at, at + width));
  let value = 0;
  let seen = false;
  for (let index = at; index < at + width; index += 1) {
    const byte = block[index] ?? 0;
    if (byte >= 0x30 && byte <= 0x37) {
      value = value * 8 + (byte - 0x30);
      seen = true;
    } else if (byte !== 0 && byte !== 0x20) throw malformed("a number in a header is not octal");
    else if (seen) break;
  }
  return value;
}

function base256(bytes: Buffer): number {
  const negative = bytes[0] === 0xff;
  let value = negative ? -1 : (bytes[0] ?? 0) & 0x7f;
  for (const byte of bytes.subarray(1)) value = value * 256 + byte;
  return value;
}

/** A user's or group's number: the kernel has 32 bits for it, and the last of them means none. */
function identity(value: number, what: string): number {
  if (value >= 0xffff_ffff) throw malformed(`a ${what} of ${value} is out of range`);
  return natural(value, what);
}

function natural(value: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < 0) throw malformed(`a ${what} of ${value} is out of range`);
  return value;
}
