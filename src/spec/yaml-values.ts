/** What the two readers of YAML make of what they find: values of plain scalars, merged mappings, tags. */
import { type Directive, type Entry, type Mapping, mapping, type Node, type Place, type Scalar, scalar } from "./node.ts";
import { resolvePlain } from "./scalar.ts";

/** Deeper nesting than any person writes, and shallow enough for the stack. */
export const MOST_DEPTH = 200;

/** Values that one document may stand for once its aliases are written out. */
export const MOST_NODES = 1_000_000;

export const DIRECTIVES: ReadonlyMap<string, Directive> = new Map([
  ["!reset", "reset"],
  ["!override", "override"],
]);

/** What YAML 1.1 reads as a truth value or as a number of base 60, and YAML 1.2 as a text. */
const OTHERWISE = /^(?:yes|no|on|off|Yes|No|On|Off|YES|NO|ON|OFF|[1-9][0-9]*:[0-5]?[0-9])$/;

/** A scalar that was written without quotes. */
export function plainScalar(text: string, place: Place): Scalar {
  const resolved = resolvePlain(text);
  const value = scalar(resolved.value, place, resolved.text);
  return text.length < 9 && OTHERWISE.test(text) ? { ...value, plain: text } : value;
}

/** Whether a key without quotes is a text, and no number, truth value or nothing. */
export function isTextKey(key: string): boolean {
  return typeof resolvePlain(key).value === "string";
}

/** A mapping with what it takes from others by `<<`: its own keys stand, and those of earlier ones over those of later ones. */
export function withMerged(entries: Map<string, Entry>, merged: readonly Node[], place: Place): Mapping {
  for (const source of merged)
    if (source.kind === "mapping") for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
  return mapping(entries, place);
}
