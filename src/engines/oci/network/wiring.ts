import { readdirSync, readFileSync } from "node:fs";
import { Failure } from "../../../model/diagnostic.ts";
import type { ContainerRecord } from "../records.ts";
import { EEXIST, SystemCallError } from "../syscalls.ts";
import type { Endpoint } from "./endpoints.ts";
import { bridgeOf, linkIndex, removeLink, setSysctl, setSysctlsOf } from "./links.ts";
import { addAddress, addBridge, addDefaultRoute, addVeth, Netlink, setMaster, setPort, setUp } from "./netlink.ts";
import type { NetworkRecord } from "./networks.ts";
import { macOf } from "./pools.ts";

/** Makes sure that the kernel has the bridge with its addresses, and that packets may pass through this machine. */
export function ensureBridge(network: NetworkRecord): void {
  if (linkIndex(network.bridge) !== null) return;
  const { bridge, mtu, ipv4, ipv6 } = network;
  const netlink = Netlink.here();
  try {
    try {
      netlink.request(bridge, addBridge(bridge, { mtu, mac: macOf(ipv4?.gateway ?? ipv6?.gateway ?? "::") }));
    } catch (error) {
      if (error instanceof SystemCallError && error.errno === EEXIST) return; // another command was quicker
      throw error;
    }
    const index = netlink.indexOf(bridge);
    if (index === null) throw new Error(`bridge ${bridge} went away while it was made`);
    if (ipv4 !== null) netlink.request(bridge, addAddress(index, ipv4.gateway, ipv4.prefix));
    setSysctl(`net/ipv6/conf/${bridge}/disable_ipv6`, ipv6 === null ? "1" : "0");
    if (ipv6 !== null) {
      setSysctl(`net/ipv6/conf/${bridge}/accept_ra`, "0");
      setSysctl(`net/ipv6/conf/${bridge}/accept_dad`, "0");
      netlink.request(bridge, addAddress(index, ipv6.gateway, ipv6.prefix));
    }
  } finally {
    netlink.close();
  }
  if (ipv4 !== null) {
    setSysctl("net/ipv4/ip_forward", "1");
    setSysctl(`net/ipv4/conf/${bridge}/route_localnet`, "1"); // 127.0.0.1:PORT is translated to a container's address
  }
  if (ipv6 !== null) forwardIpv6();
}

/** Connects the network namespace of a process. The veths go with the namespace: nothing stays after a crash. */
export function attach(endpoints: readonly Endpoint[], container: { readonly id: string; readonly pid: number }): void {
  connect(endpoints, { ...container, only: null });
}

/** Connects a container that runs to a network again, from which it was cut off. */
export function attachAgain(
  endpoints: readonly Endpoint[],
  container: { readonly id: string; readonly pid: number },
  network: string,
): void {
  connect(endpoints, { ...container, only: network });
}

/** The networks that a container has an interface for which leads nowhere: its bridge was taken away, and perhaps made again since. */
export function cutOffFrom(endpoints: readonly Endpoint[], id: string): readonly string[] {
  return endpoints.flatMap(({ network }, position) => (bridgeOf(outerName(id, position)) === network.bridge ? [] : [network.name]));
}

/** Cuts a container off a network. */
export function detach(endpoints: readonly Endpoint[], id: string, network: string): void {
  for (const [position, endpoint] of endpoints.entries()) if (endpoint.network.name === network) removeLink(outerName(id, position));
}

/** Takes away what is left of a container's links: others that share its network hold on to them. */
export function cutOff({ id, spec }: ContainerRecord): void {
  for (const position of spec.networks.keys()) removeLink(outerName(id, position));
}

interface Connecting {
  readonly id: string;
  readonly pid: number;
  /** A network's name; `null`: all. */
  readonly only: string | null;
}

function connect(endpoints: readonly Endpoint[], { id, pid, only }: Connecting): void {
  const here = Netlink.here();
  try {
    const inside = insideOf(pid, id);
    try {
      if (only === null) inside.request("lo", setUp(1));
      const wanted = Array.from(endpoints.entries()).filter(([, { network }]) => only === null || network.name === only);
      for (const [position, endpoint] of wanted) makeLink(here, endpoint, { outer: outerName(id, position), pid });
      setSysctlsOf(pid, Object.fromEntries(wanted.flatMap(([, endpoint]) => Object.entries(settingsOf(endpoint)))));
      for (const [, endpoint] of wanted) setAsked(pid, endpoint);
      for (const [, endpoint] of wanted) configure(inside, endpoint);
      // Last: one that is a port of its bridge is connected, whenever this is broken off.
      for (const [position, endpoint] of wanted) makePort(here, endpoint, outerName(id, position));
    } finally {
      inside.close();
    }
  } finally {
    here.close();
  }
}

