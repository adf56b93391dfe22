import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { parseWritten } from "../../../lib/atomic-file.ts";
import type { Layout } from "../layout.ts";
import { type Flow, forgetFlows, UDP } from "./conntrack.ts";
import type { Forward } from "./ports.ts";

type Led = Pick<Forward, "published" | "address" | "address6">;

/**
 * After the rules for published datagrams changed: flows that were led elsewhere are forgotten, so that their next datagram goes where the rules say
 * now. Looks at what the kernel remembers only when something changed.
 */
export function redirectFlows(layout: Layout, ports: readonly Forward[]): void {
  const led = ports
    .filter(({ protocol }) => protocol === "udp")
    .map(({ published, address, address6 }) => ({ published, address, address6 }))
    .sort((a, b) => a.published - b.published);
  const before = readBefore(layout);
  const text = JSON.stringify(led);
  if (text === JSON.stringify(before)) return;
  const here = new Set(
    Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .map(({ address }) => address),
  );
  forgetFlows((flow) => isStale(flow, { before, led, isHere: (address) => here.has(address) }));
  if (led.length === 0) rmSync(fileOf(layout), { force: true });
  else writeFileSync(fileOf(layout), text, { mode: 0o600 });
}

/** Whether a flow came in at a published port and is led to something else than what the port leads to now. Pure. */
export function isStale(
  { protocol, to, by }: Omit<Flow, "tuple">,
  world: { readonly before: readonly Led[]; readonly led: readonly Led[]; readonly isHere: (address: string) => boolean },
): boolean {
  if (protocol !== UDP) return false;
  const leads = (ports: readonly Led[]): boolean =>
    ports.some(({ published, address, address6 }) => published === to.port && (address === by.address || address6 === by.address));
  if (leads(world.led)) return false;
  if (leads(world.before)) return true; // to a container that is gone
  return world.isHere(to.address) && world.led.some(({ published }) => published === to.port); // it began before the port was published
}

/** What the rules said when they were last looked at. A reboot forgets the flows, and this. */
const fileOf = (layout: Layout): string => join(layout.run, "published-datagrams");

function readBefore(layout: Layout): readonly Led[] {
  try {
    return parseWritten<readonly Led[]>(readFileSync(fileOf(layout), "utf8")) ?? [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
