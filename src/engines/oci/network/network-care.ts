import type { NetworkMember, NetworkSummary, Networks } from "../../../engine/networks.ts";
import { Failure } from "../../../model/diagnostic.ts";
import type { Context } from "../context.ts";
import { allRecords, type ContainerRecord, findContainer, liveRun } from "../records.ts";
import { endpointsOf } from "./endpoints.ts";
import { allNetworks, createNetwork, type NetworkRecord, readNetwork, removeNetwork } from "./networks.ts";

/** What is done with networks by their names. */
export function networksOf(context: Context): Networks {
  const { layout } = context;
  return {
    list: async () => {
      const networks = allNetworks(layout);
      const records = allRecords(layout);
      return networks.map((network): NetworkSummary => {
        const members = records.filter(({ spec }) => spec.networks.some(({ name }) => name === network.name));
        return {
          name: network.name,
          project: network.project,
          key: network.key,
          labels: network.labels,
          config: network.config,
          createdAt: network.createdAt,
          bridge: network.bridge,
          subnets: [network.ipv4, network.ipv6].flatMap((pool) =>
            pool === null
              ? []
              : [{ subnet: `${pool.subnet}/${pool.prefix}`, gateway: pool.gateway, range: pool.range, reserved: pool.reserved }],
          ),
          members: members.map((record) => memberOf(record, { network, networks, running: liveRun(layout, record.id) !== null })),
        };
      });
    },
    create: async ({ name, labels, config }) => {
      if (readNetwork(layout, name) !== null)
        throw new Failure({
          code: "E_NAME_TAKEN",
          message: `there is a network named ${name} already`,
          hint: `wharf network inspect ${name} shows it`,
        });
      await createNetwork(layout, { name, project: null, key: null, labels, config, attributes: {} });
    },
    remove: async (name) => {
      if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name) || readNetwork(layout, name) === null)
        throw new Failure({
          code: "E_NO_SUCH_NETWORK",
          message: `there is no network ${name}`,
          hint: "wharf network ls lists those there are",
        });
      await removeNetwork(layout, name, { exists: (id) => findContainer(layout, id) !== null });
      await context.syncNetwork();
    },
  };
}

function memberOf(
  record: ContainerRecord,
  {
    network,
    networks,
    running,
  }: { readonly network: NetworkRecord; readonly networks: readonly NetworkRecord[]; readonly running: boolean },
): NetworkMember {
  const endpoint = endpointsOf(record, networks).find((candidate) => candidate.network === network);
  const withBits = (address: string | null | undefined, prefix: number | undefined): string | null =>
    address == null || prefix === undefined ? null : `${address}/${prefix}`;
  return {
    id: record.id,
    name: record.name,
    running,
    mac: endpoint?.mac ?? null,
    ipv4: withBits(endpoint?.address, network.ipv4?.prefix),
    ipv6: withBits(endpoint?.address6, network.ipv6?.prefix),
  };
}
