/** Writes the tar of an image archive: files and directories with short names, the same bytes for the same content. */
import { BLOCK_SIZE } from "../unpack/tar-header.ts";

/** What follows the last entry. */
export const TAR_END = Buffer.alloc(2 * BLOCK_SIZE);

export function directoryHeader(path: string): Buffer {
  return header(path, { flag: "5", mode: 0o755, size: 0 });
}

/** Of a file of so many bytes, which follow, and after them its padding. */
export function fileHeader(path: string, size: number): Buffer {
  return header(path, { flag: "0", mode: 0o644, size });
}

/** What fills the last block of a file. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE);
}

/** Larger sizes do not fit into eleven octal digits. */
const OCTAL_LIMIT = 8 ** 11;

function header(path: string, { flag, mode, size }: { readonly flag: string; readonly mode: number; readonly size: number }): Buffer {
  const block = Buffer.alloc(BLOCK_SIZE);
  const octal = (value: number, at: number, width: number): void => {
    block.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
  };
  const slash = path.length > 100 ? path.lastIndexOf("/", path.length - 2) : -1; // a digest of sha512 takes 128 characters
  if (path.length - slash - 1 > 100) return longHeader(path, { flag, mode, size });
  block.write(path.slice(slash + 1), 0, "latin1");
  if (slash !== -1) block.write(path.slice(0, slash), 345, "latin1");
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  if (size < OCTAL_LIMIT) octal(size, 124, 12);
  else {
    block.writeUInt8(0x80, 124);
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  octal(0, 136, 12);
  block.write(flag, 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  block.fill(" ", 148, 156);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}

/** A name that no header has room for goes before it, in an extended header. */
function longHeader(path: string, entry: { readonly flag: string; readonly mode: number; readonly size: number }): Buffer {
  const body = ` path=${path}\n`;
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  const record = Buffer.from(`${length}${body}`, "latin1");
  return Buffer.concat([
    header("pax", { flag: "x", mode: 0o644, size: record.length }),
    record,
    padding(record.length),
    header(path.slice(-100), entry),
  ]);
}
