import { Failure } from "../../model/diagnostic.ts";
import type { Context } from "./context.ts";
import { freeze, thaw } from "./freezer.ts";
import { type Container, liveRun } from "./records.ts";

/** Holds every process of a container still. Throws E_NOT_RUNNING, E_UNSUPPORTED, E_WILL_NOT_FREEZE. */
export async function pauseContainer(context: Context, container: Container): Promise<void> {
  mustRun(context, container);
  await freeze(container.record.id);
}

/** Lets a paused container go on. Throws E_NOT_RUNNING. */
export async function unpauseContainer(context: Context, container: Container): Promise<void> {
  mustRun(context, container);
  await thaw(container.record.id);
}

function mustRun({ layout }: Context, { record }: Container): void {
  if (liveRun(layout, record.id) === null)
    throw new Failure({
      code: "E_NOT_RUNNING",
      message: `container ${record.name} is not running`,
      hint: `wharf start ${record.spec.service.name} starts it`,
    });
}
