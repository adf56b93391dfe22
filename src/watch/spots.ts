import type { BigIntStats } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";

/** A directory to listen to. No symbolic link leads to it. */
export interface Spot {
  /** The same for as long as the directory of this name is the same one. */
  readonly identity: string;
  /** Paths right inside it whose coming, going and changing matters. */
  readonly entries: ReadonlySet<string>;
}

/** By the directory's path. */
export type Spots = ReadonlyMap<string, Spot>;

/**
 * Where to listen for changes of what these absolute paths lead to: the file itself, every symbolic link on the way, and where the way ends too
 * early, the first name that is missing.
 */
export async function spotsOf(paths: readonly string[]): Promise<Spots> {
  const entries = new Map<string, Set<string>>();
  const ways = await Promise.all([...new Set(paths)].map(wayOf));
  for (const path of ways.flat()) {
    const directory = dirname(path);
    entries.set(directory, (entries.get(directory) ?? new Set()).add(path));
  }
  return new Map(await Promise.all([...entries].map(async ([directory, inside]) => [directory, await spot(directory, inside)] as const)));
}

export function sameSpots(a: Spots, b: Spots): boolean {
  return described(a) === described(b);
}

/** Another text after anything about the path itself changed. */
export async function stampOf(path: string): Promise<string> {
  const stats = await statsOf(path);
  if (typeof stats === "string") return stats;
  // The number of a file that is gone is given to the next one, so its birth counts too; of a directory what is in it does not.
  const identity = `${stats.dev}:${stats.ino}:${stats.birthtimeNs}`;
  return stats.isDirectory() ? identity : `${identity}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

function described(spots: Spots): string {
  const lines = [...spots].map(([directory, { identity, entries }]) => [directory, identity, ...[...entries].sort()].join("\0"));
  return lines.sort().join("\0\0");
}

/** As many as the kernel follows. */
const MOST_LINKS = 40;

async function spot(directory: string, entries: ReadonlySet<string>): Promise<Spot> {
  return { identity: await stampOf(directory), entries };
}

async function wayOf(path: string): Promise<readonly string[]> {
  const way: string[] = [];
  let at = "/";
  for (let names = split(path); names.length > 0; ) {
    const [name = "", ...rest] = names;
    const next = join(at, name); // for `..` too: no link leads to where we are
    const target = way.length < MOST_LINKS ? await targetOf(next) : null;
    if (target !== null) {
      way.push(next);
      if (isAbsolute(target)) at = "/";
      names = [...split(target), ...rest];
      continue;
    }
    if (rest.length === 0 || !(await isDirectory(next))) return [...way, next];
    at = next;
    names = rest;
  }
  return way;
}

function split(path: string): readonly string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

async function isDirectory(path: string): Promise<boolean> {
  const stats = await statsOf(path);
  return typeof stats !== "string" && stats.isDirectory();
}

/** Where a symbolic link leads; `null` for anything else. */
async function targetOf(path: string): Promise<string | null> {
  try {
    return await readlink(path);
  } catch (error) {
    if (codeOf(error) === null) throw error;
    return null;
  }
}

/** The error's code where it cannot be looked at: that too is a state, and it may change. */
async function statsOf(path: string): Promise<BigIntStats | string> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    const code = codeOf(error);
    if (code === null) throw error;
    return code;
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
