/** How containers of a service are replaced by newer ones: `deploy.update_config`. */
export interface UpdatePolicy {
  /** Whether the new one starts beside the old one and takes over, or after it; `null`: as it seems best. */
  readonly order: "start-first" | "stop-first" | null;
  /** How long a new one is watched, from its start, before it counts, in milliseconds; `null`: nobody said. */
  readonly monitorMs: number | null;
  /** Containers replaced at once; 0: all. */
  readonly parallelism: number;
  /** Between one lot and the next, in milliseconds. */
  readonly delayMs: number;
  /** When one fails: no further one is begun, the others go on, or those done are taken back too. */
  readonly failureAction: "pause" | "continue" | "rollback";
  /** The part of the replacements that may fail before that is done, from 0 to 1. Absent: none. */
  readonly maxFailureRatio?: number;
}

/** For how long one without a health check is watched where nobody said it, in milliseconds. One that has a check is well when that says so. */
export const USUAL_MONITOR_MS = 1000;

/** The policy of `deploy.rollback_config` where containers go back to what they were, else that of updates. */
export function policyOf(
  { update, rollback }: { readonly update: UpdatePolicy; readonly rollback?: UpdatePolicy | null },
  { back }: { readonly back: boolean },
): UpdatePolicy {
  return back ? (rollback ?? update) : update; // records of earlier versions have none
}

/** How many of so many may fail. */
export function tolerated({ maxFailureRatio = 0 }: UpdatePolicy, all: number): number {
  return Math.floor(maxFailureRatio * all + ROUNDING);
}

/** A third of three is one. */
const ROUNDING = 1e-9;

export const USUAL_UPDATE: UpdatePolicy = { order: null, monitorMs: null, parallelism: 0, delayMs: 0, failureAction: "continue" };
