/**
 * Going through a tree of files that somebody else changes meanwhile: every step leads from one open directory to the next and follows no link,
 * so that what is swapped in cannot lead elsewhere. Names are latin1 text, one character a byte.
 */
import { closeSync, constants, fstatSync, openSync, type Stats } from "node:fs";

/** Not among node's constants; the same on every architecture that node runs on. */
const O_PATH = 0o10000000;

/** Something open, as a place only: it can be looked at and stepped from, not read. */
export interface Spot {
  readonly descriptor: number;
  readonly stats: Stats;
}

/** A path to a name in an open directory; without a name, to the directory itself. */
export function inside(directory: number, name?: string): Buffer {
  return Buffer.from(name === undefined ? `/proc/self/fd/${directory}` : `/proc/self/fd/${directory}/${name}`, "latin1");
}

/** What has a name in a directory, links not followed; `null`: nothing. To be closed with `leave`. */
export function enter(directory: number, name: string): Spot | null {
  try {
    const descriptor = openSync(inside(directory, name), O_PATH | constants.O_NOFOLLOW);
    return { descriptor, stats: fstatSync(descriptor) };
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

export function leave({ descriptor }: Pick<Spot, "descriptor">): void {
  closeSync(descriptor);
}

/** Whether an error says that there is nothing, or something else than a moment ago. */
export function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR" || code === "ESTALE";
}
