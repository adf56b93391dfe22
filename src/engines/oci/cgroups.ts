/** Control groups of containers: where they are, and what is taken away with them. */
import { type Dirent, existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readText } from "../../lib/written.ts";
import type { Service } from "../../model/service.ts";
import type { Group } from "./cgroup-limits.ts";
import { type CgroupManager, DEFAULT_SLICE, sliceDirectory, sliceNamed } from "./cgroup-manager.ts";
import { containerDirectory, type Layout, shortId } from "./layout.ts";
import { allContainers, liveRun, readStarting } from "./records.ts";
import { cgroupMode, killIfThere } from "./runtime.ts";

/** Where it is: below every hierarchy's root, below the group that its service names, or in the slice of systemd's that it does. */
export function cgroupPath(layout: Layout, id: string): string {
  const slice = sliceOf(layout, id);
  return slice === null ? `${parentOf(layout, id) ?? ""}/wharf-${shortId(id)}` : `${sliceDirectory(slice)}/wharf-${shortId(id)}.scope`;
}

/** As `linux.cgroupsPath`, and what the runtime is told besides. */
export function cgroupRequest(layout: Layout, id: string): { readonly path: string; readonly words: readonly string[] } {
  const slice = sliceOf(layout, id);
  return slice === null
    ? { path: cgroupPath(layout, id), words: [] }
    : { path: `${slice}:wharf:${shortId(id)}`, words: ["--systemd-cgroup"] };
}

interface Placed {
  readonly spec: { readonly service: Pick<Service, "isolation"> };
  readonly manager: CgroupManager;
}

/** Notes in the directory of a container that is being made where its control group will be, where that is no usual place. */
export async function placeCgroup(directory: string, { spec, manager }: Placed): Promise<void> {
  const { cgroupParent } = spec.service.isolation;
  if (manager === "systemd") await writeFile(join(directory, SLICE), sliceNamed(cgroupParent) ?? DEFAULT_SLICE, { mode: 0o600 });
  else if (cgroupParent !== null) await writeFile(join(directory, PARENT), cgroupParent, { mode: 0o600 });
}

/** Notes the groups above a container's that nobody has made yet: the runtime makes them, and they go with the last container in them. */
export async function noteParents(layout: Layout, id: string): Promise<void> {
  const parent = parentOf(layout, id); // slices are systemd's own business
  if (parent === null) return;
  const parts = parent.split("/").slice(1);
  const above = parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
  const missing = (await roots()).flatMap((root) => above.map((group) => `${root}${group}`)).filter((directory) => !existsSync(directory));
  if (missing.length === 0) return;
  await mkdir(join(layout.run, "cgroups"), { recursive: true, mode: 0o700 });
  await writeFile(noteFile(layout, parent), missing.map((directory) => `${directory}\n`).join(""), { flag: "a", mode: 0o600 });
}

/** Where the control group of a container is, in each hierarchy that has it. */
export async function cgroupDirectories(layout: Layout, id: string): Promise<string[]> {
  const path = cgroupPath(layout, id);
  return (await roots()).map((root) => `${root}${path}`).filter((directory) => existsSync(directory));
}

/** The control group of a container, as its limits are written. */
export function cgroupOf(layout: Layout, id: string): Group {
  const path = cgroupPath(layout, id);
  const isUnified = cgroupMode() === "v2";
  return {
    version: isUnified ? 2 : 1,
    directory: (controller) => (isUnified ? `/sys/fs/cgroup${path}` : `/sys/fs/cgroup/${controller}${path}`),
  };
}

/** Ends everything in a container's control groups. */
export async function killCgroup(layout: Layout, id: string): Promise<void> {
  for (const directory of await cgroupDirectories(layout, id)) for (const pid of await pidsIn(directory)) killIfThere(pid);
}

/** Takes away the control groups of a container whose first process is gone, and those above them that were made for it. */
export async function removeCgroups(layout: Layout, id: string): Promise<void> {
  for (const directory of await cgroupDirectories(layout, id)) await removeTree(directory);
  const parent = parentOf(layout, id);
  const note = parent === null ? null : readText(noteFile(layout, parent)); // another container of it may be leaving too
  if (parent === null || note === null || isUsed(layout, { parent, but: id })) return;
  const made = new Set(note.split("\n").filter(Boolean));
  for (const directory of [...made].sort((a, b) => b.length - a.length)) await removeIfEmpty(directory);
  if (![...made].some((directory) => existsSync(directory))) await rm(noteFile(layout, parent), { force: true });
}

/** Whether another container of this world is in a group, or about to be. */
function isUsed(layout: Layout, { parent, but }: { readonly parent: string; readonly but: string }): boolean {
  return allContainers(layout).some(
    ({ record: { id, spec } }) =>
      id !== but && spec.service.isolation.cgroupParent === parent && (liveRun(layout, id) !== null || readStarting(layout, id) !== null),
  );
}

async function roots(): Promise<readonly string[]> {
  return cgroupMode() === "v2" ? ["/sys/fs/cgroup"] : (await readdir("/sys/fs/cgroup")).map((name) => `/sys/fs/cgroup/${name}`);
}

const SLICE = "slice";
const PARENT = "cgroup";

const sliceOf = (layout: Layout, id: string): string | null => readText(join(containerDirectory(layout, id), SLICE));

const noteFile = (layout: Layout, parent: string): string => join(layout.run, "cgroups", encodeURIComponent(parent));

const parentOf = (layout: Layout, id: string): string | null => readText(join(containerDirectory(layout, id), PARENT));

/** How often a control group is tried whose processes were killed and are not gone yet, some five milliseconds apart. */
const RMDIR_TRIES = 400;

/** Directories of a control group go one by one, the innermost first; the files in them go with them. */
async function removeTree(directory: string): Promise<void> {
  for (const entry of await entriesOf(directory)) if (entry.isDirectory()) await removeTree(join(directory, entry.name));
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rmdir(directory);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return; // systemd takes a scope away by itself once it is empty
      if (code !== "EBUSY" || attempt === RMDIR_TRIES) throw error;
      // What shares the process numbers of others outlives the container's first process.
      for (const pid of await pidsIn(directory)) killIfThere(pid);
      await sleep(5);
    }
  }
}

async function entriesOf(directory: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "EBUSY" && code !== "ENOTEMPTY") throw error;
  }
}

async function pidsIn(directory: string): Promise<readonly number[]> {
  try {
    return (await readFile(join(directory, "cgroup.procs"), "latin1")).split("\n").filter(Boolean).map(Number);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENODEV") return [];
    throw error;
  }
}
