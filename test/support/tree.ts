/** Compares trees of files in everything that an image can say of them: names, types, modes, owners, times, links, attributes, devices. */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import * as assert from "uvu/assert";
import { readXattrs } from "../../src/images/unpack/special.ts";

export interface TreeOptions {
  /** Latin1 paths that are left out, with what is below them. */
  readonly except?: readonly string[];
}

/** One line for each file, in the order of the paths. Files that are one file say the first path of it. */
export function treeOf(directory: string, { except = [] }: TreeOptions = {}): readonly string[] {
  const seen = new Map<number, string>();
  const lines: string[] = [];
  const visit = (path: string): void => {
    if (except.includes(path)) return;
    const disk = Buffer.concat([Buffer.from(directory), Buffer.from(`/${path}`, "latin1")]);
    const stats = lstatSync(disk);
    const first = stats.isDirectory() || stats.nlink === 1 ? undefined : seen.get(stats.ino);
    seen.set(stats.ino, first ?? path);
    lines.push(JSON.stringify({ path, ...described(disk, stats), ...(first === undefined ? {} : { sameAs: first }) }));
    if (!stats.isDirectory()) return;
    const names = readdirSync(disk, { encoding: "buffer" }).map((name) => name.toString("latin1"));
    for (const name of names.sort()) visit(path === "" ? name : `${path}/${name}`);
  };
  visit("");
  return lines;
}

/** Fails with the lines that differ. */
export function sameTree(actual: readonly string[], expected: readonly string[]): void {
  const [here, there] = [new Set(actual), new Set(expected)];
  const differing = [
    ...actual.filter((line) => !there.has(line)).map((line) => `only here:  ${line}`),
    ...expected.filter((line) => !here.has(line)).map((line) => `only there: ${line}`),
  ];
  assert.is(differing.length, 0, `the trees differ:\n${differing.slice(0, 40).join("\n")}`);
}

function described(disk: Buffer, stats: Stats): object {
  const { mode, uid, gid, mtimeMs, rdev } = stats;
  const xattrs = [...readXattrs(disk)]
    .filter(([name]) => !name.startsWith("trusted.overlay."))
    .map(([name, value]) => `${name}=${value.toString("hex")}`);
  return {
    type: typeOf(stats),
    mode: (mode & 0o7777).toString(8),
    owner: `${uid}:${gid}`,
    mtime: Math.floor(mtimeMs / 1000),
    ...(xattrs.length === 0 ? {} : { xattrs: xattrs.sort() }),
    ...(stats.isFile() ? { size: stats.size, sha256: createHash("sha256").update(readFileSync(disk)).digest("hex").slice(0, 16) } : {}),
    ...(stats.isSymbolicLink() ? { target: readlinkSync(disk, "latin1") } : {}),
    ...(stats.isCharacterDevice() || stats.isBlockDevice() ? { rdev } : {}),
  };
}

function typeOf(stats: Stats): string {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  return stats.isCharacterDevice() ? "character" : "block";
}
