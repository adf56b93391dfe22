/** How the containers of a service follow each other when they are replaced. */
import type { ObservedContainer, PublishedPort } from "../model/observed.ts";
import type { Service } from "../model/service.ts";
import type { Planning } from "./planning.ts";

/**
 * Whether a new container of a service starts beside the one that it replaces. Not where both would need the same address, nor where another
 * service waits for a port of the old one.
 */
export function startsFirst({ desired }: Planning, service: Service, old: ObservedContainer): boolean {
  if (service.networkMode !== null || !(service.update.order === "start-first" || (service.update.order === null && isSafeBeside(service))))
    return false;
  if (
    service.macAddress !== null ||
    service.networks.some(({ ipv4Address, ipv6Address, macAddress }) => (ipv4Address ?? ipv6Address ?? macAddress) !== null)
  )
    return false;
  const others = desired.services.filter((other) => other !== service);
  const isWanted = ({ published: had, protocol }: PublishedPort) =>
    others.some(({ ports }) =>
      ports.some((port) => port.protocol === protocol && port.published !== null && port.published.from <= had && had <= port.published.to),
    );
  return !old.ports.some(isWanted);
}

/** Whether it is best to start it beside the old one unasked: there is something to lose, somebody to tell when it is fit, and no data of both. */
function isSafeBeside({ ports, healthcheck, mounts }: Service): boolean {
  const test = healthcheck?.test ?? null;
  const isChecked = test !== null && test.kind !== "none";
  return ports.length > 0 && isChecked && mounts.every((mount) => mount.readOnly || mount.type === "tmpfs");
}

export interface Turn {
  readonly after: readonly string[];
  readonly afterAnyway: readonly string[];
}

export const NO_TURN: Turn = { after: [], afterAnyway: [] };

/** Behind which replacements of its service the next one comes. */
export function nextTurn(p: Planning, { name, update: { parallelism, failureAction } }: Service): Turn {
  const before = p.proven.get(name) ?? [];
  const gate = parallelism > 0 ? before[before.length - parallelism] : undefined;
  if (gate === undefined) return NO_TURN;
  return failureAction === "continue" ? { after: [], afterAnyway: [gate] } : { after: [gate], afterAnyway: [] };
}
