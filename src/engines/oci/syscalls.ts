import { existsSync } from "node:fs";
import { addressBytes } from "../../lib/address.ts";
import { lazyLibc } from "../../lib/libc.ts";

/**
 * The few system calls that Node has no door to, by way of koffi. Each is quick (microseconds to about a millisecond) and blocks.
 * koffi costs some ten milliseconds to load, so nothing is loaded before the first call.
 */

export class SystemCallError extends Error {
  readonly errno: number;

  constructor(call: string, errno: number, on: string) {
    super(`${call}(${on}): ${ERRNO[errno] ?? `errno ${errno}`}`);
    this.name = "SystemCallError";
    this.errno = errno;
  }
}

export const EPERM = 1;
export const ENOENT = 2;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
export const EADDRINUSE = 98;
const EADDRNOTAVAIL = 99;

export const MS_NOSUID = 1 << 1;
export const MS_NODEV = 1 << 2;
export const MS_NOEXEC = 1 << 3;
export const MS_BIND = 1 << 12;
export const MS_REC = 1 << 14;
export const MS_PRIVATE = 1 << 18;
const MNT_DETACH = 2;

export const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
export const AF_NETLINK = 16;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_SEQPACKET = 5;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SOCK_CLOEXEC = 0o2000000;
const CLONE_NEWNET = 0x40000000;

/** Mounts; `data` is the file system's own option string. Throws `SystemCallError`. */
export function mount(
  source: string,
  target: string,
  options: { readonly type: string | null; readonly flags: number; readonly data: string | null },
): void {
  const { mount: call } = libc();
  check("mount", call(source, target, options.type, options.flags, options.data), target);
}

/** Unmounts, and lets go later of what is still in use. Gives `false` when nothing is mounted there. */
export function unmount(target: string): boolean {
  const { umount2 } = libc();
  if (umount2(target, MNT_DETACH) === 0) return true;
  const errno = lastErrno();
  if (errno === EINVAL || errno === ENOENT) return false;
  throw new SystemCallError("umount2", errno, target);
}

/** Runs something synchronous with this thread inside a network namespace (an open descriptor), and comes back whatever happens. */
export function inNetworkNamespace<T>(descriptor: number, home: number, work: () => T): T {
  const { setns } = libc();
  check("setns", setns(descriptor, CLONE_NEWNET), "network namespace");
  try {
    return work();
  } finally {
    check("setns", setns(home, CLONE_NEWNET), "own network namespace");
  }
}

/** A new socket; close it with `closeSocket`. */
export function openSocket(family: number, type: number, protocol: number): number {
  const { socket } = libc();
  const descriptor = socket(family, type | SOCK_CLOEXEC, protocol);
  if (descriptor < 0) throw new SystemCallError("socket", lastErrno(), `family ${family}`);
  return descriptor;
}

export function closeSocket(descriptor: number): void {
  libc().close(descriptor);
}

/** Whether a program could take this port now: nobody listens on it, here or on all addresses. An address that is not this machine's can. */
export function canBind({
  datagrams,
  address,
  port,
}: {
  readonly datagrams: boolean;
  readonly address: string;
  readonly port: number;
}): boolean {
  const six = address.includes(":");
  if (six && !existsSync("/proc/net/if_inet6")) return true; // a kernel without IPv6 has no such port that could be taken
  const descriptor = openSocket(six ? AF_INET6 : AF_INET, datagrams ? SOCK_DGRAM : SOCK_STREAM, 0);
  try {
    if (six) check("setsockopt", libc().setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, Buffer.from([1, 0, 0, 0]), 4), address);
    // As servers do: a connection that is just ending does not count.
    if (!datagrams) check("setsockopt", libc().setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, Buffer.from([1, 0, 0, 0]), 4), address);
    const name = Buffer.alloc(six ? 28 : 16);
    name.writeUInt16LE(six ? AF_INET6 : AF_INET, 0);
    name.writeUInt16BE(port, 2);
    addressBytes(address.replace(/%.*$/, "")).copy(name, six ? 8 : 4);
    if (libc().bind(descriptor, name, name.length) === 0) return true;
    const errno = lastErrno();
    if (errno === EADDRINUSE) return false;
    if (errno === EADDRNOTAVAIL || (six && errno === EINVAL)) return true; // an address of a link is somebody's only with the link's name
    throw new SystemCallError("bind", errno, `${address}:${port}`);
  } finally {
    closeSocket(descriptor);
  }
}

/** Connects to a Unix socket by path (at most 107 bytes). */
export function connectUnix(descriptor: number, path: string): void {
  const bytes = Buffer.from(path);
  if (bytes.length > 107) throw new RangeError(`socket path is longer than 107 bytes: ${path}`);
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  bytes.copy(address, 2);
  check("connect", libc().connect(descriptor, address, 2 + bytes.length + 1), path);
}

export function sendNow(descriptor: number, message: Uint8Array): void {
  const sent = libc().send(descriptor, message, message.length, 0);
  if (sent < 0) throw new SystemCallError("send", lastErrno(), `descriptor ${descriptor}`);
}

