import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import type { ContainerSpec } from "../../model/action.ts";
import { Failure } from "../../model/diagnostic.ts";
import type { Mount } from "../../model/service.ts";
import type { Context } from "./context.ts";
import type { Layout } from "./layout.ts";
import { allContainers, type Container, type ContainerRecord, containerNamed, type PlacedMount } from "./records.ts";
import { resolveInside } from "./rootfs-path.ts";
import { stage, stagedPath, stageImage } from "./staged.ts";
import { holdVolume } from "./volume-mounts.ts";
import { absentVolume, copyUp, createVolume, readVolume, volumeData } from "./volumes.ts";

/** By reference. */
export type PlacedImages = Readonly<Record<string, NonNullable<PlacedMount["image"]>>>;

export interface MountPlaces {
  /** Of the mounts of type image. */
  readonly images: PlacedImages;
  readonly mounts: readonly Mount[];
  /** Paths that the image wants volumes at. */
  readonly declared: readonly string[];
  /** What it takes over from other containers. */
  readonly inherited: readonly PlacedMount[];
}

/** Decides the source of every mount; a new anonymous volume gets its name here. */
export function placeMounts(layout: Layout, id: string, { images, mounts, declared, inherited }: MountPlaces): readonly PlacedMount[] {
  const own = new Set(mounts.map(({ target }) => target));
  const taken = inherited.filter(({ target }) => !own.has(target));
  const covered = new Set([...own, ...taken.map(({ target }) => target)]);
  const anonymous = declared.flatMap((target): readonly Mount[] =>
    covered.has(target) ? [] : [{ type: "volume", source: null, target, readOnly: false, noCopy: false, subpath: null }],
  );
  const placed = [...[...mounts, ...anonymous].map((mount) => placeMount(mount, { layout, images })), ...taken];
  return placed.map((mount, index) =>
    mount.subpath === undefined && mount.image === undefined ? mount : { ...mount, staged: stagedPath(layout, id, index) },
  );
}

/** What a container takes over by `volumes_from`: all that others mount but what lies in memory. Throws E_NO_SUCH_CONTAINER. */
export function inheritedMounts(layout: Layout, { project, service }: ContainerSpec): readonly PlacedMount[] {
  const found = new Map<string, PlacedMount>();
  for (const { from, name, readOnly } of service.volumesFrom ?? []) {
    const { record } = from === "container" ? containerNamed(layout, name) : containerOfService(layout, { project, service: name });
    for (const mount of record.mounts) {
      if (mount.type === "tmpfs" || mount.given !== undefined) continue;
      const { staged: _, ...rest } = mount;
      found.set(mount.target, { ...rest, readOnly: mount.readOnly || readOnly });
    }
  }
  return [...found.values()];
}

/** The newest one: while a replacement is under way that is the one that stays. */
function containerOfService(layout: Layout, wanted: { readonly project: string; readonly service: string }): Container {
  const all = allContainers(layout).filter(
    ({ record: { spec } }) => spec.project === wanted.project && spec.service.name === wanted.service && !spec.oneOff,
  );
  const found = all.at(-1);
  if (found !== undefined) return found;
  throw new Failure({
    code: "E_NO_SUCH_CONTAINER",
    message: `service ${wanted.service}, whose volumes are to be taken over, has no container`,
    hint: `wharf create ${wanted.service} makes one`,
  });
}

/**
 * Makes bind sources and anonymous volumes that are missing, mounts volumes that come from elsewhere, and fills new ones from the image.
 * Throws E_BIND_SOURCE, E_VOLUME_MISSING, E_VOLUME_MOUNT, E_SUBPATH.
 */
