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

/** Behind which replacements of its service the next one comes. Whether it is begun when they failed is for the update to say. */
export function nextTurn(p: Planning, { name, update: { parallelism } }: Service): readonly string[] {
  const before = p.replacements.get(name) ?? [];
  const gate = parallelism > 0 ? before[before.length - parallelism] : undefined;
  return gate === undefined ? [] : [gate.proves];
}

/** Has the replacements of a service end as one update: how many may fail, and what happens when more do. */
export function bindReplacements(p: Planning, { name, update }: Service): void {
  const all = p.replacements.get(name) ?? [];
  if (update.failureAction === "continue") return;
  const rollback = update.failureAction === "rollback" && p.options.rollback;
  const tolerated = Math.floor((update.maxFailureRatio ?? 0) * all.length + ROUNDING);
  for (const { begins, proves, seals } of all) {
    p.draft.mark(begins, { role: "begins", tolerated, rollback });
    p.draft.mark(proves, { role: "proves", tolerated, rollback });
    if (!rollback) continue;
    for (const seal of seals) {
      p.draft.mark(seal, { role: "seals", tolerated, rollback });
      for (const other of all) p.draft.orderAnyway(seal, other.proves);
    }
  }
}

/** A third of three is one. */
const ROUNDING = 1e-9;
