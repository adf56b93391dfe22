/** How a container is on its networks. Pure. */
import type { Joined } from "../../../model/action.ts";
import { SHARED_BRIDGE } from "../../../model/network.ts";
import type { ContainerRecord } from "../records.ts";
import type { NetworkRecord } from "./networks.ts";
import { macOf } from "./pools.ts";

/** A container in one network. */
export interface Endpoint {
  readonly network: NetworkRecord;
  readonly joined: Joined;
  /** `null`: it has none of this family. At least one of the two is there. */
  readonly address: string | null;
  readonly address6: string | null;
  readonly mac: string;
  /** Name of its interface. */
  readonly interfaceName: string;
  /** Its default route of each family goes this way. */
  readonly wayOut: { readonly ipv4: boolean; readonly ipv6: boolean };
  /** Names that others find it by there, its own first; on the bridge that all projects share none but its host name counts. */
  readonly names: readonly string[];
}

/** A container's endpoints, in the order in which it joins its networks; only networks in which it has an address. */
export function endpointsOf(record: ContainerRecord, networks: readonly NetworkRecord[]): readonly Endpoint[] {
  const found = record.spec.networks.flatMap((joined) => {
    const network = networks.find(({ name }) => name === joined.name);
    const address = network?.ipv4?.leases[record.id] ?? null;
    const address6 = network?.ipv6?.leases[record.id] ?? null;
    const first = address ?? address6;
    return network === undefined || first === null ? [] : [{ network, joined, address, address6, first }];
  });
  const names = interfaceNames(found.map(({ joined }) => joined));
  const outward = found.filter(({ network }) => !network.config.internal).sort(byGateway);
  const out4 = outward.find(({ address }) => address !== null);
  const out6 = outward.find(({ address6 }) => address6 !== null);
  return found.map((endpoint, index) => {
    const { network, joined, address, address6, first } = endpoint;
    const own = [record.name, ...joined.aliases, record.id.slice(0, 12)];
    return {
      network,
      joined,
      address,
      address6,
      mac: joined.macAddress ?? macOf(first),
      interfaceName: names[index] ?? `eth${index}`,
      wayOut: { ipv4: endpoint === out4, ipv6: endpoint === out6 },
      names: network.name === SHARED_BRIDGE ? [] : [...new Set(own)],
    };
  });
}

/** Docker's order: the highest priority, then by name. */
function byGateway(a: { readonly joined: Joined }, b: { readonly joined: Joined }): number {
  return (b.joined.gatewayPriority ?? 0) - (a.joined.gatewayPriority ?? 0) || (a.joined.name < b.joined.name ? -1 : 1);
}

/** `eth0`, `eth1` and so on for those that ask for no name. */
function interfaceNames(joins: readonly Joined[]): readonly string[] {
  const given = new Set(joins.flatMap(({ interfaceName }) => interfaceName ?? []));
  let next = 0;
  return joins.map(({ interfaceName }) => {
    if (interfaceName != null) return interfaceName;
    while (given.has(`eth${next}`)) next += 1;
    next += 1;
    return `eth${next - 1}`;
  });
}
