import type { Context, Draft } from "./draft.ts";
import { calledJobs, jobsOf } from "./jobs.ts";
import { child, type Entry, entriesOf, itemsOf, mapping, type Node, put, textOf } from "./node.ts";

/** Takes out the services that no active profile has, and remembers their names. */
export function selectProfiles(draft: Draft, context: Context): Draft {
  const services = child(draft.tree, "services");
  if (draft.tree.kind !== "mapping" || services?.kind !== "mapping") return draft;
  const active = new Set(activeProfiles(draft, context));
  // Who names a service switches its profiles on: what it depends on is often in them, too.
  for (const name of context.options.enabled ?? [])
    for (const profile of ownProfiles(services.entries.get(name)?.value)) active.add(profile);
  const kept = new Map<string, Entry>();
  const disabled: string[] = [];
  const enabled = new Set(context.options.enabled ?? []);
  const jobs = new Set(jobsOf(draft.tree).map(({ name }) => name));
  const called = calledJobs(draft.tree, enabled);
  for (const [name, entry] of services.entries) {
    if (jobs.has(name) ? called.has(name) : enabled.has(name) || isActive(entry.value, active)) kept.set(name, entry);
    else disabled.push(name);
  }
  if (disabled.length === 0) return draft;
  return { ...draft, tree: put(draft.tree, "services", mapping(kept, services.place)), disabled };
}

/** Every profile that a service of the tree is in. */
export function profilesOf(tree: Node): readonly string[] {
  const all = Array.from(entriesOf(child(tree, "services")), ([, { value }]) => ownProfiles(value));
  return [...new Set(all.flat())].sort();
}

/** Given on the command line, else what the variables say. */
function activeProfiles({ variables }: Draft, { options }: Context): ReadonlySet<string> {
  const named = (variables.get("COMPOSE_PROFILES") ?? "").split(",").map((name) => name.trim());
  return new Set(options.profiles.length > 0 ? options.profiles : named.filter((name) => name !== ""));
}

function isActive(service: Node, profiles: ReadonlySet<string>): boolean {
  const own = ownProfiles(service);
  return own.length === 0 || profiles.has("*") || own.some((profile) => profiles.has(profile));
}

function ownProfiles(service: Node | undefined): readonly string[] {
  return itemsOf(child(service, "profiles")).map((item) => textOf(item) ?? "");
}
