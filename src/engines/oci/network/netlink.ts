import { closeSync, openSync } from "node:fs";
import { parseAddress } from "../../../lib/address.ts";
import {
  AF_NETLINK,
  closeSocket,
  ENODEV,
  inNetworkNamespace,
  openSocket,
  receiveNow,
  SOCK_RAW,
  SystemCallError,
  sendNow,
} from "../syscalls.ts";

/**
 * The kernel's route netlink protocol, as far as bridges and veth pairs need it (linux/netlink.h, rtnetlink.h, if_link.h).
 * A request costs about a tenth of a millisecond where a run of `ip` costs three; errors come as errno, not as text.
 */
export class Netlink {
  readonly #socket: number;
  #sequence = 0;

  private constructor(socket: number) {
    this.#socket = socket;
  }

  /** In the network namespace of this process. */
  static here(): Netlink {
    return new Netlink(openSocket(AF_NETLINK, SOCK_RAW, 0));
  }

  /** In the network namespace of another process. The socket stays there, this thread does not. */
  static of(pid: number): Netlink {
    const home = openSync("/proc/thread-self/ns/net", "r");
    try {
      const there = openSync(`/proc/${pid}/ns/net`, "r");
      try {
        return new Netlink(inNetworkNamespace(there, home, () => openSocket(AF_NETLINK, SOCK_RAW, 0)));
      } finally {
        closeSync(there);
      }
    } finally {
      closeSync(home);
    }
  }

