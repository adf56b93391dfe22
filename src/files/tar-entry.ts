/** Writes the headers of tar entries: ustar, with extended (pax) records for what that has no room for. */
import { BLOCK_SIZE } from "../images/unpack/tar-header.ts";
import type { EntryType, TarEntry } from "../images/unpack/tar-reader.ts";

/** What follows the last entry. */
export const ARCHIVE_END = Buffer.alloc(2 * BLOCK_SIZE);

/** What fills the last block of a file. */
export function blockPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE);
}

/** Everything that goes before an entry's content. */
export function entryHeader(entry: TarEntry): Buffer {
  const path = entry.type === "directory" ? `${entry.path}/` : entry.path;
  const records = recordsOf(entry, path);
  const main = header({ ...entry, path: path.slice(0, 100), target: entry.target.slice(0, 100), flag: FLAG[entry.type] });
  if (records.length === 0) return main;
  const body = Buffer.from(records.map(([key, value]) => record(key, value)).join(""), "latin1");
  const extension = header({ ...entry, path: "pax", target: "", mode: 0o644, size: body.length, major: 0, minor: 0, flag: "x" });
  return Buffer.concat([extension, body, blockPadding(body.length), main]);
}

const FLAG: Readonly<Record<EntryType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

/** The largest numbers of seven and eleven octal digits, one more. */
const SMALL = 8 ** 7;
const LARGE = 8 ** 11;

function recordsOf(entry: TarEntry, path: string): readonly (readonly [string, string])[] {
  const { target, size, uid, gid, mtime, xattrs } = entry;
  return [
    ...(path.length > 100 ? [["path", path] as const] : []),
    ...(target.length > 100 ? [["linkpath", target] as const] : []),
    ...(size >= LARGE ? [["size", String(size)] as const] : []),
    ...(uid >= SMALL ? [["uid", String(uid)] as const] : []),
    ...(gid >= SMALL ? [["gid", String(gid)] as const] : []),
    ...(Number.isInteger(mtime) && mtime >= 0 && mtime < LARGE ? [] : [["mtime", mtime.toFixed(9)] as const]),
    ...[...xattrs].map(([name, value]) => [`SCHILY.xattr.${name}`, value.toString("latin1")] as const),
  ];
}

/** A record begins with its own length in digits. All text is latin1, one character a byte. */
function record(key: string, value: string): string {
  const body = ` ${key}=${value}\n`;
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return `${length}${body}`;
}

type Header = Omit<TarEntry, "type" | "xattrs"> & { readonly flag: string };

function header({ path, target, mode, uid, gid, size, mtime, major, minor, flag }: Header): Buffer {
  const block = Buffer.alloc(BLOCK_SIZE);
  const octal = (value: number, at: number, width: number): void => {
    const most = 8 ** (width - 1);
    const whole = Math.floor(value);
    block.write(`${(whole >= 0 && whole < most ? whole : 0).toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
  };
  block.write(path, 0, "latin1");
  octal(mode, 100, 8);
  octal(uid, 108, 8);
  octal(gid, 116, 8);
  octal(size, 124, 12);
  octal(mtime, 136, 12);
  block.write(flag, 156, "latin1");
  block.write(target, 157, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  octal(major, 329, 8);
  octal(minor, 337, 8);
  block.fill(" ", 148, 156);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}
