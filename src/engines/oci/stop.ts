import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "../../lib/process-identity.ts";
import { signalNumber } from "../../lib/signal.ts";
import { Failure } from "../../model/diagnostic.ts";
import { killCgroup } from "./cgroups.ts";
import type { Context } from "./context.ts";
import { noteEnd, noteEvent } from "./events.ts";
import { thaw } from "./freezer.ts";
import { portsReleased } from "./network/publish.ts";
import { type Container, liveRun, type RunState } from "./records.ts";
import { tidy } from "./remove.ts";
import { killIfThere, signalIfThere } from "./runtime.ts";
import { noteStop } from "./stopped.ts";
import { poke } from "./supervisor/launch.ts";

/** How long a process may take to die of SIGKILL before we say so, in milliseconds. */
const KILL_LIMIT = 10_000;

/** SIGKILL, as events tell it. */
export const KILL = "9";

export interface StopOptions {
  readonly graceMs: number | null;
  readonly signal: AbortSignal;
}

/**
 * Asks a container to end with its stop signal, makes it end when the grace period (its own, or `graceMs`) is over, and takes its
 * mounts and control groups away. Nothing when it does not run. An abort cuts the grace period short.
 */
export async function stopContainer(context: Context, { record }: Container, options: StopOptions): Promise<void> {
  const run = liveRun(context.layout, record.id);
  if (run !== null) {
    const grace = options.graceMs ?? record.spec.service.stopGraceMs;
    await noteStop(context.layout, record.id, run);
    sendSignal(run, record.process.stopSignal);
    noteEvent(context.layout, { record, action: "kill", attributes: { signal: String(signalNumber(record.process.stopSignal) ?? "") } });
    await thaw(context.layout, record.id);
    if (!(await hasEnded({ run, withinMs: grace, signal: options.signal }))) {
      noteEvent(context.layout, { record, action: "kill", attributes: { signal: KILL } });
      await endNow(context, record.id);
    }
  }
  if (run !== null) {
    noteEnd(context.layout, record.id);
    noteEvent(context.layout, { record, action: "stop" });
  }
  await Promise.all([tidy(context, record.id), run === null ? null : context.syncNetwork()]);
  poke(context.layout);
  await portsReleased(run?.ports ?? []);
}

/** Sends a signal to a container's first process, and lets a paused one go on to hear it. Throws E_NOT_RUNNING. */
export async function killContainer(context: Context, { record }: Container, signal: string): Promise<void> {
  const run = liveRun(context.layout, record.id);
  if (run === null)
    throw new Failure({
      code: "E_NOT_RUNNING",
      message: `container ${record.name} is not running`,
      hint: "wharf ps -a shows what it does",
    });
  sendSignal(run, signal);
  noteEvent(context.layout, { record, action: "kill", attributes: { signal: String(signalNumber(signal) ?? signal) } });
  await thaw(context.layout, record.id);
  if (signal === "SIGKILL") await hasEnded({ run, withinMs: KILL_LIMIT, signal: AbortSignal.timeout(KILL_LIMIT) });
}

/** SIGKILL, and wait until it is gone. Nothing when it does not run. */
export async function endNow(context: Context, id: string): Promise<void> {
  const run = liveRun(context.layout, id);
  if (run === null) return;
  killIfThere(run.process.pid);
  await killCgroup(context.layout, id); // of those that share process numbers with others the first process takes nobody along
  await thaw(context.layout, id);
  if (!(await hasEnded({ run, withinMs: KILL_LIMIT, signal: AbortSignal.timeout(KILL_LIMIT) }))) {
    throw new Failure({
      code: "E_WILL_NOT_DIE",
      message: `process ${run.process.pid} of container ${id.slice(0, 12)} does not die of SIGKILL`,
      hint: "it waits inside the kernel, most often for a disk or a network file system",
    });
  }
}

/** Waits until a container has ended and its monitor wrote down how. `false`: the time ran out or the signal aborted. */
export async function hasEnded(wait: {
  readonly run: RunState;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}): Promise<boolean> {
  const { run } = wait;
  const deadline = Date.now() + wait.withinMs;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    // conmon writes the status and goes: its own end is the last thing that happens.
    if (!isAlive(run.process) && (run.conmon === null || !isAlive(run.conmon))) return true;
    if (Date.now() >= deadline || wait.signal.aborted) return false;
    await sleep(Math.min(pause, Math.max(1, deadline - Date.now())));
  }
}

function sendSignal(run: RunState, name: string): void {
  const number = signalNumber(name);
  if (number === null)
    throw new Failure({
      code: "E_SIGNAL_UNKNOWN",
      message: `there is no signal ${name}`,
      hint: "use a name such as SIGTERM, or a number from 1 to 64",
    });
  signalIfThere(run.process.pid, number);
}
