import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isTemporary, parseWritten, sweepTemporaries, writeAtomic } from "../../../lib/atomic-file.ts";
import { withLock } from "../../../lib/file-lock.ts";
import type { Joined } from "../../../model/action.ts";
import { Failure } from "../../../model/diagnostic.ts";
import type { Json } from "../../../model/json.ts";
import { type NetworkConfig, PLAIN_NETWORK, SHARED_BRIDGE } from "../../../model/network.ts";
import type { Layout } from "../layout.ts";
import { linkIndex, removeLink } from "./links.ts";
import { type AddressPool, choosePools, freeAddress, subnetOf, type Used, whyNotFixed } from "./pools.ts";
import { usedSubnets } from "./subnets.ts";

/** A bridge network of this machine. The file is the truth; the bridge is made from it whenever it is missing. */
export interface NetworkRecord {
  readonly version: 2;
  readonly name: string;
  /** `null`: nobody's. */
  readonly project: string | null;
  /** Key in the spec it was made for. */
  readonly key: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: string;
  readonly bridge: string;
  readonly mtu: number;
  readonly config: NetworkConfig;
  /** What it was made from, as the planner compares it; `null` while it is being changed. */
  readonly attributes: Readonly<Record<string, Json>> | null;
  /** `null`: it has no addresses of this family. */
  readonly ipv4: AddressPool | null;
  readonly ipv6: AddressPool | null;
}

/** What a network is made from. */
export interface WantedNetwork {
  readonly name: string;
  readonly project: string | null;
  readonly key: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly config: NetworkConfig;
  readonly attributes: Readonly<Record<string, Json>>;
}

/** Who asks for an address. */
export interface Lessee {
  readonly id: string;
  readonly joined: Joined;
  /** Whether a container still exists. */
  readonly exists: (id: string) => boolean;
  /** Whether a container runs or is being started: its address cannot be taken from it. */
  readonly runs: (id: string) => boolean;
}

const MTU = 1500;

