/** What befell containers that nobody asked wharf for, as far as what is written of them tells. */
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerEvent } from "../../engine/events.ts";
import { bootId } from "../../lib/process-identity.ts";
import type { MissingContainer } from "../../model/observed.ts";
import type { Project } from "../../model/project.ts";
import { eventsWritten, noteGone, writtenProjects } from "./events.ts";
import { containerDirectory, type Layout } from "./layout.ts";
import { allRecords, type Container, starvedAt } from "./records.ts";

/** Exit statuses above it are of programs that a signal ended. */
const SIGNALLED = 128;

/** How a container ended, in words, where it was made to and nobody asked for that; `null` elsewhere. */
export function unaskedEnd(layout: Layout, { record, status }: Container): string | null {
  if (status.state !== "exited" || record.spec.oneOff) return null;
  const { run, exitCode, seen } = status;
  if (seen && exitCode <= SIGNALLED) return null;
  const asked = eventsWritten(layout, record.spec.project).some(
    ({ id, action, time, attributes }) =>
      id === record.id &&
      time >= run.startedAt &&
      (action === "stop" || (action === "kill" && (!seen || attributes["signal"] === String(exitCode - SIGNALLED)))), // HUP asks for no end
  );
  if (asked) return null;
  if (starvedAt(layout, record.id) !== null) return "it was killed when its memory ran out";
  if (seen) return `it was killed by signal ${exitCode - SIGNALLED}`;
  return run.process.boot === bootId() ? "it was killed, its monitor too" : "it ended with the machine";
}

/**
 * Containers of a project that were made and are gone without having been removed. Looked for only where one may be missed: there are fewer of a
 * service than it shall have, or none is to be left.
 */
export function missingContainers(layout: Layout, project: Project, own: readonly Container[]): readonly MissingContainer[] {
  const isShort = project.services.some(
    ({ name, scale }) => own.filter(({ record: { spec } }) => spec.service.name === name && !spec.oneOff).length < scale,
  );
  const there = new Set(own.map(({ record }) => record.name));
  return isShort || project.services.length === 0
    ? goneOf(layout, project.name).flatMap(({ attributes: { name = "" }, service }) => (there.has(name) ? [] : [{ name, service }]))
    : [];
}

/** Lets one that is gone be forgotten. `false`: none of this name is known to be gone. */
export function forgetMissing(layout: Layout, name: string): boolean {
  for (const project of writtenProjects(layout)) {
    const gone = goneOf(layout, project).find(({ attributes }) => attributes["name"] === name);
    if (gone === undefined) continue;
    noteGone(layout, project, gone);
    return true;
  }
  return false;
}

/** Removes what monitors wrote of the ends of containers that are gone. */
export async function sweepExits(layout: Layout): Promise<void> {
  for (const id of await readdir(layout.exits))
    if (/^[0-9a-f]{64}$/.test(id) && !existsSync(containerDirectory(layout, id))) await rm(join(layout.exits, id), { force: true });
}

/** The creations, by the names that they have now, of containers that nobody removed and that are not there. */
function goneOf(layout: Layout, project: string): readonly ContainerEvent[] {
  const made = new Map<string, ContainerEvent>();
  for (const event of eventsWritten(layout, project)) {
    const { id, action, attributes } = event;
    if (action === "destroy") made.delete(id);
    else if (action === "create" || (action === "rename" && made.has(id))) {
      // Who has a name now is the one that counts for it.
      for (const [other, { attributes: had }] of made) if (had["name"] === attributes["name"]) made.delete(other);
      made.set(id, event);
    }
  }
  const there = new Set(allRecords(layout).map(({ id }) => id));
  return [...made.values()].filter(({ id }) => !there.has(id));
}