  close(): void {
    closeSocket(this.#socket);
  }

  /** Sends one request and waits for its acknowledgement. Throws `SystemCallError` with the kernel's errno. */
  request(what: string, message: Message): void {
    this.#exchange(what, message);
  }

  /** Index of a link by name, or `null` when there is none. */
  indexOf(name: string): number | null {
    try {
      const answer = this.#exchange(name, { type: RTM_GETLINK, flags: 0, body: Buffer.concat([link(0, 0), text(IFLA_IFNAME, name)]) });
      return answer === null ? null : answer.readInt32LE(16 + 4);
    } catch (error) {
      if (error instanceof SystemCallError && error.errno === ENODEV) return null;
      throw error;
    }
  }

  /** Gives the message that came before the acknowledgement, if one did. */
  #exchange(what: string, message: Message): Buffer | null {
    this.#sequence += 1;
    const length = 16 + message.body.length;
    const packet = Buffer.alloc(length);
    packet.writeUInt32LE(length, 0);
    packet.writeUInt16LE(message.type, 4);
    packet.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK | message.flags, 6);
    packet.writeUInt32LE(this.#sequence, 8);
    message.body.copy(packet, 16);
    sendNow(this.#socket, packet);
    let data: Buffer | null = null;
    for (;;) {
      const answer = Buffer.alloc(16384);
      const received = receiveNow(this.#socket, answer);
      if (received < 20 || answer.readUInt32LE(8) !== this.#sequence) continue;
      if (answer.readUInt16LE(4) !== NLMSG_ERROR) {
        data = answer;
        continue;
      }
      const errno = -answer.readInt32LE(16);
      if (errno === 0) return data;
      throw new SystemCallError("netlink", errno, what);
    }
  }
}

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** A new bridge, up, with a fixed hardware address so that it does not change as ports come and go. */
export function addBridge(name: string, options: { readonly mtu: number; readonly mac: string }): Message {
  const attributes = [
    text(IFLA_IFNAME, name),
    u32(IFLA_MTU, options.mtu),
    bytes(IFLA_ADDRESS, hardwareAddress(options.mac)),
    nest(IFLA_LINKINFO, [text(IFLA_INFO_KIND, "bridge")]),
  ];
  return { type: RTM_NEWLINK, flags: CREATE, body: Buffer.concat([link(0, IFF_UP), ...attributes]) };
}

/** A veth pair: one end here, the other under another name in the namespace of a process. */
export function addVeth(options: {
  readonly name: string;
  readonly mtu: number;
  readonly peer: { readonly name: string; readonly pid: number; readonly mac: string };
}): Message {
  const { peer } = options;
  const other = Buffer.concat([
    link(0, 0),
    text(IFLA_IFNAME, peer.name),
    u32(IFLA_MTU, options.mtu),
    bytes(IFLA_ADDRESS, hardwareAddress(peer.mac)),
    u32(IFLA_NET_NS_PID, peer.pid),
  ]);
  const info = nest(IFLA_LINKINFO, [text(IFLA_INFO_KIND, "veth"), nest(IFLA_INFO_DATA, [bytes(VETH_INFO_PEER, other)])]);
  return {
    type: RTM_NEWLINK,
    flags: CREATE,
    body: Buffer.concat([link(0, IFF_UP), text(IFLA_IFNAME, options.name), u32(IFLA_MTU, options.mtu), info]),
  };
}

/** Makes a link a port of a bridge. */
export function setMaster(index: number, bridge: number): Message {
  return { type: RTM_NEWLINK, flags: 0, body: Buffer.concat([link(index, 0), u32(IFLA_MASTER, bridge)]) };
}

/**
 * Lets a bridge port send a frame back where it came from, so that a container reaches its own published port; one that is `isolated` sends
 * none to other ports that are, whatever the packet filter says.
 */
export function setPort(index: number, { isolated }: { readonly isolated: boolean }): Message {
  const attributes = [bytes(IFLA_BRPORT_MODE, Buffer.of(1)), ...(isolated ? [bytes(IFLA_BRPORT_ISOLATED, Buffer.of(1))] : [])];
  const body = Buffer.concat([link(index, 0, AF_BRIDGE), nest(IFLA_PROTINFO, attributes)]);
  return { type: RTM_SETLINK, flags: 0, body };
}

export function setUp(index: number): Message {
  return { type: RTM_NEWLINK, flags: 0, body: link(index, IFF_UP) };
}

export function deleteLink(index: number): Message {
  return { type: RTM_DELLINK, flags: 0, body: link(index, 0) };
}

/** An address on a link. One of IPv6 can be used at once: that nobody else has it is known. */
export function addAddress(index: number, address: string, prefix: number): Message {
  const head = Buffer.alloc(8);
  const { family, octets } = octetsOf(address);
  head[0] = family;
  head[1] = prefix;
  head.writeUInt32LE(index, 4);
  if (family === AF_INET6) {
    head[2] = IFA_F_NODAD;
    return { type: RTM_NEWADDR, flags: CREATE, body: Buffer.concat([head, bytes(IFA_LOCAL, octets), bytes(IFA_ADDRESS, octets)]) };
  }
  const broadcast = Buffer.alloc(4);
  broadcast.writeUInt32BE((octets.readUInt32BE(0) | (2 ** (32 - prefix) - 1)) >>> 0);
  return {
    type: RTM_NEWADDR,
    flags: CREATE,
    body: Buffer.concat([head, bytes(IFA_LOCAL, octets), bytes(IFA_ADDRESS, octets), bytes(IFA_BROADCAST, broadcast)]),
  };
}

/** The default route by a gateway, of the gateway's family. */
export function addDefaultRoute(index: number, gateway: string): Message {
  const { family, octets } = octetsOf(gateway);
  const head = Buffer.from([family, 0, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_UNIVERSE, RTN_UNICAST, 0, 0, 0, 0]);
  return { type: RTM_NEWROUTE, flags: CREATE, body: Buffer.concat([head, bytes(RTA_GATEWAY, octets), u32(RTA_OIF, index)]) };
}

const NLMSG_ERROR = 2;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const CREATE = 0x400 | 0x200; // NLM_F_CREATE | NLM_F_EXCL
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const AF_INET = 2;
const AF_BRIDGE = 7;
const AF_INET6 = 10;
const IFF_UP = 1;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_MASTER = 10;
const IFLA_PROTINFO = 12;
const IFLA_LINKINFO = 18;
const IFLA_NET_NS_PID = 19;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_BRPORT_MODE = 4;
const IFLA_BRPORT_ISOLATED = 33;
const VETH_INFO_PEER = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_F_NODAD = 2;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RTN_UNICAST = 1;
const NLA_F_NESTED = 0x8000;

/** struct ifinfomsg. */
function link(index: number, flags: number, family = 0): Buffer {
  const head = Buffer.alloc(16);
  head[0] = family;
  head.writeInt32LE(index, 4);
  head.writeUInt32LE(flags, 8);
  head.writeUInt32LE(flags, 12); // which flags are meant
  return head;
}

/** One attribute: length, type, payload, padded to four bytes. */
function bytes(type: number, payload: Buffer): Buffer {
  const length = 4 + payload.length;
  const attribute = Buffer.alloc((length + 3) & ~3);
  attribute.writeUInt16LE(length, 0);
  attribute.writeUInt16LE(type, 2);
  payload.copy(attribute, 4);
  return attribute;
}

const text = (type: number, value: string): Buffer => bytes(type, Buffer.from(`${value}\0`));

const nest = (type: number, attributes: readonly Buffer[]): Buffer =>
  bytes(type | (type === IFLA_PROTINFO ? NLA_F_NESTED : 0), Buffer.concat(attributes));

function u32(type: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32LE(value);
  return bytes(type, payload);
}

function octetsOf(text: string): { readonly family: number; readonly octets: Buffer } {
  const address = parseAddress(text);
  if (address === null) throw new Error(`${text} is no address`); // they were checked, or we made them
  const digits = address.family === 4 ? 8 : 32;
  const octets = Buffer.from(address.value.toString(16).padStart(digits, "0"), "hex");
  return { family: address.family === 4 ? AF_INET : AF_INET6, octets };
}

const hardwareAddress = (mac: string): Buffer => Buffer.from(mac.replaceAll(":", ""), "hex");
