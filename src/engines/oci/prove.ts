import { Failure } from "../../model/diagnostic.ts";
import type { Context } from "./context.ts";
import { type Container, statusOf } from "./records.ts";
import { hasEnded } from "./stop.ts";

/** Watches a container that was just started for `monitorMs`: it must run on, or end with 0. Throws E_NOT_STEADY. */
export async function proveContainer(
  { layout }: Context,
  { record }: Container,
  { monitorMs, signal }: { readonly monitorMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const status = statusOf(layout, record.id);
  if (status.state === "running" && !(await hasEnded({ run: status.run, withinMs: monitorMs, signal }))) return signal.throwIfAborted();
  const ended = statusOf(layout, record.id);
  if (ended.state === "exited" && ended.exitCode === 0) return;
  throw new Failure({
    code: "E_NOT_STEADY",
    message:
      ended.state === "exited"
        ? `the new container of service ${record.spec.service.name} ended with ${ended.exitCode} at once`
        : `the new container of service ${record.spec.service.name} ended at once${ended.state === "running" ? ", and was started again" : ""}`,
  });
}
