import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../model/diagnostic.ts";
import type { Hook } from "../../model/service.ts";
import type { Context } from "./context.ts";
import { statusOf } from "./exec.ts";
import { noteExecEnd, prepareExec } from "./prepared-exec.ts";
import { type Container, type ContainerRecord, liveRun } from "./records.ts";

export interface HookRequest {
  readonly when: "post_start" | "pre_stop";
  readonly hook: Hook;
  readonly signal: AbortSignal;
  /** Told each line that it prints. */
  readonly note: (line: string) => void;
}

/** Lines that are told of one hook; what it prints beyond is dropped. */
const LINE_LIMIT = 200;
const LENGTH_LIMIT = 500;
const DRAIN_MS = 300;

/** Runs a service's hook in a container to its end. Throws E_HOOK when it does not end well, and what `exec` throws. */
export async function runHook(context: Context, container: Container, { when, hook, signal, note }: HookRequest): Promise<void> {
  const { record } = container;
  const isOver = (): boolean => liveRun(context.layout, record.id) === null;
  if (isOver()) return tooLate(record, when);
  const { command: argv, environment: env, user, workingDir, privileged } = hook;
  const options = { argv, env, user, workingDir, privileged, tty: false, stdin: false, detach: false };
  const prepared = await prepareExec(context, container, options).catch((error: unknown) => {
    if (isOver()) return null;
    throw error;
  });
  if (prepared === null) return tooLate(record, when);
  const printed: string[] = [];
  try {
    const child = spawn(prepared.program, prepared.words, { cwd: prepared.cwd, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) listen(stream, (line) => printed.push(line) <= LINE_LIMIT && note(line));
    const closed = new Promise((resolve) => child.once("close", resolve));
    const status = await statusOf(child, signal);
    noteExecEnd(context, container, { id: prepared.id, status });
    // What it left running may hold its output for ever.
    await Promise.race([closed, sleep(DRAIN_MS)]);
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
    signal.throwIfAborted();
    if (status === 0) return;
    if (isOver() && (when === "pre_stop" || printed.length === 0)) return tooLate(record, when);
    const last = printed.at(-1);
    const said = last === undefined ? "" : `: ${last}`;
    throw new Failure({
      code: "E_HOOK",
      // In Compose's words first, which scripts look for.
      message: `${record.spec.service.name} hook exited with status ${status}${said} (${when} ${JSON.stringify(argv.join(" "))} in ${record.name})`,
      hint: when === "pre_stop" ? `wharf kill ${record.spec.service.name} ends it without asking` : "the container runs on",
    });
  } finally {
    await prepared.done();
  }
}

/** A container that has ended by itself is as `pre_stop` wants it, not as `post_start` does. */
function tooLate({ name, spec }: ContainerRecord, when: HookRequest["when"]): void {
  if (when === "pre_stop") return;
  throw new Failure({
    code: "E_HOOK",
    message: `${name} ended before its post_start hook could run to its end`,
    hint: `wharf logs ${spec.service.name} shows what it printed`,
  });
}

function listen(stream: Readable, told: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => told(line.slice(0, LENGTH_LIMIT)));
}
