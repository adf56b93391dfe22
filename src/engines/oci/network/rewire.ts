import type { Joined } from "../../../model/action.ts";
import type { Layout } from "../layout.ts";
import { allRecords, type ContainerRecord, findContainer, heldPorts, liveRun } from "../records.ts";
import { endpointsOf } from "./endpoints.ts";
import { removeLink } from "./links.ts";
import {
  allNetworks,
  change,
  isPresent,
  leased,
  lesseesOf,
  type NetworkRecord,
  recordFor,
  type WantedNetwork,
  writeNetwork,
} from "./networks.ts";
import { whyNotFixed } from "./pools.ts";
import { attachAgain, detach, ensureBridge } from "./wiring.ts";

/**
 * Makes a network anew as it is wanted now. Its containers get new addresses where the old ones do not fit; those that run are cut off and
 * connected again, and go on. Broken off in the middle it is unfinished by its record, and is done again.
 */
export async function updateNetwork(layout: Layout, wanted: WantedNetwork): Promise<void> {
  await change(layout, wanted.name, async (network) => {
    const next = { ...network, labels: wanted.labels, attributes: wanted.attributes };
    const users = allRecords(layout).filter(({ spec }) => spec.networks.some(({ name }) => name === wanted.name));
    const others = allNetworks(layout).filter(({ name }) => name !== wanted.name);
    const running = users.flatMap((record) => {
      const run = liveRun(layout, record.id);
      return run === null ? [] : [{ record, pid: run.process.pid }];
    });
    if (network.attributes !== null && JSON.stringify(network.config) === JSON.stringify(wanted.config)) {
      if (isPresent(network)) return next;
      await writeNetwork(layout, { ...network, attributes: null });
      connectAgain(network, { running, others });
      return next;
    }
    await writeNetwork(layout, { ...network, attributes: null });
    for (const { record } of running) detach(endpointsOf(record, [...others, network]), record.id, network.name);
    removeLink(network.bridge);
    const { createdAt } = network;
    const fresh = releasedAnew(layout, { network, users, made: { ...recordFor(layout, wanted), createdAt, attributes: null } });
    await writeNetwork(layout, fresh);
    if (running.length > 0) ensureBridge(fresh);
    for (const { record, pid } of running) attachAgain(endpointsOf(record, [...others, fresh]), { id: record.id, pid }, fresh.name);
    return { ...fresh, attributes: wanted.attributes };
  });
}

/** Connects who runs to a bridge that somebody took away, with the addresses that they have. */
function connectAgain(
  network: NetworkRecord,
  {
    running,
    others,
  }: { readonly running: readonly { readonly record: ContainerRecord; readonly pid: number }[]; readonly others: readonly NetworkRecord[] },
): void {
  if (running.length > 0) ensureBridge(network);
  for (const { record, pid } of running) {
    const endpoints = endpointsOf(record, [...others, network]);
    detach(endpoints, record.id, network.name);
    attachAgain(endpoints, { id: record.id, pid }, network.name);
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
