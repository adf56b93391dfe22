import { statSync, unlinkSync } from "node:fs";

/**
 * Removes a file, for where most often there is none: to ask whether one is there costs a small part of the error that says there is not. For files
 * of a few kilobytes: what takes the file system longer is better left to a thread.
 */
export function removeFile(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return;
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // somebody else was quicker
  }
}
