import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Layout } from "../../layout.ts";
import type { NetworkRecord } from "../../network/networks.ts";
import { poke } from "../launch.ts";
import { DNS_PORT } from "./upstream.ts";

/** A supervisor comes up within a tenth of a second; where it does not come at all, programs find each other by their hosts files. */
const LIMIT_MS = 3000;
const LOOK_MS = 4;

/** Waits until names are answered for in these networks: some programs ask only once, and as soon as they begin. */
export async function namesServed(layout: Layout, networks: readonly NetworkRecord[]): Promise<void> {
  const missing = (): boolean => {
    const table = readFileSync("/proc/net/udp", "latin1");
    return networks.some(({ gateway }) => !table.includes(entryOf(gateway)) && !table.includes(entryOf("0.0.0.0")));
  };
  if (networks.length === 0 || !missing()) return;
  poke(layout); // one that runs already has not seen this network yet
  for (const deadline = Date.now() + LIMIT_MS; missing() && Date.now() < deadline; ) await sleep(LOOK_MS);
}

/** How the kernel prints a socket's own end: the address in memory order. */
function entryOf(address: string): string {
  const bytes = Buffer.from(address.split(".").map(Number)).reverse();
  return ` ${bytes.toString("hex").toUpperCase()}:${DNS_PORT.toString(16).toUpperCase().padStart(4, "0")} `;
}
