import { readFileSync } from "node:fs";
import { startTimeOf } from "./process.ts";

/** A process that can be told from a later one with the same id: the boot it belongs to, its id, its start time in clock ticks. */
export interface ProcessIdentity {
  readonly boot: string;
  readonly pid: number;
  readonly start: string;
}

let boot: string | undefined;

/** This boot of the machine, from the kernel. */
export function bootId(): string {
  boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  return boot;
}

/** The identity of a live process, or `null` when there is none. */
export function identify(pid: number): ProcessIdentity | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return null;
    throw error;
  }
  const start = startTimeOf(stat);
  return start === null ? null : { boot: bootId(), pid, start };
}

/** Whether exactly this process still lives. */
export function isAlive(process: ProcessIdentity): boolean {
  return process.boot === bootId() && identify(process.pid)?.start === process.start;
}
