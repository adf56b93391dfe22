import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createAtomic, isTemporary, sweepTemporaries, writeAtomic } from "../../../lib/atomic-file.ts";
import { withLock } from "../../../lib/file-lock.ts";
import { Failure } from "../../../model/diagnostic.ts";
import type { Layout } from "../layout.ts";
import { EEXIST, SystemCallError } from "../syscalls.ts";
import { addAddress, addBridge, addDefaultRoute, addVeth, deleteLink, Netlink, setHairpin, setUp } from "./netlink.ts";
import { formatIpv4, parseIpv4, usedRanges } from "./subnets.ts";

/** A bridge network of this machine. The file is the truth; the bridge is made from it whenever it is missing. */
export interface NetworkRecord {
  readonly version: 1;
  readonly name: string;
  readonly project: string | null;
  /** Key in the spec it was made for. */
  readonly key: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: string;
  readonly bridge: string;
  readonly mtu: number;
  /** Network address, and number of bits. */
  readonly subnet: string;
  readonly prefix: number;
  readonly gateway: string;
  /** Addresses by container id. */
  readonly leases: Readonly<Record<string, string>>;
}

const PREFIX = 24;
/** 8,192 networks of 254 addresses each, in a part of the private range that home routers and clouds seldom use. */
const POOL = { base: parseIpv4("10.192.0.0"), count: 8192 };
const MTU = 1500;

