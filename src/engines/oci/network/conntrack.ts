/**
 * Flows of datagrams that the kernel remembers (linux/netfilter/nfnetlink_conntrack.h). A flow keeps the translation that it began with for as long as
 * its datagrams come: those that were led to a container that is gone would be led there for ever.
 */
import { plainAddress } from "../../../lib/address.ts";
import { AF_NETLINK, closeSocket, openSocket, receiveNow, SOCK_RAW, sendNow } from "../syscalls.ts";

/** A flow as its first datagram went, and as answers come. */
export interface Flow {
  readonly protocol: number;
  /** Where it was sent to. */
  readonly to: { readonly address: string; readonly port: number };
  /** Who answers. */
  readonly by: { readonly address: string; readonly port: number };
  /** The attribute that names it to the kernel. */
  readonly tuple: Buffer;
}

export const UDP = 17;

/** Forgets the flows that `isStale` picks. Gives how many. */
export function forgetFlows(isStale: (flow: Flow) => boolean): number {
  const socket = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  try {
    let count = 0;
    for (const family of [AF_INET, AF_INET6])
      for (const flow of dump(socket, family).filter(isStale)) {
        sendNow(socket, request(DELETE, { flags: REQUEST | ACK, family, body: flow.tuple }));
        receiveNow(socket, Buffer.alloc(1024)); // it may have ended by itself meanwhile, which is as good
        count += 1;
      }
    return count;
  } finally {
    closeSocket(socket);
  }
}

/** Flows in one datagram of a dump. Pure. `null` at its end. */
export function parseFlows(bytes: Buffer): readonly Flow[] | null {
  const flows: Flow[] = [];
  for (let at = 0; at + HEAD <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    const type = bytes.readUInt16LE(at + 4);
    if (type === DONE || type === ERROR || length < HEAD) return null;
    const flow = parseFlow(bytes.subarray(at + HEAD, Math.min(at + length, bytes.length)));
    if (flow !== null) flows.push(flow);
    at += (length + 3) & ~3;
  }
  return flows;
}

const NETLINK_NETFILTER = 12;
const GET = 0x0101;
const DELETE = 0x0102;
const REQUEST = 1;
const ACK = 4;
const DUMP = 0x300;
const ERROR = 2;
const DONE = 3;
const AF_INET = 2;
const AF_INET6 = 10;
/** A netlink header, and netfilter's own. */
const HEAD = 20;
const NESTED = 0x8000;
const TUPLE_ORIGINAL = 1;
const TUPLE_REPLY = 2;
const TUPLE_IP = 1;
const TUPLE_PROTOCOL = 2;
const IP_SOURCE = [1, 3];
const IP_DESTINATION = [2, 4];
const PROTOCOL_NUMBER = 1;
const PROTOCOL_SOURCE = 2;
const PROTOCOL_DESTINATION = 3;

function dump(socket: number, family: number): readonly Flow[] {
  sendNow(socket, request(GET, { flags: REQUEST | DUMP, family, body: Buffer.alloc(0) }));
  const flows: Flow[] = [];
  const buffer = Buffer.alloc(65_536);
  for (;;) {
    const part = parseFlows(buffer.subarray(0, receiveNow(socket, buffer)));
    if (part === null) return flows;
    flows.push(...part);
  }
}

function request(
  type: number,
  { flags, family, body }: { readonly flags: number; readonly family: number; readonly body: Buffer },
): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(HEAD + body.length, 0);
  head.writeUInt16LE(type, 4);
  head.writeUInt16LE(flags, 6);
  head[16] = family;
  return Buffer.concat([head, body]);
}

function parseFlow(bytes: Buffer): Flow | null {
  const all = attributes(bytes);
  const original = all.get(TUPLE_ORIGINAL);
  const reply = all.get(TUPLE_REPLY);
  if (original === undefined || reply === undefined) return null;
  const to = endOf(original.value, { addresses: IP_DESTINATION, port: PROTOCOL_DESTINATION });
  const by = endOf(reply.value, { addresses: IP_SOURCE, port: PROTOCOL_SOURCE });
  if (to === null || by === null) return null;
  return { protocol: to.protocol, to, by, tuple: Buffer.from(original.whole) };
}

interface End {
  readonly protocol: number;
  readonly address: string;
  readonly port: number;
}

function endOf(tuple: Buffer, which: { readonly addresses: readonly number[]; readonly port: number }): End | null {
  const parts = attributes(tuple);
  const ip = attributes(parts.get(TUPLE_IP)?.value ?? Buffer.alloc(0));
  const protocol = attributes(parts.get(TUPLE_PROTOCOL)?.value ?? Buffer.alloc(0));
  const address = which.addresses.map((type) => ip.get(type)?.value).find((value) => value !== undefined);
  const port = protocol.get(which.port)?.value;
  const number = protocol.get(PROTOCOL_NUMBER)?.value[0];
  if (address === undefined || port === undefined || number === undefined || port.length < 2) return null;
  return { protocol: number, address: textOf(address), port: port.readUInt16BE(0) };
}

interface Attribute {
  readonly value: Buffer;
  readonly whole: Buffer;
}

function attributes(bytes: Buffer): ReadonlyMap<number, Attribute> {
  const found = new Map<number, Attribute>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4) break;
    found.set(bytes.readUInt16LE(at + 2) & ~NESTED, {
      value: bytes.subarray(at + 4, at + length),
      whole: bytes.subarray(at, at + ((length + 3) & ~3)),
    });
    at += (length + 3) & ~3;
  }
  return found;
}

function textOf(address: Buffer): string {
  if (address.length === 4) return address.join(".");
  const groups = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(index * 2).toString(16));
  return plainAddress(groups.join(":"));
}
