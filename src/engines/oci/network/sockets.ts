import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Protocol } from "../../../model/service.ts";

/** A socket on this machine that something listens on. */
export interface Listener {
  readonly protocol: Protocol;
  /** `0.0.0.0` also for IPv6's any address, which takes the port for both. */
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
  return a.protocol === b.protocol && a.port === b.port && (a.host === b.host || a.host === "0.0.0.0" || b.host === "0.0.0.0");
}

/** Who has a socket open, in words: `process 812 (nginx)`. Walks all processes, so ask only when there is something to say. */
export function ownerOf(inode: string | null): string {
  if (inode === null) return "a process that has just ended";
  const link = `socket:[${inode}]`;
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const holds = ignoreGone(() =>
      readdirSync(`/proc/${pid}/fd`).some((fd) => ignoreGone(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) === link),
    );
    if (holds === true) return `process ${pid} (${ignoreGone(() => readFileSync(`/proc/${pid}/comm`, "utf8").trim()) ?? "ended"})`;
  }
  return "a process of another user or namespace";
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
    .flatMap((fields) => {
      const [address = "", port = ""] = (fields[1] ?? "").split(":");
      const host = hostOf(address);
      return host === null ? [] : [{ protocol, host, port: Number.parseInt(port, 16), inode: fields[9] ?? "" }];
    });
}

/** `null` for an IPv6 address that takes nothing from IPv4. */
function hostOf(hex: string): string | null {
  if (hex.length === 8) return [...Buffer.from(hex, "hex")].reverse().join(".");
  return /^0+$/.test(hex) ? "0.0.0.0" : null;
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
