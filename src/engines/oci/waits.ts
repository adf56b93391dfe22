/** Waiting for what containers do by themselves: an end, health. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Action } from "../../model/action.ts";
import { Failure } from "../../model/diagnostic.ts";
import { RESTARTS_ALLOWED } from "../../model/health.ts";
import { LABEL } from "../../model/labels.ts";
import type { Context } from "./context.ts";
import { healthPlan, readHealth } from "./health.ts";
import { containerDirectory, type Layout } from "./layout.ts";
import { type Container, type ContainerRecord, containerNamed, containerWithId } from "./records.ts";
import { comesBack, readRestart } from "./restarts.ts";
import { hasEnded } from "./stop.ts";
import { ensureSupervisor } from "./supervisor/launch.ts";

/** How often is looked at what tells nobody, in milliseconds. */
const LOOK_MS = 20;
/** How often one who waits for health makes sure that somebody looks at it, in milliseconds. */
const REVIVE_MS = 1000;
/** How soon after its begin one that cannot work has most often ended, in milliseconds. */
const SOON_MS = 500;
/** Bytes that the verdict on a container takes at most, about. */
const VERDICT_SIZE = 32 * 1024;

/** Gives the exit status of a container once it does not run. */
export async function waitFor(layout: Layout, id: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    const { status } = containerWithId(layout, id);
    if (status.state === "exited") return status.exitCode;
    if (status.state === "running") await hasEnded({ run: status.run, withinMs: 60_000, signal });
    else await sleep(50);
    signal.throwIfAborted();
  }
}

type Wait = Extract<Action, { readonly kind: "container.wait" }>;

/** Throws E_DEPENDENCY_FAILED where it will not come to that. */
export async function waitUntil(
  context: Context,
  { container: name, until, required }: Wait,
  { signal, note }: { readonly signal: AbortSignal; readonly note: (message: string) => void },
): Promise<void> {
  const { record } = containerNamed(context.layout, name);
  const problem =
    until === "healthy" ? await untilHealthy(context, record, { signal }) : await untilCompleted(context.layout, record, signal);
  if (problem === null) return;
  if (required)
    throw new Failure(
      problem.diagnostics.map((d) => ({
        ...d,
        message: d.message.startsWith("service ") ? d.message : `dependency failed to start: ${d.message}`,
      })),
    );
  note(`optional dependency "${record.spec.service.name}" failed to start: ${problem.message}`); // who depends on it goes on without
}

async function untilCompleted(layout: Layout, record: ContainerRecord, signal: AbortSignal): Promise<Failure | null> {
  const { id } = record;
  const before = readRestart(layout, id).count;
  for (;;) {
    const code = await waitFor(layout, id, signal);
    // An end that a restart follows is none; but who ended with 0 has done what others wait for.
    if (code === 0) return null;
    const container = containerWithId(layout, id);
    if (!comesBack(layout, container)) return failure(endedBadly(record, code), logsHint(record));
    const tiring = tiresOut(layout, container, { before, allowed: RESTARTS_ALLOWED });
    if (tiring !== null) return tiring;
    await sleep(50);
  }
}

export interface HealthWait {
  readonly signal: AbortSignal;
  /** How often its restart policy may bring it back on the way, once its start period is over. */
  readonly restartsAllowed?: number;
  /** Milliseconds; without it as its health check has it. */
  readonly startPeriodMs?: number;
}

