import type { Job } from "../model/project.ts";
import type { Context, Draft } from "./draft.ts";
import { booleanOf, child, entriesOf, isNull, itemsOf, type Mapping, mapping, type Node, put, sourceOf, without } from "./node.ts";
import { quote } from "./words.ts";

/** Files each job among the services, as the one that `run` makes of it. What says when it runs stays under `jobs`. */
export function fileJobs(draft: Draft, context: Context): Draft {
  const services = new Set(draft.layers.flatMap((layer) => Array.from(entriesOf(child(layer, "services")), ([name]) => name)));
  return { ...draft, layers: draft.layers.map((layer) => inLayer(layer, { services, context })) };
}

/** `services`: those of all files. */
function inLayer(layer: Node, { services: others, context }: { readonly services: ReadonlySet<string>; readonly context: Context }): Node {
  const jobs = child(layer, "jobs");
  if (layer.kind !== "mapping" || jobs?.kind !== "mapping") return layer;
  const given = child(layer, "services");
  let services: Mapping = given?.kind === "mapping" ? given : mapping(new Map(), jobs.place);
  let kept = jobs;
  for (const [name, { value, place }] of jobs.entries) {
    const triggers = child(value, "triggers");
    const nothing = mapping(new Map(), value.place);
    const job = value.kind === "mapping" ? value : nothing;
    if (value.kind !== "mapping" && !isNull(value)) continue; // the schema says what it should be
    if (others.has(name))
      context.report.add({
        code: "E_CONFLICT",
        message: `${quote(name)} is a service and a job`,
        hint: "give one of them another name",
        source: sourceOf(place),
      });
    services = put(services, name, without(job, "triggers"), place);
    kept = put(kept, name, triggers === undefined ? nothing : put(nothing, "triggers", triggers));
  }
  return put(put(layer, "services", services), "jobs", kept);
}

/** The jobs of a tree. */
export function jobsOf(tree: Node): readonly Job[] {
  return Array.from(entriesOf(child(tree, "jobs")), ([name, { value }]) => {
    const triggers = child(value, "triggers");
    return {
      name,
      isManual: booleanOf(child(triggers, "manual")) !== false,
      isScheduled: itemsOf(child(triggers, "schedule")).length > 0,
    };
  });
}

/** Of the jobs of a tree those that somebody named, and those that these depend on. */
export function calledJobs(tree: Node, named: ReadonlySet<string>): ReadonlySet<string> {
  const jobs = new Set(jobsOf(tree).map(({ name }) => name));
  const called = new Set([...jobs].filter((name) => named.has(name)));
  for (const name of called)
    for (const [other] of entriesOf(child(child(child(tree, "services"), name), "depends_on"))) if (jobs.has(other)) called.add(other);
  return called;
}
