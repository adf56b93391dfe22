/** Which addresses a network has, and who gets which. Pure. */
import { createHash } from "node:crypto";
import { type Address, formatAddress, lastOf, liesIn, overlaps, parseAddress, parseSubnet, type Subnet } from "../../../lib/address.ts";
import { Failure } from "../../../model/diagnostic.ts";
import type { NetworkConfig } from "../../../model/network.ts";

/** The addresses of one family in a network. */
export interface AddressPool {
  /** Network address, and number of bits. */
  readonly subnet: string;
  readonly prefix: number;
  /** The bridge's own address, which is the containers' way out. */
  readonly gateway: string;
  /** The part that addresses are given out of, or `null`: all of it. */
  readonly range: string | null;
  /** Never given out. */
  readonly reserved: readonly string[];
  /** Addresses by container id. */
  readonly leases: Readonly<Record<string, string>>;
}

/** What is in use: by networks of this world, by name, and by this machine. */
export interface Used {
  readonly networks: readonly { readonly name: string; readonly subnet: Subnet }[];
  readonly routes: readonly Subnet[];
}

const PREFIX = 24;
/** 8,192 networks of 254 addresses each, in a part of the private range that home routers and clouds seldom use. */
const POOL = { base: 10n * 2n ** 24n + 192n * 2n ** 16n, count: 8192 };
/** So many addresses are tried at most: more than a bridge can have ports. */
const MOST_TRIED = 65_536n;

/** The pools that a network gets: as configured, else chosen. `seed` is the same whenever the network is made again. */
export function choosePools(
  config: NetworkConfig,
  { name, seed, used }: { readonly name: string; readonly seed: Buffer; readonly used: Used },
): { readonly ipv4: AddressPool | null; readonly ipv6: AddressPool | null } {
  const pool = (family: 4 | 6, choose: () => Subnet): AddressPool => {
    const given = config.subnets.find(({ subnet }) => parseSubnet(subnet)?.family === family);
    const configured = given === undefined ? null : parseSubnet(given.subnet);
    if (configured !== null) refuseTaken(name, configured, used);
    const subnet = configured ?? choose();
    return {
      subnet: formatAddress({ family, value: subnet.first }),
      prefix: subnet.prefix,
      gateway: given?.gateway ?? formatAddress({ family, value: subnet.first + 1n }),
      range: given?.range ?? null,
      reserved: given?.reserved ?? [],
      leases: {},
    };
  };
  return {
    ipv4: config.ipv4 ? pool(4, () => chooseIpv4(seed, used)) : null,
    ipv6: config.ipv6 ? pool(6, () => chooseIpv6(seed, used)) : null,
  };
}

/** The subnet of a pool. */
export function subnetOf({ subnet, prefix }: Pick<AddressPool, "subnet" | "prefix">): Subnet {
  const parsed = parseSubnet(`${subnet}/${prefix}`);
  if (parsed === null) throw new Error(`${subnet}/${prefix} is no subnet`); // it was checked, or we made it
  return parsed;
}

/** The lowest address that nobody has, or `null`: there is none. */
export function freeAddress(pool: AddressPool, avoid: readonly string[] = []): string | null {
  const subnet = subnetOf(pool);
  const { family } = subnet;
  const part = (pool.range === null ? null : parseSubnet(pool.range)) ?? subnet;
  const taken = new Set([...Object.values(pool.leases), ...pool.reserved, ...avoid, pool.gateway]);
  // The first address of a subnet names it; the last one of an IPv4 subnet is everybody's.
  const [lowest, highest] = [subnet.first + 1n, family === 4 ? lastOf(subnet) - 1n : lastOf(subnet)];
  const from = part.first < lowest ? lowest : part.first;
  const to = lastOf(part) > highest ? highest : lastOf(part);
  for (let value = from; value <= to && value < from + MOST_TRIED; value += 1n) {
    const address = formatAddress({ family, value });
    if (!taken.has(address)) return address;
  }
  return null;
}

/** Why a container cannot have this address whoever else is there, or `null`. */
export function whyNotFixed(pool: AddressPool | null, address: string): string | null {
  const parsed = parseAddress(address);
  if (pool === null || parsed === null) return `the network has no IPv${address.includes(":") ? 6 : 4}`;
  const subnet = subnetOf(pool);
  if (!liesIn(parsed, subnet)) return `it is not in ${pool.subnet}/${pool.prefix}`;
  if (address === pool.gateway) return "it is the gateway's";
  if (parsed.value === subnet.first || (subnet.family === 4 && parsed.value === lastOf(subnet))) return "it stands for the subnet itself";
  return null;
}

/** A hardware address that belongs to an address, so that it is the same after every start. */
export function macOf(text: string): string {
  const address = parseAddress(text);
  if (address === null) throw new Error(`${text} is no address`);
  const digits = address.family === 4 ? address.value.toString(16).padStart(8, "0") : hashed(address);
  return `02:42:${digits.match(/../g)?.join(":")}`;
}

function hashed({ value }: Address): string {
  return createHash("sha256").update(value.toString(16)).digest("hex").slice(0, 8);
}

function chooseIpv4(seed: Buffer, { networks, routes }: Used): Subnet {
  const used = [...networks.map(({ subnet }) => subnet), ...routes];
  for (let attempt = 0; attempt < POOL.count; attempt += 1) {
    const index = (seed.readUInt32BE(0) + attempt) % POOL.count;
    const subnet: Subnet = { family: 4, first: POOL.base + BigInt(index) * 2n ** BigInt(32 - PREFIX), prefix: PREFIX };
    if (!used.some((other) => overlaps(other, subnet))) return subnet;
  }
  throw new Failure({
    code: "E_NETWORK_FULL",
    message: "no free subnet is left for another network",
    hint: "wharf ls -a lists projects whose networks could go",
  });
}

/** A subnet of a unique local prefix, whose forty bits come from the seed. */
function chooseIpv6(seed: Buffer, { networks, routes }: Used): Subnet {
  const used = [...networks.map(({ subnet }) => subnet), ...routes];
  for (let attempt = 0; ; attempt += 1) {
    const bits = createHash("sha256").update(seed).update(String(attempt)).digest("hex").slice(0, 14);
    const subnet: Subnet = { family: 6, first: BigInt(`0xfd${bits}`) << 64n, prefix: 64 };
    if (!used.some((other) => overlaps(other, subnet))) return subnet;
  }
}

/** A wider route of this machine gives way to a narrower one: only what lies in the subnet is in its way. */
function refuseTaken(name: string, subnet: Subnet, { networks, routes }: Used): void {
  const text = `${formatAddress({ family: subnet.family, value: subnet.first })}/${subnet.prefix}`;
  const other = networks.find((network) => overlaps(network.subnet, subnet));
  const route = routes.find((range) => liesIn(range, subnet));
  if (other === undefined && route === undefined) return;
  const by =
    other === undefined ? "this machine has addresses in it already (ip route shows them)" : `network ${other.name} has addresses in it`;
  throw new Failure({
    code: "E_SUBNET_TAKEN",
    message: `subnet ${text} of network ${name} is taken: ${by}`,
    hint: "choose another one, or leave `ipam` out to have a free one chosen",
  });
}
