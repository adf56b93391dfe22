import { readFileSync } from "node:fs";

/** Whether something is mounted at a path, in the mount namespace of this process. The kernel writes blanks in paths as octal numbers. */
export function isMounted(target: string): boolean {
  return readFileSync("/proc/self/mountinfo", "utf8").includes(` ${target.replaceAll(" ", "\\040")} `);
}
