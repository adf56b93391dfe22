/** Holding all processes of a container still. Whether one is held is what the kernel says of its control group: nothing is written down. */
import { readFileSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../model/diagnostic.ts";
import { cgroupPath } from "./cgroups.ts";
import type { Layout } from "./layout.ts";
import { cgroupMode } from "./runtime.ts";

/** Whether a container is paused. `false` also for one that does not run. */
export function isFrozen(layout: Layout, id: string): boolean {
  const { file, frozen } = freezerOf(layout, id);
  return readIfThere(file).trim() === frozen;
}

/** Holds it still, and comes back when nothing in it moves any more. Throws E_UNSUPPORTED, E_WILL_NOT_FREEZE. */
export async function freeze(layout: Layout, id: string): Promise<void> {
  const freezer = freezerOf(layout, id);
  if (statSync(freezer.file, { throwIfNoEntry: false }) === undefined)
    throw new Failure({
      code: "E_UNSUPPORTED",
      message: "this kernel has no freezer among its control groups, so nothing can be paused",
      hint: "mount the freezer hierarchy, or boot with the unified one",
    });
  const deadline = Date.now() + FREEZE_LIMIT_MS;
  for (let tries = 1; ; tries++) {
    // Said again and again: the old freezer may miss processes that come to be while it freezes, and looks anew only when it is asked again.
    await writeFile(freezer.file, freezer.freeze);
    if (freezer.isSettled()) return;
    if (Date.now() >= deadline) break;
    await sleep(2);
    // A process that waits inside the kernel for one that stands still already would wait for ever: let go in between, as runc does.
    if (tries % TRIES_AT_ONCE === 0) {
      await thaw(layout, id);
      await sleep(10);
    }
  }
  await thaw(layout, id);
  throw new Failure({
    code: "E_WILL_NOT_FREEZE",
    message: `processes of container ${id.slice(0, 12)} cannot be held still`,
    hint: "one of them waits inside the kernel, most often for a disk or a network file system; try again later",
  });
}

/** Lets it go on. Nothing when it is not held, or is gone. */
export async function thaw(layout: Layout, id: string): Promise<void> {
  const { file, thaw: word } = freezerOf(layout, id);
  try {
    await writeFile(file, word, { flag: "r+" });
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

interface Freezer {
  readonly file: string;
  /** What is written into it, and what is read from it. */
  readonly freeze: string;
  readonly thaw: string;
  readonly frozen: string;
  /** Whether every process stands still. */
  isSettled(): boolean;
}

/** How long processes may take to stand still. */
const FREEZE_LIMIT_MS = 5000;
const TRIES_AT_ONCE = 25;

function freezerOf(layout: Layout, id: string): Freezer {
  if (cgroupMode() === "v2") {
    const directory = `/sys/fs/cgroup${cgroupPath(layout, id)}`;
    const isSettled = (): boolean => /^frozen 1$/m.test(readIfThere(`${directory}/cgroup.events`));
    return { file: `${directory}/cgroup.freeze`, freeze: "1", thaw: "0", frozen: "1", isSettled };
  }
  const file = `/sys/fs/cgroup/freezer${cgroupPath(layout, id)}/freezer.state`;
  return { file, freeze: "FROZEN", thaw: "THAWED", frozen: "FROZEN", isSettled: () => readIfThere(file).trim() === "FROZEN" };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (isGone(error)) return "";
    throw error;
  }
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENODEV";
}
