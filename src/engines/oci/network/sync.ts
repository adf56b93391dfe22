import { existsSync, readFileSync } from "node:fs";
import type { Layout } from "../layout.ts";
import { allContainers, type ContainerRecord, heldPorts } from "../records.ts";
import { type HostsEntry, hostsText, nameFiles, writeHosts } from "./hosts.ts";
import { allNetworks, isPresent, type NetworkRecord, readNetwork } from "./networks.ts";
import { applyRules } from "./ports.ts";

/**
 * Brings the packet filter and every running container's hosts file in line with what runs now. Level-driven: it looks at the whole world and
 * not at what changed, so it also mends what was flushed or lost. Call it under the world's wiring lock.
 */
export async function syncNetwork(layout: Layout): Promise<void> {
  const networks = allNetworks(layout);
  const live = allContainers(layout).flatMap(({ record }) => {
    const ports = heldPorts(layout, record.id);
    return ports === null ? [] : [{ record, ports }];
  });
  const records = live.map(({ record }) => record);
  for (const record of records) updateHosts(layout, record, hostsOf(record, { networks, live: records }));
  await applyRules({
    table: `wharf_${layout.world}`,
    networks: networks.filter(isPresent),
    ports: live.flatMap(({ record, ports }) => {
      const address = addressesOf(record, networks)[0]?.address;
      return address === undefined ? [] : ports.map((port) => ({ ...port, address }));
    }),
  });
}

/** What a container's hosts file says when it is made: itself. Its peers come with the next `syncNetwork`, before it begins. */
export function firstHosts(layout: Layout, record: ContainerRecord): string {
  const networks = record.spec.networks.flatMap(({ name }) => readNetwork(layout, name) ?? []);
  return hostsOf(record, { networks, live: [] });
}

/** A container's addresses with the names that it answers to there. */
export function addressesOf(
  record: ContainerRecord,
  networks: readonly NetworkRecord[],
): readonly (HostsEntry & { readonly network: NetworkRecord })[] {
  return record.spec.networks.flatMap(({ name, aliases }) => {
    const network = networks.find((n) => n.name === name);
    const address = network?.leases[record.id];
    return network === undefined || address === undefined
      ? []
      : [{ network, address, names: [record.name, ...aliases, record.id.slice(0, 12)] }];
  });
}

/** A container whose start has not come to its files yet has none to bring in line. */
function updateHosts(layout: Layout, record: ContainerRecord, text: string): void {
  const path = nameFiles(layout, record.id).hosts;
  if (existsSync(path) && readFileSync(path, "utf8") !== text) writeHosts(layout, record.id, text);
}

function hostsOf(
  record: ContainerRecord,
  world: { readonly networks: readonly NetworkRecord[]; readonly live: readonly ContainerRecord[] },
): string {
  const own = addressesOf(record, world.networks);
  const mine = new Set(own.map(({ network }) => network.name));
  const others = world.live.filter(({ id }) => id !== record.id);
  const peers = others.map((other) => addressesOf(other, world.networks).filter(({ network }) => mine.has(network.name)));
  const shared = sharedNames([own, ...peers]);
  const single = ({ address, names }: HostsEntry): HostsEntry => ({ address, names: names.filter((name) => !shared.has(name)) });
  return hostsText({
    own: own.map(({ address, names }) => ({ address, names: [record.hostname, ...single({ address, names }).names] })),
    peers: peers.flat().map(single),
    extra: record.spec.service.extraHosts,
    gateway: own[0]?.network.gateway ?? null,
  });
}

/** Names that several containers answer to. They are left to the name server: a hosts file would always give the same one of them. */
function sharedNames(containers: readonly (readonly HostsEntry[])[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const places of containers)
    for (const name of new Set(places.flatMap(({ names }) => names))) {
      if (seen.has(name)) shared.add(name);
      seen.add(name);
    }
  return shared;
}
