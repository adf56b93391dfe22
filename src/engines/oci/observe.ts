import { bootId } from "../../lib/process-identity.ts";
import { LABEL, labelBoolean } from "../../model/labels.ts";
import type { ContainerState, Observed, ObservedContainer, ObservedImage, TakenPort } from "../../model/observed.ts";
import type { Project } from "../../model/project.ts";
import { imagesOf } from "../../model/service.ts";
import { managerConcerns } from "./cgroup-manager.ts";
import { type Context, readKernelFacts } from "./context.ts";
import { deviceConcerns } from "./devices-here.ts";
import { missingContainers, unaskedEnd } from "./drift.ts";
import { isFrozen } from "./freezer.ts";
import { secretKey } from "./given-files.ts";
import { healthOf } from "./health.ts";
import { isBrokenOff } from "./intents.ts";
import { isolationConcerns } from "./isolation-here.ts";
import type { Layout } from "./layout.ts";
import { limitConcerns } from "./limits-here.ts";
import type { Endpoint } from "./network/endpoints.ts";
import { lostRules } from "./network/lost-rules.ts";
import { hasNamespace } from "./network/namespace.ts";
import { allNetworks, isPresent, type NetworkRecord } from "./network/networks.ts";
import { addressesFor, hasIpv6, holders } from "./network/publish.ts";
import { addressesOf } from "./network/sync.ts";
import { cutOffFrom } from "./network/wiring.ts";
import { allContainers, type Container, type ContainerRecord, heldPorts, isBeside } from "./records.ts";
import { comesBack, hasPolicy, readRestart, returnsAfterReboot } from "./restarts.ts";
import { wasStopped } from "./stopped.ts";
import { ensureSupervisor, isAttended } from "./supervisor/launch.ts";
import { needsSupervisor } from "./supervisor/need.ts";
import { allVolumes } from "./volumes.ts";

/** What exists, as far as a project is concerned. Reads files and the process table, and changes nothing; runs something only where nobody looks after the packet filter and somebody changed it. */
export async function observeProject(context: Context, project: Project): Promise<Observed> {
  const { layout } = context;
  const all = allContainers(layout);
  const networks = allNetworks(layout);
  const own = all.filter(({ record }) => record.spec.project === project.name);
  const attended = await whetherAttended(context, { project: project.name, own });
  const unattended = attended === false;
  if (!unattended) await reviveSupervisors(context, own);
  // Somebody who looks after them puts rules back by himself. To look here as well is not free: it takes the C library.
  const isFiltered = ({ record, status }: Container): boolean => status.state === "running" && record.spec.networks.length > 0;
  const unfiltered = attended !== true && own.some(isFiltered) && (await lostRules(layout)) !== null;
  const missing = missingContainers(layout, project, own);
  return {
    containers: own.map((container) => describe(layout, container, networks)),
    networks: networks
      .filter((n) => n.project === project.name || project.networks.some(({ name }) => name === n.name))
      .map((n) => ({
        name: n.name,
        project: n.project,
        key: n.key,
        present: isPresent(n),
        attributes: n.attributes,
        ...(unfiltered && { unfiltered }),
      })),
    volumes: allVolumes(layout)
      .filter((v) => v.project === project.name || project.volumes.some(({ name }) => name === v.name))
      .map(({ name, project: owner, key, driverOptions, labels }) => ({
        name,
        project: owner,
        key,
        labels,
        ...(driverOptions === undefined ? {} : { driverOptions }),
      })),
    images: await observeImages(context, project),
    ...(missing.length === 0 ? {} : { missing }),
    ...(unattended && { unattended }),
    foreign: all.filter((container) => !own.includes(container)).map(({ record }) => ({ name: record.name, project: record.spec.project })),
    takenPorts: observePorts(context, project, own),
    ...(project.secrets.length === 0 ? {} : { secretKey: await secretKey(layout) }),
    concerns: [
      ...limitConcerns(project.services),
      ...isolationConcerns(project.services, readKernelFacts),
      ...managerConcerns(project.services, context.cgroups),
      ...(await deviceConcerns(project.services)),
    ],
  };
}

export async function observeAll(context: Context): Promise<readonly ObservedContainer[]> {
  const { layout } = context;
  const networks = allNetworks(layout);
  const all = allContainers(layout);
  await reviveSupervisors(context, all);
  return all.map((container) => describe(layout, container, networks));
}

