import { setTimeout as sleep } from "node:timers/promises";

/** Waits until something holds, looking every 50 ms. Fails after half a minute with what was waited for: the machine may have a lot else to do. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await holds()); await sleep(50)) {
    if (Date.now() > deadline) throw new Error(`waited thirty seconds for: ${what}`);
  }
}
