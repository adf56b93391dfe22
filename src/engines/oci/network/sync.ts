import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PublishedPort } from "../../../model/observed.ts";
import type { Layout } from "../layout.ts";
import { allRecords, type ContainerRecord, heldPorts, isBeside } from "../records.ts";
import { redirectFlows } from "./datagram-flows.ts";
import { type Endpoint, endpointsOf } from "./endpoints.ts";
import { forgetForeign } from "./foreign.ts";
import { noteGeneration } from "./generation.ts";
import { type HostsEntry, hostsText, nameFiles, writeHosts } from "./hosts.ts";
import { linkIndex } from "./links.ts";
import { movedNames } from "./moved-names.ts";
import { networkModeOf } from "./namespace.ts";
import { allNetworks, isPresent, type NetworkRecord, readNetwork } from "./networks.ts";
import { applyRules, type Ruleset, wants6 } from "./ports.ts";
import { outerName } from "./wiring.ts";

/**
 * Brings the packet filter and every running container's hosts file in line with what runs now. Level-driven: it looks at the whole world and
 * not at what changed, so it also mends what was flushed or lost. Call it under the world's wiring lock.
 */
export async function syncNetwork(layout: Layout): Promise<void> {
  const networks = allNetworks(layout);
  const live = liveRecords(layout);
  const world = neighbourhood(
    live.flatMap(({ record, beside }) => (beside ? [] : [record])),
    networks,
  );
  const circles = new Map<string, Circle>();
  for (const { record } of live) updateHosts(layout, record, hostsOf(record, { networks, peers: world, circles }));
  const rules = rulesetFor(layout, { live, networks });
  if (wants6(rules)) writeFileSync(marker6(layout), "");
  noteGeneration(layout, await applyRules(rules));
  redirectFlows(layout, rules.ports);
  await forgetForeign(
    layout,
    rules.networks.map(({ bridge }) => bridge),
  );
  if (!wants6(rules) && rules.had6) rmSync(marker6(layout), { force: true });
}

/** What the packet filter must know of this world now. */
export function rulesetOf(layout: Layout): Ruleset {
  return rulesetFor(layout, { live: liveRecords(layout), networks: allNetworks(layout) });
}

interface Live {
  readonly record: ContainerRecord;
  readonly beside: boolean;
  readonly ports: readonly PublishedPort[];
}

function liveRecords(layout: Layout): readonly Live[] {
  return allRecords(layout).flatMap((record) => {
    const ports = heldPorts(layout, record.id);
    if (ports === null) return [];
    const beside = isBeside(layout, record.id);
    return [{ record, beside, ports: beside ? [] : ports }];
  });
}

function rulesetFor(
  layout: Layout,
  { live, networks }: { readonly live: readonly Live[]; readonly networks: readonly NetworkRecord[] },
): Ruleset {
  return {
    table: `wharf_${layout.world}`,
    networks: networks.filter(isPresent),
    moved: movedNames(layout),
    had6: existsSync(marker6(layout)),
    ports: live.flatMap(({ record, ports }) => {
      if (ports.length > 0 && !isConnected(record, networks)) return [];
      const addresses = publishedAt(record, networks);
      return ports.map((port) => ({ ...port, ...addresses }));
    }),
  };
}

/** Whether a container has its interfaces: one that is being started has none at first. */
function isConnected(record: ContainerRecord, networks: readonly NetworkRecord[]): boolean {
  return endpointsOf(record, networks).every((_, position) => linkIndex(outerName(record.id, position)) !== null);
}

/** What a container's hosts file says when it is made: itself. Its peers come with the next `syncNetwork`, before it begins. */
export function firstHosts(layout: Layout, record: ContainerRecord): string {
  const networks = record.spec.networks.flatMap(({ name }) => readNetwork(layout, name) ?? []);
  return hostsOf(record, { networks, peers: new Map(), circles: new Map() });
}

/** A container's addresses, network by network, with the names that it answers to there. None where it shares the network of another. */
export function addressesOf(record: ContainerRecord, networks: readonly NetworkRecord[]): readonly Endpoint[] {
  return endpointsOf(record, networks);
}

/** The addresses that a container's published ports lead to. An internal network lets nothing in, as it lets nothing out. */
export function publishedAt(record: ContainerRecord, networks: readonly NetworkRecord[]): Pick<Endpoint, "address" | "address6"> {
  const all = addressesOf(record, networks);
  return {
    address: all.find(({ wayOut }) => wayOut.ipv4)?.address ?? null,
    address6: all.find(({ wayOut }) => wayOut.ipv6)?.address6 ?? null,
  };
}

/** The names by which one container knows another on a network: what that one answers to there, and its own links. */
export function namesFor(record: ContainerRecord, other: ContainerRecord, { names }: Pick<Endpoint, "names">): readonly string[] {
  const links = record.spec.service.links.filter(({ type, of }) =>
    type === "container"
      ? other.name === of || (of.length >= 12 && other.id.startsWith(of))
      : other.spec.project === record.spec.project && other.spec.service.name === of && !other.spec.oneOff,
  );
  return [...names, ...links.map(({ alias }) => alias)];
}

