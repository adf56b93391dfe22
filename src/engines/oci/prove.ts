import { Failure } from "../../model/diagnostic.ts";
import type { Context } from "./context.ts";
import { healthPlan } from "./health.ts";
import { type Container, type ContainerRecord, statusOf } from "./records.ts";
import { hasEnded } from "./stop.ts";
import { untilHealthy } from "./waits.ts";

/**
 * Watches a container that was just started: until it is healthy where its health is checked, elsewhere for `monitorMs`, in which it must run on
 * or end with 0. Throws E_NOT_STEADY.
 */
export async function proveContainer(
  context: Context,
  { record }: Container,
  { monitorMs, signal }: { readonly monitorMs: number; readonly signal: AbortSignal },
): Promise<void> {
  if (healthPlan(record) !== null) {
    const problem = await untilHealthy(context, record, { signal, restartsAllowed: ENDS_ALLOWED, startPeriodMs: 0 });
    if (problem !== null) throw notSteady(record, problem.message);
    return;
  }
  const { layout } = context;
  const status = statusOf(layout, record.id);
  if (status.state === "running" && !(await hasEnded({ run: status.run, withinMs: monitorMs, signal }))) return signal.throwIfAborted();
  const ended = statusOf(layout, record.id);
  if (ended.state === "exited" && ended.exitCode === 0) return;
  const how = ended.state === "exited" ? `ended with ${ended.exitCode} at once` : "ended at once";
  throw notSteady(record, ended.state === "running" ? `${how}, and was started again` : how);
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