function describe(layout: Layout, container: Container, networks: readonly NetworkRecord[]): ObservedContainer {
  const { record, status } = container;
  const { spec } = record;
  const run = status.state === "created" ? null : status.run;
  const addresses = addressesOf(record, networks);
  const ended = unaskedEnd(layout, container);
  const lost = new Set(lostNetworks(container, addresses));
  return {
    id: record.id,
    name: record.name,
    project: spec.project,
    service: spec.service.name,
    number: spec.number,
    oneOff: spec.oneOff,
    hash: spec.hash,
    attributes: record.unfinished === true ? null : spec.attributes,
    spec,
    image: { reference: record.image.reference, id: record.image.id },
    state: stateOf(layout, container),
    ...restartsOf(layout, record),
    ...owedTo(layout, container),
    ...(wasStopped(layout, container) && { stopped: true }),
    afterReboot: returnsAfterReboot(layout, container),
    health: healthOf(layout, container)?.status ?? null,
    exitCode: status.state === "exited" ? status.exitCode : null,
    ...(ended === null ? {} : { ended }),
    pid: status.state === "running" ? status.run.process.pid : null,
    createdAt: record.createdAt,
    startedAt: run?.startedAt ?? null,
    finishedAt: status.state === "exited" ? status.finishedAt : null,
    argv: record.process.argv,
    labels: { ...spec.labels, [LABEL.oneOff]: labelBoolean(spec.oneOff) },
    ports: status.state === "running" ? status.run.ports : [],
    ...(status.state === "running" && record.process.exposedPorts.length > 0 && { exposed: record.process.exposedPorts }),
    beside: status.state === "running" && status.run.beside === true && isBeside(layout, record.id),
    networks: spec.networks.map(({ name }) => ({
      name,
      address: status.state === "running" ? addressIn(addresses, name) : null,
      ...(lost.has(name) && { cutOff: true }),
    })),
    volumes: record.mounts.flatMap(({ volume, target, anonymous }) => (volume === null ? [] : [{ name: volume, target, anonymous }])),
    mounts: record.mounts.flatMap(({ type, source, given }) => (given !== undefined ? [] : type === "tmpfs" ? ["tmpfs"] : [source])),
  };
}

function restartsOf(layout: Layout, record: ContainerRecord): Pick<ObservedContainer, "restarts"> {
  const restarts = hasPolicy(record) ? readRestart(layout, record.id).count : 0;
  return restarts === 0 ? {} : { restarts };
}

function addressIn(endpoints: readonly Endpoint[], name: string): string | null {
  const found = endpoints.find(({ network }) => network.name === name);
  return found?.address ?? found?.address6 ?? null;
}

/** Networks that it is on by its record, and not in the kernel. One whose process has just ended took its interfaces along. */
function lostNetworks({ record, status }: Container, endpoints: readonly Endpoint[]): readonly string[] {
  if (status.state !== "running") return [];
  const lost = cutOffFrom(endpoints, record.id);
  return hasNamespace(status.run) ? lost : [];
}

/** One that comes back by itself is seen to by that. */
function owedTo(layout: Layout, container: Container): Pick<ObservedContainer, "owed"> {
  const { record, status } = container;
  if (status.state === "running") return isBrokenOff(layout, container, "held") && isFrozen(layout, record.id) ? { owed: "unpause" } : {};
  return isBrokenOff(layout, container, "restarting") && !comesBack(layout, container) ? { owed: "start" } : {};
}

/** The state as Docker names it: one that waits to come back is restarting. */
export function stateOf(layout: Layout, container: Container): ContainerState {
  const { record, status } = container;
  if (status.state === "running") return isFrozen(layout, record.id) ? "paused" : "running";
  return comesBack(layout, container) ? "restarting" : status.state;
}

/** Whoever looks makes sure that what needs somebody has somebody: a supervisor may have been killed. */
async function reviveSupervisors(context: Context, containers: readonly Container[]): Promise<void> {
  const needing = containers.filter((container) => needsSupervisor(context.layout, container));
  for (const project of new Set(needing.map(({ record }) => record.spec.project))) await ensureSupervisor(context, project);
}

/** Whether somebody looks after the containers of a project that were begun, or comes to it by himself; `null`: none needs that. */
async function whetherAttended(
  { layout }: Context,
  { project, own }: { readonly project: string; readonly own: readonly Container[] },
): Promise<boolean | null> {
  const isNeedy = (container: Container): boolean => {
    const { status } = container;
    return status.state !== "created" && status.run.process.boot === bootId() && needsSupervisor(layout, container);
  };
  return own.some(isNeedy) ? isAttended(layout, project) : null;
}

async function observeImages({ store }: Context, project: Project): Promise<Readonly<Record<string, ObservedImage>>> {
  const references = [...new Set(project.services.flatMap(imagesOf))];
  const found = await Promise.all(references.map(async (reference) => [reference, await store.find(reference)] as const));
  const images: Record<string, ObservedImage> = {};
  for (const [reference, image] of found) {
    if (image === null) continue;
    const { Entrypoint = [], Cmd = [], Volumes = {} } = image.config;
    images[reference] = { id: image.id, digest: image.digest, command: [...Entrypoint, ...Cmd], volumes: Object.keys(Volumes) };
  }
  return images;
}

/** Only ports that the project wants and does not have are looked at. */
function observePorts({ layout }: Context, project: Project, own: readonly Container[]): readonly TakenPort[] {
  const held = own.flatMap(({ record }) => heldPorts(layout, record.id) ?? []);
  const machine = { ipv6: hasIpv6() };
  const isHeld = (protocol: string, host: string, port: number): boolean =>
    held.some((other) => other.protocol === protocol && other.host === host && other.published === port);
  const wanted = project.services.flatMap(({ ports }) =>
    ports.flatMap(({ protocol, host, published }) =>
      published === null
        ? []
        : range(published).flatMap((port) =>
            addressesFor(host, machine)
              .filter((at) => !isHeld(protocol, at, port))
              .map((at) => ({ protocol, host: at, port })),
          ),
    ),
  );
  if (wanted.length === 0) return [];
  const holderOf = holders(layout, null);
  return wanted.flatMap((port) => {
    const by = holderOf(port);
    return by === null ? [] : [{ ...port, by: by() }];
  });
}

const range = ({ from, to }: { readonly from: number; readonly to: number }): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