/** `null` once it is healthy, else why it will not be. */
export async function untilHealthy(
  context: Context,
  { id, name, spec }: ContainerRecord,
  { signal, restartsAllowed = RESTARTS_ALLOWED, startPeriodMs }: HealthWait,
): Promise<Failure | null> {
  const { layout } = context;
  const { count: before } = readRestart(layout, id);
  const began = Date.now();
  for (let looks = 0; ; looks += 1) {
    signal.throwIfAborted();
    const container = containerWithId(layout, id);
    const plan = healthPlan(container.record);
    if (plan === null) {
      const ended = await endsSoon(layout, id, signal);
      if (ended !== null) return ended;
      return failure(
        `${name} has no healthcheck, and others wait for it to be healthy`,
        `add a healthcheck to service ${spec.service.name}, or wait for service_started`,
      );
    }
    const outcome = outcomeOf(layout, container);
    if (outcome !== "open") return outcome;
    const tiring = tiresOut(layout, container, { before, allowed: restartsAllowed });
    if (tiring !== null && Date.now() - began >= (startPeriodMs ?? plan.startPeriodMs)) return tiring;
    if (looks % (REVIVE_MS / LOOK_MS) === 0) {
      await ensureSupervisor(context, spec.project); // it may have been killed
      if (looks > 0) await assertRoom(layout, id);
    }
    await sleep(LOOK_MS);
  }
}

/** That one which was just begun ended, with how: that tells more than that nobody looks at its health. `null`: it runs on, for now. */
async function endsSoon(layout: Layout, id: string, signal: AbortSignal): Promise<Failure | null> {
  for (const until = Date.now() + SOON_MS; Date.now() < until; await sleep(LOOK_MS)) {
    signal.throwIfAborted();
    const container = containerWithId(layout, id);
    const outcome = container.status.state === "exited" ? outcomeOf(layout, container) : "open";
    if (outcome !== "open") return outcome;
  }
  return null;
}

/** Where nothing can be written down nothing will ever be heard of a probe. Throws the system's error. */
async function assertRoom(layout: Layout, id: string): Promise<void> {
  const path = join(containerDirectory(layout, id), `.room-${process.pid}`);
  try {
    await writeFile(path, Buffer.alloc(VERDICT_SIZE));
  } finally {
    await rm(path, { force: true });
  }
}

/**
 * Why one that ends again and again is waited for no longer, when it has just ended once more; `null` while there is hope. `before`: how often it
 * had been restarted when the wait began.
 */
function tiresOut(
  layout: Layout,
  { record, status }: Container,
  { before, allowed }: { readonly before: number; readonly allowed: number },
): Failure | null {
  const { count, error } = readRestart(layout, record.id);
  const ends = status.state === "running" ? count - 1 : count; // of one that runs, whose last end was not seen, the end before is taken
  if (ends < allowed || ends <= before) return null;
  const how = status.state === "exited" ? `, its last end was with ${status.exitCode}` : error === null ? "" : `, ${error}`;
  return failure(`container ${record.name} ends again and again: its policy has started it ${count} times${how}`, logsHint(record));
}

function outcomeOf(layout: Layout, container: Container): Failure | null | "open" {
  const { record, status } = container;
  const { name } = record;
  if (status.state === "created" || comesBack(layout, container)) return "open";
  if (status.state === "exited") return failure(`container ${name} exited (${status.exitCode}) before it was healthy`, logsHint(record));
  const health = readHealth(layout, record, status.run.startedAt);
  if (health.status === "healthy") return null;
  if (health.status === "starting") return "open";
  const last = health.log.at(-1);
  const said =
    last === undefined ? "" : `: ${last.Output.trim().split("\n").slice(-3).join(" | ") || `its check ended with ${last.ExitCode}`}`;
  return failure(`container ${name} is unhealthy${said}`, logsHint(record));
}

/** In Compose's words, which scripts look for, with the container's name. */
function endedBadly({ name, spec }: ContainerRecord, code: number): string {
  if (spec.labels[LABEL.hook] === "pre_start")
    return `service "${spec.service.name}" pre_start[${spec.number}] exited with code ${code} (${name})`;
  return spec.oneOff
    ? `container ${name} ended with ${code}`
    : `service "${spec.service.name}" didn't complete successfully: exit ${code} (${name})`;
}

function failure(message: string, hint: string): Failure {
  return new Failure({ code: "E_DEPENDENCY_FAILED", message, hint });
}

const logsHint = ({ name, spec }: ContainerRecord): string => `wharf logs ${spec.oneOff ? name : spec.service.name} shows what it printed`;