function insideOf(pid: number, id: string): Netlink {
  try {
    return Netlink.of(pid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Failure(
      {
        code: "E_START",
        message: `container ${id.slice(0, 12)} could not be connected: its process ended before it began`,
        hint: "something else on this machine ended it; start it again",
      },
      { cause: error },
    );
  }
}

function makeLink(here: Netlink, endpoint: Endpoint, { outer, pid }: { readonly outer: string; readonly pid: number }): void {
  const { network, interfaceName, mac } = endpoint;
  const pair = addVeth({ name: outer, mtu: network.mtu, peer: { name: interfaceName, pid, mac } });
  try {
    here.request(outer, pair);
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.errno !== EEXIST) throw error;
    // Its last run's network lives on in a container that shares it, which is to be restarted.
    removeLink(outer);
    here.request(outer, pair);
  }
}

function makePort(here: Netlink, { network }: Endpoint, outer: string): void {
  const bridge = here.indexOf(network.bridge);
  if (bridge === null) throw new Error(`bridge ${network.bridge} of network ${network.name} is not there`);
  const index = here.indexOf(outer);
  if (index === null) throw new Error(`veth ${outer} went away while it was made`);
  here.request(outer, setMaster(index, bridge));
  here.request(outer, setPort(index, { isolated: !network.config.connected }));
}

/** No router but the network's own is listened to, and where there is no IPv6 none is begun. */
function settingsOf({ interfaceName, address6, joined }: Endpoint): Readonly<Record<string, string>> {
  const conf = `net/ipv6/conf/${interfaceName}`;
  return {
    ...(address6 === null ? { [`${conf}/disable_ipv6`]: "1" } : { [`${conf}/disable_ipv6`]: "0", [`${conf}/accept_ra`]: "0" }),
    // Those who knew its address by another interface's learn of this one.
    ...(joined.macAddress == null ? {} : { [`net/ipv4/conf/${interfaceName}/arp_notify`]: "1" }),
  };
}

/** What the spec asks of the interface, over everything else. Throws E_START. */
function setAsked(pid: number, { interfaceName, joined, network }: Endpoint): void {
  for (const [name, value] of Object.entries(joined.sysctls ?? {})) {
    // The interface's own name may have dots.
    const path = name.split(".").map((part) => (part === "IFNAME" ? interfaceName : part));
    try {
      setSysctlsOf(pid, { [path.join("/")]: value });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      throw new Failure(
        {
          code: "E_START",
          message: `the kernel does not take ${name}=${value} for network ${network.key ?? network.name} (${code})`,
          hint: "correct the value in `driver_opts`",
        },
        { cause: error },
      );
    }
  }
}

function configure(inside: Netlink, endpoint: Endpoint): void {
  const { network, interfaceName: name, address, address6, joined, wayOut } = endpoint;
  const { ipv4, ipv6 } = network;
  const index = inside.indexOf(name);
  if (index === null) throw new Error(`interface ${name} went away while it was made`);
  if (address !== null && ipv4 !== null) inside.request(name, addAddress(index, address, ipv4.prefix));
  if (address6 !== null && ipv6 !== null) inside.request(name, addAddress(index, address6, ipv6.prefix));
  for (const extra of joined.linkLocalAddresses ?? []) inside.request(name, addAddress(index, extra, extra.includes(":") ? 64 : 16));
  inside.request(name, setUp(index));
  if (wayOut.ipv4 && ipv4 !== null) inside.request(name, addDefaultRoute(index, ipv4.gateway));
  if (wayOut.ipv6 && ipv6 !== null) inside.request(name, addDefaultRoute(index, ipv6.gateway));
}

/** A machine that forwards no longer takes its own routes from others, unless it is told to go on. */
function forwardIpv6(): void {
  if (readFileSync("/proc/sys/net/ipv6/conf/all/forwarding", "latin1").trim() === "1") return;
  for (const name of readdirSync("/proc/sys/net/ipv6/conf"))
    if (name !== "all" && name !== "default" && readIfThere(`/proc/sys/net/ipv6/conf/${name}/accept_ra`)?.trim() === "1")
      setSysctl(`net/ipv6/conf/${name}/accept_ra`, "2");
  setSysctl("net/ipv6/conf/all/forwarding", "1");
}

/** Interfaces come and go. */
function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** The name of this machine's end of a container's link, by its place among its networks. */
export const outerName = (id: string, position: number): string => `wv${id.slice(0, 10)}${position}`;
