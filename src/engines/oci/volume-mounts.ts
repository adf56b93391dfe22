/**
 * Volumes that are mounted from elsewhere (`driver_opts` of the local driver): mounted at the volume's directory when the first container
 * needs them, unmounted when the last one is taken apart. Who needs one is written below the run directory, which goes with a reboot as
 * the mounts do.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "../../lib/file-lock.ts";
import { run } from "../../lib/process.ts";
import { namesIn } from "../../lib/written.ts";
import { Failure } from "../../model/diagnostic.ts";
import { type Layout, shortId } from "./layout.ts";
import { isMounted } from "./mounted.ts";
import { unmount } from "./syscalls.ts";

/** What a volume of the local driver is mounted with, as mount(8) takes it. */
export interface MountOptions {
  readonly type: string;
  readonly device: string;
  readonly options: string;
}

export interface MountedVolume {
  readonly name: string;
  /** Where it is mounted. */
  readonly directory: string;
  readonly driverOptions: Readonly<Record<string, string>>;
}

/** Has a volume mounted for a container, by its id. Throws E_VOLUME_MOUNT. */
export async function holdVolume(layout: Layout, volume: MountedVolume, id: string): Promise<void> {
  const holders = holdersOf(layout, volume.name);
  await withVolumeLock(layout, volume.name, async () => {
    const isThere = isMounted(volume.directory);
    if (!isThere) await rm(holders, { recursive: true, force: true }); // of a time before a reboot
    await mkdir(holders, { recursive: true, mode: 0o700 });
    await writeFile(join(holders, shortId(id)), "");
    if (!isThere) await mountVolume(volume);
  });
}

/** Lets go of the volumes that a container held; what nobody holds any more is unmounted. */
export async function releaseVolumes(layout: Layout, id: string): Promise<void> {
  for (const name of await namesIn(join(layout.run, "volumes"))) {
    const holders = holdersOf(layout, name);
    if (!(await namesIn(holders)).includes(shortId(id))) continue;
    await withVolumeLock(layout, name, async () => {
      await rm(join(holders, shortId(id)), { force: true });
      if ((await namesIn(holders)).length > 0) return;
      unmountVolume(join(layout.volumes, name, "data"));
      await rmdir(holders);
    });
  }
}

/** Lets go of what containers held that are gone. */
export async function sweepHolds(layout: Layout): Promise<void> {
  const names = await namesIn(join(layout.run, "volumes"));
  if (names.length === 0) return;
  const known = new Set((await readdir(layout.containers)).map(shortId));
  const gone = (await Promise.all(names.map((name) => namesIn(holdersOf(layout, name))))).flat().filter((id) => !known.has(id));
  for (const id of new Set(gone)) await releaseVolumes(layout, id);
}

/** Takes every mount off a volume's directory: what is deleted next is ours, not another machine's. */
export function unmountVolume(directory: string): void {
  while (unmount(directory));
}

/** What `driver_opts` come to. An NFS server may be named apart (`addr=`), as Docker's users do; mount(8) wants it before the path. */
export function mountOptions({ type, o, device }: Readonly<Record<string, string | undefined>>): MountOptions {
  const words = (o ?? "").split(",").filter((word) => word !== "");
  const kind = type ?? (words.some((word) => word === "bind" || word === "rbind") ? "none" : "auto");
  const server = words.find((word) => word.startsWith("addr="))?.slice("addr=".length);
  const isNfs = /^nfs4?$/.test(kind) && server !== undefined && device?.startsWith(":") === true;
  return {
    type: kind,
    device: isNfs ? `${server.includes(":") ? `[${server}]` : server}${device}` : (device ?? kind),
    options: words.filter((word) => !(isNfs && word.startsWith("addr="))).join(","),
  };
}

async function mountVolume({ name, directory, driverOptions }: MountedVolume): Promise<void> {
  const { type, device, options } = mountOptions(driverOptions);
  const words = ["-t", type, ...(options === "" ? [] : ["-o", options]), "--", device, directory];
  const finished = await run("mount", words);
  if (finished.status === 0) return;
  const [line = "mount gave no reason"] = finished.stderr.split("\n").filter((text) => text.trim() !== "" && !/dmesg/.test(text));
  throw new Failure({
    code: "E_VOLUME_MOUNT",
    message: `volume ${name} cannot be mounted (type ${type}, device ${device}): ${line.trim()}`,
    hint: /^nfs|^cifs/.test(type)
      ? `the machine needs mount.${type} (nfs-common, cifs-utils), and a way to the server`
      : "look at its `driver_opts`",
  });
}

const holdersOf = (layout: Layout, name: string): string => join(layout.run, "volumes", name);

/** While nobody else mounts or fills a volume. Lock files have short names: a volume's name may be as long as a file name can be. */
export function withVolumeLock(layout: Layout, name: string, work: () => Promise<void>): Promise<void> {
  const short = createHash("sha256").update(name).digest("hex").slice(0, 16);
  return withLock(join(layout.locks, `volume-${short}.lock`), { purpose: `prepare volume ${name}`, timeoutMs: 120_000 }, work);
}
