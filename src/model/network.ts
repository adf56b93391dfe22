/** Networks, and how services are on them. */

/** A network of the project's, or one that exists already. */
export interface Network {
  /** Key in the spec (`default`). */
  readonly key: string;
  /** Name in the engine (`<project>_default`). */
  readonly name: string;
  /** Must exist already; never created, never changed, never removed. */
  readonly external: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Of no meaning for an external one. */
  readonly config: NetworkConfig;
}

/** How a network is made. */
export interface NetworkConfig {
  /** No way to the outside. */
  readonly internal: boolean;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  /** At most one of each family; the engine chooses one where none is given. */
  readonly subnets: readonly NetworkSubnet[];
  /** Bytes, or `null` for the engine's default. */
  readonly mtu: number | null;
  /** Name of the bridge, or `null`: the engine's choice. */
  readonly bridge: string | null;
  /** Its containers reach each other. */
  readonly connected: boolean;
  /** What leaves it has this machine's address. */
  readonly masquerade: boolean;
}

/** Addresses in their canonical form. */
export interface NetworkSubnet {
  /** `10.5.0.0/16` */
  readonly subnet: string;
  /** `null`: the first one. */
  readonly gateway: string | null;
  /** The part that addresses are given out of, or `null`: all of it. */
  readonly range: string | null;
  /** Never given out. */
  readonly reserved: readonly string[];
}

/** How a service is on a network. */
export interface Attachment {
  /** A key of the project's networks. */
  readonly network: string;
  /** Names that it answers to besides its own. */
  readonly aliases: readonly string[];
  readonly ipv4Address: string | null;
  readonly ipv6Address: string | null;
  readonly linkLocalAddresses: readonly string[];
  /** Lower case, with colons. */
  readonly macAddress: string | null;
  /** Name of the interface, or `null`: `eth0` and so on. */
  readonly interfaceName: string | null;
  /** Kernel parameters of the interface, whose name is IFNAME in theirs: `net.ipv4.conf.IFNAME.log_martians`. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** The highest is joined first; 0 where nothing is said. */
  readonly priority: number;
  /** The highest has the way out; 0 where nothing is said. */
  readonly gatewayPriority: number;
}

/** Another network than the project's; `null` in a service: those it is on. */
export type NetworkMode =
  | { readonly type: "host" | "none" | "bridge" }
  /** The network of another service's container, or of a container by its name. */
  | { readonly type: "service" | "container"; readonly of: string }
  /** A network by its name in the engine. */
  | { readonly type: "network"; readonly name: string };

/** Another name for a service, or for a container of this machine, that one service alone knows. */
export interface Link {
  readonly type: "service" | "container";
  readonly of: string;
  readonly alias: string;
}

export const PLAIN_NETWORK: NetworkConfig = {
  internal: false,
  ipv4: true,
  ipv6: false,
  subnets: [],
  mtu: null,
  bridge: null,
  connected: true,
  masquerade: true,
};

/** A network of the project's about which nothing is said. */
export function plainNetwork(key: string, name: string): Network {
  return { key, name, external: false, labels: {}, config: PLAIN_NETWORK };
}

/** On a network, with nothing said about how. */
export function plainAttachment(network: string): Attachment {
  return {
    network,
    aliases: [],
    ipv4Address: null,
    ipv6Address: null,
    linkLocalAddresses: [],
    macAddress: null,
    interfaceName: null,
    sysctls: {},
    priority: 0,
    gatewayPriority: 0,
  };
}

/** What a service is on when nothing is said. */
export const DEFAULT_ATTACHMENTS: readonly Attachment[] = [plainAttachment("default")];

/** The engine's network for `network_mode: bridge`: every project's, without names, there while a container is on it. */
export const SHARED_BRIDGE = "bridge";
