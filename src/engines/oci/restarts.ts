/** Who comes back after its end, and when: the policies, and what is remembered of each container that has one. */
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseWritten, writeAtomic } from "../../lib/atomic-file.ts";
import { type Holder, withLock } from "../../lib/file-lock.ts";
import { bootId, isAlive } from "../../lib/process-identity.ts";
import { GOOD_RUN_MS } from "../../model/health.ts";
import type { RestartPolicy } from "../../model/service.ts";
import { isBrokenOff } from "./intents.ts";
import { containerDirectory, type Layout, shortId } from "./layout.ts";
import type { Container, ContainerRecord } from "./records.ts";

/** What is remembered of a container with a policy, beside its state. */
export interface RestartState {
  /** Restarts since a user started it: Docker's RestartCount. */
  readonly count: number;
  /** Failures in a row, for a policy with a limit and a window. */
  readonly attempts: number;
  /** The last wait, in milliseconds; 0 before the first. */
  readonly delayMs: number;
  /** The run (its `startedAt`) whose end has been judged. */
  readonly judged: string | null;
  /** When it comes back, in milliseconds since 1970; `null`: it is not waiting for that. */
  readonly dueAt: number | null;
  /** A user stopped it: it stays down until a user starts it. */
  readonly stopped: boolean;
  /** Why the last restart failed. */
  readonly error: string | null;
}

export const FRESH: RestartState = { count: 0, attempts: 0, delayMs: 0, judged: null, dueAt: null, stopped: false, error: null };

/** Docker's waits: the first, and the longest; each is twice the one before. */
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 60_000;

/** Whether anything of a container is remembered here: of one that never comes back by itself nobody asks. */
export const hasPolicy = ({ spec }: ContainerRecord): boolean =>
  spec.service.restart.name !== "no" || spec.service.healthcheck?.restart === true;

export function readRestart(layout: Layout, id: string): RestartState {
  try {
    return { ...FRESH, ...parseWritten<Partial<RestartState>>(readFileSync(fileOf(layout, id), "utf8")) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return FRESH;
    throw error;
  }
}

export async function writeRestart(layout: Layout, id: string, state: RestartState): Promise<void> {
  await writeAtomic(fileOf(layout, id), JSON.stringify(state), { durable: false });
}

/** A user starts it: it begins anew. */
export async function forgetRestarts(layout: Layout, id: string): Promise<void> {
  await rm(fileOf(layout, id), { force: true });
}

/** A user stops it: it stays down. To be written before it is told to end. */
export async function markStopped(layout: Layout, record: ContainerRecord): Promise<void> {
  if (hasPolicy(record)) await writeRestart(layout, record.id, { ...readRestart(layout, record.id), dueAt: null, stopped: true });
}

/** Whether a container that does not run comes back by itself, now or when its wait is over. */
export function comesBack(layout: Layout, container: Container): boolean {
  const asks = container.status.state !== "running" && hasPolicy(container.record);
  if (asks && isBrokenOff(layout, container, "restarting")) return true;
  return asks && returnOf(container, readRestart(layout, container.record.id), Date.now()) !== null;
}

/** Whether a container that was started once is started again after the machine was off: `always` even when a user had stopped it, as with Docker. */
export function returnsAfterReboot(layout: Layout, { record, status }: Container): boolean {
  const { name } = record.spec.service.restart;
  if (name !== "always" && name !== "unless-stopped") return false;
  const state = readRestart(layout, record.id);
  if (status.state === "created" && state.dueAt === null) return false;
  return name === "always" || !state.stopped;
}

/**
 * What is to be remembered of a container that comes back by itself, with when that is; `null`: it does not. The end of each run is judged once.
 * Whether one comes back after a reboot is asked at boot, not here. `now` in milliseconds since 1970.
 */
export function returnOf({ record, status }: Container, state: RestartState, now: number): RestartState | null {
  if (status.state === "running" || state.stopped) return null;
  const waiting = state.dueAt === null ? null : state;
  if (status.state === "created") return waiting; // it ended, and its last restart failed
  const { run, exitCode, finishedAt } = status;
  if (run.process.boot !== bootId()) return null;
  if (state.judged === run.startedAt) return waiting;
  const endedAt = finishedAt === null ? now : Date.parse(finishedAt);
  const next = afterEnd(record.spec.service.restart, state, { exitCode, lastedMs: endedAt - Date.parse(run.startedAt) });
  return next === null ? null : { ...next, judged: run.startedAt, dueAt: endedAt + next.delayMs };
}

/** How a run ended. */
export interface End {
  readonly exitCode: number;
  readonly lastedMs: number;
}

/** What a policy makes of an end: the state with the next wait, or `null`: it stays down. */
export function afterEnd(policy: RestartPolicy, state: RestartState, { exitCode, lastedMs }: End): RestartState | null {
  if (policy.name === "no" || (policy.name === "on-failure" && exitCode === 0)) return null;
  const doubled = lastedMs >= GOOD_RUN_MS || state.delayMs === 0 ? FIRST_DELAY_MS : Math.min(2 * state.delayMs, LONGEST_DELAY_MS);
  const isGood = policy.windowMs !== null && lastedMs >= policy.windowMs;
  const attempts = (isGood ? 0 : state.attempts) + 1;
  return policy.limit > 0 && attempts > policy.limit ? null : { ...state, attempts, delayMs: policy.delayMs ?? doubled };
}

/**
 * Does something to a container while no other process does: what a user asked for and what is done by itself must not meet. One that has no policy
 * and stays when it has ended has nobody to meet; `always` even so. Throws LockHeld when the wait runs out.
 */
export async function alone<T>(layout: Layout, record: ContainerRecord, { purpose, timeoutMs, always = false, work }: Turn<T>): Promise<T> {
  if (!always && !hasPolicy(record) && record.owner === undefined) return work();
  return withLock(lockOf(layout, record.id), { purpose, timeoutMs }, work);
}

export interface Turn<T> {
  readonly purpose: string;
  readonly timeoutMs: number;
  readonly always?: boolean;
  readonly work: () => Promise<T>;
}

/** What a command says that it does while it stops a container to start it again. */
export const RESTARTING = "restart";

/** Whether a container that does not run is about to: a command that lives is restarting it. */
export function isBeingRestarted(layout: Layout, id: string): boolean {
  try {
    const holder = parseWritten<Holder>(readFileSync(lockOf(layout, id), "utf8"));
    return holder?.purpose === RESTARTING && isAlive(holder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

const lockOf = (layout: Layout, id: string): string => join(layout.locks, `container-${shortId(id)}.lock`);

const fileOf = (layout: Layout, id: string): string => join(containerDirectory(layout, id), "restart.json");
