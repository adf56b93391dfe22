/** A chain of somebody else's that drops what it does not know, and that no rule of ours can get into by itself. */
export interface BlockingChain {
  /** `inet filter` */
  readonly table: string;
  readonly chain: string;
  readonly hook: "input" | "forward";
}

/** Those of a listing (`nft list chains`). Tables of iptables are left out: bridges pass them by iptables. Pure. */
export function blockingChains(listing: string): readonly BlockingChain[] {
  const found: BlockingChain[] = [];
  let table = "";
  let chain = "";
  for (const line of listing.split("\n")) {
    table = /^table (\S+ \S+) \{/.exec(line)?.[1] ?? table;
    chain = /^\s+chain (\S+) \{/.exec(line)?.[1] ?? chain;
    const hook = /type filter hook (input|forward) .*policy drop;/.exec(line)?.[1];
    if ((hook === "input" || hook === "forward") && !/^ip6? filter$| wharf_/.test(table)) found.push({ table, chain, hook });
  }
  return found;
}

/** The commands that let containers through such a chain. */
export function passage({ table, chain, hook }: BlockingChain): readonly string[] {
  const rules =
    hook === "forward" ? [`iifname "wh*" accept`, `oifname "wh*" accept`] : [`iifname "wh*" meta l4proto { tcp, udp } th dport 53 accept`];
  return rules.map((rule) => `nft insert rule ${table} ${chain} '${rule}'`);
}
