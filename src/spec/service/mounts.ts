import { absolute } from "../../lib/path.ts";
import { parseBytes } from "../../model/quantity.ts";
import { parseReference } from "../../model/reference.ts";
import type { Mount } from "../../model/service.ts";
import { booleanOf, child, itemsOf, type Node, numberOf, type Place, textOf } from "../node.ts";
import { step } from "../path.ts";
import { quote } from "../words.ts";
import { readPairs } from "./environment.ts";
import { propagationOf } from "./mount-form.ts";
import { refuse, type Scope } from "./scope.ts";

/** A mount with its places. */
export interface ReadMount {
  readonly mount: Mount;
  readonly place: Place;
  /** Where the source is, for errors about it. */
  readonly sourcePlace: Place;
}

/** `volumes` of a service. */
export function readVolumes(node: Node | undefined, scope: Scope): readonly ReadMount[] {
  return itemsOf(node).flatMap((item, index) => {
    const path = step(`${scope.path}.volumes`, index);
    const read = item.kind === "mapping" ? longForm(item, { path, scope }) : null;
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
    return [{ mount, place: item.place, sourcePlace: item.place }];
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

function longForm(node: Node, { path, scope }: At): ReadMount | null {
  const type = textOf(child(node, "type"));
  const written = textOf(child(node, "target"));
  const source = child(node, "source");
  if (written === null || type === null) return null; // the schema has said so
  const sourceText = textOf(source) ?? "";
  const places = { place: node.place, sourcePlace: source?.place ?? node.place };
  const target = readTarget(written, { place: child(node, "target")?.place ?? node.place, path, scope });
  if (target === null) return null;
  const common = { target, readOnly: booleanOf(child(node, "read_only")) ?? false };
  switch (type) {
    case "bind":
      return { mount: bindMount(node, { ...common, source: sourceText }), ...places };
    case "volume":
      return { mount: volumeMount(node, { ...common, source: sourceText }), ...places };
    case "tmpfs": {
      const mount = tmpfsMount(node, { ...common, path, scope });
      return mount === null ? null : { mount, ...places };
    }
    case "npipe":
    case "cluster":
      return refuse(scope, {
        code: "E_MOUNT",
        place: child(node, "type")?.place ?? node.place,
        message: `\`${path}.type\` is ${quote(type)}: ${type === "npipe" ? "only Windows has named pipes" : "only a cluster has such volumes"}`,
        hint: "mount a directory (`bind`) or a `volume`",
      });
    case "image": {
      const mount = imageMount(node, { target, path, scope });
      return mount === null ? null : { mount, ...places };
    }
    default:
      return null; // the schema has said so
  }
}

interface Long {
  readonly target: string;
  readonly readOnly: boolean;
}

function imageMount(node: Node, { target, path, scope }: At & { readonly target: string }): Mount | null {
  const source = child(node, "source");
  const text = textOf(source) ?? "";
  const reference = parseReference(text);
  const subpath = textOf(child(child(node, "image"), "subpath"));
  if (typeof reference === "string") return { type: "image", source: reference, target, readOnly: true, subpath: subpath || null };
  return refuse(scope, {
    code: "E_IMAGE_NAME",
    place: source?.place ?? node.place,
    message: `\`${path}.source\` is ${quote(text)}: ${reference.problem}`,
    hint: "a mount of type image names an image, such as shop/assets:1",
  });
}

const RECURSIVE = ["disabled", "writable", "readonly"] as const;

function bindMount(node: Node, { source, target, readOnly }: Long & { readonly source: string }): Mount {
  const bind = child(node, "bind");
  const propagation = propagationOf(textOf(child(bind, "propagation")) ?? "") ?? "rprivate";
  const createHostPath = booleanOf(child(bind, "create_host_path")) ?? false;
  const recursive = RECURSIVE.find((word) => word === textOf(child(bind, "recursive")));
  return { type: "bind", source, target, readOnly, createHostPath, propagation, ...(recursive === undefined ? {} : { recursive }) };
}

function volumeMount(node: Node, { source, target, readOnly }: Long & { readonly source: string }): Mount {
  const volume = child(node, "volume");
  const noCopy = booleanOf(child(volume, "nocopy")) ?? false;
  const labels = readPairs(child(volume, "labels"));
  const named = Object.keys(labels).length === 0 || source !== "" ? {} : { labels };
  return {
    type: "volume",
    source: source === "" ? null : source,
    target,
    readOnly,
    noCopy,
    subpath: textOf(child(volume, "subpath")),
    ...named,
  };
}

function tmpfsMount(node: Node, { target, readOnly, path, scope }: Long & At): Mount | null {
  const tmpfs = child(node, "tmpfs");
  const bytes = parseBytes(textOf(child(tmpfs, "size")) ?? "0");
  const size = typeof bytes === "number" && bytes > 0 ? bytes : null;
  const modeNode = child(tmpfs, "mode");
  const mode = numberOf(modeNode) ?? (modeNode === undefined ? null : Number.parseInt(textOf(modeNode) ?? "", 8));
  if (modeNode !== undefined && (mode === null || !(mode >= 0 && mode <= 0o7777)))
    return refuse(scope, {
      place: modeNode.place,
      message: `\`${path}.tmpfs.mode\` is ${quote(textOf(modeNode) ?? "")}: it must be permission bits such as 0o1777`,
    });
  return { type: "tmpfs", target, readOnly, size, mode, options: [] };
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

function option(words: readonly string[], name: string): string | null {
  return words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
}
