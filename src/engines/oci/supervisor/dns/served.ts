import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAddress } from "../../../../lib/address.ts";
import type { Layout } from "../../layout.ts";
import type { NetworkRecord } from "../../network/networks.ts";
import { poke } from "../launch.ts";
import { DNS_PORT } from "./upstream.ts";

/** A supervisor comes up within a tenth of a second; where it does not come at all, programs find each other by their hosts files. */
const LIMIT_MS = 3000;
const LOOK_MS = 4;

/** Waits until names are answered for in these networks: some programs ask only once, and as soon as they begin. */
export async function namesServed(layout: Layout, networks: readonly NetworkRecord[]): Promise<void> {
  const wanted = networks.flatMap(({ ipv4, ipv6 }) => [
    ...(ipv4 === null ? [] : [{ table: "/proc/net/udp", entries: [entryOf(ipv4.gateway), entryOf("0.0.0.0")] }]),
    ...(ipv6 === null ? [] : [{ table: "/proc/net/udp6", entries: [entryOf(ipv6.gateway), entryOf("::")] }]),
  ]);
  const missing = (): boolean =>
    wanted.some(({ table, entries }) => {
      const text = readFileSync(table, "latin1");
      return !entries.some((entry) => text.includes(entry));
    });
  if (networks.length === 0 || !missing()) return;
  poke(layout); // one that runs already has not seen this network yet
  for (const deadline = Date.now() + LIMIT_MS; missing() && Date.now() < deadline; ) await sleep(LOOK_MS);
}

/** How the kernel prints a socket's own end: each four bytes of the address in memory order. */
function entryOf(text: string): string {
  const address = parseAddress(text);
  const digits = address?.family === 6 ? 32 : 8;
  const words = (address?.value ?? 0n).toString(16).padStart(digits, "0").match(/.{8}/g) ?? [];
  const hex = words.map((word) => Buffer.from(word, "hex").reverse().toString("hex")).join("");
  return ` ${hex.toUpperCase()}:${DNS_PORT.toString(16).toUpperCase().padStart(4, "0")} `;
}
