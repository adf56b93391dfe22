/** The files of a container's output: the one that its monitor writes, and those that were put aside, `log.1` the newest of them. */
import { closeSync, constants, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { containerDirectory, type Layout } from "./layout.ts";
import { bundleFile } from "./runtime.ts";

export interface LogFile {
  readonly path: string;
  /** Tells a file from another one that has its name now. */
  readonly inode: number;
}

/** Those there are, the oldest first. None: it never wrote, or it was removed. */
export function logFiles(layout: Layout, id: string): readonly LogFile[] {
  const directory = containerDirectory(layout, id);
  return namesIn(directory)
    .flatMap((name) => {
      const number = numberOf(name);
      const file = number === null ? undefined : statSync(join(directory, name), { throwIfNoEntry: false });
      return number === null || file === undefined ? [] : [{ path: join(directory, name), inode: file.ino, number }];
    })
    .sort((a, b) => b.number - a.number);
}

/**
 * Puts the file that is written aside where it has grown beyond a size, and forgets those beyond `maxFile`. The monitor goes on in the old file
 * until it has begun the new one, so nothing is lost; a rotation that was broken off is finished. Gives whether it did anything.
 */
export function rotate(layout: Layout, id: string, { maxSize, maxFile }: { readonly maxSize: number; readonly maxFile: number }): boolean {
  const current = join(containerDirectory(layout, id), "log");
  const size = statSync(current, { throwIfNoEntry: false })?.size ?? null;
  if (size !== null && size < maxSize) return false;
  if (size !== null) {
    const kept = logFiles(layout, id).filter(({ path }) => path !== current);
    for (const { path } of kept) {
      const next = Number(path.slice(path.lastIndexOf(".") + 1)) + 1;
      if (next >= Math.max(2, maxFile)) rmSync(path, { force: true });
      else renameSync(path, `${current}.${next}`);
    }
    renameSync(current, `${current}.1`);
  }
  const isTold = reopen(layout, id);
  if (isTold && maxFile === 1) rmSync(`${current}.1`, { force: true });
  return isTold;
}

/** Tells the monitor to begin its file anew. `false`: there is none, or it does not listen yet. */
function reopen(layout: Layout, id: string): boolean {
  let control: number;
  try {
    control = openSync(bundleFile(layout, id, "ctl"), constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENXIO") return false;
    throw error;
  }
  try {
    writeSync(control, "2 0 0\n");
    return true;
  } finally {
    closeSync(control);
  }
}

/** 0 for the one that is written; `null` for what is no log. */
function numberOf(name: string): number | null {
  const match = /^log(?:\.([1-9]\d{0,5}))?$/.exec(name);
  return match === null ? null : Number(match[1] ?? 0);
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
