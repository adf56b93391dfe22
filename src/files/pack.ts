/** A tree of files as a tar stream. What changes meanwhile comes as it is found; no link is followed. */
import { closeSync, constants, fstatSync, openSync, read, readdirSync, readlinkSync, type Stats, statfsSync } from "node:fs";
import { promisify } from "node:util";
import { readXattrs } from "../images/unpack/special.ts";
import type { EntryType, TarEntry } from "../images/unpack/tar-reader.ts";
import { isAllowedXattr } from "../images/unpack/xattrs.ts";
import { Failure } from "../model/diagnostic.ts";
import { enter, inside, isGone, leave, type Spot } from "./step.ts";
import { ARCHIVE_END, blockPadding, entryHeader } from "./tar-entry.ts";

export interface PackRequest {
  /** An open directory, and what in it (latin1) is packed; `null`: the directory itself. */
  readonly directory: number;
  readonly name: string | null;
  /** What it is called in the archive (latin1); `.` for the content of a directory alone. */
  readonly as: string;
}

/** The upper directory of an overlay, whose marks become those of layers. Throws E_COMMIT for what a layer cannot say. */
export interface ChangesRequest {
  /** Open. */
  readonly directory: number;
  /** Whether something (latin1, relative) is left out, with all that lies in it. */
  readonly skip: (path: string) => boolean;
}

const readAsync = promisify(read);
const CHUNK = 256 * 1024;

export async function* packTree({ directory, name, as }: PackRequest): AsyncGenerator<Buffer> {
  yield* packName(directory, name ?? ".", { path: as, links: new Map(), above: null });
  yield ARCHIVE_END;
}

/** What an overlay's upper directory says as a layer: whiteouts for what is gone, marks for directories that hide what was below. */
export async function* packChanges({ directory, skip }: ChangesRequest): AsyncGenerator<Buffer> {
  const links = new Map<string, string>();
  for (const name of readdirSync(inside(directory), { encoding: "latin1" }).sort())
    if (!skip(name)) yield* packName(directory, name, { path: name, links, above: null, skip });
  yield ARCHIVE_END;
}

interface Place {
  /** In the archive. */
  readonly path: string;
  /** Where a file with several names was packed first, by device and inode. */
  readonly links: Map<string, string>;
  /** The device of the directory above; `null`: there is none. */
  readonly above: number | null;
  /** It is an overlay's upper directory, and this is left out of it. Absent: it is none. */
  readonly skip?: ChangesRequest["skip"];
}

async function* packName(directory: number, name: string, place: Place): AsyncGenerator<Buffer> {
  const spot = enter(directory, name);
  if (spot === null) return;
  try {
    yield* pack({ ...spot, where: inside(directory, name) }, place);
  } catch (error) {
    if (!isGone(error)) throw error;
  } finally {
    leave(spot);
  }
}

/** With its name, for what the kernel tells of names only. Something else may have that name by now, nothing worse. */
type Named = Spot & { readonly where: Buffer };

async function* pack(spot: Named, place: Place): AsyncGenerator<Buffer> {
  const { path, links, above, skip } = place;
  const { descriptor, stats, where } = spot;
  const type = typeOf(stats);
  if (type === null) return; // a socket is nothing without the program that made it
  if (skip !== undefined && type === "character" && stats.rdev === 0) {
    const at = path.lastIndexOf("/") + 1;
    yield entryHeader({ ...entryOf(stats, { type: "file", path: `${path.slice(0, at)}.wh.${path.slice(at)}` }), mode: 0, mtime: 0 });
    return;
  }
  const marks = skip === undefined ? NO_MARKS : marksOf({ stats, where }, path);
  const key = `${stats.dev}:${stats.ino}`;
  const first = stats.isDirectory() || stats.nlink === 1 ? undefined : links.get(key);
  if (first !== undefined) {
    yield entryHeader({ ...entryOf(stats, { type: "hardlink", path }), target: first });
    return;
  }
  if (!stats.isDirectory() && stats.nlink > 1) links.set(key, path);
  if (type === "symlink") {
    const target = linkText(where);
    if (target !== null) yield entryHeader({ ...entryOf(stats, { type, path }), target });
  } else if (type === "file") yield* packFile(spot, path);
  else yield entryHeader({ ...entryOf(stats, { type, path }), xattrs: type === "directory" ? xattrsOf(where) : new Map() });
  // It hides what lies below it.
  if (type === "directory" && marks.get("trusted.overlay.opaque")?.toString("latin1").replace("\0", "") === "y")
    yield entryHeader({ ...entryOf(stats, { type: "file", path: `${path}/.wh..wh..opq` }), mode: 0, mtime: 0 });
  if (type !== "directory" || isKernels(spot, above)) return;
  for (const name of readdirSync(inside(descriptor), { encoding: "latin1" }).sort())
    if (skip?.(`${path}/${name}`) !== true) yield* packName(descriptor, name, { ...place, path: `${path}/${name}`, above: stats.dev });
}

