import { absolute } from "../lib/path.ts";
import { change, child, each, isNull, type Mapping, type Node, put, type Scalar, scalar, textOf } from "./node.ts";
import type { RuleTree } from "./path.ts";
import { under } from "./path.ts";

/** How the texts of an attribute are paths. */
type Kind = "file" | "context" | "socket" | "mount" | "driver";

/** The rule under the empty key is of the attribute itself. */
const PATHS: RuleTree<Kind> = {
  services: {
    "*": {
      build: { context: "context", additional_contexts: { "*": "context" }, ssh: { "*": "socket" } },
      develop: { watch: { "*": { path: "file" } } },
      env_file: { "*": { path: "file" } },
      label_file: { "*": "file" },
      pre_start: { "*": { env_file: { "*": { path: "file" } }, label_file: { "*": "file" }, volumes: { "*": "mount" } } },
      volumes: { "*": "mount" },
    },
  },
  configs: { "*": { file: "file" } },
  secrets: { "*": { file: "file" } },
  volumes: { "*": "driver" },
};

export interface PathBase {
  /** Relative paths start here: absolute, or itself relative where paths are to stay so. */
  readonly directory: string;
  /** The caller's home, for `~`. */
  readonly home: string | undefined;
}

/** Makes the paths of a canonical tree start from a directory. */
export function rebase(tree: Node, base: PathBase): Node {
  return walk(tree, PATHS, base);
}

/** Likewise for one service. */
export function rebaseService(service: Node, base: PathBase): Node {
  return walk(service, under(under(PATHS, "services"), "*"), base);
}

/** A path of the host from a directory; `~` is the caller's home. What is absolute stays as it is written. */
export function hostPath(path: string, { directory, home }: PathBase): string {
  const expanded = home !== undefined && /^~(?:\/|$)/.test(path) ? home + path.slice(1) : path;
  if (expanded === "" || expanded.startsWith("/") || isWindowsPath(expanded)) return expanded;
  return directory.startsWith("/") ? absolute(expanded, directory) : relativeTo(expanded, directory);
}

/** A drive (`c:\…`) or a share (`\\…`). */
export function isWindowsPath(path: string): boolean {
  return /^[a-zA-Z]:[\\/]/.test(path) || path.startsWith("\\\\");
}

/** Joins two relative paths as they would be written. */
function relativeTo(path: string, directory: string): string {
  if (directory === "") return path;
  const joined = absolute(path, absolute(directory, ROOT));
  return joined === ROOT ? "." : joined.startsWith(`${ROOT}/`) ? joined.slice(ROOT.length + 1) : `../${path}`;
}

/** Stands for the directory that relative paths are relative to; deep, so that `..` has somewhere to go. */
const ROOT = "/1/2/3/4/5/6/7/8";

function walk(node: Node, rules: RuleTree<Kind> | undefined, base: PathBase): Node {
  if (rules === undefined) return node;
  if (typeof rules !== "string") return each(node, (value, key) => walk(value, under(rules, key), base));
  if (rules === "mount") return mount(node, base);
  if (rules === "driver") return change(node, "driver_opts", (options) => device(node, options, base));
  return node.kind === "scalar" && !isNull(node) ? moved(node, (text) => RESOLVE[rules](text, base)) : node;
}

const RESOLVE = {
  file: hostPath,
  socket: (text, base) => text.replace(/^([^=]*=)(.+)$/s, (_, id: string, path: string) => id + hostPath(path, base)),
  context: (text, base) => (isRemote(text) ? text : hostPath(text, base)),
} as const satisfies Partial<Record<Kind, (text: string, base: PathBase) => string>>;

/** A context that the builder fetches: an address, a repository, another service. */
function isRemote(context: string): boolean {
  return context.includes("://") || /^(?:service:|github\.com\/|git@)/.test(context);
}

function moved(node: Scalar, by: (text: string) => string): Scalar {
  const text = by(node.text);
  return text === node.text ? node : { ...scalar(text, node.place), ...(node.template === undefined ? {} : { template: node.template }) };
}

function mount(node: Node, base: PathBase): Node {
  if (textOf(child(node, "type")) !== "bind") return node;
  return change(node, "source", (source) => (source.kind === "scalar" ? moved(source, (text) => hostPath(text, base)) : source));
}

/** The local driver binds a directory of the host where it is told so. */
function device(volume: Node, options: Node, base: PathBase): Node {
  const driver = textOf(child(volume, "driver")) ?? "local";
  const bound = (textOf(child(options, "o")) ?? "").split(",").includes("bind");
  const at = child(options, "device");
  if (driver !== "local" || !bound || at?.kind !== "scalar" || options.kind !== "mapping") return options;
  return put(
    options as Mapping,
    "device",
    moved(at, (text) => hostPath(text, base)),
  );
}
