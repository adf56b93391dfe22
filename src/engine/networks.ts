import type { NetworkConfig, NetworkSubnet } from "../model/network.ts";

/** The network side of an engine, for the `network …` commands. */
export interface Networks {
  /** All of the engine, by name. */
  list(signal: AbortSignal): Promise<readonly NetworkSummary[]>;
  /** Makes one that no project has. Throws E_NAME_TAKEN where there is one of this name. */
  create(network: NewNetwork, signal: AbortSignal): Promise<void>;
  /** Throws E_NO_SUCH_NETWORK, E_NETWORK_IN_USE. */
  remove(name: string, signal: AbortSignal): Promise<void>;
}

export interface NewNetwork {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly config: NetworkConfig;
}

export interface NetworkSummary extends NewNetwork {
  readonly project: string | null;
  /** Key in the spec it was made for, or `null`. */
  readonly key: string | null;
  /** RFC 3339 UTC. */
  readonly createdAt: string;
  /** Name of the bridge; empty where there is none. */
  readonly bridge: string;
  /** Those it has, chosen ones too. */
  readonly subnets: readonly (NetworkSubnet & { readonly gateway: string })[];
  /** Containers that join it, running or not. */
  readonly members: readonly NetworkMember[];
}

export interface NetworkMember {
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly running: boolean;
  readonly mac: string | null;
  /** With the number of bits, or `null`. */
  readonly ipv4: string | null;
  readonly ipv6: string | null;
}
