/** Builds tar archives in memory, well-formed or hostile on purpose. */

export type TarType = "file" | "directory" | "symlink" | "hardlink" | "character" | "block" | "fifo";

export interface TarEntry {
  /** Bytes as latin1 characters, so that any name can be written. */
  readonly path: string;
  /** `file` when not given. A single character is taken as the raw type flag. */
  readonly type?: TarType | { readonly flag: string };
  readonly content?: string | Uint8Array;
  readonly target?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds. */
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
  /** PAX records that go before the entry. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
  /** What the header claims, when it is to lie about the content's length. */
  readonly claimedSize?: number;
}

export interface TarOptions {
  /** `false`: leave out the two zero blocks at the end. */
  readonly end?: boolean;
}

const BLOCK = 512;
const FLAGS: Readonly<Record<TarType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};
const DEFAULT_MODE: Readonly<Partial<Record<TarType, number>>> = { directory: 0o755, symlink: 0o777 };

export function tar(entries: readonly TarEntry[], options: TarOptions = {}): Buffer {
  const blocks = entries.flatMap(entryBlocks);
  return Buffer.concat((options.end ?? true) ? [...blocks, Buffer.alloc(2 * BLOCK)] : blocks);
}

/** One PAX record, its own length included in its length. */
export function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const body = Buffer.concat([
    Buffer.from(` ${key}=`, "latin1"),
    typeof value === "string" ? Buffer.from(value, "latin1") : value,
    Buffer.from("\n"),
  ]);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

function entryBlocks(entry: TarEntry): readonly Buffer[] {
  const type = entry.type ?? "file";
  const content = typeof entry.content === "string" ? Buffer.from(entry.content, "utf8") : Buffer.from(entry.content ?? "");
  const pax: Record<string, string | Uint8Array> = { ...entry.pax };
  if (entry.path.length > 100) pax["path"] ??= entry.path;
  if ((entry.target?.length ?? 0) > 100) pax["linkpath"] ??= entry.target ?? "";
  const records = Buffer.concat(Object.entries(pax).map(([key, value]) => paxRecord(key, value)));
  const before = records.length === 0 ? [] : [header({ path: "PaxHeaders/0", mode: 0o644 }, "x", records.length), padded(records)];
  const flag = typeof type === "string" ? FLAGS[type] : type.flag;
  const mode = entry.mode ?? (typeof type === "string" ? DEFAULT_MODE[type] : undefined) ?? 0o644;
  return [...before, header({ ...entry, mode }, flag, entry.claimedSize ?? content.length), padded(content)];
}

function header(entry: TarEntry, flag: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, width: number): void => {
    block.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
  };
  block.write(entry.path.slice(0, 100), 0, "latin1");
  octal(entry.mode ?? 0, 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(size, 124, 12);
  octal(Math.max(0, Math.trunc(entry.mtime ?? 0)), 136, 12);
  block.write(flag, 156, "latin1");
  block.write((entry.target ?? "").slice(0, 100), 157, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  octal(entry.major ?? 0, 329, 8);
  octal(entry.minor ?? 0, 337, 8);
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function padded(content: Uint8Array): Buffer {
  const rest = content.length % BLOCK;
  return rest === 0 ? Buffer.from(content) : Buffer.concat([content, Buffer.alloc(BLOCK - rest)]);
}
