import type { Context, Draft } from "./draft.ts";
import { child, entriesOf, type Place, sourceOf } from "./node.ts";
import { visible } from "./words.ts";

/** Names drawn of a circle at most. */
const MOST_DRAWN = 12;

interface Member {
  readonly name: string;
  /** What it waits for, each with where it says so. */
  readonly dependencies: ReadonlyMap<string, { readonly place: Place }>;
}

const NONE: Member["dependencies"] = new Map();

/** Draws cycles of `depends_on`; those that share a service with a drawn one are left for the next time. */
export function checkCycles({ tree }: Draft, report: Context["report"]): void {
  const open = new Map<string, Member>();
  for (const [name, { value }] of entriesOf(child(tree, "services"))) {
    const given = child(value, "depends_on");
    open.set(name, { name, dependencies: given?.kind === "mapping" ? given.entries : NONE });
  }
  for (;;) {
    prune(open);
    const cycle = findCycle(open);
    if (cycle.length === 0) return;
    const places = cycle.map((member, index) => member.dependencies.get(cycle[(index + 1) % cycle.length]?.name ?? "")?.place);
    report.add({
      code: "E_DEPENDENCY_CYCLE",
      message: `services depend on each other in a circle: ${drawn(cycle)}`,
      hint: "take one of these dependencies out",
      ...(places[0] === undefined ? {} : { source: sourceOf(places[0]) }),
      related: places
        .slice(1, MOST_DRAWN)
        .flatMap((place) => (place === undefined ? [] : [{ source: sourceOf(place), message: "and here" }])),
    });
    for (const { name } of cycle) open.delete(name);
  }
}

/** `a -> b -> a`; of a very long circle the beginning and the end. */
function drawn(cycle: readonly Member[]): string {
  const names = [...cycle, ...cycle.slice(0, 1)].map(({ name }) => name);
  const shown = names.length > MOST_DRAWN ? [...names.slice(0, MOST_DRAWN - 3), "…", ...names.slice(-2)] : names;
  return shown.map((name) => visible(name)).join(" -> ");
}

/** Takes out services, one by one, whose dependencies are all out. What stays is in a circle or waits for one. */
function prune(open: Map<string, Member>): void {
  const waiting = new Map<string, string[]>();
  const left = new Map<string, number>();
  const free: string[] = [];
  for (const { name, dependencies } of open.values()) {
    let inside = 0;
    for (const wanted of dependencies.keys()) {
      if (!open.has(wanted)) continue;
      inside++;
      const dependents = waiting.get(wanted);
      if (dependents === undefined) waiting.set(wanted, [name]);
      else dependents.push(name);
    }
    if (inside === 0) free.push(name);
    else left.set(name, inside);
  }
  for (let name = free.pop(); name !== undefined; name = free.pop()) {
    open.delete(name);
    for (const dependent of waiting.get(name) ?? []) {
      const count = (left.get(dependent) ?? 0) - 1;
      left.set(dependent, count);
      if (count === 0) free.push(dependent);
    }
  }
}

function findCycle(open: ReadonlyMap<string, Member>): readonly Member[] {
  const path: Member[] = [];
  const seen = new Map<string, number>();
  let [next] = open.values();
  while (next !== undefined) {
    const before = seen.get(next.name);
    if (before !== undefined) return path.slice(before);
    seen.set(next.name, path.length);
    path.push(next);
    next = [...next.dependencies.keys()].map((wanted) => open.get(wanted)).find((member) => member !== undefined);
  }
  return [];
}
