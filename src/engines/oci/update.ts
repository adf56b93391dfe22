/** What a container gets while it is there: its policy, its limits, its probe, its ports, its names. */
import { join } from "node:path";
import { withLock } from "../../lib/file-lock.ts";
import type { ContainerSpec } from "../../model/action.ts";
import { adjusted } from "../../model/adjust.ts";
import type { PublishedPort } from "../../model/observed.ts";
import type { Resources } from "../../model/resources.ts";
import { applyLimits } from "./cgroup-limits.ts";
import { cgroupOf } from "./cgroups.ts";
import type { Context } from "./context.ts";
import { noteEvent } from "./events.ts";
import { limitsHere } from "./limits-here.ts";
import { hasNetworks } from "./network/namespace.ts";
import { holders, portsReleased } from "./network/publish.ts";
import { mergeConfig } from "./process-config.ts";
import { type Container, type ContainerRecord, containerWithId, isBeside, liveRun, rewriteRecord, writeState } from "./records.ts";
import { afterEnd, alone, hasPolicy, readRestart, returnOf, writeRestart } from "./restarts.ts";
import { ensureSupervisor, poke } from "./supervisor/launch.ts";
import { wantsSupervisor } from "./supervisor/need.ts";
import { portsFrom } from "./takeover.ts";

/** How long a command waits for the supervisor to be done with a container. */
const PATIENCE_MS = 60_000;

/**
 * Gives a container what can change in place, at once where it runs. The record says the new values before anything is done, and that it is not
 * done yet: broken off in the middle it is done again. What fails is taken back. Throws E_LIMIT, E_PORT_TAKEN.
 */
export async function updateContainer(context: Context, { record }: Container, spec: ContainerSpec): Promise<void> {
  const work = (): Promise<void> => change(context, containerWithId(context.layout, record.id), spec);
  await alone(context.layout, record, { purpose: `change ${record.name}`, timeoutMs: PATIENCE_MS, always: true, work });
}

async function change(context: Context, container: Container, spec: ContainerSpec): Promise<void> {
  const { layout } = context;
  const { record } = container;
  const wanted = changed(record, spec);
  await rewriteRecord(layout, { ...wanted, unfinished: true });
  let released: readonly PublishedPort[] = [];
  try {
    await limit(context, record, wanted.spec.service.resources);
    released = await publish(context, wanted);
    await settleReturn(context, container, wanted);
  } catch (error) {
    await rewriteRecord(layout, record);
    await limit(context, record, record.spec.service.resources);
    throw error;
  }
  await context.syncNetwork();
  if (liveRun(layout, record.id) !== null && wantsSupervisor(wanted)) await ensureSupervisor(context, wanted.spec.project);
  const { unfinished: _, ...finished } = wanted;
  await rewriteRecord(layout, finished);
  noteEvent(layout, { record: finished, action: "update" });
  poke(layout);
  await portsReleased(released);
}

/** The record with what changes in place; of what was merged with the image's word as well. */
function changed(record: ContainerRecord, spec: ContainerSpec): ContainerRecord {
  const next = adjusted(record.spec, spec);
  const { stopSignal, labels, exposedPorts } = mergeConfig(record.image.config, next.service, {
    hostname: record.hostname,
    tty: next.service.tty,
  });
  return { ...record, spec: next, process: { ...record.process, stopSignal, labels, exposedPorts } };
}

/** One that does not run gets its limits as it starts. */
async function limit({ layout }: Context, { id, name }: ContainerRecord, resources: Resources): Promise<void> {
  if (liveRun(layout, id) !== null) await applyLimits(cgroupOf(layout, id), name, limitsHere(resources));
}

/** Gives the host ports that it has no more. One that has none until it takes over gets them then. */
async function publish({ layout }: Context, record: ContainerRecord): Promise<readonly PublishedPort[]> {
  const { id, name } = record;
  return withLock(join(layout.locks, "ports.lock"), { purpose: `publish ports of ${name}`, timeoutMs: 30_000 }, async () => {
    const run = liveRun(layout, id);
    if (run === null || isBeside(layout, id) || !hasNetworks(record)) return [];
    const ports = portsFrom(record, { inherited: run.ports, holderOf: holders(layout, id) });
    const isKept = (port: PublishedPort): boolean => ports.some((other) => JSON.stringify(other) === JSON.stringify(port));
    if (ports.length === run.ports.length && run.ports.every(isKept)) return [];
    await writeState(layout, id, { ...run, ports, beside: false }); // it may have been about to hand them over
    return run.ports.filter((port) => !isKept(port));
  });
}

/** An end that was before the new policy is none that it brings back; one that shall come back does so no more where the new policy says so. */
async function settleReturn({ layout }: Context, container: Container, wanted: ContainerRecord): Promise<void> {
  const { record, status } = container;
  if (status.state === "running") return;
  const state = readRestart(layout, record.id);
  const waits = hasPolicy(record) && returnOf(container, state, Date.now()) !== null;
  const end = { exitCode: status.state === "exited" ? status.exitCode : START_FAILED, lastedMs: 0 };
  if (waits && afterEnd(wanted.spec.service.restart, { ...state, attempts: 0 }, end) !== null) return;
  if (!waits && !hasPolicy(wanted)) return;
  await writeRestart(layout, record.id, { ...state, dueAt: null, judged: status.state === "exited" ? status.run.startedAt : state.judged });
}

/** What did not start has failed. */
const START_FAILED = 128;
