/** Control groups of processes, as this machine has them. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** There is one hierarchy for all controllers (version 2). */
export const UNIFIED = existsSync("/sys/fs/cgroup/cgroup.controllers");

/** Where the control group of a process is, in the hierarchy of a controller. */
export async function groupOf(pid: number): Promise<(controller: string) => string> {
  const text = await readFile(`/proc/${pid}/cgroup`, "utf8");
  return (controller) => {
    if (UNIFIED) return `/sys/fs/cgroup${/^0::(.*)$/m.exec(text)?.[1]}`;
    const path = new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, "m").exec(text)?.[1];
    return `/sys/fs/cgroup/${controller}${path}`;
  };
}

/** Reads a limit of a process's group, by its file in each version: `memory/memory.limit_in_bytes`, `memory.max`. */
export async function limitOf(pid: number, v1: string, v2: string): Promise<string> {
  const group = await groupOf(pid);
  const [controller = "", file = ""] = v1.split("/");
  return (await readFile(UNIFIED ? `${group("")}/${v2}` : `${group(controller)}/${file}`, "utf8")).trim();
}
