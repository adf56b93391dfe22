import type { Action } from "../model/action.ts";
import type { Attempt, Step, UpdateRole } from "../model/plan.ts";

/** A step that does not know its number yet. The keys after which it comes may name steps and milestones, also ones never added. */
export interface Sketch {
  readonly action: Action;
  readonly reason: string;
  readonly service: string | null;
  readonly after?: readonly string[];
  readonly afterAnyway?: readonly string[];
  readonly attempt?: Attempt;
}

interface Node {
  readonly sketch: Sketch | null;
  readonly after: Set<string>;
  readonly anyway: Set<string>;
}

interface Reached {
  readonly hard: ReadonlySet<string>;
  readonly soft: ReadonlySet<string>;
}

/**
 * A graph of steps while it is drawn. Each step has a key; an edge may point to a key before it is there, and says nothing when it never
 * comes: what needs no step is as it should be. A milestone is a key that stands for others (`everything that makes db ready`).
 */
export class Draft {
  readonly #nodes = new Map<string, Node>();
  readonly #roles = new Map<string, UpdateRole>();

  step(key: string, sketch: Sketch): string {
    this.#add(key, { sketch, after: new Set(sketch.after), anyway: new Set(sketch.afterAnyway) });
    return key;
  }

  milestone(key: string, edges: { readonly after: readonly string[]; readonly afterAnyway?: readonly string[] }): void {
    this.#add(key, { sketch: null, after: new Set(edges.after), anyway: new Set(edges.afterAnyway) });
  }

  has(key: string): boolean {
    return this.#nodes.has(key);
  }

  /** One more edge: `key` comes after `earlier`. */
  order(key: string, earlier: string): void {
    this.#nodes.get(key)?.after.add(earlier);
  }

  /** Likewise, whether `earlier` went well or not. */
  orderAnyway(key: string, earlier: string): void {
    this.#nodes.get(key)?.anyway.add(earlier);
  }

  /** Says what a step means for the update of its service. */
  mark(key: string, role: UpdateRole): void {
    this.#roles.set(key, role);
  }

  /** The steps in an order in which they could run one by one, otherwise as they were added. */
  steps(): readonly Step[] {
    const reached = new Map<string, Reached>();
    const ids = new Map<string, number>();
    const steps: Step[] = [];
    for (const key of this.#nodes.keys()) this.#place(key, { reached, ids, steps, path: new Set() });
    return steps;
  }

  #add(key: string, node: Node): void {
    if (this.#nodes.has(key)) throw new Error(`two steps with the key ${key}`);
    this.#nodes.set(key, node);
  }

  /** Places a node behind everything it comes after; gives the steps that one who comes after it has to look at. */
  #place(key: string, state: { reached: Map<string, Reached>; ids: Map<string, number>; steps: Step[]; path: Set<string> }): Reached {
    const node = this.#nodes.get(key);
    const known = state.reached.get(key);
    if (known !== undefined) return known;
    if (node === undefined) return { hard: new Set(), soft: new Set() };
    if (state.path.has(key)) throw new Error(`the steps ${[...state.path].join(", ")} wait for each other`);
    state.path.add(key);
    const hard = new Set<string>();
    const soft = new Set<string>();
    for (const [edges, required] of [
      [node.after, true],
      [node.anyway, false],
    ] as const)
      for (const earlier of edges) {
        const before = this.#place(earlier, state);
        for (const step of before.hard) (required ? hard : soft).add(step);
        for (const step of before.soft) soft.add(step);
      }
    for (const step of hard) soft.delete(step);
    state.path.delete(key);
    const result = node.sketch === null ? { hard, soft } : { hard: new Set([key]), soft: new Set<string>() };
    state.reached.set(key, result);
    if (node.sketch !== null) {
      const id = state.steps.length + 1;
      const idsOf = (keys: ReadonlySet<string>) => [...keys].map((k) => state.ids.get(k) ?? 0).sort((a, b) => a - b);
      const { action, reason, service, attempt } = node.sketch;
      const anyway = soft.size === 0 ? {} : { afterAnyway: idsOf(soft) };
      state.ids.set(key, id);
      const update = this.#roles.get(key);
      const parts = { ...(attempt === undefined ? {} : { attempt }), ...(update === undefined ? {} : { update }) };
      state.steps.push({ id, after: idsOf(hard), ...anyway, ...parts, reason, service, action });
    }
    return result;
  }
}