/** Who is on each network, by its name. */
type Neighbourhood = ReadonlyMap<string, readonly { readonly record: ContainerRecord; readonly endpoint: Endpoint }[]>;

function neighbourhood(records: readonly ContainerRecord[], networks: readonly NetworkRecord[]): Neighbourhood {
  const found = new Map<string, { readonly record: ContainerRecord; readonly endpoint: Endpoint }[]>();
  for (const record of records)
    for (const endpoint of addressesOf(record, networks)) {
      const members = found.get(endpoint.network.name);
      if (members === undefined) found.set(endpoint.network.name, [{ record, endpoint }]);
      else members.push({ record, endpoint });
    }
  return found;
}

/** A container whose start has not come to its files yet has none to bring in line. */
function updateHosts(layout: Layout, record: ContainerRecord, text: string): void {
  const path = nameFiles(layout, record.id).hosts;
  if (!existsSync(path)) return;
  const last = lastTexts.get(record);
  const hasNews = last !== undefined && last !== text; // what changes anyway need not be read first
  if (hasNews || readFileSync(path, "utf8") !== text) writeHosts(layout, record.id, text);
  lastTexts.set(record, text);
}

/** What hosts files were last brought to by this process. */
const lastTexts = new WeakMap<ContainerRecord, string>();

/** Everybody on the same networks, as those see each other who have no names of their own for others. */
interface Circle {
  readonly entries: ReadonlyMap<string, readonly HostsEntry[]>;
  readonly shared: ReadonlySet<string>;
}

interface Surroundings {
  readonly networks: readonly NetworkRecord[];
  readonly peers: Neighbourhood;
  /** Those worked out so far, by the names of their networks: many containers are on the same ones, and each would look at all of them. */
  readonly circles: Map<string, Circle>;
}

function hostsOf(record: ContainerRecord, world: Surroundings): string {
  const { service } = record.spec;
  if (networkModeOf(record)?.type === "host")
    return hostsText({ base: machineHosts(), own: [], peers: [], extra: service.extraHosts, gateways: ["127.0.0.1"] });
  const own = addressesOf(record, world.networks);
  const { shared, entries: all } = circleOf(record, own, world);
  const single = (names: readonly string[]): readonly string[] => names.filter((name) => !shared.has(name));
  const { hostname } = record;
  const full = service.domainname === null ? [hostname] : [`${hostname}.${service.domainname}`, hostname];
  const out = own.find(({ wayOut }) => wayOut.ipv4) ?? own.find(({ wayOut }) => wayOut.ipv6) ?? own[0];
  return hostsText({
    base: null,
    own: own.flatMap(({ address, address6, names }) => entries({ address, address6 }, [...full, ...single(names)])),
    peers: [...all].flatMap(([id, peer]) => (id === record.id ? [] : peer)),
    extra: service.extraHosts,
    gateways: [out?.network.ipv4?.gateway, out?.network.ipv6?.gateway].filter((gateway) => gateway !== undefined),
  });
}

function circleOf(record: ContainerRecord, own: readonly Endpoint[], { peers, circles }: Surroundings): Circle {
  const networks = own.map(({ network }) => network.name);
  const key = networks.join("\n");
  const known = circles.get(key);
  // One that stands beside another is on no list, and who has links has names for others that nobody else has.
  const isUsual = record.spec.service.links.length === 0;
  if (isUsual && known?.entries.has(record.id) === true) return known;
  const all = new Map<string, readonly HostsEntry[]>();
  for (const network of networks)
    for (const { record: other, endpoint } of peers.get(network) ?? []) {
      const names = other.id === record.id ? endpoint.names : namesFor(record, other, endpoint);
      all.set(other.id, [...(all.get(other.id) ?? []), ...entries(endpoint, names)]);
    }
  const isMember = all.has(record.id);
  const mine = isMember ? [] : [own.flatMap((endpoint) => entries(endpoint, endpoint.names))];
  const shared = sharedNames([...mine, ...all.values()]);
  const single = (entry: HostsEntry): HostsEntry => ({ ...entry, names: entry.names.filter((name) => !shared.has(name)) });
  const circle = { shared, entries: new Map(Array.from(all, ([id, found]) => [id, found.map(single)] as const)) };
  if (isUsual && isMember) circles.set(key, circle);
  return circle;
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

function entries({ address, address6 }: Pick<Endpoint, "address" | "address6">, names: readonly string[]): readonly HostsEntry[] {
  return [address, address6].flatMap((one) => (one === null || names.length === 0 ? [] : [{ address: one, names }]));
}

/** There while the packet filter has a table for IPv6. A reboot takes both away. */
const marker6 = (layout: Layout): string => join(layout.run, "ip6-rules");

function machineHosts(): string {
  try {
    return readFileSync("/etc/hosts", "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
