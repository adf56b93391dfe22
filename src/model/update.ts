/** How containers of a service are replaced by newer ones: `deploy.update_config`. */
export interface UpdatePolicy {
  /** Whether the new one starts beside the old one and takes over, or after it; `null`: as it seems best. */
  readonly order: "start-first" | "stop-first" | null;
  /** How long a new one is watched before it counts, in milliseconds. */
  readonly monitorMs: number;
  /** Containers replaced at once; 0: all. */
  readonly parallelism: number;
  /** Between one lot and the next, in milliseconds. */
  readonly delayMs: number;
  /** When one fails: no further one is begun, the others go on, or those done are taken back too. */
  readonly failureAction: "pause" | "continue" | "rollback";
  /** The part of the replacements that may fail before that is done, from 0 to 1. Absent: none. */
  readonly maxFailureRatio?: number;
}

export const USUAL_UPDATE: UpdatePolicy = { order: null, monitorMs: 1000, parallelism: 0, delayMs: 0, failureAction: "continue" };
