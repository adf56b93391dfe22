/** What an entry of an archive gives to a file, as far as Node's fs does not do it in one call. */
import { writeSync } from "node:fs";
import { setXattr } from "./special.ts";
import { isAllowedXattr, isIgnorable } from "./xattrs.ts";

/** Writes all of a chunk at a place of a file. */
export function writeAt(descriptor: number, chunk: Buffer, offset: number): void {
  for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at, chunk.length - at, offset + at);
}

/** Sets the extended attributes that an archive may set, but for those that a file can do without and cannot have. Throws as node's fs does. */
export function setXattrs(path: string | Buffer, xattrs: Iterable<readonly [name: string, value: Buffer]>): void {
  for (const [name, value] of xattrs) {
    if (!isAllowedXattr(name)) continue;
    try {
      setXattr(path, name, value);
    } catch (error) {
      if (!isIgnorable(error, name)) throw error;
    }
  }
}

/** Access and modification, within what every file system can keep: 1901 to 2446. Node takes a negative number for now, and a date as it is. */
export function times({ mtime }: { readonly mtime: number }): readonly [number | Date, number | Date] {
  const seconds = Math.min(Math.max(mtime, -(2 ** 31)), 15_032_385_535);
  const time = seconds < 0 ? new Date(seconds * 1000) : seconds;
  return [time, time];
}
