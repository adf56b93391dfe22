import { setTimeout as sleep } from "node:timers/promises";
import type { LogLine } from "../../engine/engine.ts";

/** What stands in for a program: a function that prints, listens to signals, and gives an exit status in the end. */
export type Program = (call: ProgramCall) => Promise<number>;

export interface ProgramCall {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Lines end with a newline; what comes after the last one is a line that is not complete. */
  print(stream: LogLine["stream"], text: string): void;
  /** Told of each signal that is sent, by its name with `SIG`; of SIGKILL nobody is. */
  onSignal(listener: (signal: string) => void): void;
  /** Aborts when it has ended, killed or not: what it still waits for is for nothing. */
  readonly over: AbortSignal;
}

/** A program at work. */
export interface Run {
  /** Its exit status, once it has ended and `onEnd` has heard of it. */
  readonly ended: Promise<number>;
  /** SIGKILL ends it whatever it does. */
  send(signal: string): void;
}

export interface RunOptions {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  print(stream: LogLine["stream"], text: string): void;
  onEnd(status: number): void;
}

const KILLED = 137;
/** Timers take no more. */
const LONGEST_MS = 2 ** 31 - 1;

export function runProgram(program: Program, { argv, env, print, onEnd }: RunOptions): Run {
  const over = new AbortController();
  const listeners: ((signal: string) => void)[] = [];
  const killed = new Promise<number>((resolve) => over.signal.addEventListener("abort", () => resolve(KILLED), { once: true }));
  const call: ProgramCall = {
    argv,
    env,
    print: (stream, text) => {
      if (!over.signal.aborted) print(stream, text);
    },
    onSignal: (listener) => void listeners.push(listener),
    over: over.signal,
  };
  const played = program(call).catch((error: unknown) => {
    call.print("stderr", `${error instanceof Error ? error.message : error}\n`);
    return 1;
  });
  const ended = Promise.race([killed, played]).then((status) => {
    onEnd(status);
    over.abort();
    return status;
  });
  return {
    ended,
    send: (signal) => {
      if (signal === "SIGKILL") over.abort();
      else for (const listener of listeners) listener(signal);
    },
  };
}

/** Asks a program to end, and kills it when the time is over or the signal aborts. */
export async function stopRun(
  run: Run,
  { stopSignal, graceMs, signal }: { readonly stopSignal: string; readonly graceMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const over = new AbortController();
  run.send(stopSignal);
  const patience = sleep(Math.min(graceMs, LONGEST_MS), null, { signal: AbortSignal.any([signal, over.signal]) }).catch(() => null);
  const status = await Promise.race([run.ended, patience]);
  over.abort();
  if (status !== null) return;
  run.send("SIGKILL");
  await run.ended;
}
