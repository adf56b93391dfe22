import type { Observed } from "../model/observed.ts";
import type { Plan } from "../model/plan.ts";
import type { Project } from "../model/project.ts";

export interface PlanOptions {
  readonly recreate: "changed" | "always" | "never";
  /** Services asked for by name; `null`: all. Their dependencies come along unless `dependencies` is false. */
  readonly services: readonly string[] | null;
  readonly dependencies: boolean;
  /** `false`: create only. */
  readonly start: boolean;
  /** Also remove containers of services that the spec no longer has. */
  readonly removeOrphans: boolean;
  /** Only towards nothing (`down`): the project's volumes go too. */
  readonly removeVolumes: boolean;
  /** Do not carry anonymous volumes over to the replacement. */
  readonly renewAnonymousVolumes: boolean;
  /** Replaces each service's own pull policy. */
  readonly pull: "always" | "missing" | "never" | null;
  /** Replaces each service's stop grace period. */
  readonly stopGraceMs: number | null;
  /** Replica counts by service that win over the spec's. */
  readonly scale: Readonly<Record<string, number>>;
  /** Whether the engine runs health checks, so that `healthy` can be waited for. `reconcile` fills it in. */
  readonly healthchecks: boolean;
}

export const DEFAULTS: PlanOptions = {
  recreate: "changed",
  services: null,
  dependencies: true,
  start: true,
  removeOrphans: false,
  removeVolumes: false,
  renewAnonymousVolumes: false,
  pull: null,
  stopGraceMs: null,
  scale: {},
  healthchecks: false,
};

/** What to do so that the world becomes as the project says. Pure: equal input, equal plan. */
export function plan(_desired: Project, _observed: Observed, _options: PlanOptions): Plan {
  throw new Error("not built yet");
}

/** One thing asked of containers that exist, without looking at what the spec says they should be. */
export type Operation =
  | { readonly kind: "start" }
  | { readonly kind: "stop"; readonly graceMs: number | null }
  | { readonly kind: "restart"; readonly graceMs: number | null }
  | { readonly kind: "kill"; readonly signal: string }
  | { readonly kind: "remove"; readonly force: boolean; readonly stop: boolean; readonly volumes: boolean };

/** A plan for an operation on services or containers by name (`null`: all of the project), in the order of dependencies. */
export function planOperation(_project: Project, _observed: Observed, _operation: Operation, _names: readonly string[] | null): Plan {
  throw new Error("not built yet");
}
