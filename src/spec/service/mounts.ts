import { absolute } from "../../lib/path.ts";
import type { Json } from "../../model/json.ts";
import { parseBytes } from "../../model/quantity.ts";
import type { Mount } from "../../model/service.ts";
import { booleanOf, child, itemsOf, type Node, numberOf, type Place, textOf } from "../node.ts";
import { step } from "../path.ts";
import { unsupported } from "../support.ts";
import { quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

/** A mount with the form in which Compose prints it. */
export interface ReadMount {
  readonly mount: Mount;
  readonly config: Json;
  readonly place: Place;
  /** Where the source is, for errors about it. */
  readonly sourcePlace: Place;
}

const PROPAGATIONS = ["rprivate", "private", "rshared", "shared", "rslave", "slave"] as const;
type Propagation = (typeof PROPAGATIONS)[number];

/** `volumes` of a service. */
export function readVolumes(node: Node | undefined, scope: Scope): readonly ReadMount[] {
  return itemsOf(node).flatMap((item, index) => {
    const path = step(`${scope.path}.volumes`, index);
    const read = item.kind === "mapping" ? longForm(item, { path, scope }) : shortForm(textOf(item) ?? "", { item, path, scope });
    return read === null ? [] : [read];
  });
}

/** `tmpfs` of a service: `/path[:options]`. */
export function readTmpfs(node: Node | undefined, scope: Scope): readonly ReadMount[] {
  return itemsOf(node).flatMap((item, index) => {
    const text = textOf(item) ?? "";
    const path = node?.kind === "list" ? step(`${scope.path}.tmpfs`, index) : `${scope.path}.tmpfs`;
    const colon = text.indexOf(":");
    const target = readTarget(colon === -1 ? text : text.slice(0, colon), { place: item.place, path, scope });
    if (target === null) return [];
    const words =
      colon === -1
        ? []
        : text
            .slice(colon + 1)
            .split(",")
            .filter((word) => word !== "");
    const size = option(words, "size");
    const bytes = size === null ? null : parseBytes(size);
    if (bytes !== null && typeof bytes !== "number") {
      refuse(scope, { place: item.place, message: `\`${path}\` is ${quote(text)}: ${bytes.problem}` });
      return [];
    }
    const mode = option(words, "mode");
    if (mode !== null && !/^[0-7]{1,5}$/.test(mode)) {
      refuse(scope, { place: item.place, message: `\`${path}\` is ${quote(text)}: \`mode\` is permission bits such as 1777` });
      return [];
    }
    const options = words.filter((word) => !/^(?:size|mode)=|^r[ow]$/.test(word));
    const mount = {
      type: "tmpfs",
      target,
      readOnly: words.includes("ro"),
      size: bytes,
      mode: mode === null ? null : Number.parseInt(mode, 8),
      options,
    } as const;
    return [{ mount, config: text, place: item.place, sourcePlace: item.place }];
  });
}

/** The path in the container of an entry of `volumes`: what makes two entries the same when files are merged. */
export function mountTarget(item: Node): string | null {
  if (item.kind === "mapping") return textOf(child(item, "target"));
  const [first, second] = (textOf(item) ?? "").split(":");
  return second ?? first ?? null;
}

interface At {
  readonly path: string;
  readonly scope: Scope;
}

function shortForm(text: string, { item, path, scope }: At & { readonly item: Node }): ReadMount | null {
  const fail = (problem: string, hint = "the form is [source:]target[:options], such as ./data:/data:ro") =>
    refuse(scope, { code: "E_MOUNT", place: item.place, message: `\`${path}\` is ${quote(text)}: ${problem}`, hint });
  const fields = text.split(":");
  if (fields.length > 3) return fail("it has more than three parts");
  const [source, written = "", optionText = ""] = fields.length === 1 ? ["", ...fields] : fields;
  if (source === undefined || (fields.length > 1 && source === "")) return fail("its source is empty");
  const target = readTarget(written, { place: item.place, path, scope });
  if (target === null) return null;
  const options = readOptions(optionText);
  if (options.unknown !== null)
    return fail(`${quote(options.unknown)} is no option of a mount`, "options are ro, rw, nocopy, z, Z and a propagation such as rshared");
  const common = { target, readOnly: options.readOnly };
  const places = { place: item.place, sourcePlace: item.place };
  const selinux = options.selinux === null ? {} : { selinux: options.selinux };
  const printed = options.readOnly ? { read_only: true } : {};
  if (options.selinux !== null) unsupported(`${path} (${options.selinux})`, { place: item.place }, scope);
  if (/^[./~]/.test(source)) {
    const from = hostPath(source, scope);
    const { propagation } = options;
    const bind = { ...(propagation === null ? {} : { propagation }), create_host_path: true, ...selinux };
    const mount: Mount = { type: "bind", source: from, ...common, createHostPath: true, propagation: propagation ?? "rprivate" };
    return { mount, config: { type: "bind", source: from, target, ...printed, bind }, ...places };
  }
  if (source !== "" && !VOLUME_NAME.test(source))
    return fail(`${quote(source)} is neither a path nor the name of a volume`, `for a path on the host write \`./${source}\``);
  const mount: Mount = { type: "volume", source: source === "" ? null : source, ...common, noCopy: options.noCopy, subpath: null };
  const named = source === "" ? {} : { source };
  const volume = options.noCopy ? { nocopy: true } : {};
  const bind = options.selinux === null ? {} : { bind: selinux };
  return { mount, config: { type: "volume", ...named, target, ...printed, ...bind, volume }, ...places };
}

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

interface Options {
  readonly readOnly: boolean;
  readonly noCopy: boolean;
  readonly selinux: string | null;
  readonly propagation: Propagation | null;
  readonly unknown: string | null;
}

function readOptions(text: string): Options {
  const words = text.split(",").filter((word) => word !== "");
  const isKnown = (word: string) => KNOWN_OPTIONS.has(word) || propagationOf(word) !== null;
  return {
    readOnly: words.includes("ro"),
    noCopy: words.includes("nocopy"),
    selinux: words.find((word) => word === "z" || word === "Z") ?? null,
    propagation: words.map(propagationOf).find((word) => word !== null) ?? null,
    unknown: words.find((word) => !isKnown(word)) ?? null,
  };
}

const KNOWN_OPTIONS: ReadonlySet<string> = new Set(["ro", "rw", "nocopy", "z", "Z", "cached", "delegated", "consistent"]);

function longForm(node: Node, { path, scope }: At): ReadMount | null {
  const type = textOf(child(node, "type"));
  const written = textOf(child(node, "target"));
  const source = child(node, "source");
  if (written === null || type === null) return null; // the schema has said so
  const sourceText = textOf(source) ?? "";
  const places = { place: node.place, sourcePlace: source?.place ?? node.place };
  const target = readTarget(written, { place: child(node, "target")?.place ?? node.place, path, scope });
  if (target === null) return null;
  const readOnly = booleanOf(child(node, "read_only")) ?? false;
  const base = { type, ...(sourceText === "" ? {} : { source: sourceText }), target, ...(readOnly ? { read_only: true } : {}) };
  switch (type) {
    case "bind":
      if (sourceText === "")
        return refuse(scope, {
          code: "E_MOUNT",
          place: node.place,
          message: `\`${path}\` has no \`source\`, which a bind mount needs`,
          hint: "add `source:` with a path on the host",
        });
      return bindMount(node, { source: hostPath(sourceText, scope), target, readOnly, base, places });
    case "volume":
      return volumeMount(node, { source: sourceText, target, readOnly, base, places });
    case "tmpfs":
      return tmpfsMount(node, { target, readOnly, base, places, path, scope });
    case "image":
    case "npipe":
    case "cluster":
      unsupported(`${path} (type ${type})`, { place: child(node, "type")?.place ?? node.place }, scope);
      return null;
    default:
      return null; // the schema has said so
  }
}

interface Long {
  readonly target: string;
  readonly readOnly: boolean;
  readonly base: { readonly [key: string]: Json };
  readonly places: Pick<ReadMount, "place" | "sourcePlace">;
}

function bindMount(node: Node, { source, target, readOnly, base, places }: Long & { readonly source: string }): ReadMount {
  const bind = child(node, "bind");
  const propagation = propagationOf(textOf(child(bind, "propagation")) ?? "");
  const createHostPath = booleanOf(child(bind, "create_host_path")) ?? false;
  const mount: Mount = { type: "bind", source, target, readOnly, createHostPath, propagation: propagation ?? "rprivate" };
  const selinux = textOf(child(bind, "selinux"));
  const details = {
    ...(propagation === null ? {} : { propagation }),
    ...(createHostPath ? { create_host_path: true } : {}),
    ...(selinux === null ? {} : { selinux }),
  };
  return { mount, config: { ...base, source, ...(bind === undefined ? {} : { bind: details }) }, ...places };
}

function volumeMount(node: Node, { source, target, readOnly, base, places }: Long & { readonly source: string }): ReadMount {
  const volume = child(node, "volume");
  const noCopy = booleanOf(child(volume, "nocopy")) ?? false;
  const subpath = textOf(child(volume, "subpath"));
  const mount: Mount = { type: "volume", source: source === "" ? null : source, target, readOnly, noCopy, subpath };
  const details = { ...(noCopy ? { nocopy: true } : {}), ...(subpath === null ? {} : { subpath }) };
  return { mount, config: { ...base, ...(volume === undefined ? {} : { volume: details }) }, ...places };
}

function tmpfsMount(node: Node, { target, readOnly, base, places, path, scope }: Long & At): ReadMount | null {
  const tmpfs = child(node, "tmpfs");
  const sizeNode = child(tmpfs, "size");
  const bytes = sizeNode === undefined ? null : parseBytes(textOf(sizeNode) ?? "");
  if (sizeNode !== undefined && bytes !== null && typeof bytes !== "number")
    return refuse(scope, {
      place: sizeNode.place,
      message: `\`${path}.tmpfs.size\` is ${quote(textOf(sizeNode) ?? "")}: ${bytes.problem}`,
    });
  const size = typeof bytes === "number" && bytes > 0 ? bytes : null;
  const modeNode = child(tmpfs, "mode");
  const mode = numberOf(modeNode) ?? (modeNode === undefined ? null : Number.parseInt(textOf(modeNode) ?? "", 8));
  if (modeNode !== undefined && (mode === null || !(mode >= 0 && mode <= 0o7777)))
    return refuse(scope, {
      place: modeNode.place,
      message: `\`${path}.tmpfs.mode\` is ${quote(textOf(modeNode) ?? "")}: it must be permission bits such as 0o1777`,
    });
  const details = { ...(size === null ? {} : { size: String(size) }), ...(mode === null ? {} : { mode }) };
  const mount: Mount = { type: "tmpfs", target, readOnly, size, mode, options: [] };
  return { mount, config: { ...base, ...(tmpfs === undefined ? {} : { tmpfs: details }) }, ...places };
}

/** The path in the container without what means nothing (`//`, a slash at the end), or `null` when it cannot be one. */
function readTarget(target: string, { place, path, scope }: At & { readonly place: Place }): string | null {
  const clean = absolute(target, "/");
  const isPath = target.startsWith("/") && !/[\u0000-\u001f]/.test(target);
  const problem = !isPath ? "it must be an absolute path" : clean === "/" ? "it cannot be all of the container" : null;
  if (problem !== null)
    return refuse(scope, {
      code: "E_MOUNT",
      place,
      message: `\`${path}\` has the target ${quote(target)}: ${problem}`,
      hint: "the target is where it appears inside the container: /data",
    });
  return clean;
}

/** A path on the host made absolute; `~` is the caller's home. What is absolute stays as it is written, as in Compose. */
function hostPath(path: string, { directory, variables }: Scope): string {
  const home = variables.get("HOME");
  const expanded = home !== undefined && /^~(?:\/|$)/.test(path) ? home + path.slice(1) : path;
  return expanded.startsWith("/") ? expanded : absolute(expanded, directory);
}

function option(words: readonly string[], name: string): string | null {
  return words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
}

function propagationOf(word: string): Propagation | null {
  return PROPAGATIONS.find((name) => name === word) ?? null;
}
