import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import type { ExecOptions } from "../../engine/engine.ts";
import { isAlive } from "../../lib/process-identity.ts";
import { Failure } from "../../model/diagnostic.ts";
import { execProcess } from "./bundle.ts";
import { type Context, runtimeOf } from "./context.ts";
import { noteEvent } from "./events.ts";
import { requireProgram } from "./executable.ts";
import { isFrozen } from "./freezer.ts";
import { bundleDirectory, rootfsDirectory } from "./layout.ts";
import { type Container, notRunning, runOf } from "./records.ts";
import { ociJson } from "./resources.ts";
import { bundleFile } from "./runtime.ts";

/** A further process of a container, ready to be begun by the runtime's `exec` with these words. `done` removes what was written for it. */
export interface PreparedExec {
  /** As events name it. */
  readonly id: string;
  readonly program: string;
  readonly words: readonly string[];
  readonly cwd: string;
  done(): Promise<void>;
}

/** Throws E_NOT_RUNNING, E_PAUSED, E_USER_UNKNOWN, E_COMMAND_NOT_FOUND, E_COMMAND_NOT_EXECUTABLE. */
export async function prepareExec(context: Context, container: Container, options: ExecOptions): Promise<PreparedExec> {
  const { layout } = context;
  const { record } = container;
  const run = runOf(layout, container);
  if (isFrozen(layout, record.id))
    throw new Failure({
      code: "E_PAUSED",
      message: `container ${record.name} is paused`,
      hint: `wharf unpause ${record.spec.service.name} lets it go on`,
    });
  const wanted = execProcess(context, record, { options, rootfs: rootfsDirectory(layout, record.id) });
  // As the container sees its files now, with everything that is mounted in it.
  const root = `/proc/${run.process.pid}/root`;
  try {
    requireProgram({ argv: wanted.args, env: wanted.env, cwd: wanted.cwd }, { name: record.name, root });
  } catch (error) {
    // A process that ends loses its files a moment before it is gone, and a policy may bring the container back as another one.
    throw isAlive(run.process) && existsSync(root) ? error : notRunning(record);
  }
  const id = randomBytes(32).toString("hex");
  const file = bundleFile(layout, record.id, `exec-${id}.json`);
  await writeFile(file, ociJson(wanted), { mode: 0o600 });
  const detach = options.detach ? ["--detach"] : [];
  for (const action of ["exec_create", "exec_start"])
    noteEvent(layout, { record, action: `${action}: ${options.argv.join(" ")}`, attributes: { execID: id } });
  return {
    id,
    program: runtimeOf(context, record).path,
    words: ["--root", layout.runtime, "--log", "/dev/null", "exec", "--process", file, ...detach, record.id],
    cwd: bundleDirectory(layout, record.id),
    done: () => rm(file, { force: true }),
  };
}

/**
 * Runs another process inside a running container, on the caller's own standard streams: the runtime itself keeps the terminal, its size and
 * its keys. Gives the exit status (126: not executable, 127: no such program, 128 + n: ended by signal n). Throws as `prepareExec`.
 */
export async function execIn(
  context: Context,
  container: Container,
  request: { readonly options: ExecOptions; readonly signal: AbortSignal },
): Promise<number> {
  const { options, signal } = request;
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

/** Writes down that a further process of a container is over. */
export function noteExecEnd(
  { layout }: Context,
  { record }: Container,
  { id, status }: { readonly id: string; readonly status: number },
): void {
  noteEvent(layout, { record, action: "exec_die", attributes: { execID: id, exitCode: String(status) } });
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
