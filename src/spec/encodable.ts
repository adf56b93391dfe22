import type { Report } from "../model/diagnostic.ts";
import { type At, leaf } from "./encode.ts";
import { child, isNull, itemsOf, type Node } from "./node.ts";
import { type Fields, type Leaf, SECTIONS, type Shape } from "./shape.ts";

/** Adds values that cannot be what Compose's canonical form has in their place to the report: what making that form would find, without making it. */
export function checkEncodable(tree: Node, report: Report): void {
  const encoding = { format: "json", report } as const;
  for (const [section, shape] of SECTIONS) check(child(tree, section), { map: shape }, { encoding, up: null, key: section });
}

function check(node: Node | undefined, shape: Shape | Leaf, at: At): void {
  if (node === undefined || isNull(node)) return;
  if (typeof shape === "string") {
    leaf(node, shape, at);
    return;
  }
  const { list, map, fields } = shape;
  const { encoding } = at;
  if (list !== undefined)
    itemsOf(node).forEach((item, key) => {
      check(item, list, { encoding, up: at, key });
    });
  else if (node.kind !== "mapping") return;
  else if (map !== undefined)
    node.entries.forEach(({ value }, key) => {
      check(value, map, { encoding, up: at, key });
    });
  else if (fields !== undefined) {
    const fallible = fallibleOf(fields);
    node.entries.forEach(({ value }, key) => {
      const below = fallible.get(key);
      if (below !== undefined) check(value, below, { encoding, up: at, key });
    });
  }
}

/** Kinds that every value has a form for. */
const SURE: ReadonlySet<Leaf> = new Set<Leaf>(["text", "texts", "test", "labels", "variables", "lists", "file", "any"]);

const FALLIBLE = new WeakMap<Fields, ReadonlyMap<string, Shape | Leaf>>();

/** The attributes of which a value may be wrong: most are texts, and need no look. */
function fallibleOf(fields: Fields): ReadonlyMap<string, Shape | Leaf> {
  const known = FALLIBLE.get(fields);
  if (known !== undefined) return known;
  const found = new Map(Object.entries(fields).filter(([, shape]) => isFallible(shape)));
  FALLIBLE.set(fields, found);
  return found;
}

function isFallible(shape: Shape | Leaf | undefined): boolean {
  if (shape === undefined) return false;
  if (typeof shape === "string") return !SURE.has(shape);
  return isFallible(shape.list) || isFallible(shape.map) || (shape.fields !== undefined && fallibleOf(shape.fields).size > 0);
}
