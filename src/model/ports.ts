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
  return a.protocol === b.protocol && a.published === b.published && meet(a.host, b.host);
}

/** Whether a host port is one of those that a published port may get, or one that it cannot be had beside. */
export function concerns({ protocol, host, published }: Port, held: Omit<PublishedPort, "target">): boolean {
  return protocol === held.protocol && meet(host, held.host) && isWithin(published, held.published);
}

/** Whether who has a host port has all that a published port asks for, at one of its addresses. */
export function satisfies(held: Omit<PublishedPort, "target">, { protocol, host, published }: Port): boolean {
  const isThere = host === held.host || (meet(host, held.host) && isAny(held.host));
  return protocol === held.protocol && isThere && isWithin(published, held.published);
}

/** Whether two addresses to listen on are one, or one of them stands for all of the other's family; the empty one stands for both. */
export function meet(a: string, b: string): boolean {
  if (a === "" || b === "") return true;
  return a.includes(":") === b.includes(":") && (a === b || isAny(a) || isAny(b));
}

const isAny = (host: string): boolean => host === "0.0.0.0" || host === "::";

const isWithin = (range: Port["published"], port: number): boolean => range !== null && range.from <= port && port <= range.to;
