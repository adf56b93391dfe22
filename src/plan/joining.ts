/** On which networks the containers of a service are, and how. */
import type { Joined } from "../model/action.ts";
import { scopedName } from "../model/names.ts";
import { type Attachment, SHARED_BRIDGE } from "../model/network.ts";
import type { ObservedContainer } from "../model/observed.ts";
import type { Project } from "../model/project.ts";
import type { Service } from "../model/service.ts";
import type { Pattern } from "./making.ts";
import { type Planning, stepKey } from "./planning.ts";

/** The networks that a container of a service joins, found there by the aliases given and its own. */
export function joinsOf(project: Project, service: Service, aliases: readonly string[]): readonly Joined[] {
  if (service.networkMode?.type === "bridge") return [{ name: SHARED_BRIDGE, aliases: [], ...hardware(service.macAddress) }];
  const unnamed = service.networks.find(({ macAddress }) => macAddress === null);
  return service.networks.map((attachment) => {
    const avoid = wantedByOthers(project, service, attachment.network);
    return {
      name: networkName(project, attachment.network),
      aliases: [...new Set([...aliases, ...attachment.aliases])],
      ...settings(attachment),
      ...(attachment === unnamed ? hardware(service.macAddress) : {}),
      ...(avoid.length === 0 ? {} : { avoid }),
    };
  });
}

/** The service as one of its one-offs is on its networks: what only one container can have is left to the others. */
export function forOneOff(service: Service, { useAliases }: { readonly useAliases: boolean }): Service {
  const networks = service.networks.map((attachment) => ({
    ...attachment,
    aliases: useAliases ? attachment.aliases : [],
    ipv4Address: null,
    ipv6Address: null,
    macAddress: null,
  }));
  return { ...service, networks, macAddress: null };
}

/** The name in the engine of the network that the spec calls `key`. */
export function networkName(project: Project, key: string): string {
  return project.networks.find((network) => network.key === key)?.name ?? scopedName(project.name, key);
}

/** The first network that a container should be on and is not, or `null`. */
export function notJoined({ desired }: Planning, { service }: Pattern, { networks }: ObservedContainer): string | null {
  const joined = new Set(networks.map(({ name }) => name));
  return joinsOf(desired, service, []).find(({ name }) => !joined.has(name))?.name ?? null;
}

/** The steps that make a container's networks, or make them anew. */
export function updateKeys(networks: readonly { readonly name: string }[]): readonly string[] {
  return networks.flatMap(({ name }) => NETWORK_STEPS.map((kind) => stepKey(kind, name)));
}

const NETWORK_STEPS = ["network.create", "network.update", "network.connect"] as const;

/** What an attachment says beyond the network and its aliases. */
function settings(attachment: Attachment): Omit<Joined, "name" | "aliases" | "avoid"> {
  const { ipv4Address, ipv6Address, linkLocalAddresses, macAddress, interfaceName, sysctls, gatewayPriority } = attachment;
  return {
    ...(ipv4Address === null ? {} : { ipv4Address }),
    ...(ipv6Address === null ? {} : { ipv6Address }),
    ...(linkLocalAddresses.length === 0 ? {} : { linkLocalAddresses }),
    ...(interfaceName === null ? {} : { interfaceName }),
    ...(Object.keys(sysctls).length === 0 ? {} : { sysctls }),
    ...(gatewayPriority === 0 ? {} : { gatewayPriority }),
    ...hardware(macAddress),
  };
}

function hardware(macAddress: string | null): Pick<Joined, "macAddress"> {
  return macAddress === null ? {} : { macAddress };
}

/** Fixed addresses of the project's other services on a network. */
function wantedByOthers({ services }: Project, { name }: Service, network: string): readonly string[] {
  return services
    .filter((other) => other.name !== name)
    .flatMap(({ networks }) => networks.filter((attachment) => attachment.network === network))
    .flatMap(({ ipv4Address, ipv6Address }) => [ipv4Address, ipv6Address])
    .filter((address) => address !== null);
}
