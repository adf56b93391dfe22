/**
 * What a layer has put where, kept in memory while it is unpacked. Paths are resolved here and never on disk, so that no symbolic link of
 * a layer is ever followed by the machine. Names are latin1 text, one character a byte.
 */
import { Failure } from "../../model/diagnostic.ts";

export type Node = DirectoryNode | SymlinkNode | LowerLinkNode | { readonly kind: "file" } | { readonly kind: "whiteout" };

export interface DirectoryNode {
  readonly kind: "directory";
  readonly children: Map<string, Node>;
  /** What the layer says about it; `null` while it only stands on the way to something (an implicit parent). */
  attributes: Attributes | null;
  /** Hides what lower layers have in it. */
  opaque: boolean;
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

const NAME_LIMIT = 255;
const HOP_LIMIT = 40;

export function directoryNode(attributes: Attributes | null, options: { readonly opaque: boolean }): DirectoryNode {
  return { kind: "directory", children: new Map(), attributes, opaque: options.opaque };
}

/** The components of a path in an archive. Leading slashes are dropped; throws where it would leave the layer. */
export function components(path: string): readonly string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  for (const part of parts) {
    if (part === "..") throw badPath(path, "leads out of it");
    if (part.length > NAME_LIMIT) throw limit(`a file name of ${part.length} bytes`, `names of at most ${NAME_LIMIT}`);
  }
  return parts;
}

/**
 * Walks down to a directory, following the layer's own symbolic links as they would be inside a container: an absolute target starts at
 * the layer's root, and nothing leads above it. `make` is called for each directory that is missing on the way; without it the answer
 * is `null` there.
 */
export function walk(
  root: DirectoryNode,
  parts: readonly string[],
  make: ((parent: Place, name: string) => DirectoryNode) | null,
): Place | null {
  let stack: readonly Place[] = [{ node: root, path: "" }];
  const todo = parts.toReversed();
  let hops = 0;
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const here = stack.at(-1) ?? { node: root, path: "" };
    if (name === "..") {
      stack = stack.slice(0, Math.max(1, stack.length - 1));
      continue;
    }
    const child = here.node.children.get(name);
    if (child?.kind === "symlink") {
      hops += 1;
      if (hops > HOP_LIMIT) throw badPath(parts.join("/"), "runs in circles through symbolic links");
      todo.push(
        ...child.target
          .split("/")
          .filter((part) => part !== "" && part !== ".")
          .reverse(),
      );
      if (child.target.startsWith("/")) stack = stack.slice(0, 1);
      continue;
    }
    if (child?.kind === "directory") {
      stack = [...stack, { node: child, path: join(here.path, name) }];
      continue;
    }
    if (child !== undefined && child.kind !== "whiteout") throw badPath(parts.join("/"), "goes through a file");
    if (make === null) return null;
    stack = [...stack, { node: make(here, name), path: join(here.path, name) }];
  }
  return stack.at(-1) ?? null;
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

/** A name from an archive as it may stand in a message: its bytes read as UTF-8, nothing in it that a terminal would act on. */
export function printable(path: string): string {
  const text = Buffer.from(path.length > 200 ? `${path.slice(0, 200)}...` : path, "latin1").toString("utf8");
  return JSON.stringify(text).replace(/[\u007f-\u009f]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}
