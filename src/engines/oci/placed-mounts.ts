import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import type { ContainerSpec } from "../../model/action.ts";
import { Failure } from "../../model/diagnostic.ts";
import type { Mount } from "../../model/service.ts";
import type { Layout } from "./layout.ts";
import type { PlacedMount } from "./records.ts";
import { resolveInside } from "./rootfs-path.ts";
import { absentVolume, copyUp, createVolume, readVolume, volumeData } from "./volumes.ts";

/** Decides the source of every mount; a new anonymous volume gets its name here. `declared`: paths that the image wants volumes at. */
export function placeMounts(layout: Layout, mounts: readonly Mount[], declared: readonly string[]): readonly PlacedMount[] {
  const anonymous: readonly Mount[] = declared.map((target) => ({
    type: "volume",
    source: null,
    target,
    readOnly: false,
    noCopy: false,
    subpath: null,
  }));
  return [...mounts, ...anonymous].map((mount) => placeMount(layout, mount));
}

/** Makes bind sources and anonymous volumes that are missing, and fills new volumes from the image. Throws E_BIND_SOURCE, E_VOLUME_MISSING. */
export async function prepareMounts(
  layout: Layout,
  spec: ContainerSpec,
  request: { readonly mounts: readonly PlacedMount[]; readonly rootfs: string },
): Promise<void> {
  for (const mount of request.mounts) {
    if (mount.type === "bind" && mount.given === undefined && !existsSync(mount.source)) await makeBindSource(spec, mount);
    if (mount.volume !== null) await prepareVolume(layout, spec, { mount, name: mount.volume, rootfs: request.rootfs });
  }
}

async function makeBindSource(spec: ContainerSpec, mount: PlacedMount): Promise<void> {
  const wanted = spec.mounts.find((m) => m.type === "bind" && m.target === mount.target);
  if (wanted?.type === "bind" && wanted.createHostPath) {
    await mkdir(mount.source, { recursive: true });
    return;
  }
  throw new Failure({
    code: "E_BIND_SOURCE",
    message: `service ${spec.service.name}: ${mount.source}, to be mounted at ${mount.target}, does not exist`,
    hint: "make it, or let wharf make a directory with bind: { create_host_path: true }",
  });
}

async function prepareVolume(
  layout: Layout,
  spec: ContainerSpec,
  wanted: { readonly mount: PlacedMount; readonly name: string; readonly rootfs: string },
): Promise<void> {
  const { mount, name } = wanted;
  if (readVolume(layout, name) === null) {
    if (!mount.anonymous) throw absentVolume(name, spec.service.name);
    await createVolume(layout, { name, project: spec.project, key: null, anonymous: true, labels: {} });
  }
  await mkdir(mount.source, { recursive: true });
  if (mount.noCopy || mount.source !== volumeData(layout, name)) return;
  const inImage = resolveInside(wanted.rootfs, mount.target);
  if (inImage.stats?.isDirectory() === true) await copyUp(inImage.path, mount.source);
}

function placeMount(layout: Layout, mount: Mount): PlacedMount {
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
      return { ...common, type: "bind", source: mount.source, propagation: mount.propagation };
    case "tmpfs":
      return { ...common, type: "tmpfs", source: "", options: tmpfsOptions(mount) };
    case "volume": {
      const name = mount.source ?? randomBytes(32).toString("hex");
      const data = volumeData(layout, name);
      const source = mount.subpath === null ? data : insideVolume(data, mount.subpath);
      return {
        ...common,
        type: "volume",
        source,
        volume: name,
        anonymous: mount.source === null || isAnonymousName(name),
        noCopy: mount.noCopy,
      };
    }
  }
}

/** An anonymous volume that a replacement takes over comes by its name. */
const isAnonymousName = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);

function insideVolume(data: string, subpath: string): string {
  const path = resolve(data, subpath);
  if (path === data || path.startsWith(`${data}/`)) return path;
  throw new Failure({
    code: "E_VOLUME_NAME",
    message: `the subpath ${JSON.stringify(subpath)} leads out of its volume`,
    hint: "give a path below the volume's root",
  });
}

function tmpfsOptions(mount: Extract<Mount, { readonly type: "tmpfs" }>): readonly string[] {
  const size = mount.size === null ? [] : [`size=${mount.size}`];
  const mode = mount.mode === null ? [] : [`mode=${mount.mode.toString(8)}`];
  return [...size, ...mode, ...mount.options];
}