export function readNetwork(layout: Layout, name: string): NetworkRecord | null {
  try {
    return JSON.parse(readFileSync(fileOf(layout, name), "utf8")) as NetworkRecord;
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
export function isPresent(network: NetworkRecord): boolean {
  return linkIndex(network.bridge) !== null;
}

/** Makes a network that is not known yet: chooses a subnet that nothing on this machine uses. The bridge comes with the first container. */
export async function createNetwork(
  layout: Layout,
  wanted: { readonly name: string; readonly project: string; readonly key: string; readonly labels: Readonly<Record<string, string>> },
): Promise<void> {
  await withLock(join(layout.locks, "subnets.lock"), { purpose: `create network ${wanted.name}`, timeoutMs: 30_000 }, async () => {
    if (readNetwork(layout, wanted.name) !== null) return;
    const hash = createHash("sha256").update(`${layout.world}/${wanted.name}`).digest();
    const subnet = chooseSubnet(layout, hash.readUInt32BE(0));
    const record: NetworkRecord = {
      version: 1,
      ...wanted,
      createdAt: new Date().toISOString(),
      bridge: `wh${hash.toString("hex").slice(0, 10)}`,
      mtu: MTU,
      subnet: formatIpv4(subnet),
      prefix: PREFIX,
      gateway: formatIpv4(subnet + 1),
      leases: {},
    };
    await createAtomic(fileOf(layout, wanted.name), JSON.stringify(record));
  });
}

/** Gives a container an address in a network, the same one when it has one. `live` tells whose leases still count. */
export async function lease(
  layout: Layout,
  name: string,
  container: { readonly id: string; readonly live: (id: string) => boolean },
): Promise<void> {
  await change(layout, name, (network) => {
    if (network.leases[container.id] !== undefined) return network;
    const leases = Object.fromEntries(Object.entries(network.leases).filter(([id]) => container.live(id)));
    const taken = new Set(Object.values(leases));
    const first = parseIpv4(network.subnet);
    for (let host = 2; host < 2 ** (32 - network.prefix) - 1; host += 1) {
      const address = formatIpv4(first + host);
      if (!taken.has(address)) return { ...network, leases: { ...leases, [container.id]: address } };
    }
    throw new Failure({
      code: "E_NETWORK_FULL",
      message: `network ${name} (${network.subnet}/${network.prefix}) has no free address left`,
      hint: "remove containers that are no longer needed",
    });
  });
}

export async function release(layout: Layout, name: string, id: string): Promise<void> {
  if (readNetwork(layout, name)?.leases[id] === undefined) return;
  await change(layout, name, (network) => ({
    ...network,
    leases: Object.fromEntries(Object.entries(network.leases).filter(([other]) => other !== id)),
  }));
}

/** Makes sure that the kernel has the bridge with its address, and that packets may pass through this machine. */
export function ensureBridge(network: NetworkRecord): void {
  if (linkIndex(network.bridge) !== null) return;
  const netlink = Netlink.here();
  try {
    try {
      netlink.request(network.bridge, addBridge(network.bridge, { mtu: network.mtu, mac: macOf(network.gateway) }));
    } catch (error) {
      if (error instanceof SystemCallError && error.errno === EEXIST) return; // another command was quicker
      throw error;
    }
    const index = netlink.indexOf(network.bridge);
    if (index === null) throw new Error(`bridge ${network.bridge} went away while it was made`);
    netlink.request(network.bridge, addAddress(index, network.gateway, network.prefix));
  } finally {
    netlink.close();
  }
  setSysctl("net/ipv4/ip_forward", "1");
  setSysctl(`net/ipv4/conf/${network.bridge}/route_localnet`, "1"); // 127.0.0.1:PORT is translated to a container's address
  setSysctl(`net/ipv6/conf/${network.bridge}/disable_ipv6`, "1");
}

/** Connects the network namespace of a process that has not begun yet. The veth goes with the namespace: nothing stays after a crash. */
export function attach(networks: readonly NetworkRecord[], container: { readonly id: string; readonly pid: number }): void {
  const here = Netlink.here();
  try {
    const inside = Netlink.of(container.pid);
    try {
      inside.request("lo", setUp(1));
      for (const [position, network] of networks.entries()) attachOne(here, inside, { network, position, ...container });
    } finally {
      inside.close();
    }
  } finally {
    here.close();
  }
}

/** Forgets a network and takes its bridge away. Throws E_NETWORK_IN_USE when a container still has an address in it. */
export async function removeNetwork(layout: Layout, name: string, live: (id: string) => boolean): Promise<void> {
  await withLock(lockOf(layout, name), { purpose: `remove network ${name}`, timeoutMs: 30_000 }, async () => {
    const network = readNetwork(layout, name);
    if (network === null) return;
    const users = Object.keys(network.leases).filter(live);
    if (users.length > 0)
      throw new Failure({
        code: "E_NETWORK_IN_USE",
        message: `network ${name} is used by ${users.length} container(s): ${users.map((id) => id.slice(0, 12)).join(", ")}`,
        hint: "remove them first",
      });
    const netlink = Netlink.here();
    try {
      const index = netlink.indexOf(network.bridge);
      if (index !== null) netlink.request(network.bridge, deleteLink(index));
    } finally {
      netlink.close();
    }
    await rm(fileOf(layout, name), { force: true });
  });
}

export async function sweepNetworks(layout: Layout): Promise<void> {
  await sweepTemporaries(layout.networks);
}

/** A hardware address that belongs to an IPv4 address, so that it is the same after every start. */
export function macOf(address: string): string {
  return `02:42:${address
    .split(".")
    .map((octet) => Number(octet).toString(16).padStart(2, "0"))
    .join(":")}`;
}

function attachOne(
  here: Netlink,
  inside: Netlink,
  wanted: { readonly network: NetworkRecord; readonly position: number; readonly id: string; readonly pid: number },
): void {
  const { network, position, id, pid } = wanted;
  const address = network.leases[id];
  if (address === undefined) throw new Error(`container ${id} has no address in network ${network.name}`);
  const bridge = here.indexOf(network.bridge);
  if (bridge === null) throw new Error(`bridge ${network.bridge} of network ${network.name} is not there`);
  const outer = `wv${id.slice(0, 10)}${position}`;
  const inner = `eth${position}`;
  here.request(outer, addVeth({ name: outer, bridge, mtu: network.mtu, peer: { name: inner, pid, mac: macOf(address) } }));
  const outerIndex = here.indexOf(outer);
  const innerIndex = inside.indexOf(inner);
  if (outerIndex === null || innerIndex === null) throw new Error(`veth ${outer} went away while it was made`);
  here.request(outer, setHairpin(outerIndex));
  inside.request(inner, addAddress(innerIndex, address, network.prefix));
  inside.request(inner, setUp(innerIndex));
  if (position === 0) inside.request(inner, addDefaultRoute(innerIndex, network.gateway));
}

function chooseSubnet(layout: Layout, seed: number): number {
  const used = [
    ...usedRanges(),
    ...allNetworks(layout).map((n) => ({ first: parseIpv4(n.subnet), last: parseIpv4(n.subnet) + 2 ** (32 - n.prefix) - 1 })),
  ];
  for (let attempt = 0; attempt < POOL.count; attempt += 1) {
    const first = POOL.base + ((seed + attempt) % POOL.count) * 2 ** (32 - PREFIX);
    const last = first + 2 ** (32 - PREFIX) - 1;
    if (used.every((range) => range.last < first || range.first > last)) return first;
  }
  throw new Failure({
    code: "E_NETWORK_FULL",
    message: "no free subnet is left for another network",
    hint: "wharf ls -a lists projects whose networks could go",
  });
}

async function change(layout: Layout, name: string, edit: (network: NetworkRecord) => NetworkRecord): Promise<void> {
  await withLock(lockOf(layout, name), { purpose: `change network ${name}`, timeoutMs: 30_000 }, async () => {
    const network = readNetwork(layout, name);
    if (network === null)
      throw new Failure({
        code: "E_NO_SUCH_NETWORK",
        message: `there is no network named ${name}`,
        hint: "wharf up makes a project's networks",
      });
    const next = edit(network);
    if (next !== network) await writeAtomic(fileOf(layout, name), JSON.stringify(next), { durable: false });
  });
}

function linkIndex(name: string): number | null {
  try {
    return Number(readFileSync(`/sys/class/net/${name}/ifindex`, "latin1"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EINVAL") return null; // EINVAL: it went away between opening the file and reading it
    throw error;
  }
}

function setSysctl(key: string, value: string): void {
  const path = `/proc/sys/${key}`;
  try {
    if (readFileSync(path, "latin1").trim() !== value) writeFileSync(path, value);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // a kernel without IPv6 has no such key
  }
}

const fileOf = (layout: Layout, name: string): string => join(layout.networks, `${name}.json`);
const lockOf = (layout: Layout, name: string): string => join(layout.locks, `network-${name}.lock`);
