/**
 * Layers that cannot stand alone. One may pass through a directory without saying what it is (`tmp/file` without `tmp/`), or hold a hard link
 * to a file of a lower layer. Unpacked by itself, as every layer here is, the first would hide the lower directory's owner and mode, and the
 * second could not be made. Such a layer gets a copy of its own (hard links: no content is copied) for the place that it has in an image, kept
 * under the chainID of that place.
 */
import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { chmod, lchown, link, lstat, mkdir, readlink, rm, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runOk } from "../lib/process.ts";
import { type Digest, parseDigest } from "../model/digest.ts";
import { type Filled, obtainLayer } from "./store/layers.ts";
import type { Layout } from "./store/layout.ts";
import type { LayerRecord } from "./store/records.ts";
import { treeSize } from "./tree-size.ts";
import { badLink } from "./unpack/layer-tree.ts";
import { printable } from "./unpack/printable.ts";
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
  const below = lower.map(({ name, opaque }) => ({ directory: layout.layer(name), opaque })).reverse();
  const known = new Stack(below);
  const wanting = await Promise.all(record.implicit.map(async (path) => isWanting(await known.find(path))));
  if (record.lowerLinks.length === 0 && !wanting.includes(true)) return record;
  const fill = async (directory: string): Promise<Filled> => {
    await runOk("cp", ["-a", "--link", `${layout.layer(record.name)}/.`, `${directory}/`]);
    const moved = await placeDirectories(directory, record, known);
    const own = { directory, opaque: record.opaque.map(moved) };
    for (const { path, target } of record.lowerLinks) await makeLink(own, { path: moved(path), target }, below);
    return { ...record, size: await treeSize(directory), implicit: [], lowerLinks: [], opaque: own.opaque };
  };
  return obtainLayer(layout, key, { fill, signal });
}

/**
 * Gives the directories that the layer passes through what lower layers say of them. Where one is a symbolic link there, what lies in it goes
 * to where the link leads. Gives where paths of the layer are now.
 */
async function placeDirectories(directory: string, record: LayerRecord, lower: Stack): Promise<(path: string) => string> {
  const moves: { readonly from: string; readonly to: string }[] = [];
  const moved = (path: string): string =>
    moves.reduce((at, { from, to }) => (at === from || at.startsWith(`${from}/`) ? join(to, at.slice(from.length + 1)) : at), path);
  for (const implicit of record.implicit) {
    const path = moved(implicit);
    const found = await lower.find(path);
    if (found?.stats.isDirectory() === true) await makeLike(onDisk(directory, path), found);
    if (found?.stats.isSymbolicLink() !== true) continue;
    const target = await lower.resolve(path);
    if (target === null) continue; // it leads nowhere: then the directory takes its place
    await makeDirectories(directory, target.path, lower);
    await runOk("cp", [
      "-a",
      "--link",
      "--remove-destination",
      utf8(onDisk(directory, `${path}/.`)),
      utf8(onDisk(directory, `${target.path}/`)),
    ]);
    await makeLike(onDisk(directory, target.path), target);
    await rm(onDisk(directory, path), { recursive: true });
    moves.push({ from: path, to: target.path });
  }
  return moved;
}

/** The lowest layer has nothing to link to. */
function needLinks(record: LayerRecord): LayerRecord {
  const [link] = record.lowerLinks;
  if (link !== undefined) throw badLink(`${printable(link.path)} is a hard link to ${printable(link.target)}, which is not there`);
  return record;
}

/** A directory that overlayfs would lay over others, and what in it hides theirs. */
interface StackedLayer {
  readonly directory: string;
  readonly opaque: readonly string[];
}

/** A file of a stack of layers: where in the tree it is, with no symbolic link on the way, and where on disk. */
interface Found {
  readonly path: string;
  readonly layer: StackedLayer;
  readonly disk: Buffer;
  readonly stats: Stats;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

const HOP_LIMIT = 40;

/** Layers seen as one tree, as overlayfs would show them; the highest comes first. Paths are latin1 text, relative to the root. */
class Stack {
  readonly #layers: readonly StackedLayer[];

  constructor(layers: readonly StackedLayer[]) {
    this.#layers = layers;
  }

  /** What is at a path. Symbolic links on the way are followed inside the tree, the last component is not. */
  find(path: string): Promise<Found | null> {
    return this.#walk(path, { last: false });
  }

