import type { Networks } from "../../engine/networks.ts";
import { Failure } from "../../model/diagnostic.ts";
import { PLAIN_NETWORK } from "../../model/network.ts";
import { change, type Place } from "./place.ts";
import { isLive } from "./world.ts";

/** What is done with networks by their names. Of how they are made nothing is kept: no packet ever passes them. */
export function networksOf(place: Place): Networks {
  const has = (name: string): boolean => place.store.read().observed.networks.some((network) => network.name === name);
  return {
    list: async () => {
      const { networks, containers } = place.store.read().observed;
      const summaries = networks.map(({ name, project, key }) => ({
        name,
        project,
        key,
        labels: {},
        config: PLAIN_NETWORK,
        createdAt: BEGINNING,
        bridge: "",
        subnets: [],
        members: containers
          .filter((container) => container.networks.some((joined) => joined.name === name))
          .map((container) => ({ id: container.id, name: container.name, running: isLive(container), mac: null, ipv4: null, ipv6: null })),
      }));
      return summaries.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    create: async ({ name, labels, config }) => {
      if (has(name))
        throw new Failure({
          code: "E_NAME_TAKEN",
          message: `there is a network named ${name} already`,
          hint: `wharf network inspect ${name} shows it`,
        });
      change(place, { kind: "network.create", network: name, key: "", labels, config, attributes: {} });
    },
    remove: async (name) => {
      if (!has(name))
        throw new Failure({
          code: "E_NO_SUCH_NETWORK",
          message: `there is no network ${name}`,
          hint: "wharf network ls lists those there are",
        });
      change(place, { kind: "network.remove", network: name });
    },
  };
}

/** Nobody knows when. */
const BEGINNING = "1970-01-01T00:00:00Z";
