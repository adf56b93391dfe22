import { Failure } from "../../../model/diagnostic.ts";
import type { PublishedPort } from "../../../model/observed.ts";
import type { Port } from "../../../model/service.ts";
import type { Layout } from "../layout.ts";
import { allContainers, heldPorts } from "../records.ts";
import { collides, listeners, ownerOf } from "./sockets.ts";

/** Where the kernel itself takes ports from for outgoing connections; Docker's choice as well. */
const EPHEMERAL = { from: 32_768, to: 60_999 };

interface Binding {
  readonly protocol: Port["protocol"];
  readonly host: string;
  readonly port: number;
  /** Who has it, in words. */
  readonly by: () => string;
}

/** Every host port that something has: sockets of this machine, and ports that containers of this world publish (other than `except`). */
export function takenBindings(layout: Layout, except: string | null): readonly Binding[] {
  const sockets = listeners().map(({ protocol, host, port, inode }) => ({ protocol, host, port, by: () => ownerOf(inode) }));
  const published = allContainers(layout)
    .filter(({ record }) => record.id !== except)
    .flatMap(({ record }) => {
      const ports = heldPorts(layout, record.id) ?? [];
      return ports.map(({ protocol, host, published: port }) => ({
        protocol,
        host,
        port,
        by: () => `container ${record.name} of project ${record.spec.project}`,
      }));
    });
  return [...sockets, ...published];
}

/** Chooses a free host port for each published one. Call it under the ports' lock. Throws E_PORT_TAKEN. */
export function choosePorts(ports: readonly Port[], taken: readonly Binding[]): readonly PublishedPort[] {
  const chosen: PublishedPort[] = [];
  for (const { target, protocol, host, published } of ports) {
    const conflict = (port: number): Binding | undefined => {
      const wanted = { protocol, host, port };
      return (
        taken.find((other) => collides(wanted, other)) ??
        chosen
          .map((c) => ({ protocol: c.protocol, host: c.host, port: c.published, by: () => "this container itself" }))
          .find((other) => collides(wanted, other))
      );
    };
    const free = candidates(published).find((port) => conflict(port) === undefined);
    if (free === undefined)
      throw portTaken(published ?? EPHEMERAL, { host, by: conflict((published ?? EPHEMERAL).from)?.by() ?? "others" });
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
