import { liesIn, parseAddress } from "../../../../lib/address.ts";
import { stopwatch } from "../../../../lib/clock.ts";
import { moveNames, namesAreBack } from "../../network/moved-names.ts";
import { isPresent, type NetworkRecord } from "../../network/networks.ts";
import { subnetOf } from "../../network/pools.ts";
import { listeners } from "../../network/sockets.ts";
import { addressesOf } from "../../network/sync.ts";
import { type Container, type ContainerRecord, isBeside, liveRun } from "../../records.ts";
import type { Duty, DutyTools, View } from "../duty.ts";
import { Viewer } from "../view.ts";
import { HostServers } from "./host-servers.ts";
import { Listener } from "./listener.ts";
import { Resolver } from "./resolver.ts";
import { DNS_PORT } from "./upstream.ts";
import { type Resident, Zone, type ZoneNetwork } from "./zone.ts";

/** An address that another supervisor serves, or that is not there yet, is tried again after so long, in milliseconds. */
const RETRY_MS = 1000;
/** A name that nobody has makes it look again, at most this often, and with no more than a fifth of its time. */
const FRESH_MS = 10;
const FRESH_SHARE = 5;

/** Answers for names at the gateway of every network that the project's containers are in. */
export function dnsDuty(tools: DutyTools): Duty {
  return new DnsDuty(tools);
}

class DnsDuty implements Duty {
  readonly name = "dns";
  readonly #tools: DutyTools;
  readonly #viewer: Viewer;
  readonly #resolver: Resolver;
  readonly #listeners = new Map<string, Listener>();
  /** Why an address is not served, as it was last said. */
  readonly #troubles = new Map<string, string>();
  #zone = new Zone([], []);
  #gateways: ReadonlySet<string> = new Set();
  /** When a name that nobody has is worth another look. */
  #stale = Number.NEGATIVE_INFINITY;
  #retry: NodeJS.Timeout | undefined;

  constructor(tools: DutyTools) {
    this.#tools = tools;
    this.#viewer = new Viewer(tools.context.layout, tools.project);
    const host = new HostServers();
    this.#resolver = new Resolver({
      zone: () => this.#zone,
      fresh: () => this.#fresh(),
      servers: () => host.servers(),
      isOwnAddress: (address) => this.#gateways.has(address),
    });
  }

  async look(view: View): Promise<void> {
    this.#read(view);
    this.#stale = stopwatch() + FRESH_MS;
    const wanted = new Set(servedNetworks(view).flatMap(gatewaysOf));
    for (const [address, listener] of this.#listeners)
      if (!wanted.has(address)) {
        listener.close();
        this.#listeners.delete(address);
        namesAreBack(view.layout, address);
      }
    const missing = await Promise.all(
      [...wanted].filter((address) => !this.#listeners.has(address)).map((address) => this.#serve(address)),
    );
    clearTimeout(this.#retry);
    if (missing.includes(false)) this.#retry = setTimeout(this.#tools.wake, RETRY_MS).unref();
  }

  async close(): Promise<void> {
    clearTimeout(this.#retry);
    this.#resolver.close();
    for (const [address, listener] of this.#listeners) {
      listener.close();
      namesAreBack(this.#tools.context.layout, address);
    }
  }

  async #serve(address: string): Promise<boolean> {
    try {
      const listener = await Listener.open({ address, port: DNS_PORT }, (message, from) => this.#resolver.respond(message, from));
      this.#listeners.set(address, listener);
      this.#troubles.delete(address);
      if (namesAreBack(this.#tools.context.layout, address)) await this.#tools.context.syncNetwork();
      return true;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      if (code === "EADDRINUSE" && isTakenEverywhere(address)) return this.#serveElsewhere(address);
      // Another project's supervisor serves a network that they share; or the address comes in a moment.
      if (this.#troubles.get(address) !== code) this.#tools.log(`dns: ${address} port ${DNS_PORT}: ${code}`);
      this.#troubles.set(address, code);
      return false;
    }
  }

  /** Another program serves names at every address of this machine: the packet filter leads to a port that is free. */
  async #serveElsewhere(address: string): Promise<boolean> {
    const listener = await Listener.open({ address, port: 0 }, (message, from) => this.#resolver.respond(message, from));
    this.#listeners.set(address, listener);
    moveNames(this.#tools.context.layout, address, listener.port);
    await this.#tools.context.syncNetwork();
    this.#tools.log(`dns: another program has port ${DNS_PORT}: ${address} is answered for at port ${listener.port}`);
    return true;
  }

  #read(view: View): void {
    this.#zone = zoneOf(view);
    this.#gateways = new Set(view.networks.flatMap(gatewaysOf));
  }

  #fresh(): Zone {
    const began = stopwatch();
    if (began < this.#stale) return this.#zone;
    this.#read(this.#viewer.read());
    const took = stopwatch() - began;
    this.#stale = began + Math.max(FRESH_MS, took * FRESH_SHARE);
    return this.#zone;
  }
}

/** Whether whoever has port 53 of an address has it by having that of all addresses, and is not another supervisor. */
function isTakenEverywhere(address: string): boolean {
  const taken = listeners().filter(({ port }) => port === DNS_PORT);
  return !taken.some(({ host }) => host === address) && taken.some(({ host }) => host === "0.0.0.0" || host === "*");
}

/** What a view says about names. One that is being started has its name already: its program asks as soon as it begins. */
export function zoneOf(view: View): Zone {
  const starting = view.containers.filter(({ record, status }) => status.state === "created" && liveRun(view.layout, record.id) !== null);
  const known = [...view.live, ...starting].filter(({ record }) => !isBeside(view.layout, record.id));
  const residents = new Map(known.map(({ record }) => [record.id, residentOf(record, view.networks)]));
  return new Zone(view.networks.map(zoneNetwork), [...residents.values()]);
}

function residentOf(record: ContainerRecord, networks: readonly NetworkRecord[]): Resident {
  const { service } = record.spec;
  const places = addressesOf(record, networks).map(({ network, address, address6, names }) => ({
    network: network.name,
    addresses: [address, address6].filter((one) => one !== null),
    names: names.length === 0 ? [] : [...names, record.hostname], // on the bridge that all projects share nobody has a name
  }));
  const links = new Map(service.links.map(({ of, alias }) => [alias.toLowerCase(), of.toLowerCase()]));
  return {
    id: record.id,
    name: record.name,
    places,
    settings: { servers: service.dns, ndots: service.dnsOptions.some(asksForDots), links },
  };
}

/** More than no dot in a name makes it complete. */
const asksForDots = (option: string): boolean => /^ndots:[1-9]/.test(option);

function zoneNetwork({ name, config, ipv4, ipv6 }: NetworkRecord): ZoneNetwork {
  const subnets = [ipv4, ipv6].flatMap((pool) => (pool === null ? [] : [subnetOf(pool)]));
  const holds = (text: string): boolean => {
    const address = parseAddress(text);
    return address !== null && subnets.some((subnet) => liesIn(address, subnet));
  };
  return { name, internal: config.internal, holds };
}

/** Networks that a container of the project has a place in, and that the kernel has. */
function servedNetworks({ containers, networks }: View): readonly NetworkRecord[] {
  const names = new Set(containers.flatMap(({ record }: Container) => record.spec.networks.map(({ name }) => name)));
  return networks.filter((network) => names.has(network.name) && isPresent(network));
}

function gatewaysOf({ ipv4, ipv6 }: NetworkRecord): readonly string[] {
  return [ipv4, ipv6].flatMap((pool) => (pool === null ? [] : [pool.gateway]));
}
