import type { AttachOptions } from "../../engine/engine.ts";
import { attachedStartAsked } from "./asked.ts";
import { Attachment, type CopyOptions } from "./attach.ts";
import type { Context } from "./context.ts";
import { noteEvent } from "./events.ts";
import { bundleDirectory, type Layout } from "./layout.ts";
import { type Container, type ContainerRecord, runOf } from "./records.ts";

export interface AttachRequest {
  readonly options: AttachOptions;
  readonly signal: AbortSignal;
  /** Gives the exit status once the container has ended. */
  readonly wait: () => Promise<number>;
}

/** Attached runs go through conmon as every other container does, so that losing the caller loses nothing. `null`: the caller detached. */
export async function runAttached(context: Context, container: Container, request: AttachRequest): Promise<number | null> {
  const attachment = await attachedStartAsked(context, container);
  if (attachment === null) return request.wait();
  return follow({ attachment, layout: context.layout, record: container.record }, { ...request, redraw: false });
}

/** Connects the caller to a container that runs. Throws E_NOT_RUNNING. */
export async function attachTo({ layout }: Context, container: Container, request: AttachRequest): Promise<number | null> {
  runOf(layout, container);
  const { record } = container;
  return follow({ attachment: new Attachment(bundleDirectory(layout, record.id)), layout, record }, { ...request, redraw: true });
}

async function follow(
  { attachment, layout, record }: { readonly attachment: Attachment; readonly layout: Layout; readonly record: ContainerRecord },
  { options, signal, wait, redraw }: AttachRequest & Pick<CopyOptions, "redraw">,
): Promise<number | null> {
  const { stdin, stdout, stderr } = process;
  noteEvent(layout, { record, action: "attach" });
  const end = await attachment.copy({ stdin, stdout, stderr }, { ...options, signal, redraw });
  if (end === "detached") {
    noteEvent(layout, { record, action: "detach" });
    return null;
  }
  signal.throwIfAborted();
  return wait();
}
