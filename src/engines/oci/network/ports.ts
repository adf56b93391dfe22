import { run } from "../../../lib/process.ts";
import { Failure } from "../../../model/diagnostic.ts";
import type { NetworkConfig } from "../../../model/network.ts";
import type { Protocol } from "../../../model/service.ts";
import { findProgram } from "../runtime.ts";
import type { AddressPool } from "./pools.ts";

/** What the packet filter must know of one world. */
export interface Ruleset {
  /** Name of the nft table. */
  readonly table: string;
  readonly networks: readonly FilteredNetwork[];
  readonly ports: readonly Forward[];
  /** There may be a table for IPv6 from before. A kernel may know none. */
  readonly had6: boolean;
}

export interface FilteredNetwork {
  readonly bridge: string;
  readonly config: Pick<NetworkConfig, "internal" | "connected" | "masquerade">;
  readonly ipv4: Pick<AddressPool, "subnet" | "prefix"> | null;
  readonly ipv6: Pick<AddressPool, "subnet" | "prefix"> | null;
}

/** One published port: where it comes in and where it goes. */
export interface Forward {
  readonly protocol: Protocol;
  /** `0.0.0.0`: every address of this machine. */
  readonly host: string;
  readonly published: number;
  readonly address: string;
  readonly target: number;
}

/** Replaces the world's table in one transaction: packets see the old rules or the new ones. Established connections go on. */
export async function applyRules(rules: Ruleset): Promise<void> {
  const finished = await run(findProgram("nft") ?? "nft", ["-f", "-"], { input: rulesText(rules) });
  if (finished.status !== 0)
    throw new Failure({
      code: "E_PORTS",
      message: `the packet filter refused wharf's rules: ${finished.stderr.trim().split("\n")[0]}`,
      hint: "wharf doctor checks nftables",
    });
}

/** The rules as nft reads them. Pure. Without networks: only the removal of what was there. */
export function rulesText(rules: Ruleset): string {
  return `${rulesOf(rules, "ip")}${wants6(rules) ? rulesOf(rules, "ip6") : rules.had6 ? clear(rules, "ip6") : ""}`;
}

/** Whether there is something to say of IPv6. */
export function wants6({ networks }: Pick<Ruleset, "networks">): boolean {
  return networks.some(({ ipv6 }) => ipv6 !== null);
}

/** Two tables of the same make. A port is published to IPv4 addresses only. */
function rulesOf(rules: Ruleset, family: "ip" | "ip6"): string {
  const { table, networks } = rules;
  if (networks.length === 0) return clear(rules, family);
  const own = networks.flatMap((network) => {
    const pool = family === "ip" ? network.ipv4 : network.ipv6;
    return pool === null ? [] : [{ ...network, subnet: `${pool.subnet}/${pool.prefix}` }];
  });
  const bridges = elements(networks.map((n) => `"${n.bridge}"`));
  const intra = elements(networks.filter((n) => n.config.connected).map((n) => `"${n.bridge}" . "${n.bridge}"`));
  const internal = elements(networks.filter((n) => n.config.internal).map((n) => `"${n.bridge}"`));
  const subnets = elements(own.map((n) => n.subnet));
  const hidden = elements(own.filter((n) => n.config.masquerade && !n.config.internal).map((n) => n.subnet));
  return `${clear(rules, family)}table ${family} ${table} {
${family === "ip" ? published(rules) : ""}  set bridges { type ifname; ${bridges} }
  set same { type ifname . ifname; ${intra} }
  set internal { type ifname; ${internal} }
  set subnets { type ${ADDRESS[family]}; flags interval; ${subnets} }
  set hidden { type ${ADDRESS[family]}; flags interval; ${hidden} }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
${family === "ip" ? LOOPBACK : ""}    iifname != @bridges iifname != "lo" ${family} daddr @subnets drop comment "containers are reached by published ports only"
  }
  chain leaving {
    type nat hook postrouting priority srcnat; policy accept;
${family === "ip" ? BACK : ""}    oifname != @bridges ${family} saddr @hidden masquerade comment "containers to the outside"
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

const BACK = `    oifname @bridges ip saddr 127.0.0.0/8 masquerade comment "this machine by 127.0.0.1"
    oifname @bridges ct status dnat ip saddr @subnets masquerade comment "a container by a published port"
`;

function clear({ table }: Ruleset, family: "ip" | "ip6"): string {
  return `table ${family} ${table} {}\ndelete table ${family} ${table}\n`; // delete fails on a table that is not there
}

function published({ ports }: Ruleset): string {
  const anywhere = elements(
    ports.filter((p) => p.host === "0.0.0.0").map((p) => `${p.protocol} . ${p.published} : ${p.address} . ${p.target}`),
  );
  const somewhere = elements(
    ports.filter((p) => p.host !== "0.0.0.0").map((p) => `${p.protocol} . ${p.host} . ${p.published} : ${p.address} . ${p.target}`),
  );
  return `  map published { type inet_proto . inet_service : ipv4_addr . inet_service; ${anywhere} }
  map published_on { type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service; ${somewhere} }
  chain ports {
    dnat ip to meta l4proto . ip daddr . th dport map @published_on
    dnat ip to meta l4proto . th dport map @published
  }
  chain incoming {
    type nat hook prerouting priority dstnat; policy accept;
    meta l4proto { tcp, udp, sctp } fib daddr type local jump ports
  }
  chain local {
    type nat hook output priority -100; policy accept;
    meta l4proto { tcp, udp, sctp } fib daddr type local jump ports
  }
`;
}

const elements = (items: readonly string[]): string => (items.length === 0 ? "" : `elements = { ${items.join(", ")} }`);
