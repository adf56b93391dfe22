/** How a container's health is looked at, and what is remembered of it beside its state. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseWritten, writeAtomic } from "../../lib/atomic-file.ts";
import type { HealthStatus, HealthTest } from "../../model/health.ts";
import { containerDirectory, type Layout } from "./layout.ts";
import type { Container, ContainerRecord } from "./records.ts";

/** What is probed and when: the service's words over the image's, Docker's defaults under both. Milliseconds. */
export interface HealthPlan {
  readonly test: Exclude<HealthTest, { readonly kind: "none" | "shell" }>;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
  readonly retries: number;
  readonly restart: boolean;
}

/** One look, in Docker's words. */
export interface ProbeEntry {
  readonly Start: string;
  readonly End: string;
  /** -1: it took too long, or could not be made. */
  readonly ExitCode: number;
  readonly Output: string;
}

export interface HealthState {
  /** The run (its `startedAt`) that it is about: another run begins with nothing. */
  readonly run: string;
  /** What was probed, as text: another probe begins with nothing. Absent: written before that was kept. */
  readonly of?: string;
  readonly status: HealthStatus;
  /** Failures in a row. */
  readonly streak: number;
  /** The last ones, the newest last. */
  readonly log: readonly ProbeEntry[];
}

const NANOSECONDS = 1e6;
const KEPT = 5;

/** `null`: its health is not looked at. */
export function healthPlan({ spec, image }: ContainerRecord): HealthPlan | null {
  const own = spec.service.healthcheck;
  const given = image.config.Healthcheck;
  const test = commandOf(own?.test ?? imageTest(given?.Test), image.config.Shell ?? ["/bin/sh", "-c"]);
  if (test === null) return null;
  const ms = (mine: number | null | undefined, theirs: number | undefined, otherwise: number): number =>
    mine ?? (theirs === undefined || theirs === 0 ? otherwise : theirs / NANOSECONDS);
  return {
    test,
    intervalMs: ms(own?.intervalMs, given?.Interval, 30_000),
    timeoutMs: ms(own?.timeoutMs, given?.Timeout, 30_000),
    startPeriodMs: ms(own?.startPeriodMs, given?.StartPeriod, 0),
    startIntervalMs: ms(own?.startIntervalMs, given?.StartInterval, 5_000),
    retries: own?.retries ?? (given?.Retries || 3),
    restart: own?.restart ?? false,
  };
}

/** What was found out about its present run; `null`: its health is not looked at, or it does not run. */
export function healthOf(layout: Layout, { record, status }: Container): HealthState | null {
  if (status.state !== "running" || healthPlan(record) === null) return null;
  return readHealth(layout, record, status.run.startedAt);
}

/** What was found out about a run by the probe that the container has now; nothing yet where nothing is written. */
export function readHealth(layout: Layout, record: ContainerRecord, run: string): HealthState {
  const of = JSON.stringify(healthPlan(record)?.test ?? null);
  const fresh: HealthState = { run, of, status: "starting", streak: 0, log: [] };
  try {
    const state = parseWritten<HealthState>(readFileSync(fileOf(layout, record.id), "utf8"));
    return state?.run === run && (state.of ?? of) === of ? state : fresh;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return fresh;
  }
}

export async function writeHealth(layout: Layout, id: string, state: HealthState): Promise<void> {
  await writeAtomic(fileOf(layout, id), JSON.stringify(state), { durable: false });
}

/** What a probe changes. `counts`: whether a failure counts while nothing was well yet. Pure. */
export function afterProbe(
  state: HealthState,
  entry: ProbeEntry,
  { retries, counts }: { readonly retries: number; readonly counts: boolean },
): HealthState {
  const log = [...state.log, entry].slice(-KEPT);
  if (entry.ExitCode === 0) return { ...state, status: "healthy", streak: 0, log };
  if (state.status === "starting" && !counts) return { ...state, log };
  const streak = state.streak + 1;
  return { ...state, status: streak >= retries ? "unhealthy" : state.status, streak, log };
}

/**
 * How long after its start failures begin to count, in milliseconds. Docker looks for the first time after an interval, and lets failures of the
 * start period pass: whoever looks earlier must not count what Docker would not have seen.
 */
export function graceOf({ intervalMs, startPeriodMs, startIntervalMs }: HealthPlan): number {
  return startPeriodMs > 0 ? Math.max(startPeriodMs, Math.min(startIntervalMs, intervalMs)) : intervalMs;
}

function commandOf(test: HealthTest | null, shell: readonly string[]): HealthPlan["test"] | null {
  if (test === null || test.kind === "none") return null;
  return test.kind === "shell" ? { kind: "command", argv: [...shell, test.line] } : test;
}

function imageTest(words: readonly string[] | undefined): HealthTest | null {
  const [kind, ...argv] = words ?? [];
  if (argv.length === 0) return null; // NONE, or nothing said
  if (kind === "CMD") return { kind: "command", argv };
  return kind === "CMD-SHELL" ? { kind: "shell", line: argv.join(" ") } : null;
}

const fileOf = (layout: Layout, id: string): string => join(containerDirectory(layout, id), "health.json");
