import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { ExecOptions } from "../../engine/engine.ts";
import type { Context } from "./context.ts";
import { execAtTerminal } from "./exec-terminal.ts";
import { noteExecEnd, prepareExec } from "./prepared-exec.ts";
import type { Container } from "./records.ts";

/**
 * Runs another process inside a running container, on the caller's own standard streams: no byte passes through this process, but at a terminal,
 * which has to outlive the caller. Gives the exit status (126: not executable, 127: no such program, 128 + n: ended by signal n), or `null`: the
 * caller detached. Throws as `prepareExec`.
 */
export async function execIn(
  context: Context,
  container: Container,
  request: { readonly options: ExecOptions; readonly signal: AbortSignal },
): Promise<number | null> {
  const { options, signal } = request;
  if (options.tty && options.stdin && !options.detach) return execAtTerminal(context, container, { options, signal });
  const prepared = await prepareExec(context, container, options);
  try {
    const child = spawn(prepared.program, prepared.words, {
      cwd: prepared.cwd,
      // One that nobody waits for must not hold the caller's streams: whoever reads them would wait for its end.
      stdio: options.detach ? "ignore" : [options.stdin ? "inherit" : "ignore", "inherit", "inherit"],
    });
    const status = await statusOf(child, signal);
    if (!options.detach) noteExecEnd(context, container, { id: prepared.id, status });
    return status;
  } finally {
    await prepared.done();
  }
}

/** How a child ended, as a shell has it. An abort ends it. */
export async function statusOf(child: ChildProcess, signal: AbortSignal): Promise<number> {
  const abort = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, by) => resolve(code ?? 128 + (by === null ? 0 : constants.signals[by])));
    });
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
