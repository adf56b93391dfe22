/**
 * Layers that cannot stand alone. One may pass through a directory without saying what it is (`tmp/file` without `tmp/`), or hold a hard link
 * to a file of a lower layer. Unpacked by itself, as every layer here is, the first would hide the lower directory's owner and mode, and the
 * second could not be made. Such a layer gets a copy of its own (hard links: no content is copied) for the place that it has in an image, kept
 * under the chainID of that place.
 */
import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { chmod, lchown, link, lstat, mkdir, readlink, utimes } from "node:fs/promises";
import { dirname, posix } from "node:path";
import { runOk } from "../lib/process.ts";
import { type Digest, parseDigest } from "../model/digest.ts";
import { type Filled, obtainLayer } from "./store/layers.ts";
import type { Layout } from "./store/layout.ts";
import type { LayerRecord } from "./store/records.ts";
import { treeSize } from "./tree-size.ts";
import { badLink, printable } from "./unpack/layer-tree.ts";
import { readXattrs, setXattr } from "./unpack/special.ts";

/** The chainIDs of a stack of layers, the lowest first: each names a layer and all below it. */
export function chainOf(diffIds: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    const hex = createHash("sha256").update(`${below} ${diffId}`).digest("hex");
    const id = below === undefined ? diffId : parseDigest(`sha256:${hex}`);
    if (typeof id !== "string") throw new Error(id.problem);
    chain.push(id);
  }
  return chain;
}

export interface Place {
  readonly record: LayerRecord;
  /** The layers below it, the lowest first. */
  readonly lower: readonly LayerRecord[];
}

/** The layer as it has to be in this place: itself where nothing is missing, else a copy. `key` is the place's chainID, kept by a lease. */
export async function completeLayer(layout: Layout, key: Digest, { record, lower }: Place, signal: AbortSignal): Promise<LayerRecord> {
  if (lower.length === 0) return needLinks(record);
  if (record.lowerLinks.length === 0 && record.implicit.length === 0) return record;
  const stack = new Stack(layout, lower);
  const directories: Directory[] = [];
  for (const path of record.implicit) {
    const found = await stack.find(path);
    if (found?.stats.isDirectory() === true && !isPlain(found)) directories.push({ path, like: found });
  }
  if (record.lowerLinks.length === 0 && directories.length === 0) return record;
  const fill = async (directory: string): Promise<Filled> => {
    await runOk("cp", ["-a", "--link", `${layout.layer(record.name)}/.`, `${directory}/`]);
    for (const { path, like } of directories) await makeLike(onDisk(directory, path), like);
    for (const wanted of record.lowerLinks) await makeLink(directory, wanted, stack);
    return { ...record, size: await treeSize(directory), implicit: [], lowerLinks: [] };
  };
  return obtainLayer(layout, key, { fill, signal });
}

/** The lowest layer has nothing to link to. */
function needLinks(record: LayerRecord): LayerRecord {
  const [link] = record.lowerLinks;
  if (link !== undefined) throw badLink(`${printable(link.path)} is a hard link to ${printable(link.target)}, which is not there`);
  return record;
}

interface Directory {
  readonly path: string;
  readonly like: Found;
}

/** A file of a lower layer. */
interface Found {
  readonly disk: Buffer;
  readonly stats: Stats;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

const HOP_LIMIT = 40;

/** Lower layers seen as one tree, as overlayfs would show them. Paths are latin1 text, relative to the root. */
class Stack {
  readonly #layout: Layout;
  readonly #layers: readonly LayerRecord[];

  constructor(layout: Layout, lower: readonly LayerRecord[]) {
    this.#layout = layout;
    this.#layers = lower.toReversed();
  }

  /** What is at a path; symbolic links on the way are followed inside the tree, the last component is not. */
  async find(path: string): Promise<Found | null> {
    let parts = path.split("/").filter((part) => part !== "" && part !== ".");
    for (let hops = 0, depth = 1; depth <= parts.length; depth += 1) {
      const at = parts.slice(0, depth).join("/");
      const found = await this.#look(at);
      if (found === null) return null;
      if (depth === parts.length) return found;
      if (found.stats.isSymbolicLink()) {
        hops += 1;
        if (hops > HOP_LIMIT) return null;
        const target = (await readlink(found.disk, "buffer")).toString("latin1");
        // Nothing leads above the root: `..` there stays there.
        const whole = posix.resolve("/", posix.dirname(at), target, ...parts.slice(depth));
        parts = whole.split("/").filter((part) => part !== "");
        depth = 0;
      } else if (!found.stats.isDirectory()) return null;
    }
    return null;
  }

