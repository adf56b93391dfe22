/** Holds the files of a layer against those that its archive makes. */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { printable } from "./unpack/printable.ts";
import { readXattrs } from "./unpack/special.ts";
import { isAllowedXattr } from "./unpack/xattrs.ts";

export interface Difference {
  /** Latin1 text, relative to the layer's root. */
  readonly path: string;
  readonly problem: string;
}

/**
 * What of a tree is not as in another that the same archive made, whose files need no content, just their sizes. `since`: when that one was begun, in
 * milliseconds since 1970; directories with a later time have none from the archive.
 */
export async function compareTrees(
  actual: string,
  { expected, since, signal }: { readonly expected: string; readonly since: number; readonly signal: AbortSignal },
): Promise<readonly Difference[]> {
  const found: Difference[] = [];
  /** Directories whose time tells that something in them is another: that says more. */
  const touched: Difference[] = [];
  /** By the inode that a file with several names has in the one tree: its inode in the other. */
  const same = new Map<bigint, bigint>();
  const roots = { actual: Buffer.from(`${actual}/`), expected: Buffer.from(`${expected}/`) };
  const waiting = [""];
  const top = problemOf(lstatSync(actual, { bigint: true }), lstatSync(expected, { bigint: true }), since);
  if (top !== null) (top === TOUCHED ? touched : found).push({ path: ".", problem: top });
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    signal.throwIfAborted();
    const directory = { actual: below(roots.actual, next), expected: below(roots.expected, next) };
    const names = new Set(readdirSync(directory.expected, "latin1"));
    const here = new Set(readdirSync(directory.actual, "latin1"));
    const at = (name: string): string => (next === "" ? name : `${next}/${name}`);
    for (const name of here) if (!names.has(name)) found.push({ path: at(name), problem: "is not of the layer" });
    for (const name of names) {
      const path = at(name);
      if (!here.has(name)) {
        found.push({ path, problem: "is missing" });
        continue;
      }
      const files = { actual: below(roots.actual, path), expected: below(roots.expected, path) };
      const [is, should] = [lstatSync(files.actual, { bigint: true }), lstatSync(files.expected, { bigint: true })];
      const problem = problemOf(is, should, since) ?? deepProblem(files, is) ?? linkProblem(same, is, should);
      if (problem !== null) (problem === TOUCHED && is.isDirectory() ? touched : found).push({ path, problem });
      if (is.isDirectory() && should.isDirectory()) waiting.push(path);
    }
    await new Promise(setImmediate); // a large tree does not keep the rest of the program from its work
  }
  return [...found, ...touched];
}

/** In words, the first of them and how many there are. */
export function tellDifferences([first, ...more]: readonly Difference[]): string | null {
  if (first === undefined) return null;
  const others = more.length === 0 ? "" : ` (and ${more.length} more differences)`;
  return `is not as its archive says: ${printable(first.path)} ${first.problem}${others}`;
}

const TYPE = 0o170000n;
const TOUCHED = "was changed at another time";

function problemOf(is: BigIntStats, should: BigIntStats, since: number): string | null {
  if ((is.mode & TYPE) !== (should.mode & TYPE) || is.rdev !== should.rdev) return "is another kind of file";
  if (!is.isDirectory() && is.size !== should.size) return `has ${is.size} bytes, not ${should.size}`;
  if (is.mode !== should.mode) return `has the mode ${octal(is.mode)}, not ${octal(should.mode)}`;
  if (is.uid !== should.uid || is.gid !== should.gid) return `belongs to ${is.uid}:${is.gid}, not to ${should.uid}:${should.gid}`;
  const isWhiteout = should.isCharacterDevice() && should.rdev === 0n; // made for an entry that is no file of the archive: nobody gave it a time
  const timeless = isWhiteout || (should.isDirectory() && Number(should.mtimeMs) >= since);
  return timeless || is.mtimeNs === should.mtimeNs ? null : TOUCHED;
}

interface Pair<T> {
  readonly actual: T;
  readonly expected: T;
}

/** Where a symbolic link leads, and extended attributes. */
function deepProblem({ actual, expected }: Pair<Buffer>, stats: BigIntStats): string | null {
  if (stats.isSymbolicLink() && readlinkSync(actual, "latin1") !== readlinkSync(expected, "latin1")) return "leads elsewhere";
  return attributes(actual) === attributes(expected) ? null : "has other extended attributes";
}

function attributes(path: Buffer): string {
  return [...readXattrs(path)]
    .filter(([name]) => isAllowedXattr(name) || name.startsWith("trusted.overlay."))
    .map(([name, value]) => `${name}=${value.toString("hex")}`)
    .sort()
    .join(" ");
}

/** Names of one file are names of one file in both trees. */
function linkProblem(same: Map<bigint, bigint>, is: BigIntStats, should: BigIntStats): string | null {
  if (should.isDirectory() || should.nlink === 1n) return null;
  const known = same.get(should.ino);
  same.set(should.ino, known ?? is.ino);
  return known === undefined || known === is.ino ? null : "is no longer the file that it is linked to";
}

function below(root: Buffer, path: string): Buffer {
  return Buffer.concat([root, Buffer.from(path, "latin1")]);
}

function octal(mode: bigint): string {
  return (mode & 0o7777n).toString(8).padStart(4, "0");
}
