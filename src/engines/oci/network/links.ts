import { closeSync, openSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { inNetworkNamespace } from "../syscalls.ts";
import { deleteLink, Netlink } from "./netlink.ts";

/** Index of a link of this machine's by name, or `null`. */
export function linkIndex(name: string): number | null {
  try {
    return Number(readFileSync(`/sys/class/net/${name}/ifindex`, "latin1"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EINVAL") return null; // EINVAL: it went away between opening the file and reading it
    throw error;
  }
}

/** Name of the bridge that a link of this machine's is a port of, or `null`. */
export function bridgeOf(name: string): string | null {
  try {
    return basename(readlinkSync(`/sys/class/net/${name}/master`));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EINVAL") return null;
    throw error;
  }
}

/** Takes a link of this machine's away. Nothing when there is none. */
export function removeLink(name: string): void {
  const netlink = Netlink.here();
  try {
    const index = netlink.indexOf(name);
    if (index !== null) netlink.request(name, deleteLink(index));
  } finally {
    netlink.close();
  }
}

/** Sets a kernel parameter (`net/ipv4/ip_forward`) of this thread's network namespace. A kernel without it is left alone. */
export function setSysctl(key: string, value: string): void {
  const path = `/proc/sys/${key}`;
  try {
    if (readFileSync(path, "latin1").trim() !== value) writeFileSync(path, value);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Sets kernel parameters in the network namespace of a process. */
export function setSysctlsOf(pid: number, settings: Readonly<Record<string, string>>): void {
  const home = openSync("/proc/thread-self/ns/net", "r");
  try {
    const there = openSync(`/proc/${pid}/ns/net`, "r");
    try {
      // What lies in /proc/sys/net is that of whoever opens it.
      inNetworkNamespace(there, home, () => {
        for (const [key, value] of Object.entries(settings)) setSysctl(key, value);
      });
    } finally {
      closeSync(there);
    }
  } finally {
    closeSync(home);
  }
}
