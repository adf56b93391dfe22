import { readFile, stat } from "node:fs/promises";
import type { Reader } from "../spec/load.ts";

/** Reads the files of this machine. */
export const READER: Reader = {
  read: (path) => readFile(path),
  exists: async (path) => {
    try {
      await stat(path);
      return true;
    } catch (error) {
      if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return false;
      if (error instanceof Error && "code" in error && error.code === "EACCES") return true; // reading it then says why it cannot be
      throw error;
    }
  },
};

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
      glance: (path) => reader.exists(path), // what is mounted is no part of the spec
    },
    paths,
  };
}
