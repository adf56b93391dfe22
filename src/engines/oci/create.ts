import { randomBytes } from "node:crypto";
import { hostname as machineName } from "node:os";
import { pid as processId } from "node:process";
import { identify } from "../../lib/process-identity.ts";
import type { Action, ContainerSpec } from "../../model/action.ts";
import { Failure } from "../../model/diagnostic.ts";
import { contentOf, mountedImages } from "../../model/service.ts";
import { placeCgroup } from "./cgroups.ts";
import type { Context } from "./context.ts";
import { noteEvent } from "./events.ts";
import { requireProgram } from "./executable.ts";
import { placeFiles, writeConfigs, writeSecrets } from "./given-files.ts";
import { leaseAhead } from "./network/leases.ts";
import { inheritedMounts, type PlacedImages, placeMounts, prepareMounts } from "./placed-mounts.ts";
import { mergeConfig } from "./process-config.ts";
import { type ContainerRecord, createRecord } from "./records.ts";
import { discard } from "./remove.ts";
import { mountRootfs } from "./rootfs.ts";
import { type Cover, ensureDirectoryInside, readInside } from "./rootfs-path.ts";
import { ensureSupervisor } from "./supervisor/launch.ts";
import { wantsSupervisor } from "./supervisor/need.ts";
import { type ContainerUser, resolveUser, USER_FILE_LIMIT } from "./user.ts";

/**
 * Makes a container without starting it: name, addresses, root file system, volumes. What would stop it from running (no such user, no such
 * program, a bind source that is missing) is found here, so that a replacement fails before the one that runs is touched.
 */
export async function createContainer(
  context: Context,
  { container: name, spec, contents = {} }: Extract<Action, { readonly kind: "container.create" }>,
): Promise<void> {
  const { layout, store } = context;
  const { service } = spec;
  const image = await store.hold(contentOf(service)); // its record keeps it from then on
  if (image === null)
    throw new Failure({
      code: "E_IMAGE_ABSENT",
      message: `service ${service.name}: image ${service.image} is not here`,
      hint: "wharf pull fetches it",
    });
  const id = randomBytes(32).toString("hex");
  const isHere = service.isolation.uts === "host" || (service.hostname === null && service.networkMode?.type === "host");
  const hostname = isHere ? machineName() : (service.hostname ?? id.slice(0, 12));
  const process = mergeConfig(image.config, service, { hostname, tty: service.tty });
  const images = await heldImages(context, spec);
  const mounts = [
    ...placeMounts(layout, id, { images, mounts: spec.mounts, declared: process.volumes, inherited: inheritedMounts(layout, spec) }),
    ...placeFiles(layout, id, spec.files ?? []),
  ];
  const me = identify(processId);
  const { reference, layers, config } = { reference: service.image, layers: image.layers, config: image.config };
  const record: ContainerRecord = {
    version: 1,
    id,
    name,
    createdAt: new Date().toISOString(),
    spec,
    image: { reference, id: image.id, layers, config },
    process,
    hostname,
    mounts,
    ...(me !== null && spec.autoRemove === true ? { owner: me } : {}),
  };
  const fill = async (directory: string): Promise<void> => {
    await placeCgroup(directory, { spec, manager: context.cgroups });
    await writeConfigs(directory, { record, contents });
  };
  await createRecord(layout, { record, fill });
  try {
    if (wantsSupervisor(record)) await ensureSupervisor(context, spec.project); // most are started next: it comes up while this one is made
    noteEvent(layout, { record, action: "create" });
    for (const joined of spec.networks) await leaseAhead(layout, record, joined);
    const rootfs = await mountRootfs(layout, { id, layersDirectory: store.layersDirectory, layers: image.layers });
    await writeSecrets(layout, record, contents);
    await prepareMounts(context, { record, rootfs });
    ensureWorkingDirectory(record, rootfs);
    userOf(record, rootfs);
    requireProgram(record.process, { name, root: rootfs, covers: coversOf(record) });
  } catch (error) {
    noteEvent(layout, { record, action: "destroy" });
    await discard(context, record);
    throw error;
  }
}

/** Images that the container mounts, kept from here on. */
async function heldImages({ store }: Context, { mounts, service }: ContainerSpec): Promise<PlacedImages> {
  const held: Record<string, PlacedImages[string]> = {};
  for (const reference of mountedImages(mounts)) {
    const image = await store.hold(reference);
    if (image === null)
      throw new Failure({
        code: "E_IMAGE_ABSENT",
        message: `service ${service.name}: image ${reference}, which it mounts, is not here`,
        hint: `wharf image pull ${reference} fetches it`,
      });
    held[reference] = { reference, id: image.id, layers: image.layers };
  }
  return held;
}

/** The user that its processes run as, from the passwd and group files that they will see. Throws E_USER_UNKNOWN. */
export function userOf(record: ContainerRecord, rootfs: string, user: string | null = record.process.user): ContainerUser {
  const options = { covers: coversOf(record), limit: USER_FILE_LIMIT };
  return resolveUser(user, {
    passwd: readInside(rootfs, "/etc/passwd", options),
    group: readInside(rootfs, "/etc/group", options),
    image: record.image.reference,
    groupAdd: record.spec.service.isolation.groups,
  });
}

/** What lies over the root file system of a container. */
export function coversOf(record: ContainerRecord): readonly Cover[] {
  return record.mounts.map(({ target, source, staged }) => ({ target, source: staged ?? source }));
}

/** Makes the working directory where the image lacks it; one that lies in a mount is the mount's business. */
export function ensureWorkingDirectory(record: ContainerRecord, rootfs: string): void {
  const { cwd } = record.process;
  if (record.mounts.some(({ target }) => cwd === target || cwd.startsWith(`${target}/`))) return;
  ensureDirectoryInside(rootfs, cwd, { mode: 0o755, uid: 0, gid: 0 });
}
