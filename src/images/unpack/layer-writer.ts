/**
 * Writes the entries of one layer into a directory of its own, in the form that overlayfs reads: a whiteout is a character device 0:0, a
 * directory that hides what lies below it has the attribute `trusted.overlay.opaque`. Synchronous, for a worker thread.
 * Directories are open to us alone until `finish`, which gives them what the layer says and makes the whiteouts.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from "node:fs";
import { setXattrs, times, writeAt } from "./attributes.ts";
import {
  type Attributes,
  badLink,
  badPath,
  components,
  type DirectoryNode,
  directoryNode,
  FILE,
  isBare,
  join,
  limit,
  type Node,
  noRoom,
  PATH_LIMIT,
  type Place,
  WHITEOUT,
  walk,
} from "./layer-tree.ts";
import { printable } from "./printable.ts";
import { MAJOR_LIMIT, MINOR_LIMIT, makeSpecial, setXattr } from "./special.ts";
import { malformed } from "./tar-header.ts";
import type { TarEntry, TarSink } from "./tar-reader.ts";
import { isOpaqueMarker, isReserved, whiteoutOf } from "./whiteout.ts";

export interface WriterLimits {
  readonly entries: number;
  readonly devices: number;
  /** Bytes of content. */
  readonly bytes: number;
}

export interface WriterOptions extends WriterLimits {
  /** Files get their sizes and no content. */
  readonly hollow?: boolean;
}

export interface Written {
  readonly entries: number;
  /** Bytes of content. */
  readonly size: number;
  /** Directories that the layer only passes through: their owner and mode are a lower layer's matter. Latin1 paths, parents first. */
  readonly implicit: readonly string[];
  /** Directories that hide what lower layers have in them. */
  readonly opaque: readonly string[];
  /** Hard links to files of lower layers, not made yet. */
  readonly lowerLinks: readonly { readonly path: string; readonly target: string }[];
}