  /** What the highest layer that says something about a path says; its parents are directories. */
  async #look(path: string): Promise<Found | null> {
    for (const layer of this.#layers) {
      const directory = this.#layout.layer(layer.name);
      const stats = await lstatOf(onDisk(directory, path));
      if (stats !== null) {
        if (isWhiteout(stats)) return null;
        const disk = onDisk(directory, path);
        return { disk, stats, xattrs: readXattrs(disk) };
      }
      if (await this.#hides(layer, path)) return null;
    }
    return null;
  }

  /** Whether a layer that has nothing at a path keeps lower ones from showing what they have there. */
  async #hides(layer: LayerRecord, path: string): Promise<boolean> {
    if (layer.opaque.includes("")) return true;
    const directory = this.#layout.layer(layer.name);
    for (let above = parentOf(path); above !== ""; above = parentOf(above)) {
      if (layer.opaque.includes(above)) return true;
      const stats = await lstatOf(onDisk(directory, above));
      if (stats !== null && !stats.isDirectory()) return true;
    }
    return false;
  }
}

async function makeLike(path: Buffer, { stats, xattrs }: Found): Promise<void> {
  await lchown(path, stats.uid, stats.gid);
  for (const [name, value] of xattrs) if (!name.startsWith("trusted.")) setXattr(path, name, value);
  await chmod(path, stats.mode & 0o7777);
  await utimes(path, stats.atimeMs / 1000, stats.mtimeMs / 1000);
}

/** Makes a hard link to a file of a lower layer: the file is brought up, under its own name as well. */
async function makeLink(directory: string, { path, target }: LayerRecord["lowerLinks"][number], stack: Stack): Promise<void> {
  const found = await stack.find(target);
  if (found === null || found.stats.isDirectory())
    throw badLink(
      `${printable(path)} is a hard link to ${printable(target)}, which ${found === null ? "no lower layer has" : "is a directory"}`,
    );
  const own = onDisk(directory, target);
  const here = await lstatOf(own);
  if (here !== null && !isWhiteout(here)) return link(own, onDisk(directory, path));
  const place = here === null ? own : onDisk(directory, path); // removed by the layer itself: then only the new name is left
  if (here === null) await makeParents(directory, target, stack);
  await runOk("cp", ["-a", "--no-target-directory", "--", latin1(found.disk), latin1(place)]);
  if (here === null) await link(own, onDisk(directory, path));
}

/** The directories above a path, each as the lower layers have it. */
async function makeParents(directory: string, path: string, stack: Stack): Promise<void> {
  const parent = parentOf(path);
  if (parent === "" || (await lstatOf(onDisk(directory, parent))) !== null) return;
  await makeParents(directory, parent, stack);
  const like = await stack.find(parent);
  await mkdir(onDisk(directory, parent), { mode: 0o755 });
  if (like?.stats.isDirectory() === true) await makeLike(onDisk(directory, parent), like);
}

/** As a directory is made that nothing is known of. */
function isPlain({ stats, xattrs }: Found): boolean {
  const own = [...xattrs.keys()].filter((name) => !name.startsWith("trusted."));
  return stats.uid === 0 && stats.gid === 0 && (stats.mode & 0o7777) === 0o755 && own.length === 0;
}

function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}

async function lstatOf(path: Buffer): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return null;
    throw error;
  }
}

function parentOf(path: string): string {
  const parent = dirname(path);
  return parent === "." ? "" : parent;
}

function onDisk(directory: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, "latin1")]);
}

/** As an argument of a program: node passes text as UTF-8, so that only names which are that can be given. */
function latin1(path: Buffer): string {
  const text = path.toString("utf8");
  if (!Buffer.from(text).equals(path)) throw badLink(`${printable(path.toString("latin1"))} has a name that is not UTF-8`);
  return text;
}
