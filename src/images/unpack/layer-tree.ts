/**
 * What a layer has put where, kept in memory while it is unpacked. Paths are resolved here and never on disk, so that no symbolic link of
 * a layer is ever followed by the machine. Names are latin1 text, one character a byte.
 */
import { Failure, FULL_DISK_HINT } from "../../model/diagnostic.ts";
import { printable } from "./printable.ts";

export type Node = DirectoryNode | SymlinkNode | LowerLinkNode | { readonly kind: "file" } | { readonly kind: "whiteout" };

export interface DirectoryNode {
  readonly kind: "directory";
  readonly children: Map<string, Node>;
  /** What the layer says about it; `null` while it only stands on the way to something (an implicit parent). */
  attributes: Attributes | null;
  /**
   * Whether it hides what lower layers have in it: because the layer says so of a directory that stays (`marked`), or because it took the place
   * of something (`replaced`) and has nothing to do with a lower directory of that name.
   */
  opaque: "marked" | "replaced" | null;
}

export interface SymlinkNode {
  readonly kind: "symlink";
  readonly target: string;
}

/** A hard link to a file that this layer does not have: one of a lower layer is meant. */
export interface LowerLinkNode {
  readonly kind: "lower-link";
  readonly target: string;
}

export interface Attributes {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly mtime: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

/** A directory of the layer and its path relative to the layer's root (`""` for the root itself). */
export interface Place {
  readonly node: DirectoryNode;
  readonly path: string;
}

export const FILE: Node = { kind: "file" };
export const WHITEOUT: Node = { kind: "whiteout" };

/** Bytes of a path or of a link's target, and of one name: the kernel's own. */
export const PATH_LIMIT = 4095;
const NAME_LIMIT = 255;
const HOP_LIMIT = 40;

export function directoryNode(attributes: Attributes | null, options: Pick<DirectoryNode, "opaque">): DirectoryNode {
  return { kind: "directory", children: new Map(), attributes, opaque: options.opaque };
}

/** The components of a path in an archive. Leading slashes are dropped; throws where it would leave the layer. */
export function components(path: string): readonly string[] {
  if (path.length > PATH_LIMIT) throw limit(`a path of ${path.length} bytes`, `paths of at most ${PATH_LIMIT}`);
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  for (const part of parts) {
    if (part === "..") throw badPath(path, "leads out of it");
    if (part.length > NAME_LIMIT) throw limit(`a file name of ${part.length} bytes`, `names of at most ${NAME_LIMIT}`);
  }
  return parts;
}

/** What to do where there is no directory on the way but `child`, or nothing: the directory to go on with, or `null` to stop there. */
export type Meet = (parent: Place, name: string, child: Node | undefined) => DirectoryNode | null;

/**
 * Walks down to a directory, following the layer's own symbolic links as they would be inside a container: an absolute target starts at
 * the layer's root, and nothing leads above it. `null` where `meet` stopped.
 */
export function walk(root: DirectoryNode, parts: readonly string[], meet: Meet): Place | null {
  const stack: Place[] = [];
  const todo = parts.toReversed();
  let here: Place = { node: root, path: "" };
  let hops = 0;
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (name === "..") {
      here = stack.pop() ?? here;
      continue;
    }
    const child = here.node.children.get(name);
    if (child?.kind === "symlink") {
      hops += 1;
      if (hops > HOP_LIMIT) throw badPath(parts.join("/"), "runs in circles through symbolic links");
      for (const part of child.target.split("/").reverse()) if (part !== "" && part !== ".") todo.push(part);
      if (child.target.startsWith("/")) {
        stack.length = 0;
        here = { node: root, path: "" };
      }
      continue;
    }
    const node = child?.kind === "directory" ? child : meet(here, name, child);
    if (node === null) return null;
    stack.push(here);
    here = { node, path: join(here.path, name) };
  }
  return here;
}

/** Whether there is nothing in a directory but what says that something is gone. */
export function isBare({ attributes, children }: DirectoryNode): boolean {
  if (attributes !== null) return false;
  for (const child of children.values()) if (child.kind !== "whiteout" && !(child.kind === "directory" && isBare(child))) return false;
  return true;
}

export function join(parent: string, name: string): string {
  return parent === "" ? name : `${parent}/${name}`;
}

export function badPath(path: string, how: string): Failure {
  return new Failure({
    code: "E_LAYER_PATH",
    message: `the layer has a path that ${how}: ${printable(path)}`,
    hint: "the archive is damaged or hostile; nothing of it was kept",
  });
}

export function badLink(problem: string): Failure {
  return new Failure({ code: "E_LAYER_LINK", message: `the layer has a link that cannot be made: ${problem}` });
}

export function limit(what: string, most: string): Failure {
  return new Failure({ code: "E_LAYER_LIMIT", message: `the layer has ${what}; a layer may have ${most}` });
}

/** A layer that is larger than the room there is: a bomb, or the disk is nearly full. */
export function noRoom(what: string): Failure {
  return new Failure({
    code: "E_LAYER_LIMIT",
    message: `the layer has ${what}; a layer may have no more than the disk has room for`,
    hint: FULL_DISK_HINT,
  });
}
