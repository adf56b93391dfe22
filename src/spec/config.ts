import { isList, type Json } from "../model/json.ts";
import type { Context, Draft } from "./draft.ts";
import { checkEncodable } from "./encodable.ts";
import { deepSorted, encodeProject, type Format } from "./encode.ts";
import { child, entriesOf, type Node, put, toJson } from "./node.ts";

/** Finds values that no canonical form has. The form itself is only made when someone asks. */
export function config(draft: Draft, { options, report }: Context): Draft {
  if (options.interpolate !== false) checkEncodable(draft.tree, report);
  return draft;
}

export interface Printing {
  readonly context: Context;
  readonly format: Format;
  /** Only these services and what they depend on; none means all. */
  readonly services: readonly string[];
}

/** A form with every `$` doubled: what comes out can be loaded again and means the same. */
function reloadable(config: Json, { options }: Context): Json {
  return options.interpolate === false ? config : doubled(config);
}

/** The project as `config` prints it. */
export function printed(draft: Draft, printing: Printing): Json {
  return reloadable(encoded(draft, printing), printing.context);
}

function encoded(draft: Draft, { context, format, services }: Printing): Json {
  const tree = services.length === 0 ? draft.tree : only(draft.tree, services);
  if (context.options.interpolate === false) return deepSorted({ ...asObject(toJson(tree)), name: draft.name }, { format });
  return encodeProject(tree, draft.name, { format, report: context.report });
}

function asObject(value: Json): { readonly [key: string]: Json } {
  return value !== null && typeof value === "object" && !isList(value) ? value : {};
}

function only(tree: Node, wanted: readonly string[]): Node {
  const services = child(tree, "services");
  if (tree.kind !== "mapping" || services?.kind !== "mapping") return tree;
  const kept = new Set<string>();
  const open = [...wanted];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (kept.has(name)) continue;
    kept.add(name);
    for (const [dependency] of entriesOf(child(services.entries.get(name)?.value, "depends_on"))) open.push(dependency);
  }
  return put(tree, "services", { ...services, entries: new Map(Array.from(services.entries).filter(([name]) => kept.has(name))) });
}

function doubled(value: Json): Json {
  if (typeof value === "string") return value.includes("$") ? value.replaceAll("$", "$$$$") : value;
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) return value.map(doubled);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.replaceAll("$", "$$$$"), doubled(member)]));
}
