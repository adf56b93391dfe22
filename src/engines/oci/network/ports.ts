import { run } from "../../../lib/process.ts";
import { Failure } from "../../../model/diagnostic.ts";
import type { Protocol } from "../../../model/service.ts";
import { findProgram } from "../runtime.ts";

/** What the packet filter must know of one world. */
export interface Ruleset {
  /** Name of the nft table. */
  readonly table: string;
  readonly networks: readonly { readonly bridge: string; readonly subnet: string; readonly prefix: number }[];
  readonly ports: readonly Forward[];
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
  const { table, networks, ports } = rules;
  const clear = `table ip ${table} {}\ndelete table ip ${table}\n`; // delete fails on a table that is not there
  if (networks.length === 0) return clear;
  const bridges = elements(networks.map((n) => `"${n.bridge}"`));
  const intra = elements(networks.map((n) => `"${n.bridge}" . "${n.bridge}"`));
  const subnets = elements(networks.map((n) => `${n.subnet}/${n.prefix}`));
  const anywhere = elements(
    ports.filter((p) => p.host === "0.0.0.0").map((p) => `${p.protocol} . ${p.published} : ${p.address} . ${p.target}`),
  );
  const somewhere = elements(
    ports.filter((p) => p.host !== "0.0.0.0").map((p) => `${p.protocol} . ${p.host} . ${p.published} : ${p.address} . ${p.target}`),
  );
  return `${clear}table ip ${table} {
  map published { type inet_proto . inet_service : ipv4_addr . inet_service; ${anywhere} }
  map published_on { type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service; ${somewhere} }
  set bridges { type ifname; ${bridges} }
  set same { type ifname . ifname; ${intra} }
  set subnets { type ipv4_addr; flags interval; ${subnets} }
  chain ports {
    dnat ip to meta l4proto . ip daddr . th dport map @published_on
    dnat ip to meta l4proto . th dport map @published
  }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop comment "a port published on loopback stays there"
    iifname != @bridges iifname != "lo" ip daddr @subnets drop comment "containers are reached by published ports only"
  }
  chain incoming {
    type nat hook prerouting priority dstnat; policy accept;
    meta l4proto { tcp, udp, sctp } fib daddr type local jump ports
  }
  chain local {
    type nat hook output priority -100; policy accept;
    meta l4proto { tcp, udp, sctp } fib daddr type local jump ports
  }
  chain leaving {
    type nat hook postrouting priority srcnat; policy accept;
    oifname @bridges ip saddr 127.0.0.0/8 masquerade comment "this machine by 127.0.0.1"
    oifname @bridges ct status dnat ip saddr @subnets masquerade comment "a container by a published port"
    oifname != @bridges ip saddr @subnets masquerade comment "containers to the outside"
  }
  chain passing {
    type filter hook forward priority filter; policy accept;
    iifname . oifname @same accept
    oifname @bridges ct state established,related accept
    oifname @bridges ct status dnat accept
    oifname @bridges drop comment "not published, or another network"
  }
}
`;
}

const elements = (items: readonly string[]): string => (items.length === 0 ? "" : `elements = { ${items.join(", ")} }`);
