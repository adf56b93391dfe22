import { setTimeout as sleep } from "node:timers/promises";

/** Waits until something holds, looking every 50 ms. Fails after ten seconds with what was waited for. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; !(await holds()); await sleep(50)) {
    if (Date.now() > deadline) throw new Error(`waited ten seconds for: ${what}`);
  }
}