const NO_MARKS: ReadonlyMap<string, Buffer> = new Map();

/** What the kernel noted of something in an overlay's upper directory. Throws E_COMMIT for what no layer can say. */
function marksOf({ stats, where }: Pick<Named, "stats" | "where">, path: string): ReadonlyMap<string, Buffer> {
  const named = `/${Buffer.from(path, "latin1").toString("utf8")}`;
  if (path.slice(path.lastIndexOf("/") + 1).startsWith(".wh."))
    throw new Failure({
      code: "E_COMMIT",
      message: `${named} has such a name as says in a layer that something is gone`,
      hint: "give it another name in the container",
    });
  const marks = stats.isDirectory() || stats.isFile() ? readXattrs(where) : NO_MARKS;
  if (marks.has("trusted.overlay.redirect"))
    throw new Failure({
      code: "E_COMMIT",
      message: `${named} was renamed, which the kernel wrote down in a way that no layer can say`,
      hint: "overlay's parameter redirect_dir is on; copy the directory in the container instead of renaming it",
    });
  if (marks.has("trusted.overlay.metacopy"))
    throw new Failure({
      code: "E_COMMIT",
      message: `${named} has another owner or mode, and the kernel left its content in the layer below`,
      hint: "overlay's parameter metacopy is on; write to the file in the container, or copy it to another name and back",
    });
  return marks;
}

/** File systems in which the kernel speaks of itself: /proc, /sys, control groups, terminals and the like. */
const KERNELS: ReadonlySet<number> = new Set([0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x1cd1, 0x19800202, 0x73636673, 0x74726163]);

/** Whether a directory below the top is where such a file system begins: what is in it are no files to keep. */
function isKernels({ descriptor, stats }: Spot, above: number | null): boolean {
  return above !== null && above !== stats.dev && KERNELS.has(statfsSync(inside(descriptor)).type);
}

/** As long as it was when it was looked at: what is cut off meanwhile is zeros, what is added is left out. */
async function* packFile({ descriptor, stats, where }: Named, path: string): AsyncGenerator<Buffer> {
  const file = openFile(descriptor, path);
  try {
    const { size } = fstatSync(file);
    yield entryHeader({ ...entryOf(stats, { type: "file", path }), size, xattrs: xattrsOf(where) });
    let left = size;
    while (left > 0) {
      const wanted = Buffer.alloc(Math.min(CHUNK, left));
      const { bytesRead } = await readAsync(file, wanted, 0, wanted.length, size - left);
      const part = bytesRead === 0 ? wanted : wanted.subarray(0, bytesRead);
      left -= part.length;
      yield part;
    }
    yield blockPadding(size);
  } finally {
    closeSync(file);
  }
}

function openFile(descriptor: number, path: string): number {
  try {
    return openSync(inside(descriptor), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EPERM") throw error;
    throw new Failure({ code: "E_COPY", message: `${Buffer.from(path, "latin1").toString("utf8")} may not be read` }, { cause: error });
  }
}

function entryOf(stats: Stats, { type, path }: { readonly type: EntryType; readonly path: string }): TarEntry {
  return {
    type,
    path,
    target: "",
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    size: 0,
    mtime: Math.floor(stats.mtimeMs / 1000),
    major: type === "character" || type === "block" ? majorOf(stats.rdev) : 0,
    minor: type === "character" || type === "block" ? minorOf(stats.rdev) : 0,
    xattrs: new Map(),
  };
}

function typeOf(stats: Stats): EntryType | null {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "character";
  if (stats.isBlockDevice()) return "block";
  return stats.isFIFO() ? "fifo" : null;
}

function linkText(where: Buffer): string | null {
  try {
    return readlinkSync(where, "latin1");
  } catch (error) {
    if (isGone(error) || (error as NodeJS.ErrnoException).code === "EINVAL") return null;
    throw error;
  }
}

function xattrsOf(where: Buffer): ReadonlyMap<string, Buffer> {
  try {
    return new Map([...readXattrs(where)].filter(([name]) => isAllowedXattr(name)));
  } catch (error) {
    if (isGone(error)) return new Map();
    throw error;
  }
}

const majorOf = (device: number): number => Math.floor(device / 0x100) & 0xfff;
const minorOf = (device: number): number => (device & 0xff) | ((Math.floor(device / 0x100000) & 0xfff) << 8);
