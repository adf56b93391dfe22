import type { Context, Draft } from "./draft.ts";
import { change, child, type Entry, each, mapping, type Node, sourceOf } from "./node.ts";
import { quote } from "./words.ts";

/** wharf's short names inside a service, and the names of Compose that they stand for. */
export const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ["cmd", "command"],
  ["env", "environment"],
  ["name", "container_name"],
]);

const SHORT: readonly string[] = [...SHORT_NAMES.keys()];

/** Files short names under the long ones, so that nothing after it knows of them. Both in one service is an error. */
export function spelling(draft: Draft, context: Context): Draft {
  return { ...draft, layers: draft.layers.map((layer) => spellLayer(layer, context)) };
}

/** Likewise for one document. */
export function spellLayer(layer: Node, context: Context): Node {
  if (child(layer, "services")?.kind !== "mapping") return layer;
  return change(layer, "services", (all) => each(all, (service, name) => inService(name, service, context)));
}

function inService(name: string, service: Node, { report }: Context): Node {
  if (service.kind !== "mapping" || !SHORT.some((short) => service.entries.has(short))) return service;
  const entries = new Map<string, Entry>();
  for (const [key, attribute] of service.entries) {
    const long = SHORT_NAMES.get(key) ?? key;
    const other = entries.get(long);
    if (other === undefined) entries.set(long, attribute);
    else
      report.add({
        code: "E_BOTH_SPELLINGS",
        message: `service ${quote(name)} has both ${quote(other.spelled)} and ${quote(attribute.spelled)}, which mean the same`,
        hint: "keep one of them",
        source: sourceOf(attribute.place),
        related: [{ source: sourceOf(other.place), message: "the other one" }],
      });
  }
  return { ...mapping(entries, service.place), directive: service.directive };
}
