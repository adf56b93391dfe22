import { stopwatch } from "../lib/clock.ts";
import { exitStatus } from "../model/codes.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { Outcome as Ending, Summary } from "../model/event.ts";
import type { ChangeKind, Plan } from "../model/plan.ts";
import { formatPlan } from "../plan/format.ts";
import type { RunResult } from "../reconcile/reconcile.ts";
import { plural } from "../ui/text.ts";
import { elapsed } from "../ui/units.ts";
import { problemText } from "./report.ts";
import type { Session } from "./session.ts";

/** How a run ended. */
export interface Outcome {
  readonly outcome: Ending;
  readonly summary: Summary;
  readonly diagnostics: readonly Diagnostic[];
  /** What it did, in a few words. */
  readonly text: string;
  /** The plan that was made and not carried out, with `--dry-run`. */
  readonly rehearsed?: Plan;
}

/** Ends the show of a run, says what came of it in one line and what went wrong below it, and gives the exit status. `began`: of `stopwatch()`. */
export async function conclude(session: Session, result: Outcome, began: number): Promise<number> {
  await session.endRun();
  if (result.rehearsed !== undefined) return showRehearsed(session, result.rehearsed);
  const took = elapsed(stopwatch() - began);
  if (result.outcome === "converged") {
    session.say(`${result.text} in ${took}`);
    return 0;
  }
  // With JSON the problems were in the events already.
  if (session.settings.progress !== "json") session.err.write(problemText(result.diagnostics, session.settings));
  session.say(`${result.outcome === "cancelled" ? "interrupted" : "failed"} after ${took}: ${tally(result.summary)}`);
  return exitStatus(result.diagnostics.map(({ code }) => code)) || 1;
}

/** What became of the steps: `3 steps done, 1 failed, 2 not begun`. */
export function tally({ done, failed, skipped }: Summary): string {
  const parts = [
    `${plural(done, "step")} done`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} not begun`] : []),
  ];
  return parts.join(", ");
}

/** The outcome of a run that carried out a plan. */
export function outcomeOf({ plan, outcome, summary, diagnostics, rehearsed }: RunResult): Outcome {
  return { outcome, summary, diagnostics, text: summarise(plan), ...(rehearsed === true && { rehearsed: plan }) };
}

/** What would have been done, for people; where events are read by a program, they told of the steps. */
function showRehearsed(session: Session, plan: Plan): number {
  for (const line of formatPlan(plan, { directory: session.settings.cwd }).trimEnd().split("\n")) session.say(line);
  session.say("dry run: nothing was changed");
  return 0;
}

/** What a plan does to containers, or to anything when it is about none: `2 created, 1 unchanged`. */
export function summarise(plan: Plan): string {
  const containers = plan.changes.filter(({ address }) => address.startsWith("container/"));
  const changes = containers.length > 0 ? containers : plan.changes.filter(({ kind }) => kind !== "unchanged");
  const parts = KINDS.flatMap((kind) => {
    const count = changes.filter((change) => change.kind === kind).length;
    return count === 0 ? [] : [`${count} ${DONE[kind]}`];
  });
  return parts.length === 0 ? "nothing to do" : parts.join(", ");
}

const DONE = {
  create: "created",
  replace: "replaced",
  update: "updated",
  start: "started",
  stop: "stopped",
  remove: "removed",
  pull: "pulled",
  unchanged: "unchanged",
} as const satisfies Record<ChangeKind, string>;
const KINDS = ["create", "replace", "update", "start", "stop", "remove", "pull", "unchanged"] as const satisfies readonly ChangeKind[];