/** Directories in one another: deeper trees cannot be removed by everything that removes trees. */
const DEPTH_LIMIT = 500;
const OPAQUE = { name: "trusted.overlay.opaque", value: Buffer.from("y") };
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export class LayerWriter implements TarSink {
  /** The layer's directory as latin1 text, like every path here. */
  readonly #directory: string;
  readonly #limits: WriterOptions;
  readonly #root: DirectoryNode = directoryNode(null, { opaque: null });
  readonly #umask = process.umask();
  readonly #uid = process.geteuid?.() ?? 0;
  readonly #gid = process.getegid?.() ?? 0;
  #entries = 0;
  #devices = 0;
  #size = 0;
  #open: { readonly descriptor: number; readonly entry: TarEntry; readonly path: string; written: number } | null = null;
  /** The parent of the entry before: most entries lie where their predecessor did. */
  #last: { readonly text: string; readonly place: Place } | null = null;

  /** `directory` exists, is empty, and nobody else writes to it. */
  constructor(directory: string, limits: WriterOptions) {
    this.#directory = Buffer.from(directory).toString("latin1");
    this.#limits = limits;
  }

  entry(entry: TarEntry): void {
    this.#entries += 1;
    if (this.#entries > this.#limits.entries) throw limit("too many entries", `${this.#limits.entries}`);
    const parts = components(entry.path);
    const name = parts.at(-1);
    if (name === undefined) {
      if (entry.type !== "directory") throw badPath(entry.path, "replaces the layer's root");
      this.#root.attributes = attributesOf(entry);
    } else if (parts.slice(0, -1).some(isReserved))
      return; // private directories of old storage drivers
    else if (isReserved(name)) this.#whiteout(parts, name);
    else this.#add(entry, parts, name);
  }

  data(chunk: Buffer, offset: number): void {
    if (this.#open === null || this.#limits.hollow === true) return;
    writeAt(this.#open.descriptor, chunk, offset);
    this.#open.written = offset + chunk.length;
  }

  end(): void {
    if (this.#open === null) return;
    const { descriptor, entry, path, written } = this.#open;
    if (written < entry.size) ftruncateSync(descriptor, entry.size); // it ends with a hole
    // Changing the owner clears set-id bits and capabilities: those come after it.
    if (!this.#isMine(entry)) fchownSync(descriptor, entry.uid, entry.gid);
    this.#xattrs(path, entry);
    if (entry.mode > 0o777 || (entry.mode & this.#umask) !== 0) fchmodSync(descriptor, entry.mode);
    futimesSync(descriptor, ...times(entry));
    this.close();
  }

  /** Lets go of a file that is still open. To be called however the unpacking ended. */
  close(): void {
    if (this.#open !== null) closeSync(this.#open.descriptor);
    this.#open = null;
  }

  finish(): Written {
    const implicit: string[] = [];
    const opaque: string[] = [];
    const lowerLinks: { path: string; target: string }[] = [];
    const complete = ({ node, path }: Place, hidden: boolean): void => {
      if (node.opaque !== null) opaque.push(path);
      if (node.attributes === null && path !== "" && node.opaque !== "replaced" && !hidden) implicit.push(path);
      const hides = hidden || node.opaque !== null;
      for (const [name, child] of node.children) {
        const at = join(path, name);
        if (child.kind === "directory") complete({ node: child, path: at }, hides);
        else if (child.kind === "lower-link") lowerLinks.push({ path: at, target: child.target });
        // Nothing shines through a directory that hides what lies below it, and a whiteout in it would be seen.
        else if (child.kind === "whiteout" && !hides) makeSpecial(this.#disk(at), { kind: "character", major: 0, minor: 0 });
      }
      this.#completeDirectory(node, path);
    };
    complete({ node: this.#root, path: "" }, false);
    return { entries: this.#entries, size: this.#size, implicit, opaque, lowerLinks };
  }

  #completeDirectory(node: DirectoryNode, path: string): void {
    const disk = this.#disk(path);
    const { attributes } = node;
    if (attributes !== null && !this.#isMine(attributes)) lchownSync(disk, attributes.uid, attributes.gid);
    if (attributes !== null) this.#xattrs(path, attributes);
    if (node.opaque !== null) setXattr(disk, OPAQUE.name, OPAQUE.value);
    chmodSync(disk, attributes?.mode ?? 0o755);
    if (attributes !== null) utimesSync(disk, ...times(attributes));
  }

  #add(entry: TarEntry, parts: readonly string[], name: string): void {
    const parent = this.#parent(parts);
    const path = join(parent.path, name);
    const existing = parent.node.children.get(name);
    if (entry.type === "directory" && existing?.kind === "directory") {
      existing.attributes = attributesOf(entry);
      return;
    }
    const link = entry.type === "hardlink" ? this.#linkTarget(entry) : null;
    if (link?.here === path) return; // a name linked to itself is there already
    if (existing !== undefined && entry.type !== "directory") this.#remove(parent, name);
    switch (entry.type) {
      case "directory":
        this.#directoryIn(parent, name).attributes = attributesOf(entry);
        return;
      case "file":
        this.#account(entry.size);
        parent.node.children.set(name, FILE);
        this.#open = { descriptor: openSync(this.#disk(path), CREATE, entry.mode & 0o777), entry, path, written: 0 };
        return;
      case "symlink":
        if (entry.target === "") throw malformed(`the symbolic link ${printable(entry.path)} has no target`);
        if (entry.target.length > PATH_LIMIT)
          throw limit(`a symbolic link to a path of ${entry.target.length} bytes`, `paths of at most ${PATH_LIMIT}`);
        symlinkSync(bytes(entry.target), this.#disk(path));
        parent.node.children.set(name, { kind: "symlink", target: entry.target });
        break;
      case "hardlink":
        parent.node.children.set(name, link?.node ?? FILE);
        if (link?.here !== undefined) linkSync(this.#disk(link.here), this.#disk(path));
        return;
      case "character":
      case "block":
      case "fifo":
        parent.node.children.set(name, FILE);
        this.#special(entry, path);
        break;
    }
    if (!this.#isMine(entry)) lchownSync(this.#disk(path), entry.uid, entry.gid);
    this.#xattrs(path, entry);
    if (entry.type !== "symlink") chmodSync(this.#disk(path), entry.mode);
    lutimesSync(this.#disk(path), ...times(entry));
  }

  /** What a file will have is refused before it is there. */
  #account(size: number): void {
    this.#size += size;
    if (this.#size > this.#limits.bytes) throw noRoom(`more than ${this.#limits.bytes} bytes`);
  }

  #special(entry: TarEntry, path: string): void {
    const { type, major, minor } = entry;
    if (type !== "character" && type !== "block" && type !== "fifo") return;
    this.#devices += 1;
    if (this.#devices > this.#limits.devices) throw limit("too many device nodes", `${this.#limits.devices}`);
    if (major > MAJOR_LIMIT || minor > MINOR_LIMIT) throw malformed(`${printable(entry.path)} has the device number ${major}:${minor}`);
    makeSpecial(this.#disk(path), { kind: type, major, minor });
  }

  /** Where a hard link leads: to a path of this layer, or to one that only a lower layer can have. */
  #linkTarget(entry: TarEntry): { readonly node: Node; readonly here?: string } {
    const parts = components(entry.target);
    const name = parts.at(-1);
    if (name === undefined) throw malformed(`the hard link ${printable(entry.path)} has no target`);
    const place = walk(this.#root, parts.slice(0, -1), (_, __, child) => {
      if (child !== undefined && child.kind !== "whiteout") throw badPath(entry.target, "goes through a file");
      return null;
    });
    const node = place?.node.children.get(name);
    if (node?.kind === "directory") throw badLink(`${printable(entry.path)} is a hard link to the directory ${printable(entry.target)}`);
    if (node?.kind === "lower-link") return { node };
    if (place === null || node === undefined || node.kind === "whiteout") return { node: { kind: "lower-link", target: parts.join("/") } };
    return { node, here: join(place.path, name) };
  }

  /** A whiteout removes from lower layers only, wherever it stands in this one. What is gone already is not made for it. */
  #whiteout(parts: readonly string[], name: string): void {
    const hidden = isOpaqueMarker(name) ? null : whiteoutOf(name);
    if ((hidden === null && !isOpaqueMarker(name)) || this.#isGone(parts)) return;
    const parent = this.#parent(parts);
    if (hidden === null) {
      parent.node.opaque ??= "marked";
      return;
    }
    const existing = parent.node.children.get(hidden);
    if (existing?.kind === "directory" && isBare(existing)) this.#remove(parent, hidden);
    else if (existing?.kind === "directory") existing.opaque = "replaced";
    if (!parent.node.children.has(hidden)) parent.node.children.set(hidden, WHITEOUT);
  }

  /** Whether the layer has removed or replaced a directory above the path. */
  #isGone(parts: readonly string[]): boolean {
    let gone = false;
    walk(this.#root, parts.slice(0, -1), (_, __, child) => {
      gone = child !== undefined;
      return null;
    });
    return gone;
  }

  #parent(parts: readonly string[]): Place {
    const text = parts.slice(0, -1).join("/");
    if (this.#last?.text === text) return this.#last.place;
    const place = walk(this.#root, parts.slice(0, -1), (parent, name, child) => {
      if (child !== undefined && child.kind !== "whiteout") throw badPath(parts.join("/"), "goes through a file");
      return this.#directoryIn(parent, name);
    });
    if (place === null) throw new Error(`no parent for ${parts.join("/")}`);
    this.#last = { text, place };
    return place;
  }

  /** Makes a directory. Where it takes the place of something else of this layer, nothing of a lower one may shine through. */
  #directoryIn(parent: Place, name: string): DirectoryNode {
    const existing = parent.node.children.get(name);
    if (existing !== undefined) this.#remove(parent, name);
    if (parent.path.split("/").length >= DEPTH_LIMIT) throw limit("too many directories in one another", `${DEPTH_LIMIT}`);
    const node = directoryNode(null, { opaque: existing === undefined ? null : "replaced" });
    mkdirSync(this.#disk(join(parent.path, name)), 0o700);
    parent.node.children.set(name, node);
    return node;
  }

  #remove(parent: Place, name: string): void {
    const node = parent.node.children.get(name);
    const disk = this.#disk(join(parent.path, name));
    this.#last = null;
    if (node?.kind === "directory") rmSync(disk, { recursive: true });
    else if (node?.kind === "file" || node?.kind === "symlink") unlinkSync(disk);
    parent.node.children.delete(name);
  }

  #xattrs(path: string, { xattrs }: Attributes): void {
    if (xattrs.size > 0) setXattrs(this.#disk(path), xattrs);
  }

  #isMine({ uid, gid }: { readonly uid: number; readonly gid: number }): boolean {
    return uid === this.#uid && gid === this.#gid;
  }

  #disk(path: string): string | Buffer {
    if (path === "") return bytes(this.#directory);
    const whole = `${this.#directory}/${path}`;
    if (whole.length > PATH_LIMIT)
      throw limit(`a path of ${path.length} bytes`, `paths of at most ${PATH_LIMIT - this.#directory.length - 1}`);
    return bytes(whole);
  }
}

function attributesOf({ uid, gid, mode, mtime, xattrs }: TarEntry): Attributes {
  return { uid, gid, mode, mtime, xattrs };
}

/** Node takes text as UTF-8: only ASCII means the same bytes. */
function bytes(latin1: string): string | Buffer {
  return ASCII.test(latin1) ? latin1 : Buffer.from(latin1, "latin1");
}

const ASCII = /^[\0-\x7f]*$/;
