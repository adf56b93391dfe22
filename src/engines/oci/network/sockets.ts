import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { plainAddress } from "../../../lib/address.ts";
import { meet } from "../../../model/ports.ts";
import type { Protocol } from "../../../model/service.ts";

/** A socket on this machine that something listens on. */
export interface Listener {
  readonly protocol: Protocol;
  /** `*` for IPv6's any address, which may take the port for IPv4 as well: the kernel does not tell. */
  readonly host: string;
  readonly port: number;
  readonly inode: string;
}

/** Every listening TCP socket and every bound UDP socket in this network namespace. */
export function listeners(): Listener[] {
  return [...parseTable("tcp", "tcp"), ...parseTable("tcp6", "tcp"), ...parseTable("udp", "udp"), ...parseTable("udp6", "udp")];
}

/** Whether two bindings cannot live side by side. */
export function collides(
  a: { readonly protocol: Protocol; readonly host: string; readonly port: number },
  b: { readonly protocol: Protocol; readonly host: string; readonly port: number },
): boolean {
  return a.protocol === b.protocol && a.port === b.port && meet(asMeant(a.host), asMeant(b.host));
}

/** `*` may be both families' any address, which is no address in a spec. */
const asMeant = (host: string): string => (host === "*" ? "" : host);

/** Who has a socket open, in words: `process 812 (nginx)`. Walks all processes, so ask only when there is something to say. */
export function ownerOf(inode: string | null): string {
  if (inode === null) return "a process that has just ended";
  for (const pid of readdirSync("/proc"))
    if (/^\d+$/.test(pid) && holds(pid, inode))
      return `process ${pid} (${ignoreGone(() => readFileSync(`/proc/${pid}/comm`, "utf8").trim()) ?? "ended"})`;
  return "a process of another user or namespace";
}

/** Whether a process has a socket open. */
export function holds(pid: number | string, inode: string): boolean {
  const link = `socket:[${inode}]`;
  return (
    ignoreGone(() => readdirSync(`/proc/${pid}/fd`).some((fd) => ignoreGone(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) === link)) ?? false
  );
}

const LISTEN = "0A";
const UNCONNECTED = "07";

function parseTable(file: string, protocol: Protocol): Listener[] {
  const text = ignoreGone(() => readFileSync(`/proc/net/${file}`, "latin1")) ?? ""; // no IPv6, no such file
  return text
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === (protocol === "tcp" ? LISTEN : UNCONNECTED))
    .map((fields) => {
      const [address = "", port = ""] = (fields[1] ?? "").split(":");
      return { protocol, host: hostOf(address), port: Number.parseInt(port, 16), inode: fields[9] ?? "" };
    });
}

/** An address as the kernel prints it: words of four bytes, each in memory order. */
export function hostOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, "hex")].reverse());
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.every((byte) => byte === 0)) return "*";
  const groups = Array.from({ length: 8 }, (_, index) =>
    Buffer.from(bytes)
      .readUInt16BE(index * 2)
      .toString(16),
  );
  if (groups.slice(0, 5).every((group) => group === "0") && groups[5] === "ffff") return bytes.slice(12).join("."); // IPv4 by an IPv6 socket
  return plainAddress(groups.join(":"));
}

/** Processes and their files come and go while we look. */
function ignoreGone<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES" || code === "EPERM" || code === "EINVAL") return null;
    throw error;
  }
}
