/** Steps of `pre_start`: containers that are as their service says, but for what a step says itself. */
import type { Context, Draft } from "./draft.ts";
import { mergeService } from "./merge.ts";
import { child, entriesOf, itemsOf, type Mapping } from "./node.ts";

/** What of a service is its own affair: when it runs, how often, who reaches it. */
const OWN = new Set(
  "build container_name depends_on develop expose external_links healthcheck links ports post_start pre_start pre_stop profiles restart scale".split(
    " ",
  ),
);

export function layStepsOver(draft: Draft, { options, report }: Context): Draft {
  if (options.interpolate === false) return draft;
  const steps = new Map<string, readonly Mapping[]>();
  for (const [name, { value: service }] of entriesOf(child(draft.tree, "services"))) {
    const own = itemsOf(child(service, "pre_start"));
    if (service.kind !== "mapping" || own.length === 0) continue;
    const laid = own.flatMap((step) => (step.kind === "mapping" ? laidOver(service, step, { name, report }) : []));
    if (laid.length > 0) steps.set(name, laid);
  }
  return steps.size === 0 ? draft : { ...draft, steps };
}

/** As a later file is laid over an earlier one. A network of one's own takes the place of the one that goes without saying. */
function laidOver(service: Mapping, step: Mapping, of: Parameters<typeof mergeService>[2]): Mapping {
  const networks = child(service, "networks");
  const replaced = new Set([
    ...(step.entries.has("networks") ? ["network_mode"] : []),
    ...(step.entries.has("network_mode") ? ["networks"] : []),
  ]);
  if (step.entries.has("networks") && networks !== undefined && "implied" in networks && networks.implied === true)
    replaced.add("networks");
  const entries = Array.from(service.entries).filter(([key]) => !OWN.has(key) && !key.startsWith("x-") && !replaced.has(key));
  const laid = mergeService({ ...service, entries: new Map(entries) }, step, of);
  return laid.kind === "mapping" ? laid : step;
}
