import type { Joined } from "../../../model/action.ts";
import type { Layout } from "../layout.ts";
import { allRecords, type ContainerRecord, findContainer, heldPorts, type RunState, statusOf } from "../records.ts";
import { endpointsOf } from "./endpoints.ts";
import { removeLink } from "./links.ts";
import { hasNamespace } from "./namespace.ts";
import { allNetworks, change, leased, lesseesOf, type NetworkRecord, recordFor, type WantedNetwork, writeNetwork } from "./networks.ts";
import { whyNotFixed } from "./pools.ts";
import { attachAgain, cutOffFrom, detach, ensureBridge } from "./wiring.ts";

/**
 * Makes a network anew as it is wanted now. Its containers get new addresses where the old ones do not fit; those that run are cut off and
 * connected again, and go on. Broken off in the middle it is unfinished by its record, and is done again.
 */
export async function updateNetwork(layout: Layout, wanted: WantedNetwork): Promise<void> {
  await change(layout, wanted.name, async (network) => {
    const users = usersOf(layout, network);
    const others = othersOf(layout, network);
    const running = runningOf(layout, users);
    if (network.attributes !== null && JSON.stringify(network.config) === JSON.stringify(wanted.config)) {
      connectAgain(network, { running, others });
      return { ...network, labels: wanted.labels, attributes: wanted.attributes };
    }
    await writeNetwork(layout, { ...network, attributes: null });
    for (const { record } of running) detach(endpointsOf(record, [...others, network]), record.id, network.name);
    removeLink(network.bridge);
    const { createdAt } = network;
    const fresh = releasedAnew(layout, { network, users, made: { ...recordFor(layout, wanted), createdAt, attributes: null } });
    await writeNetwork(layout, fresh);
    connectAgain(fresh, { running, others });
    return { ...fresh, attributes: wanted.attributes };
  });
}

/** Makes a network's bridge where it is gone, and connects who runs and is not on it, with the addresses that they have. */
export async function connectNetwork(layout: Layout, name: string): Promise<void> {
  await change(layout, name, (network) => {
    connectAgain(network, { running: runningOf(layout, usersOf(layout, network)), others: othersOf(layout, network) });
    return network;
  });
}

interface Running {
  readonly record: ContainerRecord;
  readonly run: RunState;
}

function usersOf(layout: Layout, { name }: NetworkRecord): readonly ContainerRecord[] {
  return allRecords(layout).filter(({ spec }) => spec.networks.some((joined) => joined.name === name));
}

function othersOf(layout: Layout, network: NetworkRecord): readonly NetworkRecord[] {
  return allNetworks(layout).filter(({ name }) => name !== network.name);
}

/** Who is being started is connected by its start. */
function runningOf(layout: Layout, users: readonly ContainerRecord[]): readonly Running[] {
  return users.flatMap((record) => {
    const status = statusOf(layout, record.id);
    return status.state === "running" && hasNamespace(status.run) ? [{ record, run: status.run }] : [];
  });
}

function connectAgain(
  network: NetworkRecord,
  { running, others }: { readonly running: readonly Running[]; readonly others: readonly NetworkRecord[] },
): void {
  if (running.length > 0) ensureBridge(network);
  for (const { record, run } of running) {
    const endpoints = endpointsOf(record, [...others, network]);
    if (!cutOffFrom(endpoints, record.id).includes(network.name)) continue;
    try {
      detach(endpoints, record.id, network.name);
      attachAgain(endpoints, { id: record.id, pid: run.process.pid }, network.name);
    } catch (error) {
      if (hasNamespace(run)) throw error; // else it ended meanwhile, and has nothing to be connected
    }
  }
}

/** Addresses for all who had one, fixed ones first. */
function releasedAnew(
  layout: Layout,
  { network, users, made }: { readonly network: NetworkRecord; readonly users: readonly ContainerRecord[]; readonly made: NetworkRecord },
): NetworkRecord {
  const had = new Set(lesseesOf(network));
  const isFixed = ({ spec }: ContainerRecord): boolean =>
    spec.networks.some(({ name, ipv4Address, ipv6Address }) => name === network.name && (ipv4Address ?? ipv6Address) !== undefined);
  const ordered = users.filter(({ id }) => had.has(id)).sort((a, b) => Number(isFixed(b)) - Number(isFixed(a)));
  return ordered.reduce((current, record) => {
    const joined = record.spec.networks.find(({ name }) => name === network.name);
    if (joined === undefined || !fits(made, joined)) return current; // it gets one when it is made anew, as the spec says
    return leased(current, {
      id: record.id,
      joined,
      exists: (id) => findContainer(layout, id) !== null,
      runs: (id) => heldPorts(layout, id) !== null,
    });
  }, made);
}

/** Whether the addresses that a container asks for can be had in the network as it is now. */
function fits({ ipv4, ipv6 }: NetworkRecord, { ipv4Address, ipv6Address }: Joined): boolean {
  return (
    (ipv4Address == null || whyNotFixed(ipv4, ipv4Address) === null) && (ipv6Address == null || whyNotFixed(ipv6, ipv6Address) === null)
  );
}
