/** A further process of a container at a terminal that its own monitor keeps: it goes on when the caller leaves, whether on purpose or not. */
import { mkdir, rm } from "node:fs/promises";
import type { ExecOptions } from "../../engine/engine.ts";
import { isAlive } from "../../lib/process-identity.ts";
import { Attachment } from "./attach.ts";
import { monitorExec } from "./conmon.ts";
import { type Context, runtimeOf } from "./context.ts";
import { noteEvent } from "./events.ts";
import { noteExecEnd, prepareExec } from "./prepared-exec.ts";
import type { Container } from "./records.ts";
import { bundleFile, signalIfThere } from "./runtime.ts";

/** What a program is told when whoever ran it is gone, as the kernel tells it of a terminal. */
const HANGUP = 1;

/** As `execIn`. An abort ends it as the end of a terminal would. */
export async function execAtTerminal(
  context: Context,
  container: Container,
  { options, signal }: { readonly options: ExecOptions; readonly signal: AbortSignal },
): Promise<number | null> {
  const { layout } = context;
  const { record } = container;
  const { stdin, stdout, stderr } = process;
  const consoleSize = stdout.isTTY ? { consoleSize: { height: stdout.rows, width: stdout.columns } } : {};
  const prepared = await prepareExec(context, container, { ...options, ...consoleSize });
  // Short: the path of a socket must stay below 108 bytes.
  const directory = bundleFile(layout, record.id, `e${prepared.id.slice(0, 12)}`);
  let isLeft = false;
  try {
    await mkdir(directory, { mode: 0o700 });
    const monitored = await monitorExec(layout, runtimeOf(context, record), {
      id: record.id,
      name: record.name,
      directory,
      file: prepared.file,
      program: context.tools().conmon,
      exitCommand: ["/bin/rm", "-rf", directory, prepared.file],
    });
    const attachment = new Attachment(directory);
    try {
      const begun = await monitored.begin();
      const hangUp = (): void => {
        if (begun !== null && isAlive(begun)) signalIfThere(begun.pid, HANGUP);
      };
      signal.addEventListener("abort", hangUp, { once: true });
      if (signal.aborted) hangUp();
      const end = await attachment.copy(
        { stdin, stdout, stderr },
        { tty: true, stdin: true, detachKeys: options.detachKeys ?? [], redraw: false, signal },
      );
      signal.removeEventListener("abort", hangUp);
      isLeft = end === "detached" || signal.aborted;
      signal.throwIfAborted();
      if (end === "detached") {
        noteEvent(layout, { record, action: "exec_detach", attributes: { execID: prepared.id } });
        return null;
      }
      const status = await monitored.ended();
      noteExecEnd(context, container, { id: prepared.id, status });
      return status;
    } finally {
      attachment.close();
      monitored.leave();
    }
  } finally {
    if (!isLeft) await Promise.all([prepared.done(), rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 10 })]);
  }
}