  /** The directory that a path leads to in the end. */
  async resolve(path: string): Promise<Found | null> {
    const found = await this.#walk(path, { last: true });
    return found?.stats.isDirectory() === true ? found : null;
  }

  async #walk(path: string, follow: { readonly last: boolean }): Promise<Found | null> {
    const todo = parts(path).reverse();
    const here: string[] = [];
    let found: Found | null = null;
    let hops = 0;
    for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
      if (name === "..") {
        here.pop(); // nothing leads above the root
        found = here.length === 0 ? null : await this.#look(here);
        continue;
      }
      found = await this.#look([...here, name]);
      if (found === null) return null;
      if (found.stats.isSymbolicLink() && (todo.length > 0 || follow.last)) {
        hops += 1;
        if (hops > HOP_LIMIT) return null;
        const target = (await readlink(found.disk, "buffer")).toString("latin1");
        todo.push(...parts(target).reverse());
        if (target.startsWith("/")) here.length = 0;
      } else if (!found.stats.isDirectory() && todo.length > 0) return null;
      else here.push(name);
    }
    return found;
  }

  /** What the highest layer that says something about a path says. No symbolic link of any layer is followed for it. */
  async #look(path: readonly string[]): Promise<Found | null> {
    for (const layer of this.#layers) {
      let hides = layer.opaque.includes("");
      for (let depth = 1; depth <= path.length; depth += 1) {
        const at = path.slice(0, depth).join("/");
        const disk = onDisk(layer.directory, at);
        const stats = await lstatOf(disk);
        if (stats === null) break;
        if (depth === path.length) return isWhiteout(stats) ? null : { path: at, layer, disk, stats, xattrs: readXattrs(disk) };
        hides ||= layer.opaque.includes(at) || !stats.isDirectory();
        if (!stats.isDirectory()) break;
      }
      if (hides) return null;
    }
    return null;
  }
}

async function makeLike(path: Buffer, { stats, xattrs }: Found): Promise<void> {
  await lchown(path, stats.uid, stats.gid);
  for (const [name, value] of xattrs) if (!name.startsWith("trusted.")) setXattr(path, name, value);
  await chmod(path, stats.mode & 0o7777);
  await utimes(path, stats.atimeMs / 1000, stats.mtimeMs / 1000);
}

/** Makes a hard link to a file of a lower layer: the file is brought up, under its own name as well unless the layer removes that. */
async function makeLink(
  own: StackedLayer,
  { path, target }: LayerRecord["lowerLinks"][number],
  below: readonly StackedLayer[],
): Promise<void> {
  const name = onDisk(own.directory, path);
  const seen = await new Stack([own, ...below]).find(target);
  const found = seen ?? (await new Stack(below).find(target));
  if (found === null || found.stats.isDirectory())
    throw badLink(
      `${printable(path)} is a hard link to ${printable(target)}, which ${found === null ? "no lower layer has" : "is a directory"}`,
    );
  if (found.layer === own) return link(found.disk, name);
  await runOk("cp", ["-a", "--no-target-directory", "--", utf8(found.disk), utf8(name)]);
  if (seen === null) return;
  await makeDirectories(own.directory, parentOf(found.path), new Stack(below));
  await link(name, onDisk(own.directory, found.path));
}

/** A directory of the layer and those above it, each as the lower layers have it. */
async function makeDirectories(directory: string, path: string, lower: Stack): Promise<void> {
  const disk = onDisk(directory, path);
  if (path === "" || (await lstatOf(disk)) !== null) return;
  await makeDirectories(directory, parentOf(path), lower);
  await mkdir(disk, { mode: 0o755 });
  const like = await lower.find(path);
  if (like?.stats.isDirectory() === true) await makeLike(disk, like);
}

/** Whether a directory that the layer passes through is something else than what is made where nothing is known. */
function isWanting(found: Found | null): boolean {
  return found?.stats.isSymbolicLink() === true || (found?.stats.isDirectory() === true && !isPlain(found));
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

function parts(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function parentOf(path: string): string {
  const parent = dirname(path);
  return parent === "." ? "" : parent;
}

function onDisk(directory: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, "latin1")]);
}

/** As an argument of a program: node passes text as UTF-8, so that only names which are that can be given. */
function utf8(path: Buffer): string {
  const text = path.toString("utf8");
  if (!Buffer.from(text).equals(path)) throw badLink(`${printable(path.toString("latin1"))} has a name that is not UTF-8`);
  return text;
}
