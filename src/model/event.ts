import type { ActionKind } from "./action.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { HealthStatus } from "./health.ts";
import type { ContainerState } from "./observed.ts";

/** What happens while a command works. Published as one JSON object a line with `--progress json`. */
export type Event =
  /** Comes again when what a pull brought asks for more: the new steps' ids go on where the first ones ended. */
  | {
      readonly type: "plan.ready";
      readonly project: string;
      readonly steps: readonly EventStep[];
      readonly unchanged: number;
      readonly settled?: readonly Standing[];
    }
  | { readonly type: "step.started"; readonly step: number }
  | {
      readonly type: "step.progress";
      readonly step: number;
      readonly item: string;
      readonly phase: string;
      readonly done: number;
      readonly total: number | null;
    }
  | { readonly type: "step.note"; readonly step: number; readonly message: string }
  | { readonly type: "step.done"; readonly step: number; readonly ms: number }
  | { readonly type: "step.failed"; readonly step: number; readonly ms: number; readonly diagnostics: readonly Diagnostic[] }
  /** `because`: the step that did not succeed, or `null` when the run was cancelled before its turn. `why`: it was not needed. */
  | { readonly type: "step.skipped"; readonly step: number; readonly because: number | null; readonly why?: string }
  /** What a step did was taken back, because a later one of the same replacement failed or was not begun. */
  | { readonly type: "step.undone"; readonly step: number; readonly ms: number }
  | { readonly type: "notice"; readonly diagnostic: Diagnostic }
  | { readonly type: "run.finished"; readonly outcome: Outcome; readonly ms: number; readonly summary: Summary }
  /** What `--wait` waits for, as it is at the first look; then each container that changed; then how that ended. */
  | { readonly type: "wait.started"; readonly containers: readonly Awaited[] }
  | { readonly type: "wait.changed"; readonly container: Awaited }
  | { readonly type: "wait.finished"; readonly outcome: "ready" | "failed" | "timeout"; readonly ms: number }
  /** `watch` looks again because these files changed, came or went (absolute paths). */
  | { readonly type: "watch.changed"; readonly files: readonly string[] }
  /** `watch` waits for the next change. `broken`: the spec cannot be read, and what runs is left as it is until it can. */
  | { readonly type: "watch.waiting"; readonly state: "kept" | "failed" | "broken" };

/** A container that is as it should be. */
export interface Standing {
  readonly name: string;
  readonly state: ContainerState;
}

export interface EventStep {
  readonly id: number;
  /** A plan's action, or what no plan asks for. */
  readonly kind: ActionKind | "image.push" | "image.load" | "image.verify";
  readonly subject: string;
  readonly service: string | null;
  readonly reason: string;
  /** What a wait is for. */
  readonly until?: "healthy" | "completed";
}

/** A container that is waited for. */
export interface Awaited {
  readonly service: string | null;
  readonly name: string;
  readonly state: ContainerState;
  readonly exitCode: number | null;
  readonly health: HealthStatus | null;
  /** RFC 3339 UTC: when it came to be so, as far as that is known. */
  readonly since: string;
  /** `ready`: healthy, or it runs where nobody looks at its health. `done`: it ended with 0. `failed`: it will not come to that. */
  readonly verdict: "open" | "ready" | "done" | "failed";
}

export type Outcome = "converged" | "failed" | "cancelled";

export interface Summary {
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
}

/** `seq` counts from 1, `at` is RFC 3339 UTC: both are put on once, where the stream begins. */
export type Stamped = Event & { readonly seq: number; readonly at: string };

/** Where events go. Returns at once; renderers must not throw. */
export type Emit = (event: Event) => void;
