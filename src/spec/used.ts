import type { Context, Draft } from "./draft.ts";
import { child, type Entry, entriesOf, itemsOf, type Node, put, textOf, without } from "./node.ts";

/** Leaves out networks, volumes, secrets, configs and models that no service uses. */
export function leaveUnused(draft: Draft, { options }: Context): Draft {
  if (draft.tree.kind !== "mapping" || options.interpolate === false || options.keepFiles === true || options.allResources === true)
    return draft;
  const services = Array.from(entriesOf(child(draft.tree, "services")), ([, { value }]) => value);
  const used = usedBy([...services, ...[...draft.steps.values()].flat()]);
  let tree = draft.tree;
  for (const [section, names] of Object.entries(used)) {
    const resources = child(tree, section);
    if (resources?.kind !== "mapping") continue;
    const entries = new Map<string, Entry>(Array.from(resources.entries).filter(([key]) => names.has(key)));
    tree = entries.size === 0 ? without(tree, section) : put(tree, section, { ...resources, entries });
  }
  return { ...draft, tree };
}

function usedBy(services: readonly Node[]): Readonly<Record<string, ReadonlySet<string>>> {
  const keysOf = (key: string): string[] => services.flatMap((service) => Array.from(entriesOf(child(service, key)), ([name]) => name));
  const sourcesOf = (list: Node | undefined): string[] => itemsOf(list).map((item) => textOf(child(item, "source")) ?? "");
  const volumes = services
    .flatMap((service) => itemsOf(child(service, "volumes")))
    .filter((mount) => textOf(child(mount, "type")) === "volume");
  return {
    networks: new Set(keysOf("networks")),
    volumes: new Set(volumes.map((mount) => textOf(child(mount, "source")) ?? "")),
    secrets: new Set(
      services.flatMap((service) => [...sourcesOf(child(service, "secrets")), ...sourcesOf(child(child(service, "build"), "secrets"))]),
    ),
    configs: new Set(services.flatMap((service) => sourcesOf(child(service, "configs")))),
    models: new Set(keysOf("models")),
  };
}
