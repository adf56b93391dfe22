// <container>/stopped   the run (its `startedAt`) that was told to end, as text
import { join } from "node:path";
import { writeAtomic } from "../../lib/atomic-file.ts";
import { readText } from "../../lib/written.ts";
import { fullDisk } from "../../model/diagnostic.ts";
import { containerDirectory, type Layout } from "./layout.ts";
import type { Container, RunState } from "./records.ts";

/**
 * Remembers that a run is told to end: what it ends with says nothing of its work then. To be called before it is told. Not where the disk is full:
 * it is told all the same.
 */
export async function noteStop(layout: Layout, id: string, { startedAt }: RunState): Promise<void> {
  try {
    await writeAtomic(fileOf(layout, id), startedAt, { durable: false });
  } catch (error) {
    if (fullDisk(error) === null) throw error;
  }
}

/** Whether the last run of a container was told to end. */
export function wasStopped(layout: Layout, { record, status }: Container): boolean {
  return status.state === "exited" && readText(fileOf(layout, record.id)) === status.run.startedAt;
}

const fileOf = (layout: Layout, id: string): string => join(containerDirectory(layout, id), "stopped");
