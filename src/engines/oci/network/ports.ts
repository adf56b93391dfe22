import { run } from "../../../lib/process.ts";
import { Failure } from "../../../model/diagnostic.ts";
import type { NetworkConfig } from "../../../model/network.ts";
import type { Protocol } from "../../../model/service.ts";
import { findProgram } from "../runtime.ts";
import { filterGeneration } from "./generation.ts";
import type { AddressPool } from "./pools.ts";

/** What the packet filter must know of one world. */
export interface Ruleset {
  /** Name of the nft table. */
  readonly table: string;
  readonly networks: readonly FilteredNetwork[];
  readonly ports: readonly Forward[];
  /** Gateways whose names are not answered for at port 53, with the port where they are. */
  readonly moved?: ReadonlyMap<string, number>;
  /** There may be a table for IPv6 from before. A kernel may know none. */
  readonly had6: boolean;
}

export interface FilteredNetwork {
  readonly bridge: string;
  readonly config: Pick<NetworkConfig, "internal" | "connected" | "masquerade">;
  readonly ipv4: Pick<AddressPool, "subnet" | "prefix" | "gateway"> | null;
  readonly ipv6: Pick<AddressPool, "subnet" | "prefix" | "gateway"> | null;
}

/** One published port: where it comes in and where it goes. */
export interface Forward {
  readonly protocol: Protocol;
  /** `0.0.0.0` or `::`: every address of this machine of the family. */
  readonly host: string;
  readonly published: number;
  /** Of the container; `null`: it has none of the family. What comes in by the other family is carried by the supervisor. */
  readonly address: string | null;
  readonly address6: string | null;
  readonly target: number;
}

/**
 * Replaces the world's table in one transaction: packets see the old rules or the new ones. Established connections go on. Nothing is done where
 * these very rules were this process's last ones and nobody has changed anything of the packet filter since. Gives the generation at which they
 * are in place; `null`: somebody else was at work meanwhile, and may have taken some away.
 */
export async function applyRules(rules: Ruleset): Promise<number | null> {
  const text = rulesText(rules);
  const before = filterGeneration();
  if (before !== null && before === last?.generation && text === last.text) return before;
  const finished = await run(findProgram("nft") ?? "nft", ["-f", "-"], { input: text });
  if (finished.status !== 0)
    throw new Failure({
      code: "E_PORTS",
      message: `the packet filter refused wharf's rules: ${finished.stderr.trim().split("\n")[0]}`,
      hint: "wharf doctor checks nftables",
    });
  const generation = filterGeneration();
  // One transaction is one generation: where there are more, somebody else's may have come after ours.
  last = before !== null && generation === before + 1 ? { text, generation } : null;
  return last?.generation ?? null;
}

/** What this process put in place, and the packet filter's generation since then. */
let last: { readonly text: string; readonly generation: number } | null = null;

/** The rules as nft reads them. Pure. Without networks: only the removal of what was there. */
export function rulesText(rules: Ruleset): string {
  return `${rulesOf(rules, "ip")}${wants6(rules) ? rulesOf(rules, "ip6") : rules.had6 ? clear(rules, "ip6") : ""}`;
}

/** Whether there is something to say of IPv6. */
export function wants6({ networks }: Pick<Ruleset, "networks">): boolean {
  return networks.some(({ ipv6 }) => ipv6 !== null);
}

/** What the table of a family shall have, as `rulesText` has it, without the removal of the one before it. Pure. */
export function tableText(rules: Ruleset, family: "ip" | "ip6"): string {
  return rulesOf(rules, family).slice(clear(rules, family).length);
}

