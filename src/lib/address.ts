/** Whether a text is an IPv4 or IPv6 address, without brackets. */
export function isAddress(text: string): boolean {
  return familyOf(text) !== null;
}

/** As `isIP` of node:net, which loads all of Node's sockets. */
function familyOf(text: string): 4 | 6 | null {
  if (IPV4.test(text)) return 4;
  const [, address = "", tail = ""] = /^([\da-f:]*:)([\da-f]*|[\d.]+)(?:%[\da-z.:-]+)?$/i.exec(text) ?? [];
  const dotted = IPV4.test(tail);
  const halves = `${address}${dotted ? "0:0" : tail}`.split("::");
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  if (halves.length > 2 || !groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return null;
  return (halves.length === 2 ? groups.length < 8 : groups.length === 8) ? 6 : null;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface Subnet {
  readonly family: 4 | 6;
  /** The first address of it. */
  readonly first: bigint;
  /** How many of the leading bits its addresses have in common. */
  readonly prefix: number;
}

export const BITS = { 4: 32, 6: 128 } as const;

/** An address as a number; `null` when the text is none. A zone (`%eth0`) is no part of an address. */
export function parseAddress(text: string): Address | null {
  const family = familyOf(text);
  if (family === 4) return { family, value: text.split(".").reduce((sum, octet) => sum * 256n + BigInt(octet), 0n) };
  if (family !== 6 || text.includes("%")) return null;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const low = dotted === null ? null : (parseAddress(dotted[2] ?? "")?.value ?? 0n);
  const hex = low === null ? text : `${dotted?.[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  const [head = "", tail] = hex.split("::");
  const front = groupsOf(head);
  const back = tail === undefined ? [] : groupsOf(tail);
  const middle = Array.from({ length: 8 - front.length - back.length }, () => 0n);
  return { family, value: [...front, ...middle, ...back].reduce((sum, group) => sum * 65_536n + group, 0n) };
}

/** The canonical text of an address: the longest run of zeros is left out (RFC 5952). */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - index * 16)) & 0xffffn));
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  if (best.length === 1) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}

/** An address in its canonical text; what is none is given back. */
export function plainAddress(text: string): string {
  const address = parseAddress(text.replace(/%.*$/, ""));
  return address === null ? text : formatAddress(address);
}

/** The bytes of an address as they go over the wire: none when the text is no address. */
export function addressBytes(text: string): Buffer {
  const address = parseAddress(text);
  return address === null ? Buffer.alloc(0) : Buffer.from(address.value.toString(16).padStart(BITS[address.family] / 4, "0"), "hex");
}

/** `10.5.0.0/16`, `fd00:1::/64`; an address inside stands for its subnet. `null` when the text is no subnet. */
export function parseSubnet(text: string): Subnet | null {
  const [, address = "", bits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const parsed = parseAddress(address);
  const prefix = Number(bits);
  if (parsed === null || bits === "" || prefix > BITS[parsed.family]) return null;
  const { family, value } = parsed;
  const host = BigInt(BITS[family] - prefix);
  return { family, first: (value >> host) << host, prefix };
}

export function formatSubnet({ family, first, prefix }: Subnet): string {
  return `${formatAddress({ family, value: first })}/${prefix}`;
}

/** The last address of a subnet. */
export function lastOf({ family, first, prefix }: Subnet): bigint {
  return first + (1n << BigInt(BITS[family] - prefix)) - 1n;
}

/** Whether an address, or all of another subnet, lies in a subnet. */
export function liesIn(inner: Address | Subnet, outer: Subnet): boolean {
  if (inner.family !== outer.family) return false;
  const [from, to] = "value" in inner ? [inner.value, inner.value] : [inner.first, lastOf(inner)];
  return outer.first <= from && to <= lastOf(outer);
}

/** Whether two subnets have an address in common. */
export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.family === b.family && a.first <= lastOf(b) && b.first <= lastOf(a);
}

const groupsOf = (text: string): bigint[] => (text === "" ? [] : text.split(":").map((group) => BigInt(`0x${group}`)));
