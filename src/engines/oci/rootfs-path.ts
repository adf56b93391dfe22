import { chmodSync, chownSync, closeSync, constants, fstatSync, mkdirSync, openSync, readlinkSync, readSync, type Stats } from "node:fs";
import { join, posix } from "node:path";
import { Failure } from "../../model/diagnostic.ts";

/**
 * Paths inside a container's root file system, looked at from the host. What lies there is hostile: every link is resolved within the
 * root, `..` stops at it, and each step goes from one open directory to the next, so that a link swapped in meanwhile is not followed.
 * All of it is synchronous: a few calls on a local mount, each far quicker than a trip to the thread pool.
 */

export interface ResolvedPath {
  /** On the host. May name something that does not exist. */
  readonly path: string;
  /** The same in the container, with every link resolved. */
  readonly inside: string;
  /** Of what is there (never of a link), or `null`: nothing. */
  readonly stats: Stats | null;
}

/** A mount that will lie over the root when the container runs. */
export interface Cover {
  readonly target: string;
  /** Host path that will be seen there; empty: something with nothing in it yet (tmpfs). */
  readonly source: string;
}

/** What the container sees above its root: a path that leads to a target is looked up in that mount's source. */
export interface LookOptions {
  readonly covers?: readonly Cover[];
}

/** For what has to be made. */
export interface MakeOptions {
  /** Permission bits, whatever the umask. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Where a path of the container lies on the host. Throws E_ROOTFS_PATH when links go round in circles. */
export function resolveInside(root: string, path: string): ResolvedPath {
  return walk({ root, path }, ({ path: host, inside, node }) => ({ path: host, inside, stats: node?.stats ?? null }));
}

/** What the container will find at a path, links followed; `null`: nothing. Throws E_ROOTFS_PATH as `resolveInside`. */
export function statInside(root: string, path: string, options: LookOptions = {}): Stats | null {
  return walk({ root, path, covers: options.covers }, ({ node }) => node?.stats ?? null);
}

/** Bytes that are read at least: some files do not tell their size. */
const SMALL_FILE = 65_536;

/** The text of a regular file inside, `null` when there is none. Throws E_ROOTFS_PATH also when it has more than `limit` bytes. */
export function readInside(root: string, path: string, options: LookOptions & { readonly limit: number }): string | null {
  return walk({ root, path, covers: options.covers }, ({ node }) => {
    if (node?.stats.isFile() !== true) return null;
    const descriptor = openSync(through(node), constants.O_RDONLY);
    try {
      // As much as there is, and one byte more to see whether there is still more: a buffer of the limit would cost more than the file.
      const buffer = Buffer.alloc(Math.min(Math.max(fstatSync(descriptor).size, SMALL_FILE), options.limit) + 1);
      const length = readFully(descriptor, buffer);
      if (length > options.limit) throw problem(path, `has more than ${options.limit} bytes`);
      return buffer.toString("utf8", 0, length);
    } finally {
      closeSync(descriptor);
    }
  });
}

/**
 * A directory inside, links followed, open for the caller to close; `null`: there is none. What was open cannot be led elsewhere any more.
 * Throws E_ROOTFS_PATH as `resolveInside`.
 */
export function openDirectoryInside(root: string, path: string): number | null {
  return walk({ root, path }, ({ node }) => (node?.stats.isDirectory() === true ? openSync(through(node), constants.O_RDONLY) : null));
}

/**
 * Hands over a path that leads to what lies inside, links followed, and that nothing can lead elsewhere, for as long as `use` runs; `null`:
 * there is nothing. Throws E_ROOTFS_PATH as `resolveInside`.
 */
export function useInside<T>(root: string, path: string, use: (found: { readonly path: string; readonly stats: Stats } | null) => T): T {
  return walk({ root, path }, ({ node }) => use(node === null ? null : { path: through(node), stats: node.stats }));
}

/** Makes a directory and those above it where they are missing; what exists keeps its owner and mode. Gives its host path. */
export function ensureDirectoryInside(root: string, path: string, options: MakeOptions): string {
  return walk({ root, path, make: options }, ({ path: host, node }) => {
    if (node?.stats.isDirectory() !== true) throw problem(path, "is not a directory, or lies below a file");
    return host;
  });
}

/** Makes an empty file where it is missing, and the directories above it (0755, root's): something to mount a file over. Gives its host path. */
export function ensureFileInside(root: string, path: string, options: MakeOptions): string {
  const there = resolveInside(root, path);
  if (there.stats?.isDirectory() === true) throw problem(path, "is a directory, where a file has to be");
  if (there.stats !== null) return there.path;
  const { dir, base } = posix.parse(there.inside);
  return walk({ root, path: dir, make: { mode: 0o755, uid: 0, gid: 0 } }, ({ path: host, node }) => {
    if (node?.stats.isDirectory() !== true) throw problem(path, "lies below a file");
    const file = `${through(node)}/${base}`;
    closeSync(openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, options.mode));
    own(file, options);
    return join(host, base);
  });
}

