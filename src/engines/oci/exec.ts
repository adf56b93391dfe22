import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import type { ExecOptions } from "../../engine/engine.ts";
import { Failure } from "../../model/diagnostic.ts";
import { execProcess } from "./bundle.ts";
import { type Context, runtimeOf } from "./context.ts";
import { requireProgram } from "./executable.ts";
import { isFrozen } from "./freezer.ts";
import { bundleDirectory, rootfsDirectory } from "./layout.ts";
import { type Container, runOf } from "./records.ts";
import { ociJson } from "./resources.ts";
import { bundleFile } from "./runtime.ts";

/**
 * Runs another process inside a running container, on the caller's own standard streams: the runtime itself keeps the terminal, its size and
 * its keys. Gives the exit status (126: not executable, 127: no such program, 128 + n: ended by signal n). Throws E_NOT_RUNNING, E_PAUSED, E_USER_UNKNOWN.
 */
export async function execIn(
  context: Context,
  container: Container,
  request: { readonly options: ExecOptions; readonly signal: AbortSignal },
): Promise<number> {
  const { layout } = context;
  const { record } = container;
  const { options, signal } = request;
  const run = runOf(layout, container);
  if (isFrozen(record.id))
    throw new Failure({
      code: "E_PAUSED",
      message: `container ${record.name} is paused`,
      hint: `wharf unpause ${record.spec.service.name} lets it go on`,
    });
  const wanted = execProcess(context, record, { options, rootfs: rootfsDirectory(layout, record.id) });
  // As the container sees its files now, with everything that is mounted in it.
  const root = `/proc/${run.process.pid}/root`;
  requireProgram({ argv: wanted.args, env: wanted.env, cwd: wanted.cwd }, { name: record.name, root });
  const file = bundleFile(layout, record.id, `exec-${randomUUID()}.json`);
  await writeFile(file, ociJson(wanted), { mode: 0o600 });
  try {
    const words = [
      "--root",
      layout.runtime,
      "--log",
      "/dev/null",
      "exec",
      "--process",
      file,
      ...(options.detach ? ["--detach"] : []),
      record.id,
    ];
    const child = spawn(runtimeOf(context, record).path, words, {
      cwd: bundleDirectory(layout, record.id),
      // One that nobody waits for must not hold the caller's streams: whoever reads them would wait for its end.
      stdio: options.detach ? "ignore" : [options.stdin ? "inherit" : "ignore", "inherit", "inherit"],
    });
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
  } finally {
    await rm(file, { force: true });
  }
}