export function readNetwork(layout: Layout, name: string): NetworkRecord | null {
  try {
    const record = parseWritten<NetworkRecord | FirstRecord>(readFileSync(fileOf(layout, name), "utf8"));
    return record === null ? null : upgraded(record);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

export function allNetworks(layout: Layout): NetworkRecord[] {
  return readdirSync(layout.networks)
    .filter((file) => file.endsWith(".json") && !isTemporary(file))
    .flatMap((file) => readNetwork(layout, file.slice(0, -".json".length)) ?? [])
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Whether the kernel has its bridge. */
export function isPresent(network: Pick<NetworkRecord, "bridge">): boolean {
  return linkIndex(network.bridge) !== null;
}

/** Makes a network that is not known yet. The bridge comes with the first container. Throws E_SUBNET_TAKEN, E_BRIDGE_TAKEN, E_NO_IPV6. */
export async function createNetwork(layout: Layout, wanted: WantedNetwork): Promise<void> {
  await withLock(join(layout.locks, "subnets.lock"), { purpose: `create network ${wanted.name}`, timeoutMs: 30_000 }, async () => {
    if (readNetwork(layout, wanted.name) !== null) return;
    const left = usualBridge(layout, wanted.name);
    if (linkIndex(left) !== null) removeLink(left); // of one whose record somebody removed
    await writeAtomic(fileOf(layout, wanted.name), JSON.stringify(recordFor(layout, wanted)));
  });
}

/** The record of a network to be made, with addresses that nothing else on this machine uses. */
export function recordFor(layout: Layout, { config, ...wanted }: WantedNetwork): NetworkRecord {
  const seed = seedOf(layout, wanted.name);
  const others = allNetworks(layout).filter(({ name }) => name !== wanted.name);
  const bridge = config.bridge ?? usualBridge(layout, wanted.name);
  refuseBridge(config, { name: wanted.name, others });
  if (config.ipv6 && !hasIpv6())
    throw new Failure({
      code: "E_NO_IPV6",
      message: `network ${wanted.name} has \`enable_ipv6\`, and this machine's kernel has no IPv6`,
      hint: "take `enable_ipv6` out, or switch IPv6 on (ipv6.disable=0 on the kernel's command line)",
    });
  const used: Used = {
    networks: others.flatMap(({ name, ipv4, ipv6 }) =>
      [ipv4, ipv6].flatMap((pool) => (pool === null ? [] : [{ name, subnet: subnetOf(pool) }])),
    ),
    routes: usedSubnets(),
  };
  return {
    version: 2,
    ...wanted,
    createdAt: new Date().toISOString(),
    bridge,
    mtu: config.mtu ?? MTU,
    config,
    ...choosePools(config, { name: wanted.name, seed, used }),
  };
}

const seedOf = (layout: Layout, network: string): Buffer => createHash("sha256").update(`${layout.world}/${network}`).digest();

/** Name of the bridge of a network that asks for none. */
const usualBridge = (layout: Layout, network: string): string => `wh${seedOf(layout, network).toString("hex").slice(0, 10)}`;

/** Gives a container its addresses in a network, the same ones when it has them. Throws E_NETWORK_FULL, E_ADDRESS_TAKEN, E_NO_SUCH_NETWORK. */
export async function lease(layout: Layout, lessee: Lessee): Promise<void> {
  const { name } = lessee.joined;
  for (;;) {
    if (name === SHARED_BRIDGE) await createNetwork(layout, SHARED);
    try {
      return await changeTogether(layout, name, (network) => leased(network, lessee));
    } catch (error) {
      // Its last container may have gone, and it with it, since we looked.
      if (name !== SHARED_BRIDGE || !(error instanceof Failure) || error.diagnostics[0]?.code !== "E_NO_SUCH_NETWORK") throw error;
    }
  }
}

/** Whether a container has all addresses in a network that it can have. */
export function isLeased({ ipv4, ipv6 }: NetworkRecord, id: string): boolean {
  return [ipv4, ipv6].every((pool) => pool === null || pool.leases[id] !== undefined);
}

/** The network with addresses for a container in it. Pure. */
export function leased(network: NetworkRecord, lessee: Lessee): NetworkRecord {
  if (isLeased(network, lessee.id)) return network;
  const { joined } = lessee;
  return {
    ...network,
    ipv4: leasedFrom(network.ipv4, joined.ipv4Address ?? null, { network, lessee }),
    ipv6: leasedFrom(network.ipv6, joined.ipv6Address ?? null, { network, lessee }),
  };
}

export async function release(layout: Layout, name: string, id: string): Promise<void> {
  const network = readNetwork(layout, name);
  const has = (pool: AddressPool | null | undefined): boolean => pool?.leases[id] !== undefined;
  if (!has(network?.ipv4) && !has(network?.ipv6)) return;
  let left = 1;
  await changeTogether(layout, name, (current) => {
    const next = { ...current, ipv4: without(current.ipv4, id), ipv6: without(current.ipv6, id) };
    left = Object.keys({ ...next.ipv4?.leases, ...next.ipv6?.leases }).length;
    return next;
  });
  if (name === SHARED_BRIDGE && left === 0) await removeNetwork(layout, name, { exists: () => true, ifUnused: true });
}

/** Forgets a network and takes its bridge away. Throws E_NETWORK_IN_USE when a container still has an address in it. */
export async function removeNetwork(
  layout: Layout,
  name: string,
  { exists, ifUnused = false }: { readonly exists: (id: string) => boolean; readonly ifUnused?: boolean },
): Promise<void> {
  await withLock(lockOf(layout, name), { purpose: `remove network ${name}`, timeoutMs: 30_000 }, async () => {
    const network = readNetwork(layout, name);
    if (network === null) return;
    const users = lesseesOf(network).filter(exists);
    if (users.length > 0 && ifUnused) return;
    if (users.length > 0)
      throw new Failure({
        code: "E_NETWORK_IN_USE",
        message: `network ${name} is used by ${users.length} container(s): ${users.map((id) => id.slice(0, 12)).join(", ")}`,
        hint: "remove them first",
      });
    removeLink(network.bridge);
    await rm(fileOf(layout, name), { force: true });
  });
}

/** Ids of the containers that have an address in it. */
export function lesseesOf({ ipv4, ipv6 }: NetworkRecord): readonly string[] {
  return Object.keys({ ...ipv4?.leases, ...ipv6?.leases });
}

export async function sweepNetworks(layout: Layout): Promise<void> {
  await sweepTemporaries(layout.networks);
}

/** Changes a network under its lock. Throws E_NO_SUCH_NETWORK. */
export async function change(
  layout: Layout,
  name: string,
  edit: (network: NetworkRecord) => NetworkRecord | Promise<NetworkRecord>,
): Promise<void> {
  await withLock(lockOf(layout, name), { purpose: `change network ${name}`, timeoutMs: 30_000 }, async () => {
    const network = readNetwork(layout, name);
    if (network === null)
      throw new Failure({
        code: "E_NO_SUCH_NETWORK",
        message: `there is no network named ${name}`,
        hint: "wharf up makes a project's networks",
      });
    const next = await edit(network);
    if (next !== network) await writeNetwork(layout, next);
  });
}

type PureEdit = (network: NetworkRecord) => NetworkRecord;

/** Edits of one network that are to be written at once. */
interface Batch {
  readonly edits: PureEdit[];
  /** What the edits threw that threw something. */
  readonly done: Promise<ReadonlyMap<PureEdit, unknown>>;
}

/** Batches that have not begun yet, by the network's file. */
const gathering = new Map<string, Batch>();

/**
 * As `change`, where nothing but the record is touched: what this process asks for while it waits for the lock is written by one change. An edit
 * that throws leaves the others be. Ten containers that are made at once take the lock twice, not ten times.
 */
async function changeTogether(layout: Layout, name: string, edit: PureEdit): Promise<void> {
  const known = gathering.get(fileOf(layout, name));
  known?.edits.push(edit);
  const { done } = known ?? gather(layout, name, edit);
  const failures = await done;
  if (failures.has(edit)) throw failures.get(edit);
}

function gather(layout: Layout, name: string, first: PureEdit): Batch {
  const file = fileOf(layout, name);
  const edits = [first];
  const close = (): void => {
    if (gathering.get(file)?.edits === edits) gathering.delete(file);
  };
  const failures = new Map<PureEdit, unknown>();
  const changed = change(layout, name, (network) => {
    close(); // whoever comes now comes with the next one
    return edits.reduce((current, edit) => {
      try {
        return edit(current);
      } catch (error) {
        failures.set(edit, error);
        return current;
      }
    }, network);
  });
  const batch = { edits, done: changed.finally(close).then(() => failures) };
  gathering.set(file, batch);
  return batch;
}

/** Call it under the network's lock only. */
export async function writeNetwork(layout: Layout, network: NetworkRecord): Promise<void> {
  await writeAtomic(fileOf(layout, network.name), JSON.stringify(network), { durable: false });
}

/** The network of `network_mode: bridge`. */
const SHARED: WantedNetwork = { name: SHARED_BRIDGE, project: null, key: null, labels: {}, config: PLAIN_NETWORK, attributes: {} };

/** The form of records that the first versions wrote. */
interface FirstRecord extends Pick<NetworkRecord, "name" | "project" | "key" | "labels" | "createdAt" | "bridge" | "mtu"> {
  readonly version: 1;
  readonly subnet: string;
  readonly prefix: number;
  readonly gateway: string;
  readonly leases: Readonly<Record<string, string>>;
}

function upgraded(record: NetworkRecord | FirstRecord): NetworkRecord {
  if (record.version !== 1) return record;
  const { subnet, prefix, gateway, leases, ...rest } = record;
  const ipv4 = { subnet, prefix, gateway, leases, range: null, reserved: [] };
  return { ...rest, version: 2, config: PLAIN_NETWORK, attributes: {}, ipv4, ipv6: null };
}

interface Leasing {
  readonly network: NetworkRecord;
  readonly lessee: Lessee;
}

function leasedFrom(pool: AddressPool | null, wanted: string | null, { network, lessee }: Leasing): AddressPool | null {
  const { id, joined, exists } = lessee;
  if (wanted !== null) return fixedFrom(pool, wanted, { network, lessee });
  if (pool === null || pool.leases[id] !== undefined) return pool;
  const free = freeAddress(pool, joined.avoid);
  if (free !== null) return { ...pool, leases: { ...pool.leases, [id]: free } };
  const pruned = { ...pool, leases: Object.fromEntries(Object.entries(pool.leases).filter(([other]) => exists(other))) };
  const freed = freeAddress(pruned, joined.avoid) ?? freeAddress(pruned);
  if (freed !== null) return { ...pruned, leases: { ...pruned.leases, [id]: freed } };
  throw new Failure({
    code: "E_NETWORK_FULL",
    message: `network ${network.name} (${pool.range ?? `${pool.subnet}/${pool.prefix}`}) has no free address left`,
    hint: "remove containers that are no longer needed",
  });
}

function fixedFrom(pool: AddressPool | null, wanted: string, { network, lessee }: Leasing): AddressPool {
  const { id, runs } = lessee;
  const wrong = whyNotFixed(pool, wanted);
  const refused = (why: string): Failure =>
    new Failure({
      code: "E_ADDRESS_TAKEN",
      message: `address ${wanted} in network ${network.name} cannot be given: ${why}`,
      hint: "choose another address, or leave it out to have a free one chosen",
    });
  if (pool === null || wrong !== null) throw refused(wrong ?? "the network has none of this family");
  const holder = Object.entries(pool.leases).find(([other, address]) => address === wanted && other !== id)?.[0];
  // Who does not run gets another one when it starts, or waits: so a replacement follows the one before it.
  if (holder !== undefined && runs(holder)) throw refused(`container ${holder.slice(0, 12)} has it`);
  const leases = Object.fromEntries(Object.entries(pool.leases).filter(([other]) => other !== holder));
  return { ...pool, leases: { ...leases, [id]: wanted } };
}

function without(pool: AddressPool | null, id: string): AddressPool | null {
  if (pool === null) return null;
  return { ...pool, leases: Object.fromEntries(Object.entries(pool.leases).filter(([other]) => other !== id)) };
}

function refuseBridge(
  { bridge }: NetworkConfig,
  { name, others }: { readonly name: string; readonly others: readonly NetworkRecord[] },
): void {
  if (bridge === null) return;
  const other = others.find((network) => network.bridge === bridge);
  if (other === undefined && linkIndex(bridge) === null) return;
  throw new Failure({
    code: "E_BRIDGE_TAKEN",
    message: `network ${name} wants a bridge named ${bridge}, and ${other === undefined ? "this machine has an interface of that name" : `network ${other.name} has it`}`,
    hint: "choose another name in `driver_opts`, or leave it out",
  });
}

function hasIpv6(): boolean {
  try {
    readFileSync("/proc/sys/net/ipv6/conf/all/forwarding");
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

const fileOf = (layout: Layout, name: string): string => join(layout.networks, `${name}.json`);
const lockOf = (layout: Layout, name: string): string => join(layout.locks, `network-${name}.lock`);
