/** Host ports: who has which, and which two cannot both be had. */
import type { Observed, PublishedPort } from "./observed.ts";
import type { Port } from "./service.ts";

const FIRST_FREE_PORT = 49_152;

/** `had`: those that it has already, which it keeps where they fit. */
export function choosePorts(
  { containers, takenPorts }: Observed,
  ports: readonly Port[],
  had: readonly PublishedPort[] = [],
): readonly PublishedPort[] {
  const held = [...containers.flatMap((other) => other.ports), ...takenPorts.map((taken) => ({ ...taken, published: taken.port }))];
  const chosen: PublishedPort[] = [];
  for (const port of ports) {
    const kept = had.find(({ target, protocol, host, published }) => {
      const { from, to } = port.published ?? { from: published, to: published };
      return target === port.target && protocol === port.protocol && host === port.host && from <= published && published <= to;
    });
    chosen.push(kept ?? choosePort(port, [...held, ...chosen]));
  }
  return chosen;
}

/** The first port of the range that nobody has; when all are taken the first, and the start fails. */
function choosePort({ target, protocol, host: address, published }: Port, held: readonly Omit<PublishedPort, "target">[]): PublishedPort {
  const { from, to } = published ?? { from: FIRST_FREE_PORT, to: 65_535 };
  const host = address === "" ? "0.0.0.0" : address;
  for (let port = from; port <= to; port++) {
    const candidate = { target, protocol, host, published: port };
    if (!held.some((other) => clash(other, candidate))) return candidate;
  }
  return { target, protocol, host, published: from };
}

/** Whether two host ports cannot be had at once. */
export function clash(a: Omit<PublishedPort, "target">, b: Omit<PublishedPort, "target">): boolean {
  return a.protocol === b.protocol && a.published === b.published && (a.host === b.host || a.host === "0.0.0.0" || b.host === "0.0.0.0");
}