export async function prepareMounts(
  { layout, store }: Context,
  { record, rootfs }: { readonly record: ContainerRecord; readonly rootfs: string },
): Promise<void> {
  for (const mount of record.mounts) {
    if (mount.type === "bind" && mount.given === undefined && mount.image === undefined && !existsSync(mount.source))
      await makeBindSource(record.spec, mount);
    if (mount.volume !== null) await prepareVolume(layout, record, { mount, name: mount.volume, rootfs });
    const { staged, subpath, image } = mount;
    if (staged !== undefined && image !== undefined)
      await stageImage({ ...image, subpath: subpath ?? null, at: staged, layersDirectory: store.layersDirectory });
    else if (staged !== undefined && subpath !== undefined)
      await stage({ root: mount.source, subpath, at: staged, what: `volume ${mount.volume ?? mount.source}` });
  }
}

async function makeBindSource(spec: ContainerSpec, { source, target }: PlacedMount): Promise<void> {
  const wanted = spec.mounts.find((m) => m.type === "bind" && m.target === target);
  const isSocket = source.endsWith(".sock");
  if (wanted?.type === "bind" && wanted.createHostPath && !isSocket) {
    await mkdir(source, { recursive: true });
    return;
  }
  throw new Failure({
    code: "E_BIND_SOURCE",
    message: `service ${spec.service.name}: ${source}, to be mounted at ${target}, does not exist`,
    hint: isSocket
      ? source.endsWith("/docker.sock")
        ? "Docker does not run on this machine, and wharf has no daemon and no socket: what talks to Docker cannot be run here"
        : "start the program that listens there first"
      : "make it, or let wharf make a directory with bind: { create_host_path: true }",
  });
}

async function prepareVolume(
  layout: Layout,
  { id, spec }: ContainerRecord,
  wanted: { readonly mount: PlacedMount; readonly name: string; readonly rootfs: string },
): Promise<void> {
  const { mount, name } = wanted;
  const known = readVolume(layout, name);
  if (known === null) {
    if (!mount.anonymous) throw absentVolume(name, spec.service.name);
    await createVolume(layout, { name, project: spec.project, key: null, anonymous: true, labels: mount.labels ?? {} });
  }
  await mkdir(mount.source, { recursive: true });
  const { driverOptions } = known ?? {};
  if (driverOptions !== undefined) await holdVolume(layout, { name, directory: mount.source, driverOptions }, id);
  if (mount.noCopy || mount.subpath !== undefined) return;
  const inImage = resolveInside(wanted.rootfs, mount.target);
  if (inImage.stats?.isDirectory() === true) await copyUp(layout, { name, source: inImage.path });
}

function placeMount(mount: Mount, { layout, images }: { readonly layout: Layout; readonly images: PlacedImages }): PlacedMount {
  const common = {
    target: mount.target,
    readOnly: mount.readOnly,
    volume: null,
    anonymous: false,
    noCopy: true,
    propagation: "rprivate",
    options: [],
  };
  switch (mount.type) {
    case "bind":
      return {
        ...common,
        type: "bind",
        source: mount.source,
        propagation: mount.propagation,
        ...(mount.recursive === undefined ? {} : { recursive: mount.recursive }),
      };
    case "image": {
      const image = images[mount.source];
      if (image === undefined) throw new Error(`nobody holds image ${mount.source}`);
      return { ...common, type: "bind", source: mount.source, image, ...(mount.subpath === null ? {} : { subpath: mount.subpath }) };
    }
    case "tmpfs":
      return { ...common, type: "tmpfs", source: "", options: tmpfsOptions(mount) };
    case "volume": {
      const name = mount.source ?? randomBytes(32).toString("hex");
      return {
        ...common,
        type: "volume",
        source: volumeData(layout, name),
        ...(mount.subpath === null ? {} : { subpath: mount.subpath }),
        ...(mount.labels === undefined ? {} : { labels: mount.labels }),
        volume: name,
        anonymous: mount.source === null || isAnonymousName(name),
        noCopy: mount.noCopy,
      };
    }
  }
}

/** An anonymous volume that a replacement takes over comes by its name. */
const isAnonymousName = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);

function tmpfsOptions(mount: Extract<Mount, { readonly type: "tmpfs" }>): readonly string[] {
  const size = mount.size === null ? [] : [`size=${mount.size}`];
  const mode = mount.mode === null ? [] : [`mode=${mount.mode.toString(8)}`];
  return [...size, ...mode, ...mount.options];
}
