import { stopwatch } from "../../lib/clock.ts";
import { Failure } from "../../model/diagnostic.ts";
import { USUAL_MONITOR_MS } from "../../model/update.ts";
import type { Context } from "./context.ts";
import { healthPlan, readHealth } from "./health.ts";
import type { Layout } from "./layout.ts";
import { type Container, type ContainerRecord, type RunState, statusOf } from "./records.ts";
import { hasEnded } from "./stop.ts";
import { untilHealthy } from "./waits.ts";

/** How often a container that is watched is looked at, in milliseconds. */
const LOOK_MS = 100;

interface Proof {
  /** `null`: a second, or as long as it takes to be healthy where its health is checked. */
  readonly monitorMs: number | null;
  readonly delayMs: number;
  readonly signal: AbortSignal;
}

/**
 * Watches a container that was just started: until it is healthy where its health is checked, and in any case until `monitorMs` from its start, in
 * which it must run on and not become unhealthy, or end with 0. `delayMs` come on top, and are watched as well. Throws E_NOT_STEADY.
 */
export async function proveContainer(context: Context, { record }: Container, { monitorMs, delayMs, signal }: Proof): Promise<void> {
  const { layout } = context;
  const isChecked = healthPlan(record) !== null;
  if (isChecked) {
    const problem = await untilHealthy(context, record, { signal, restartsAllowed: ENDS_ALLOWED, startPeriodMs: 0 });
    if (problem !== null) throw notSteady(record, problem.message);
  }
  const status = statusOf(layout, record.id);
  const since = status.state === "running" && isChecked ? Date.now() - Date.parse(status.run.startedAt) : 0;
  const leftMs = Math.max(0, (monitorMs ?? (isChecked ? 0 : USUAL_MONITOR_MS)) - since) + delayMs;
  if (status.state === "running") {
    const problem = await watch(layout, record, { run: status.run, forMs: leftMs, signal });
    signal.throwIfAborted();
    if (problem === null) return;
    if (problem !== ENDED) throw notSteady(record, problem);
  }
  const ended = statusOf(layout, record.id);
  if (ended.state === "exited" && ended.exitCode === 0) return;
  const how = ended.state === "exited" ? `ended with ${ended.exitCode} at once` : "ended at once";
  throw notSteady(record, ended.state === "running" ? `${how}, and was started again` : how);
}

const ENDED = "it ended";

/** `null`: it ran on for so long, and was not found unhealthy. */
async function watch(
  layout: Layout,
  record: ContainerRecord,
  { run, forMs, signal }: { readonly run: RunState; readonly forMs: number; readonly signal: AbortSignal },
): Promise<string | null> {
  for (const until = stopwatch() + forMs; ; ) {
    const leftMs = Math.max(0, until - stopwatch());
    if (await hasEnded({ run, withinMs: Math.min(LOOK_MS, leftMs), signal })) return ENDED;
    if (healthPlan(record) !== null && readHealth(layout, record, run.startedAt).status === "unhealthy")
      return `${record.name} was healthy, and became unhealthy while it was watched`;
    if (leftMs === 0 || signal.aborted) return null;
  }
}

/** One that is not there yet for what it needs may end and come back; one that goes on like that never gets healthy, and never unhealthy either. */
const ENDS_ALLOWED = 2; // the third end is the last

function notSteady({ spec }: ContainerRecord, what: string): Failure {
  return new Failure({
    code: "E_NOT_STEADY",
    message: `the new container of service ${spec.service.name} is not fit to take over: ${what}`,
    hint: "the old one goes on; with --no-rollback the new one stays to be looked at",
  });
}
