/** Runs test files in a process of their own, to its end or for as long as it may, and sweeps after it. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DIARY_ENV } from "../../test/support/diary.ts";
import { sweepAfter } from "../../test/support/leftovers.ts";
import { type Report, readReport } from "./uvu-report.ts";

export interface RunOptions {
  /** Wall clock, in milliseconds. */
  readonly timeoutMs: number;
  /** Ends it earlier. */
  readonly signal: AbortSignal;
  /** Beside this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What became of the process: its report, or why there is none. */
export interface Result {
  readonly report: Report | null;
  readonly problem: string | null;
  readonly output: string;
  /** Names of what it left of worlds that it did not end itself, which is gone now. */
  readonly swept: readonly string[];
  readonly ms: number;
}

/** For how long the last words of a process that was killed are read. */
const OUTPUT_MS = 1000;

const ROOT = join(import.meta.dirname, "..", "..");

export async function runFiles(files: readonly string[], { timeoutMs, signal, env = {} }: RunOptions): Promise<Result> {
  const started = performance.now();
  const directory = await mkdtemp(join(tmpdir(), "wharf-diary-"));
  try {
    const diary = join(directory, "diary");
    const child = spawn(process.execPath, ["--import", "tsx", "scripts/lib/uvu-batch.ts", ...files], {
      cwd: ROOT,
      detached: true, // leads a process group, so that all of it can be ended
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, FORCE_COLOR: "0", ...env, [DIARY_ENV]: diary },
    });
    const { output, ended, wasKilled } = await follow(child, timeoutMs, signal);
    const report = readReport(output, files);
    const swept = existsSync(diary) ? await sweepAfter(readFileSync(diary, "utf8")) : [];
    const late = signal.aborted ? "interrupted" : `not done after ${timeoutMs / 1000} s`;
    return { report, problem: wasKilled ? late : problemOf(report, ended), output, swept, ms: performance.now() - started };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Followed {
  readonly output: string;
  readonly ended: string;
  readonly wasKilled: boolean;
}

/** Collects what a process prints until it ends; ends it with all its children when its time is over. */
async function follow(child: ChildProcess, timeoutMs: number, signal: AbortSignal): Promise<Followed> {
  let output = "";
  const streams = [child.stdout, child.stderr];
  for (const stream of streams) stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
  let wasKilled = false;
  const kill = (): void => {
    wasKilled = true;
    endGroup(child.pid);
    // What left its group may hold its output open until it is swept.
    setTimeout(() => {
      for (const stream of streams) stream?.destroy();
    }, OUTPUT_MS).unref();
  };
  const clock = setTimeout(kill, timeoutMs);
  if (signal.aborted) kill();
  signal.addEventListener("abort", kill, { once: true });
  const [status, by]: [number | null, NodeJS.Signals | null] = await closed(child);
  clearTimeout(clock);
  signal.removeEventListener("abort", kill);
  return { output, ended: by === null ? `ended with ${status}` : `ended by ${by}`, wasKilled };
}

function closed(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve([status, signal]));
  });
}

function problemOf(report: Report | null, ended: string): string | null {
  if (report === null) return `${ended} before its end`;
  if (report.empty.length > 0) return `runs no test: ${report.empty.join(", ")}`;
  return ended !== "ended with 0" && report.failed === 0 ? ended : null;
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error; // it has just ended
  }
}
