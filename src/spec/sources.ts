import type { Source } from "../model/diagnostic.ts";
import { child, type Entry, entriesOf, type Node, type Place, sourceOf } from "./node.ts";
import type { ReadService } from "./service/service.ts";

/**
 * Where values were written, by the dotted path of Compose's long names: `services.web.image`, `services.web.environment.COLOR`,
 * `services.web.deploy.resources.limits.memory`, `services.web.ports.0` (as numbered after ranges are written out), `services.web.volumes./data`
 * (by target), `volumes.data`.
 * Mappings and lists stand at their key, single values at the value.
 */
export function sourcesOf(tree: Node, services: readonly ReadService[]): Readonly<Record<string, Source>> {
  const sources = new Map<string, Source>();
  const add = (path: string, place: Place) => sources.set(path, sourceOf(place));
  for (const section of ["volumes", "networks", "configs", "secrets"])
    for (const [key, entry] of entriesOf(child(tree, section))) add(`${section}.${key}`, entry.place);
  for (const service of services) {
    const path = `services.${service.name}`;
    add(path, service.entry.place);
    for (const [key, entry] of entriesOf(service.entry.value))
      addAttribute(`${path}.${key}`, entry, { add, depth: key === "deploy" ? 3 : 1 });
    for (const [name, { place }] of service.variables) add(`${path}.environment.${name}`, place);
    for (const [index, { place }] of service.ports.entries()) add(`${path}.ports.${index}`, place);
    for (const section of ["configs", "secrets"] as const)
      for (const { grant, place } of service[section]) add(`${path}.${section}.${grant.source}`, place);
    for (const { mount, place } of service.mounts) add(`${path}.volumes.${mount.target}`, place);
  }
  return Object.fromEntries(sources);
}

/** Attributes whose parts are numbered or named by what they come out as, and added so. */
const OWN_PARTS: ReadonlySet<string> = new Set(["environment", "ports", "volumes", "tmpfs", "configs", "secrets"]);

type Add = (path: string, place: Place) => unknown;

/** `depth`: of parts in parts. */
function addAttribute(path: string, { value, place }: Entry, { add, depth }: { readonly add: Add; readonly depth: number }): void {
  add(path, value.kind === "scalar" ? value.place : place);
  if (depth === 0 || OWN_PARTS.has(path.slice(path.lastIndexOf(".") + 1))) return;
  for (const [key, part] of entriesOf(value)) addAttribute(`${path}.${key}`, part, { add, depth: depth - 1 });
  if (value.kind === "list") for (const [index, item] of value.items.entries()) add(`${path}.${index}`, item.place);
}
