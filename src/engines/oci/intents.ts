// <container>/restarting   the command that has stopped it, or is about to, and will start it again
// <container>/held         the command that has paused it, or is about to, and will let it go on
/** What a command means to do to a container once it has done something else to it first: written down before that, for when it is killed in between. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomic } from "../../lib/atomic-file.ts";
import { identify, isAlive, type ProcessIdentity } from "../../lib/process-identity.ts";
import { readJson } from "../../lib/written.ts";
import { containerDirectory, type Layout } from "./layout.ts";
import { type Container, statusOf } from "./records.ts";

export type Intent = "restarting" | "held";

/** As it is written. */
interface Noted extends ProcessIdentity {
  /** The run that it found (its `startedAt`), `null`: none. With another one both halves are done. */
  readonly run: string | null;
}

/** Does both: whatever comes of it, nothing is left to be done by others. */
export async function intending<T>(
  layout: Layout,
  { id, intent }: { readonly id: string; readonly intent: Intent },
  work: () => Promise<T>,
): Promise<T> {
  const status = statusOf(layout, id);
  const noted = { ...identify(process.pid), run: status.state === "created" ? null : status.run.startedAt };
  await writeAtomic(fileOf(layout, id, intent), JSON.stringify(noted), { durable: false });
  try {
    return await work();
  } finally {
    await forgetIntent(layout, id, intent);
  }
}

/** Somebody has said otherwise since, or has done it. */
export async function forgetIntent(layout: Layout, id: string, intent: Intent): Promise<void> {
  await rm(fileOf(layout, id, intent), { force: true });
}

/** Whether the command that meant to do it was killed before it could. */
export function isBrokenOff(layout: Layout, { record, status }: Container, intent: Intent): boolean {
  const noted = readJson<Noted>(fileOf(layout, record.id, intent));
  if (noted === null || isAlive(noted)) return false;
  return status.state === "created" || status.run.startedAt === noted.run;
}

const fileOf = (layout: Layout, id: string, intent: Intent): string => join(containerDirectory(layout, id), intent);
