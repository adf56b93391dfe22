/** Directory trees as data, so that two of them can be compared: everything that an image keeps of a file, byte for byte. */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readXattrs } from "../../src/images/unpack/special.ts";

/** One line for each path, which is latin1 text. `.` is the root. */
export type Tree = ReadonlyMap<string, string>;

export interface TreeOptions {
  /** Paths whose times are not looked at: directories that nobody gave a time. */
  readonly timeless?: (path: string) => boolean;
  /** Leave out what overlayfs notes for itself. */
  readonly merged?: boolean;
}

export function readTree(directory: string, options: TreeOptions = {}): Tree {
  const found = new Map<string, string>();
  const first = new Map<number, string>();
  const visit = (path: string): void => {
    const disk = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, "latin1")]);
    const stats = lstatSync(disk);
    const kind = KINDS.find(([is]) => stats[is]())?.[1] ?? "?";
    const xattrs = [...readXattrs(disk)]
      .filter(([name]) => options.merged !== true || !name.startsWith("trusted.overlay."))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${name}=${value.toString("hex")}`);
    const linked = kind !== "directory" && stats.nlink > 1 ? ` links ${first.get(stats.ino) ?? path}` : "";
    if (!first.has(stats.ino)) first.set(stats.ino, path);
    found.set(
      path,
      [
        kind,
        (stats.mode & 0o7777).toString(8),
        `${stats.uid}:${stats.gid}`,
        ...(options.timeless?.(path) === true ? [] : [Math.round(stats.mtimeMs)]),
        ...(kind === "file" ? [stats.size, createHash("sha256").update(readFileSync(disk)).digest("hex").slice(0, 12)] : []),
        ...(kind === "symlink" ? [readlinkSync(disk, "latin1")] : []),
        ...(kind === "character" || kind === "block" ? [stats.rdev] : []),
        ...xattrs,
      ].join(" ") + linked,
    );
    if (kind !== "directory") return;
    for (const name of readdirSync(disk, "latin1").sort()) visit(path === "." ? name : `${path}/${name}`);
  };
  visit(".");
  return found;
}

/** Lines that say where two trees are not the same; none when they are. */
export function differences(one: Tree, other: Tree): readonly string[] {
  return [...new Set([...one.keys(), ...other.keys()])]
    .sort()
    .filter((path) => one.get(path) !== other.get(path))
    .map((path) => `${JSON.stringify(path)}: ${one.get(path) ?? "is not there"}, ${other.get(path) ?? "is not there"}`);
}

const KINDS = [
  ["isFile", "file"],
  ["isDirectory", "directory"],
  ["isSymbolicLink", "symlink"],
  ["isCharacterDevice", "character"],
  ["isBlockDevice", "block"],
  ["isFIFO", "fifo"],
] as const;
