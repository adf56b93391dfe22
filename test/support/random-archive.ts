/** Archives made by chance, the same for the same seed: well-formed ones, hostile ones, and ones that are damaged afterwards. */
import { gzipSync } from "node:zlib";
import { type TarEntry, type TarType, tar } from "./tar.ts";

export interface Random {
  /** A whole number from 0 to below `below`. */
  int(below: number): number;
  pick<T>(items: readonly [T, ...T[]]): T;
  /** True one time in `times`. */
  rarely(times: number): boolean;
}

export function randomOf(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return { int, pick: (items) => items[int(items.length)] ?? items[0], rarely: (times) => int(times) === 0 };
}

const NAMES = ["a", "b", "c", "d", "\xe4\xff", "n".repeat(120)] as const;
const HOSTILE = ["..", ".", "", "/", ".wh..wh..opq", ".wh.", ".wh..wh.plnk", "x\0y", "n".repeat(300)] as const;
const TYPES: readonly [TarType, ...TarType[]] = [
  "file",
  "file",
  "file",
  "directory",
  "directory",
  "symlink",
  "hardlink",
  "character",
  "fifo",
];

/** Few names and many meetings: entries replace, hide, link to and lie below one another. `outside` is a path that links may aim at. */
export function wildArchive(random: Random, outside: string): Buffer {
  const name = (): string => {
    if (random.rarely(30)) return random.pick(HOSTILE);
    return `${random.rarely(6) ? ".wh." : ""}${random.pick(NAMES)}`;
  };
  const path = (): string => Array.from({ length: 1 + random.int(4) }, name).join("/");
  const target = (): string =>
    random.pick([path(), path(), `/${path()}`, outside, `${"../".repeat(random.int(6))}${path()}`, `../outside`]);
  const entries = Array.from({ length: 1 + random.int(14) }, (): TarEntry => {
    const type = random.rarely(40) ? { flag: random.pick(["S", "7", "L", "K", "g", "x", "V", "D", "M", "\0"]) } : random.pick(TYPES);
    return {
      path: random.rarely(12) ? path().replace(/[^/]*$/, ".wh..wh..opq") : path(),
      type,
      ...(type === "symlink" || type === "hardlink" ? { target: target() } : {}),
      ...(type === "file" || typeof type !== "string" ? { content: "x".repeat(random.pick([0, 1, 511, 512, 513, 2000])) } : {}),
      ...metadata(random),
      ...(random.rarely(50) ? { claimedSize: random.pick([0, 1, 600, 2 ** 33 - 1]) } : {}),
      ...(type === "character" ? { major: random.int(3), minor: random.int(3) } : {}),
    };
  });
  return tar(entries, { end: !random.rarely(10) });
}

/** Every name once and parents first, so that any program makes the same of it. */
export function tameArchive(random: Random): Buffer {
  const directories = ["", ...(random.rarely(2) ? ["d/"] : []), "e/", "e/\xc3\xa4/"];
  const files: string[] = [];
  const entries = directories.slice(1).map((path): TarEntry => ({ path, type: "directory", ...metadata(random) }));
  for (let i = 0; i < 8; i += 1) {
    const path = `${random.pick(["", ...directories])}${i}${random.pick(["", "x".repeat(110), "\xc3\xa9"])}`;
    const type = files.length === 0 ? "file" : random.pick(TYPES.filter((some) => some !== "directory") as [TarType]);
    if (type === "file") files.push(path);
    const content = type === "file" ? { content: `${i}`.repeat(random.pick([0, 1, 512, 5000])) } : {};
    const target =
      type === "hardlink" ? random.pick(files as [string]) : type === "symlink" ? random.pick(["/etc", "../x", "y".repeat(150)]) : "";
    entries.push({ path, type, target, ...content, ...(type === "hardlink" ? {} : metadata(random)), major: 1, minor: random.int(9) });
  }
  return tar(entries);
}

/** The same archive with a few bytes changed, blocks lost, doubled or exchanged; headers mostly have their right sum afterwards. */
export function damaged(random: Random, archive: Buffer): Buffer {
  let bytes = Buffer.from(archive);
  for (let i = random.int(4); i >= 0; i -= 1) {
    const block = random.int(Math.max(1, bytes.length / 512)) * 512;
    const at = block + random.pick([random.int(512), 100 + random.int(56), 156, 257 + random.int(8), 386 + random.int(110)]);
    switch (random.int(5)) {
      case 0:
        bytes = bytes.subarray(0, random.int(bytes.length));
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, block), bytes.subarray(block + 512)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, block + 512), bytes.subarray(block)]);
        break;
      default:
        if (at < bytes.length) bytes[at] = random.pick([random.int(256), 0x80, 0xff, 0, 0x30 + random.int(10)]);
    }
    if (!random.rarely(5)) repair(bytes.subarray(block, block + 512));
  }
  return bytes;
}

/** Sometimes through gzip, and then sometimes damaged once more. */
export function perhapsPacked(random: Random, archive: Buffer): Buffer {
  if (!random.rarely(4)) return archive;
  const packed = gzipSync(archive, { level: 1 });
  if (random.rarely(3)) packed[random.int(packed.length)] = random.int(256);
  return packed;
}

function metadata(random: Random): Partial<TarEntry> {
  const pax: Record<string, string | Uint8Array> = {};
  if (random.rarely(8)) pax["mtime"] = random.pick(["1700000000.25", "-77.5", "12"]);
  if (random.rarely(8)) pax["SCHILY.xattr.user.a"] = Uint8Array.from([random.int(256), 0, random.int(256)]);
  return {
    mode: random.pick([0o644, 0o755, 0o4755, 0o1777, 0o600, 0, 0o2711]),
    uid: random.pick([0, 0, 1000, 65_534]),
    gid: random.pick([0, 0, 50]),
    mtime: random.pick([0, 1_000_000_000, 1_700_000_000]),
    ...(Object.keys(pax).length === 0 ? {} : { pax }),
  };
}

function repair(block: Buffer): void {
  if (block.length < 512) return;
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}
