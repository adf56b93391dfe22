import { isIPv4 } from "node:net";
import { plainAddress } from "../../../../lib/address.ts";

/** A container as others in its networks know it. */
export interface Resident {
  readonly id: string;
  /** What a look-up of its address gives, in every network. */
  readonly name: string;
  readonly places: readonly Place[];
  readonly settings: AskerSettings;
}

/** Where it is in one network, and under which names. */
export interface Place {
  readonly network: string;
  readonly addresses: readonly string[];
  readonly names: readonly string[];
}

export interface AskerSettings {
  /** Servers of its own to ask instead of this machine's; empty: this machine's. */
  readonly servers: readonly string[];
  /** It has set how many dots make a name complete: names without one are not asked for outside then. */
  readonly ndots: boolean;
  /** Names that it alone has for others; in lower case. */
  readonly links?: ReadonlyMap<string, string>;
}

export interface ZoneNetwork {
  readonly name: string;
  /** Nothing of it gets out, names neither. */
  readonly internal: boolean;
  readonly holds: (address: string) => boolean;
}

/** Who asks, by the address that a query comes from. */
export interface Asker extends AskerSettings {
  readonly key: string;
  /** Names of its networks, the first one first. */
  readonly networks: readonly string[];
  /** May ask for names outside. */
  readonly outside: boolean;
}

const MOST_STRANGERS = 1024;

interface Entry {
  readonly ipv4: string[];
  readonly ipv6: string[];
  /** Which one comes first the next time. */
  turn: number;
}

/** Who is who in the networks of this world: built anew whenever something changed, then only read. */
export class Zone {
  readonly #networks: ReadonlyMap<string, ZoneNetwork>;
  readonly #names = new Map<string, Map<string, Entry>>();
  readonly #reverse = new Map<string, Map<string, string>>();
  readonly #askers = new Map<string, Asker>();
  /** Those that asked and are no containers, or not known to be. */
  readonly #strangers = new Map<string, Asker>();

  constructor(networks: readonly ZoneNetwork[], residents: readonly Resident[]) {
    this.#networks = new Map(networks.map((network) => [network.name, network]));
    for (const resident of residents) this.#add(resident);
  }

  /** Addresses of a name as the asker sees it, round robin; `null`: nobody that it could know has the name. */
  find(name: string, asker: Asker): { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] } | null {
    const wanted = asker.links?.get(name) ?? name;
    for (const network of asker.networks) {
      const entry = this.#names.get(network)?.get(wanted) ?? this.#names.get(network)?.get(without(wanted, network) ?? "");
      if (entry === undefined) continue;
      entry.turn = (entry.turn + 1) % 0x7fffffff;
      return { ipv4: turned(entry.ipv4, entry.turn), ipv6: turned(entry.ipv6, entry.turn) };
    }
    return null;
  }

  /** `name.network` of an address as the asker sees it, or `null`. */
  nameOf(address: string, asker: Asker): string | null {
    for (const network of asker.networks) {
      const name = this.#reverse.get(network)?.get(address);
      if (name !== undefined) return `${name}.${network}`;
    }
    return null;
  }

  /** Whether only somebody of this world can have such a name or address: it is not asked for outside. */
  isOwn(name: string, asker: Asker): boolean {
    const address = addressOfPointer(name);
    if (address !== null) return [...this.#networks.values()].some((network) => network.holds(address));
    return asker.networks.some((network) => without(name, network) !== null);
  }

  /** Whether a container is known to have this address. */
  knows(address: string): boolean {
    return this.#askers.has(address);
  }

  /** Who asks from an address. One that no container is known to have yet sees the network that the address is of. */
  askerAt(address: string): Asker {
    const known = this.#askers.get(address) ?? this.#strangers.get(address);
    if (known !== undefined) return known;
    if (this.#strangers.size >= MOST_STRANGERS) this.#strangers.clear();
    const stranger = this.#stranger(address);
    this.#strangers.set(address, stranger);
    return stranger;
  }

  #stranger(address: string): Asker {
    const networks = [...this.#networks.values()].filter((network) => network.holds(address));
    return {
      key: address,
      networks: networks.map(({ name }) => name),
      outside: networks.every(({ internal }) => !internal),
      servers: [],
      ndots: false,
    };
  }

  #add({ id, name, places, settings }: Resident): void {
    const networks = places.map(({ network }) => network);
    const asker: Asker = {
      key: id,
      networks,
      outside: networks.some((network) => this.#networks.get(network)?.internal === false),
      ...settings,
    };
    for (const { network, addresses, names } of places) {
      const known = need(this.#names, network);
      const reverse = need(this.#reverse, network);
      for (const each of new Set(names.map(folded))) {
        const entry = known.get(each) ?? { ipv4: [], ipv6: [], turn: 0 };
        known.set(each, entry);
        for (const address of addresses) (isIPv4(address) ? entry.ipv4 : entry.ipv6).push(address);
      }
      for (const address of addresses) {
        reverse.set(address, name);
        this.#askers.set(address, asker);
      }
    }
  }
}

/** The address that a reverse look-up is about, as text; `null` when the name is none. */
export function addressOfPointer(name: string): string | null {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  if (four !== null) return four.slice(1).reverse().map(Number).join(".");
  if (!/^(?:[0-9a-f]\.){32}ip6\.arpa$/.test(name)) return null;
  const digits = name.slice(0, 64).split(".").reverse().join("");
  return plainAddress((digits.match(/.{4}/g) ?? []).join(":"));
}

/** The address of a client as the zone compares it: one of IPv4 that came by an IPv6 socket is one of IPv4. */
export function clientAddress(address: string): string {
  if (!address.includes(":")) return address;
  const bare = address.replace(/^::ffff:(?=\d+\.)/, "");
  return bare.includes(":") ? plainAddress(bare) : bare;
}

/** The name in front of a network's own; `null` when it does not end with that. */
function without(name: string, network: string): string | null {
  const suffix = `.${folded(network)}`;
  return name.length > suffix.length && name.endsWith(suffix) ? name.slice(0, -suffix.length) : null;
}

function turned(list: readonly string[], turn: number): readonly string[] {
  if (list.length < 2) return list;
  const at = turn % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

function need<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const known = map.get(key) ?? new Map<string, V>();
  map.set(key, known);
  return known;
}

const folded = (text: string): string => text.toLowerCase();
