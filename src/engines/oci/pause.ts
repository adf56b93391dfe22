import type { Context } from "./context.ts";
import { noteEvent } from "./events.ts";
import { freeze, thaw } from "./freezer.ts";
import { forgetIntent } from "./intents.ts";
import { type Container, runOf } from "./records.ts";

/** Holds every process of a container still. Throws E_NOT_RUNNING, E_UNSUPPORTED, E_WILL_NOT_FREEZE. */
export async function pauseContainer(context: Context, container: Container): Promise<void> {
  runOf(context.layout, container);
  await forgetIntent(context.layout, container.record.id, "held"); // it stays so
  await freeze(context.layout, container.record.id);
  noteEvent(context.layout, { record: container.record, action: "pause" });
}

/** Lets a paused container go on. Throws E_NOT_RUNNING. */
export async function unpauseContainer(context: Context, container: Container): Promise<void> {
  runOf(context.layout, container);
  await thaw(context.layout, container.record.id);
  await forgetIntent(context.layout, container.record.id, "held");
  noteEvent(context.layout, { record: container.record, action: "unpause" });
}
