import { type SpawnOptions, spawn } from "node:child_process";

export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A child that ended with another status than 0. */
export class ChildFailure extends Error {
  readonly status: number;
  readonly stderr: string;

  constructor(command: string, finished: Finished) {
    super(`${command} ended with ${finished.status}: ${finished.stderr.trim() || finished.stdout.trim() || "no output"}`);
    this.name = "ChildFailure";
    this.status = finished.status;
    this.stderr = finished.stderr.trim();
  }
}

/**
 * Runs a program and collects what it prints. Never through a shell. A status other than 0 is not an error here.
 * Throws node's spawn error (`ENOENT`: no such program). A child ended by a signal has status 128 + its number.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const spawnOptions: SpawnOptions = { stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"] };
    if (options.cwd !== undefined) spawnOptions.cwd = options.cwd;
    if (options.env !== undefined) spawnOptions.env = options.env;
    if (options.signal !== undefined) spawnOptions.signal = options.signal;
    const child = spawn(command, args, spawnOptions);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const status = code ?? 128 + (signal === null ? 0 : (SIGNALS[signal] ?? 0));
      resolve({ status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
    // A program that ends without reading its input is judged by its status, not by the broken pipe.
    child.stdin?.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") reject(error);
    });
    if (options.input !== undefined) child.stdin?.end(options.input);
  });
}

/** As `run`, but a status other than 0 throws `ChildFailure`. Gives standard output. */
export async function runOk(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const finished = await run(command, args, options);
  if (finished.status !== 0) throw new ChildFailure(command, finished);
  return finished.stdout;
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** Start time of a process in clock ticks since boot (field 22 of its stat), or `null` when there is none (a zombie counts as none). */
export function startTimeOf(stat: string): string | null {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return null;
  return fields[19] ?? null;
}
