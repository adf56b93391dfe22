import { readFileSync, stat, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Reader } from "../spec/load.ts";

/** A file of this size is read sooner than a thread is asked to read it. */
const SMALL_BYTES = 1 << 20;

/** Reads the files of this machine. */
export const READER: Reader = {
  read: async (path) => {
    const known = statSync(path);
    // A pipe has no end in sight, and what waits for it must stay open to signals.
    return known.isFile() && known.size <= SMALL_BYTES ? readFileSync(path) : readFile(path);
  },
  exists: async (path) => answered(() => isThere(path)),
  // Of any file system, even one that does not answer: but to start threads takes longer than to ask. So does loading node:fs/promises.
  glance: (path, options) =>
    answered(() =>
      options?.near === true
        ? isThere(path)
        : new Promise((resolve, reject) => stat(path, (error) => (error === null ? resolve(true) : reject(error)))),
    ),
};

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

async function answered(ask: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return false;
    if (error instanceof Error && "code" in error && error.code === "EACCES") return true; // reading it then says why it cannot be
    throw error;
  }
}

/** A reader that keeps what it was asked for: everything that what was read depends on, files that are not there too. */
export function recording(reader: Reader): { readonly reader: Reader; readonly paths: ReadonlySet<string> } {
  const paths = new Set<string>();
  return {
    reader: {
      read: (path) => {
        paths.add(path);
        return reader.read(path);
      },
      exists: (path) => {
        paths.add(path);
        return reader.exists(path);
      },
      glance: (path, options) => reader.glance?.(path, options) ?? reader.exists(path), // what is mounted is no part of the spec
    },
    paths,
  };
}
