import { Failure } from "../../../model/diagnostic.ts";
import type { PublishedPort } from "../../../model/observed.ts";
import type { Port } from "../../../model/service.ts";
import type { Layout } from "../layout.ts";
import { allRecords, heldPorts } from "../records.ts";
import { canBind } from "../syscalls.ts";
import { collides, listeners, ownerOf } from "./sockets.ts";

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
    return () => ownerOf(listeners().find((listener) => collides(wanted, listener))?.inode ?? null);
  };
}

/** Chooses a free host port for each published one. Call it under the ports' lock. Throws E_PORT_TAKEN. */
export function choosePorts(ports: readonly Port[], holderOf: HolderOf): readonly PublishedPort[] {
  const chosen: PublishedPort[] = [];
  for (const { target, protocol, host, published } of ports) {
    const conflict = (port: number): (() => string) | null => {
      const wanted = { protocol, host, port };
      if (chosen.some((own) => collides(wanted, { ...own, port: own.published }))) return () => "this container itself";
      return holderOf(wanted);
    };
    const free = candidates(published).find((port) => conflict(port) === null);
    if (free === undefined) throw portTaken(published ?? EPHEMERAL, { host, by: conflict((published ?? EPHEMERAL).from)?.() ?? "others" });
    chosen.push({ target, protocol, host, published: free });
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
    message: `${port} on ${host} is taken by ${by}`,
    hint: "publish another port, or stop what has it",
  });
}
