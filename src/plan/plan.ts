import type { Observed } from "../model/observed.ts";
import type { Plan } from "../model/plan.ts";
import type { Project } from "../model/project.ts";
import type { Hook } from "../model/service.ts";
import { planAttendance, planMissing, planOwed } from "./missing.ts";
import { findRewired } from "./networks.ts";
import { beginPlanning, finishPlanning } from "./planning.ts";
import { planGround, planServices, selectServices } from "./services.ts";
import { planOrphans, planTeardown } from "./teardown.ts";
import { findLostVolumes } from "./volumes.ts";

export interface PlanOptions {
  readonly recreate: "changed" | "always" | "never";
  /** Replace the dependencies of the services asked for, whether they changed or not. */
  readonly recreateDependencies: boolean;
  /** Services asked for by name; `null`: all. Their dependencies come along unless `dependencies` is false. */
  readonly services: readonly string[] | null;
  readonly dependencies: boolean;
  /** `false`: create only. */
  readonly start: boolean;
  /** Also remove containers of services that the spec no longer has. */
  readonly removeOrphans: boolean;
  /** Not even say that there are any. */
  readonly ignoreOrphans: boolean;
  /** Only towards nothing (`down`): the project's volumes go too. */
  readonly removeVolumes: boolean;
  /** Do not carry anonymous volumes over to the replacement. */
  readonly renewAnonymousVolumes: boolean;
  /** Make the networks and volumes too that no service uses. */
  readonly allResources: boolean;
  /** Replaces each service's own pull policy. */
  readonly pull: "always" | "missing" | "never" | null;
  /** Of services that the project does not have, what their containers are to run before they stop. */
  readonly preStop: Readonly<Record<string, readonly Hook[]>>;
  /** Replaces each service's stop grace period. */
  readonly stopGraceMs: number | null;
  /** Replica counts by service that win over the spec's. */
  readonly scale: Readonly<Record<string, number>>;
  /** Put back what ran when its replacement does not make it. */
  readonly rollback: boolean;
  /** The way leads back to what was: `deploy.rollback_config` counts instead of `update_config`. */
  readonly back: boolean;
  /** Whether the engine runs health checks, so that `healthy` can be waited for. `reconcile` fills it in. */
  readonly healthchecks: boolean;
}

export const DEFAULTS: PlanOptions = {
  recreate: "changed",
  recreateDependencies: false,
  services: null,
  dependencies: true,
  start: true,
  removeOrphans: false,
  ignoreOrphans: false,
  removeVolumes: false,
  renewAnonymousVolumes: false,
  allResources: false,
  pull: null,
  preStop: {},
  stopGraceMs: null,
  scale: {},
  rollback: true,
  back: false,
  healthchecks: false,
};

/** One thing asked of containers that exist, without looking at what the spec says they should be. See `planOperation`. */
export type Operation =
  | { readonly kind: "start" }
  | { readonly kind: "stop"; readonly graceMs: number | null }
  /** `alone`: those that asked to be restarted with what they depend on are not. */
  | { readonly kind: "restart"; readonly graceMs: number | null; readonly alone?: boolean }
  | { readonly kind: "kill"; readonly signal: string }
  | { readonly kind: "pause" }
  | { readonly kind: "unpause" }
  | { readonly kind: "remove"; readonly force: boolean; readonly stop: boolean; readonly volumes: boolean };

/** What to do so that the world becomes as the project says. Pure: equal input, equal plan. */
export function plan(desired: Project, observed: Observed, options: PlanOptions): Plan {
  const p = beginPlanning(desired, observed, options);
  if (isNothing(desired)) {
    planTeardown(p);
    planMissing(p);
  } else {
    const services = selectServices(p);
    findRewired(p, services);
    findLostVolumes(p, services);
    planServices(p, services);
    planOrphans(p);
    planMissing(p);
    planOwed(p);
    planAttendance(p);
    planGround(p, services);
  }
  return finishPlanning(p);
}

/** Whether this is the project that has nothing. A file that happens to have no services is not: its orphans are only named. */
function isNothing({ files, services, disabled }: Project): boolean {
  return files.length === 0 && services.length === 0 && disabled.length === 0;
}
