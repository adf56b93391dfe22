import type { Engine } from "../engine/engine.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { Emit, Outcome, Summary } from "../model/event.ts";
import type { Plan } from "../model/plan.ts";
import type { Project } from "../model/project.ts";
import type { Operation, PlanOptions } from "../plan/plan.ts";

/** What a run needs of its surroundings. */
export interface World {
  readonly engine: Engine;
  readonly emit: Emit;
  /** The first Ctrl-C aborts it: the steps in hand end, no further one begins. */
  readonly signal: AbortSignal;
  /** Directory that holds the project locks. */
  readonly lockDirectory: string;
  /** How long to wait for another command on the same project, in milliseconds. */
  readonly lockTimeoutMs: number;
  /** Answers a confirmation of a plan. */
  readonly confirm: (question: string) => Promise<boolean>;
}

export interface RunResult {
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly summary: Summary;
  /** What went wrong, in the order it happened: the exit status comes from its codes. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Observes and plans; changes nothing and takes no lock. */
export async function preview(_world: World, _project: Project, _options: PlanOptions): Promise<Plan> {
  throw new Error("not built yet");
}

/** The whole way: lock, observe, plan, confirm, execute. Throws `Failure` when the plan has problems or the lock is held. */
export async function reconcile(_world: World, _project: Project, _options: PlanOptions): Promise<RunResult> {
  throw new Error("not built yet");
}

/** The same way for an operation on what exists (`start`, `stop`, `restart`, `kill`, `rm`). */
export async function operate(
  _world: World,
  _project: Project,
  _operation: Operation,
  _names: readonly string[] | null,
): Promise<RunResult> {
  throw new Error("not built yet");
}
