import type { AttachOptions } from "../../engine/engine.ts";
import { attachedStartAsked } from "./asked.ts";
import { Attachment, type CopyOptions } from "./attach.ts";
import type { Context } from "./context.ts";
import { type Container, runOf } from "./records.ts";

export interface AttachRequest {
  readonly options: AttachOptions;
  readonly signal: AbortSignal;
  /** Gives the exit status once the container has ended. */
  readonly wait: () => Promise<number>;
}

/** Attached runs go through conmon as every other container does, so that losing the caller loses nothing. `null`: the caller detached. */
export async function runAttached(context: Context, container: Container, request: AttachRequest): Promise<number | null> {
  const attachment = await attachedStartAsked(context, container);
  return attachment === null ? request.wait() : follow(attachment, { ...request, redraw: false });
}

/** Connects the caller to a container that runs. Throws E_NOT_RUNNING. */
export async function attachTo({ layout }: Context, container: Container, request: AttachRequest): Promise<number | null> {
  runOf(layout, container);
  return follow(new Attachment(layout, container.record.id), { ...request, redraw: true });
}

async function follow(
  attachment: Attachment,
  { options, signal, wait, redraw }: AttachRequest & Pick<CopyOptions, "redraw">,
): Promise<number | null> {
  const { stdin, stdout, stderr } = process;
  const end = await attachment.copy({ stdin, stdout, stderr }, { ...options, signal, redraw });
  if (end === "detached") return null;
  signal.throwIfAborted();
  return wait();
}
