/** Containers that go when they have ended (`run --rm`), whose command is no longer there to see to that: detached, killed, or one that never waited. */
import { isAlive } from "../../lib/process-identity.ts";
import type { Context } from "./context.ts";
import type { Layout } from "./layout.ts";
import { type Container, findContainer, readStarting } from "./records.ts";
import { removeContainer } from "./remove.ts";
import { alone, isBeingRestarted } from "./restarts.ts";

/** Whether it is for whoever comes by to take it away now. */
export function isLeft(layout: Layout, { record, status }: Container): boolean {
  if (record.owner === undefined || status.state === "running" || isAlive(record.owner)) return false;
  const starting = readStarting(layout, record.id);
  return (starting === null || !isAlive(starting.owner)) && !isBeingRestarted(layout, record.id);
}

/** Removes such a container with its anonymous volumes, as it would have been. Throws LockHeld where a command has it in hand. */
export async function removeLeft(context: Context, id: string): Promise<void> {
  const { layout } = context;
  const found = findContainer(layout, id);
  if (found === null) return;
  const work = async (): Promise<void> => {
    const now = findContainer(layout, id);
    if (now !== null && isLeft(layout, now)) await removeContainer(context, now, { force: false, volumes: true });
  };
  await alone(layout, found.record, { purpose: `remove ${found.record.name}`, timeoutMs: 0, work });
}
