import { closeSync, constants, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { ExtraHost } from "../../../model/service.ts";
import { containerDirectory, type Layout } from "../layout.ts";

/** The files that say who is who inside a container. They are bound into it one by one, so they are written in place: a rename would not be seen. */
export interface NameFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export function nameFiles(layout: Layout, id: string): NameFiles {
  const directory = containerDirectory(layout, id);
  return { hosts: join(directory, "hosts"), hostname: join(directory, "hostname"), resolvConf: join(directory, "resolv.conf") };
}

export interface HostsEntry {
  readonly address: string;
  readonly names: readonly string[];
}

/** The text of a container's hosts file. Pure. The `gateways` stand in for `host-gateway`; `base` stands in for what every container knows. */
export function hostsText(options: {
  readonly base: string | null;
  readonly own: readonly HostsEntry[];
  readonly peers: readonly HostsEntry[];
  readonly extra: readonly ExtraHost[];
  readonly gateways: readonly string[];
}): string {
  const lines = options.base?.trimEnd().split("\n") ?? [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::\tip6-localnet",
    "ff00::\tip6-mcastprefix",
    "ff02::1\tip6-allnodes",
    "ff02::2\tip6-allrouters",
  ];
  for (const { name, address } of options.extra) {
    for (const resolved of address === "host-gateway" ? options.gateways : [address]) lines.push(`${resolved}\t${name}`);
  }
  for (const { address, names } of [...options.own, ...options.peers]) lines.push(`${address}\t${[...new Set(names)].join(" ")}`);
  return `${lines.join("\n")}\n`;
}

/**
 * Writes a hosts file in place, keeping its inode. Over what is there, and cut to length after that: a file that is emptied first is put on
 * the disk at once by some file systems, which takes a hundred times as long.
 */
export function writeHosts(layout: Layout, id: string, text: string): void {
  const descriptor = openSync(nameFiles(layout, id).hosts, constants.O_WRONLY | constants.O_CREAT, 0o644);
  try {
    const length = writeSync(descriptor, text, 0);
    ftruncateSync(descriptor, length);
  } finally {
    closeSync(descriptor);
  }
}
