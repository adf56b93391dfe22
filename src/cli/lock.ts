/** Pinning the images of a project to what their names stand for. */
import { join } from "node:path";
import { writeAtomic } from "../lib/atomic-file.ts";
import { together } from "../lib/together.ts";
import { familiar, type Reference } from "../model/reference.ts";
import { plural } from "../ui/text.ts";
import { LOCK_FILE, type Lock, lockText, readLock } from "./lock-file.ts";
import type { Session } from "./session.ts";
import { refuseUnknown } from "./up.ts";

/** Names that registries are asked for at once. */
const AT_ONCE = 8;

export interface LockOptions {
  /** With `update`: only the images of these services; none means all. */
  readonly services: readonly string[];
  /** Ask for all images again, not only for those that are not pinned yet. */
  readonly update: boolean;
  /** Only say what is newer or not pinned. */
  readonly check: boolean;
}

/** Writes the lock file, or says with `check` what it would change; gives 1 then where that is something. */
export async function lock(session: Session, { services, update, check }: LockOptions): Promise<number> {
  const { project } = await session.load();
  refuseUnknown(project, services);
  const path = join(project.directory, LOCK_FILE);
  const before = (await readLock(path)) ?? new Map<Reference, string>();
  const names = [...new Set(project.services.flatMap(({ image }) => (image.includes("@") ? [] : [image])))];
  const meant = new Set(project.services.flatMap(({ name, image }) => (services.length === 0 || services.includes(name) ? [image] : [])));
  const asked = names.filter((image) => !before.has(image) || ((update || check) && meant.has(image)));
  const found = await resolveAll(session, asked);
  const after = new Map(names.map((image) => [image, found.get(image) ?? before.get(image) ?? ""]));
  const lines = changes(before, after);
  if (check) {
    for (const line of lines) session.out.line(line);
    if (lines.length === 0) session.say(`${LOCK_FILE} holds: ${plural(names.length, "image")}`);
    return lines.length === 0 ? 0 : 1;
  }
  for (const line of lines) session.say(line);
  if (lines.length > 0 || before.size !== after.size) await writeAtomic(path, lockText(after), { mode: 0o644 });
  session.say(`${LOCK_FILE}: ${plural(after.size, "image")} pinned, ${lines.length === 0 ? "nothing new" : `${lines.length} changed`}`);
  return 0;
}

async function resolveAll(session: Session, wanted: readonly Reference[]): Promise<ReadonlyMap<Reference, string>> {
  const { images } = await session.engine();
  const found = new Map<Reference, string>();
  await together(wanted, { limit: AT_ONCE, signal: session.signal }, async (reference, both) => {
    found.set(reference, await images.resolve(reference, both));
  });
  return found;
}

function changes(before: Lock, after: Lock): readonly string[] {
  const lines: string[] = [];
  for (const [image, digest] of after) {
    const was = before.get(image);
    if (was === undefined) lines.push(`+ ${familiar(image)} ${digest}`);
    else if (was !== digest) lines.push(`~ ${familiar(image)} ${was} -> ${digest}`);
  }
  for (const image of before.keys()) if (!after.has(image)) lines.push(`- ${familiar(image)}`);
  return lines;
}
