import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAtomic, writeAtomic } from "../../lib/atomic-file.ts";
import { runOk } from "../../lib/process.ts";
import { Failure } from "../../model/diagnostic.ts";
import { isContainerName } from "../../model/names.ts";
import type { Layout } from "./layout.ts";
import { unmountVolume, withVolumeLock } from "./volume-mounts.ts";

/** A directory that outlives containers. */
export interface VolumeRecord {
  readonly version: 1;
  readonly name: string;
  readonly project: string | null;
  readonly key: string | null;
  readonly anonymous: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: string;
  /** What it is mounted from (`type`, `o`, `device`); absent: its own directory. */
  readonly driverOptions?: Readonly<Record<string, string>>;
}

export const volumeData = (layout: Layout, name: string): string => join(layout.volumes, name, "data");

export function readVolume(layout: Layout, name: string): VolumeRecord | null {
  try {
    return JSON.parse(readFileSync(join(layout.volumes, name, "volume.json"), "utf8")) as VolumeRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

export function allVolumes(layout: Layout): VolumeRecord[] {
  return readdirSync(layout.volumes)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) => readVolume(layout, name) ?? [])
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A volume that should be there is not. `service`: the one that wants to mount it, or `null`. */
export function absentVolume(name: string, service: string | null = null): Failure {
  return new Failure({
    code: "E_VOLUME_MISSING",
    message: `${service === null ? "" : `service ${service}: `}there is no volume ${name}`,
    hint:
      service === null
        ? "wharf volume ls lists those there are"
        : `wharf up makes the project's own volumes; wharf volume create ${name} makes it by itself`,
  });
}

/** Makes a volume that is not there yet. */
export async function createVolume(layout: Layout, wanted: Omit<VolumeRecord, "version" | "createdAt">): Promise<void> {
  if (!isContainerName(wanted.name))
    throw new Failure({
      code: "E_VOLUME_NAME",
      message: `${JSON.stringify(wanted.name)} cannot name a volume`,
      hint: "use letters, digits, dots, dashes and underscores",
    });
  if (readVolume(layout, wanted.name) !== null) return;
  await mkdir(volumeData(layout, wanted.name), { recursive: true, mode: 0o755 });
  const record: VolumeRecord = { version: 1, ...wanted, createdAt: new Date().toISOString() };
  await createAtomic(join(layout.volumes, wanted.name, "volume.json"), JSON.stringify(record));
}

/** Gives a volume other labels than it has. */
export async function labelVolume(layout: Layout, name: string, labels: VolumeRecord["labels"]): Promise<void> {
  const record = readVolume(layout, name);
  if (record === null) throw absentVolume(name);
  const changed: VolumeRecord = { ...record, labels };
  await writeAtomic(join(layout.volumes, name, "volume.json"), JSON.stringify(changed));
}

/** Deletes a volume and what is in it. Nothing when it is not there. */
export async function removeVolume(layout: Layout, name: string): Promise<void> {
  const trash = join(layout.volumes, `.trash-${name}`);
  unmountVolume(volumeData(layout, name));
  try {
    await rename(join(layout.volumes, name), trash);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return;
  }
  await rm(trash, { recursive: true, force: true });
}

/**
 * Fills an empty volume with what the image has at its mount point, owner and mode of the directory too, as Docker does. What was broken off is
 * begun again; of containers that come at once one does it.
 */
export async function copyUp(layout: Layout, { name, source }: { readonly name: string; readonly source: string }): Promise<void> {
  const data = volumeData(layout, name);
  const marker = join(layout.volumes, name, "filling");
  const isDue = async (): Promise<boolean> => existsSync(marker) || (await readdir(data)).length === 0;
  if (!(await isDue())) return;
  await withVolumeLock(layout, name, async () => {
    if (!(await isDue())) return;
    await writeFile(marker, "");
    await runOk("cp", ["-a", "--reflink=auto", "--", `${source}/.`, data]);
    await rm(marker);
  });
}

/** Finishes removals that were interrupted, and drops directories whose creation was. */
export async function sweepVolumes(layout: Layout): Promise<void> {
  for (const name of await readdir(layout.volumes))
    if (name.startsWith(".trash-")) await rm(join(layout.volumes, name), { recursive: true, force: true });
}