interface Way {
  readonly root: string;
  readonly path: string;
  readonly covers?: readonly Cover[] | undefined;
  /** Make directories that are missing. */
  readonly make?: MakeOptions;
}

/** Something open, as a place only: it can be looked at and stepped from, not read. */
interface Node {
  readonly descriptor: number;
  readonly stats: Stats;
}

/** One directory (or, at the end, anything) on the way down from the root. */
interface Level {
  readonly path: string;
  readonly inside: string;
  readonly node: Node | null;
}

/** As the kernel: a path with more links than this is taken for a circle. */
const MOST_LINKS = 40;

/** Bounds the work that a path through long links can ask for. */
const MOST_STEPS = 4096;

/** Not among node's constants; the same on every architecture that node runs on. */
const O_PATH = 0o10000000;

/** Goes the way and hands over where it ends, open as long as `use` runs. */
function walk<T>(way: Way, use: (end: Level) => T): T {
  const { root, path, make } = way;
  const covers = placeCovers(root, way.covers ?? []);
  const top: Level = { path: root, inside: "/", node: openNode(root, 0) };
  const below: Level[] = [];
  const pending = path.split("/").reverse();
  let links = 0;
  try {
    for (let steps = 0; ; steps++) {
      const name = pending.pop();
      const here = below.at(-1) ?? top;
      if (name === undefined) return use(here);
      if (steps > MOST_STEPS) throw problem(path, "is too long a way");
      if (name === "" || name === ".") continue;
      if (name === "..") {
        leave(below.pop());
        continue;
      }
      const next = enter(here, name, { covers, make });
      const link = next.node?.stats.isSymbolicLink() === true ? readlinkSync(`${through(here.node)}/${name}`) : null;
      if (link === null) {
        below.push(next);
        continue;
      }
      leave(next);
      links += 1;
      if (links > MOST_LINKS) throw problem(path, "goes through a circle of symbolic links");
      if (link.startsWith("/")) for (const level of below.splice(0)) leave(level);
      pending.push(...link.split("/").reverse());
    }
  } finally {
    for (const level of [top, ...below]) leave(level);
  }
}

interface StepOptions {
  readonly covers: ReadonlyMap<string, string>;
  readonly make: MakeOptions | undefined;
}

/** One name down. Nothing lies below nothing, nor below what is no directory. */
function enter(here: Level, name: string, { covers, make }: StepOptions): Level {
  const inside = posix.join(here.inside, name);
  const source = covers.get(inside);
  if (source !== undefined) return { path: source, inside, node: source === "" ? null : openNode(source, 0) };
  const path = join(here.path, name);
  if (here.node?.stats.isDirectory() !== true) return { path, inside, node: null };
  const door = `${through(here.node)}/${name}`;
  const found = openNode(door, constants.O_NOFOLLOW);
  if (found !== null || make === undefined) return { path, inside, node: found };
  mkdirSync(door, { mode: make.mode });
  own(door, make);
  return { path, inside, node: openNode(door, constants.O_NOFOLLOW) };
}

function leave(level: Level | undefined): void {
  if (level?.node != null) closeSync(level.node.descriptor);
}

/** Targets where their links lead, the shallow ones first: the runtime mounts them in that order, and each lies in what came before. */
function placeCovers(root: string, covers: readonly Cover[]): ReadonlyMap<string, string> {
  const placed = new Map<string, string>();
  const depth = ({ target }: Cover): number => posix.resolve("/", target).split("/").length;
  for (const cover of [...covers].sort((a, b) => depth(a) - depth(b))) {
    const before = [...placed].map(([target, source]) => ({ target, source }));
    placed.set(
      walk({ root, path: cover.target, covers: before }, ({ inside }) => inside),
      cover.source,
    );
  }
  return placed;
}

function openNode(path: string, flags: number): Node | null {
  if (path.includes("\0")) return null;
  try {
    const descriptor = openSync(path, O_PATH | flags);
    return { descriptor, stats: fstatSync(descriptor) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG") return null;
    throw error;
  }
}

/** A path to something open that no rename can lead elsewhere. */
function through(node: Node | null): string {
  if (node === null) throw new Error("there is no way through nothing");
  return `/proc/self/fd/${node.descriptor}`;
}

function own(path: string, { mode, uid, gid }: MakeOptions): void {
  chownSync(path, uid, gid);
  chmodSync(path, mode);
}

function readFully(descriptor: number, buffer: Buffer): number {
  let length = 0;
  for (;;) {
    const got = readSync(descriptor, buffer, length, buffer.length - length, null);
    length += got;
    if (got === 0 || length === buffer.length) return length;
  }
}

function problem(path: string, what: string): Failure {
  return new Failure({
    code: "E_ROOTFS_PATH",
    message: `in the container's file system ${JSON.stringify(path)} ${what}`,
    hint: "look at the image's own files and links there, or choose another path",
  });
}
