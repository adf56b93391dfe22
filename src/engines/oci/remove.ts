import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "../../lib/process-identity.ts";
import { Failure } from "../../model/diagnostic.ts";
import { killCgroup, removeCgroups } from "./cgroups.ts";
import { killMonitors } from "./conmon.ts";
import type { Context } from "./context.ts";
import { noteEnd, noteEvent } from "./events.ts";
import { wipeSecrets } from "./given-files.ts";
import { unmountSharedMemory } from "./joined.ts";
import { bundleDirectory, type Layout } from "./layout.ts";
import { networkModeOf } from "./network/namespace.ts";
import { release } from "./network/networks.ts";
import { cutOff } from "./network/wiring.ts";
import {
  allContainers,
  allRecords,
  type Container,
  type ContainerRecord,
  liveRun,
  readStarting,
  removeRecord,
  statusOf,
} from "./records.ts";
import { unmountRootfs } from "./rootfs.ts";
import { unstage } from "./staged.ts";
import { endNow, hasEnded, KILL } from "./stop.ts";
import { noteStop } from "./stopped.ts";
import { releaseVolumes } from "./volume-mounts.ts";
import { removeVolume } from "./volumes.ts";

/** Removes a container and what belongs to it alone. Throws E_STILL_RUNNING for a running one without `force`. */
export async function removeContainer(
  context: Context,
  { record }: Container,
  options: { readonly force: boolean; readonly volumes: boolean },
): Promise<void> {
  const { layout } = context;
  const run = liveRun(layout, record.id);
  if (run !== null) {
    if (!options.force && readStarting(layout, record.id) === null)
      throw new Failure({
        code: "E_STILL_RUNNING",
        message: `container ${record.name} is running`,
        hint: `stop it first, or: wharf rm -f ${record.name}`,
      });
    await noteStop(layout, record.id, run); // others may look before it is gone
    noteEvent(layout, { record, action: "kill", attributes: { signal: KILL } });
    await endNow(context, record.id);
    noteEnd(layout, record.id);
    noteEvent(layout, { record, action: "destroy" }); // before: what is gone without it was not removed by wharf
    await Promise.all([discard(context, record), context.syncNetwork()]);
  } else {
    noteEnd(layout, record.id);
    noteEvent(layout, { record, action: "destroy" });
    await discard(context, record);
  }
  context.emptied.add(record.spec.project);
  if (!options.volumes) return;
  for (const { volume, anonymous } of record.mounts)
    if (volume !== null && anonymous && usersOf(layout, volume).length === 0) await removeVolume(layout, volume); // a successor may have it
}

/** Deletes a volume and what is in it. Throws E_VOLUME_IN_USE where a container mounts it. */
export async function removeUnusedVolume({ layout }: Context, name: string): Promise<void> {
  const users = usersOf(layout, name);
  if (users.length > 0)
    throw new Failure({
      code: "E_VOLUME_IN_USE",
      message: `volume ${name} is in use by ${users.join(", ")}`,
      hint: "remove the containers first",
    });
  await removeVolume(layout, name);
}

/** Takes a container that does not run apart, whatever state its creation or its last start was left in. */
export async function discard(context: Context, record: ContainerRecord): Promise<void> {
  const { layout } = context;
  await tidy(context, record.id);
  if (isShared(layout, record)) cutOff(record);
  await wipeSecrets(layout, record.id);
  // On a full disk its files make the room that the rest needs. The address of a container that is gone is free in any case.
  await removeRecord(layout, record);
  for (const { name } of record.spec.networks) await release(layout, name, record.id);
}

/**
 * Removes what a run leaves: the runtime's state, control groups, mounts, the bundle. The container must not run. A start that was killed
 * half-way may have left a monitor, a runtime or a process that waits to begin: they end first.
 */
export async function tidy(context: Context, id: string): Promise<void> {
  const { layout } = context;
  const starting = readStarting(layout, id);
  if (starting !== null && !(isAlive(starting.owner) && starting.owner.pid !== process.pid)) {
    await killMonitors(id);
    await killCgroup(layout, id);
    await endNow(context, id);
  }
  await monitorGone(layout, id);
  await forgetRun(layout, id);
  unmountRootfs(layout, id);
  await unstage(layout, id);
  await releaseVolumes(layout, id);
  unmountSharedMemory(layout, id);
  // A probe on its way in may write there once more.
  await rm(bundleDirectory(layout, id), { recursive: true, force: true, maxRetries: 10, retryDelay: 10 });
}

/** A monitor writes how its container ended a moment after that, into files that nobody would look for once the container is gone. */
async function monitorGone(layout: Layout, id: string): Promise<void> {
  const status = statusOf(layout, id);
  if (status.state === "created" || isAlive(status.run.process)) return;
  await hasEnded({ run: status.run, withinMs: MONITOR_LIMIT_MS, signal: new AbortController().signal });
}

/** Writing takes it some milliseconds; one that cannot write is not waited for. */
const MONITOR_LIMIT_MS = 2000;

/** Whether another container may live in its network. */
function isShared(layout: Layout, { id }: ContainerRecord): boolean {
  return allRecords(layout).some((other) => {
    const mode = networkModeOf(other);
    return other.id !== id && (mode?.type === "service" || mode?.type === "container");
  });
}

/**
 * Removes every trace that a runtime keeps of a container whose first process is gone: its state and its control groups. The runtime's own
 * `delete` does no more, costs a process of its size, and knows nothing of what one left that was killed half-way.
 */
async function forgetRun(layout: Layout, id: string): Promise<void> {
  await rm(join(layout.runtime, id), { recursive: true, force: true });
  await removeCgroups(layout, id);
}

/** Names of the containers that mount a volume. */
export function usersOf(layout: Layout, name: string): readonly string[] {
  return allContainers(layout).flatMap(({ record }) => (record.mounts.some(({ volume }) => volume === name) ? [record.name] : []));
}
