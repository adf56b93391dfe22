import { fstatSync } from "node:fs";
import { isatty } from "node:tty";

/** Major number of the kernel's memory devices: /dev/null and its like. */
const MEMORY_DEVICES = 1;

/**
 * What a descriptor leads to. `file`: what takes all that is written at once, /dev/null too. `stream`: a pipe or socket, whose other end may be
 * slow or gone. It is told without `process.stdout` and, where it can be, without node:tty: they load all that Node knows of sockets.
 */
export function destinationOf(fd: 0 | 1 | 2): "terminal" | "file" | "stream" {
  const stat = fstatSync(fd);
  if (stat.isFile()) return "file";
  if (!stat.isCharacterDevice()) return "stream";
  if (stat.rdev >> 8 === MEMORY_DEVICES) return "file";
  return isatty(fd) ? "terminal" : "stream";
}