export function receiveNow(descriptor: number, buffer: Uint8Array): number {
  const length = libc().recv(descriptor, buffer, buffer.length, 0);
  if (length < 0) throw new SystemCallError("recv", lastErrno(), `descriptor ${descriptor}`);
  return length;
}

/** One datagram, waited for on a thread of the pool; 0 when the other side closed. Negative: the socket was shut down. */
export function receive(descriptor: number, buffer: Uint8Array): Promise<number> {
  return callAsync(libc().recvAsync, descriptor, buffer);
}

export function send(descriptor: number, message: Uint8Array): Promise<number> {
  return callAsync(libc().sendAsync, descriptor, message);
}

/** Passes what is written to a terminal on as it is: a line break moves down, not to the first column. Node's raw mode is for what is typed only. */
export function writeRaw(descriptor: number): void {
  const settings = Buffer.alloc(TERMIOS);
  const { tcgetattr, tcsetattr } = libc();
  check("tcgetattr", tcgetattr(descriptor, settings), "terminal");
  settings.writeUInt32LE(settings.readUInt32LE(C_OFLAG) & ~OPOST, C_OFLAG);
  check("tcsetattr", tcsetattr(descriptor, 0, settings), "terminal");
}

/** Of `struct termios` on Linux with glibc or musl: its size, and where its second number is. */
const TERMIOS = 64;
const C_OFLAG = 4;
const OPOST = 1;

/** Ends both directions: a `receive` under way comes back. */
export function shutdownSocket(descriptor: number): void {
  libc().shutdown(descriptor, 2);
}

/** Ends the sending side only. */
export function endSending(descriptor: number): void {
  libc().shutdown(descriptor, 1);
}

type AsyncTransfer = (
  descriptor: number,
  buffer: Uint8Array,
  length: number,
  flags: number,
  done: (error: Error | null, result: number) => void,
) => void;

interface Libc {
  readonly errno: () => number;
  readonly mount: (source: string, target: string, type: string | null, flags: number, data: string | null) => number;
  readonly umount2: (target: string, flags: number) => number;
  readonly setns: (descriptor: number, kind: number) => number;
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly setsockopt: (descriptor: number, level: number, option: number, value: Uint8Array, length: number) => number;
  readonly bind: (descriptor: number, address: Uint8Array, length: number) => number;
  readonly connect: (descriptor: number, address: Uint8Array, length: number) => number;
  readonly send: (descriptor: number, message: Uint8Array, length: number, flags: number) => number;
  readonly recv: (descriptor: number, buffer: Uint8Array, length: number, flags: number) => number;
  readonly sendAsync: AsyncTransfer;
  readonly recvAsync: AsyncTransfer;
  readonly tcgetattr: (descriptor: number, settings: Uint8Array) => number;
  readonly tcsetattr: (descriptor: number, when: number, settings: Uint8Array) => number;
  readonly shutdown: (descriptor: number, how: number) => number;
  readonly close: (descriptor: number) => number;
}

const libc = lazyLibc(({ func, errno }): Libc => {
  const send = func("intptr_t send(int fd, const uint8_t *buf, uintptr_t len, int flags)");
  const recv = func("intptr_t recv(int fd, _Out_ uint8_t *buf, uintptr_t len, int flags)");
  return {
    errno,
    mount: func("int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)"),
    umount2: func("int umount2(const char *target, int flags)"),
    setns: func("int setns(int fd, int nstype)"),
    socket: func("int socket(int domain, int type, int protocol)"),
    setsockopt: func("int setsockopt(int fd, int level, int option, const uint8_t *value, uint32_t length)"),
    bind: func("int bind(int fd, const uint8_t *address, uint32_t length)"),
    connect: func("int connect(int fd, const uint8_t *address, uint32_t length)"),
    send,
    recv,
    sendAsync: send.async,
    recvAsync: recv.async,
    tcgetattr: func("int tcgetattr(int fd, _Inout_ uint8_t *settings)"),
    tcsetattr: func("int tcsetattr(int fd, int when, const uint8_t *settings)"),
    shutdown: func("int shutdown(int fd, int how)"),
    close: func("int close(int fd)"),
  };
});

function lastErrno(): number {
  return libc().errno();
}

function check(call: string, result: number, on: string): void {
  if (result < 0) throw new SystemCallError(call, lastErrno(), on);
}

function callAsync(call: AsyncTransfer, descriptor: number, buffer: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    call(descriptor, buffer, buffer.length, 0, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}

const ERRNO: Readonly<Record<number, string>> = {
  1: "operation not permitted",
  2: "no such file or directory",
  5: "input/output error",
  11: "temporarily unavailable",
  12: "out of memory",
  13: "permission denied",
  16: "busy",
  17: "exists already",
  19: "no such device",
  20: "not a directory",
  22: "invalid argument",
  28: "no space left on device",
  32: "broken pipe",
  40: "too many links",
  98: "address in use",
  99: "address not available",
  101: "network is unreachable",
  104: "connection reset",
  107: "not connected",
  111: "connection refused",
};
