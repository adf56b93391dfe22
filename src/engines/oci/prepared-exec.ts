/** Further processes of a container, made ready to be begun. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import type { ExecOptions } from "../../engine/engine.ts";
import { isAlive } from "../../lib/process-identity.ts";
import { Failure } from "../../model/diagnostic.ts";
import { execProcess, execWords } from "./bundle.ts";
import { type Context, runtimeOf } from "./context.ts";
import { noteEvent } from "./events.ts";
import { requireProgram } from "./executable.ts";
import { isFrozen } from "./freezer.ts";
import { bundleDirectory, rootfsDirectory } from "./layout.ts";
import type { OciProcess } from "./oci-spec.ts";
import { type Container, notRunning, runOf } from "./records.ts";
import { ociJson } from "./resources.ts";
import { bundleFile } from "./runtime.ts";

/** A further process of a container, ready to be begun by the runtime's `exec` with these words. `done` removes what was written for it. */
export interface PreparedExec {
  /** As events name it. */
  readonly id: string;
  /** What the runtime reads. */
  readonly file: string;
  readonly program: string;
  readonly words: readonly string[];
  readonly cwd: string;
  done(): Promise<void>;
}

/** Throws E_NOT_RUNNING, E_PAUSED, E_USER_UNKNOWN, E_COMMAND_NOT_FOUND, E_COMMAND_NOT_EXECUTABLE. */
export async function prepareExec(
  context: Context,
  container: Container,
  options: ExecOptions & Pick<OciProcess, "consoleSize">,
): Promise<PreparedExec> {
  const { layout } = context;
  const { record } = container;
  const run = runOf(layout, container);
  if (isFrozen(layout, record.id))
    throw new Failure({
      code: "E_PAUSED",
      message: `container ${record.name} is paused`,
      hint: `wharf unpause ${record.spec.service.name} lets it go on`,
    });
  const { consoleSize } = options;
  const process = execProcess(context, record, { options, rootfs: rootfsDirectory(layout, record.id) });
  const wanted = { ...process, ...(consoleSize === undefined ? {} : { consoleSize }) };
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
  for (const action of ["exec_create", "exec_start"])
    noteEvent(layout, { record, action: `${action}: ${options.argv.join(" ")}`, attributes: { execID: id } });
  return {
    id,
    file,
    program: runtimeOf(context, record).path,
    words: execWords(layout, record.id, { file, flags: options.detach ? ["--detach"] : [] }),
    cwd: bundleDirectory(layout, record.id),
    done: () => rm(file, { force: true }),
  };
}

/** Writes down that a further process of a container is over. */
export function noteExecEnd(
  { layout }: Context,
  { record }: Container,
  { id, status }: { readonly id: string; readonly status: number },
): void {
  noteEvent(layout, { record, action: "exec_die", attributes: { execID: id, exitCode: String(status) } });
}