/** Two tables of the same make. */
function rulesOf(rules: Ruleset, family: "ip" | "ip6"): string {
  const { table, networks } = rules;
  if (networks.length === 0) return clear(rules, family);
  const own = networks.flatMap((network) => {
    const pool = family === "ip" ? network.ipv4 : network.ipv6;
    return pool === null ? [] : [{ ...network, subnet: `${pool.subnet}/${pool.prefix}`, gateway: pool.gateway }];
  });
  const moved = own.flatMap(({ gateway }) => {
    const port = rules.moved?.get(gateway);
    return port === undefined ? [] : [`${gateway} : ${port}`];
  });
  const bridges = elements(networks.map((n) => `"${n.bridge}"`));
  const intra = elements(networks.filter((n) => n.config.connected).map((n) => `"${n.bridge}" . "${n.bridge}"`));
  const internal = elements(networks.filter((n) => n.config.internal).map((n) => `"${n.bridge}"`));
  const subnets = elements(own.map((n) => n.subnet));
  // Answers to one that goes out under its own address come back to that: the chain for what passes lets in no more than them.
  const guarded = elements(own.filter((n) => n.config.masquerade || n.config.internal).map((n) => n.subnet));
  const hidden = elements(own.filter((n) => n.config.masquerade && !n.config.internal).map((n) => n.subnet));
  return `${clear(rules, family)}table ${family} ${table} {
${published(rules, family, moved)}  set resolvers { type ${ADDRESS[family]}; ${elements(own.map((n) => n.gateway))} }
  set bridges { type ifname; ${bridges} }
  set same { type ifname . ifname; ${intra} }
  set internal { type ifname; ${internal} }
  set subnets { type ${ADDRESS[family]}; flags interval; ${subnets} }
  set guarded { type ${ADDRESS[family]}; flags interval; ${guarded} }
  set hidden { type ${ADDRESS[family]}; flags interval; ${hidden} }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
${family === "ip" ? LOOPBACK : ""}    iifname != @bridges iifname != "lo" ${family} daddr @guarded drop comment "containers are reached by published ports only"
  }
  chain leaving {
    type nat hook postrouting priority srcnat; policy accept;
${family === "ip" ? FROM_LOOPBACK : ""}    oifname @bridges ct status dnat ${family} saddr @subnets masquerade comment "a container by a published port"
    oifname != @bridges oifname != "lo" ${family} saddr @hidden masquerade comment "containers to the outside"
  }
  chain passing {
    type filter hook forward priority filter; policy accept;
    iifname . oifname @same accept
    iifname @internal drop comment "an internal network has no way out"
    oifname @internal drop comment "and none in"
    oifname @bridges ct state established,related accept
    oifname @bridges ct status dnat accept
    oifname @bridges drop comment "not published, or another network"
  }
}
`;
}

const ADDRESS = { ip: "ipv4_addr", ip6: "ipv6_addr" } as const;

const LOOPBACK = `    iifname != "lo" ip daddr 127.0.0.0/8 drop comment "a port published on loopback stays there"
`;

const FROM_LOOPBACK = `    oifname @bridges ip saddr 127.0.0.0/8 masquerade comment "this machine by 127.0.0.1"
`;

function clear({ table }: Ruleset, family: "ip" | "ip6"): string {
  return `table ${family} ${table} {}\ndelete table ${family} ${table}\n`; // delete fails on a table that is not there
}

/** Two maps from what comes in to where it goes: one transaction leads a port to another container. */
function published({ ports }: Ruleset, family: "ip" | "ip6", moved: readonly string[]): string {
  const any = family === "ip" ? "0.0.0.0" : "::";
  const own = ports.flatMap((port) => {
    const address = family === "ip" ? port.address : port.address6;
    return address === null || (port.host.includes(":") ? "ip6" : "ip") !== family ? [] : [{ ...port, address }];
  });
  const anywhere = own.filter((p) => p.host === any).map((p) => `${p.protocol} . ${p.published} : ${p.address} . ${p.target}`);
  const somewhere = own.filter((p) => p.host !== any).map((p) => `${p.protocol} . ${p.host} . ${p.published} : ${p.address} . ${p.target}`);
  // IPv6 leads nothing from ::1 off the machine, and nothing from an address that is of one link only: the supervisor carries that.
  const led = family === "ip" ? "" : "ip6 daddr != ::1 ip6 saddr != fe80::/10 ";
  const redirect = `    iifname @bridges meta l4proto { tcp, udp } th dport 53 redirect to :${family} daddr map @moved\n`;
  return `${moved.length > 0 ? `  map moved { type ${ADDRESS[family]} : inet_service; ${elements(moved)} }\n` : ""}  map published { type inet_proto . inet_service : ${ADDRESS[family]} . inet_service; ${elements(anywhere)} }
  map published_on { type inet_proto . ${ADDRESS[family]} . inet_service : ${ADDRESS[family]} . inet_service; ${elements(somewhere)} }
  chain ports {
    dnat ${family} to meta l4proto . ${family} daddr . th dport map @published_on
    dnat ${family} to meta l4proto . th dport map @published
  }
  chain incoming {
    type nat hook prerouting priority dstnat; policy accept;
${moved.length > 0 ? redirect : ""}    iifname @bridges ${family} daddr @resolvers meta l4proto { tcp, udp } th dport 53 accept comment "names, also where a container serves port 53"
    ${led}meta l4proto { tcp, udp, sctp } fib daddr type local jump ports
  }
  chain local {
    type nat hook output priority -100; policy accept;
    ${led}meta l4proto { tcp, udp, sctp } fib daddr type local jump ports
  }
`;
}

const elements = (items: readonly string[]): string => (items.length === 0 ? "" : `elements = { ${items.join(", ")} }`);
