import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { plainAddress } from "../../../lib/address.ts";
import { parseWritten } from "../../../lib/atomic-file.ts";
import { Failure } from "../../../model/diagnostic.ts";
import type { PublishedPort } from "../../../model/observed.ts";
import type { Port } from "../../../model/service.ts";
import type { Layout } from "../layout.ts";
import { allRecords, heldPorts } from "../records.ts";
import { canBind } from "../syscalls.ts";
import { collides, holds, listeners, ownerOf } from "./sockets.ts";

/** Where the kernel itself takes ports from for outgoing connections; Docker's choice as well. */
const EPHEMERAL = { from: 32_768, to: 60_999 };

export interface Binding {
  readonly protocol: Port["protocol"];
  readonly host: string;
  readonly port: number;
}

/** Says who has a host port, or `null` when it is free. To find a process takes a while: it is asked for in words only when they are needed. */
export type HolderOf = (wanted: Binding) => (() => string) | null;

/** Looks at what containers of this world publish (other than `except`), and at the sockets of this machine. */
export function holders(layout: Layout, except: string | null): HolderOf {
  const published = allRecords(layout)
    .filter((record) => record.id !== except)
    .flatMap((record) => (heldPorts(layout, record.id) ?? []).map((port) => ({ ...port, port: port.published, record })));
  return (wanted) => {
    const other = published.find((port) => collides(wanted, port));
    if (other !== undefined) return () => `container ${other.record.name} of project ${other.record.spec.project}`;
    if (wanted.protocol === "sctp") return null; // whoever speaks it listens by means that leave no trace where others do
    if (canBind({ datagrams: wanted.protocol === "udp", address: wanted.host, port: wanted.port })) return null;
    const open = listeners().filter((listener) => collides(wanted, listener));
    const foreign = open.find(({ inode }) => !supervisorPids(layout).some((pid) => holds(pid, inode)));
    if (foreign === undefined && open.length > 0) return null; // held for a container that has ended: it is let go in a moment
    return () => ownerOf(foreign?.inode ?? null);
  };
}

/** The addresses that a port is open at: where nothing is said all of both families, as far as this machine has them. */
export function addressesFor(host: string, machine: { readonly ipv6: boolean }): readonly string[] {
  if (host !== "") return [plainAddress(host)];
  return machine.ipv6 ? ["0.0.0.0", "::"] : ["0.0.0.0"];
}

/** Whether this machine has addresses of IPv6 (not only a kernel that could). */
export function hasIpv6(): boolean {
  return existsSync("/proc/net/if_inet6") && readFileSync("/proc/net/if_inet6", "latin1").trim() !== "";
}

/** Chooses a free host port for each published one. Call it under the ports' lock. Throws E_PORT_TAKEN. */
export function choosePorts(ports: readonly Port[], holderOf: HolderOf, machine = { ipv6: hasIpv6() }): readonly PublishedPort[] {
  const chosen: PublishedPort[] = [];
  for (const { target, protocol, host, published } of ports) {
    const hosts = addressesFor(host, machine);
    const conflictAt = (wanted: Binding): (() => string) | null => {
      if (chosen.some((own) => collides(wanted, { ...own, port: own.published }))) return () => "this container itself";
      return holderOf(wanted);
    };
    const conflict = (port: number): { readonly host: string; readonly by: () => string } | null => {
      for (const at of hosts) {
        const by = conflictAt({ protocol, host: at, port });
        if (by !== null) return { host: at, by };
      }
      return null;
    };
    const free = candidates(published).find((port) => conflict(port) === null);
    if (free === undefined) {
      const first = conflict((published ?? EPHEMERAL).from);
      throw portTaken(published ?? EPHEMERAL, { host: first?.host ?? host, by: first?.by() ?? "others" });
    }
    chosen.push(...hosts.map((at) => ({ target, protocol, host: at, published: free })));
  }
  return chosen;
}

function candidates(range: Port["published"]): readonly number[] {
  const { from, to } = range ?? EPHEMERAL;
  const all = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  // A port of the engine's choice starts at a random place, so that two commands at once seldom want the same one.
  const turn = range === null ? Math.floor(Math.random() * all.length) : 0;
  return [...all.slice(turn), ...all.slice(0, turn)];
}

function portTaken(
  range: { readonly from: number; readonly to: number },
  { host, by }: { readonly host: string; readonly by: string },
): Failure {
  const port = range.from === range.to ? `port ${range.from}` : `every port from ${range.from} to ${range.to}`;
  return new Failure({
    code: "E_PORT_TAKEN",
    message: `${port} on ${isIPv6(host) ? `[${host}]` : host} is taken by ${by}`,
    hint: "publish another port, or stop what has it",
  });
}

/** Waits until the supervisor has let go of ports whose container has ended, a moment at most: another program may have taken one already. */
export async function portsReleased(ports: readonly PublishedPort[]): Promise<void> {
  const open = ports.filter(({ protocol }) => protocol !== "sctp");
  const isFree = ({ protocol, host, published }: PublishedPort): boolean =>
    canBind({ datagrams: protocol === "udp", address: host, port: published });
  for (const deadline = Date.now() + RELEASE_MS; !open.every(isFree) && Date.now() < deadline; ) await sleep(2);
}

const RELEASE_MS = 300;

/** Processes that keep ports for containers of this world. */
function supervisorPids({ supervisors }: Layout): readonly number[] {
  return readdirSync(supervisors)
    .filter((name) => name.endsWith(".lock"))
    .flatMap((name) => {
      try {
        const holder = parseWritten<{ readonly pid: number }>(readFileSync(join(supervisors, name), "utf8"));
        return holder === null ? [] : [holder.pid];
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return []; // it has just ended
        throw error;
      }
    });
}
