/** How the containers of a service follow each other when they are replaced. */
import type { ObservedContainer, PublishedPort } from "../model/observed.ts";
import type { WayBack } from "../model/plan.ts";
import { concerns } from "../model/ports.ts";
import type { Service } from "../model/service.ts";
import { policyOf, tolerated, type UpdatePolicy } from "../model/update.ts";
import type { Planning } from "./planning.ts";

/**
 * Whether a new container of a service starts beside the one that it replaces. Not where both would need the same address, nor where another
 * service waits for a port of the old one.
 */
export function startsFirst({ desired, options }: Planning, service: Service, old: ObservedContainer): boolean {
  const { order } = policyOf(service, options);
  if (service.networkMode !== null || !(order === "start-first" || (order === null && isSafeBeside(service)))) return false;
  if (
    service.macAddress !== null ||
    service.networks.some(({ ipv4Address, ipv6Address, macAddress }) => (ipv4Address ?? ipv6Address ?? macAddress) !== null)
  )
    return false;
  const others = desired.services.filter((other) => other !== service);
  const isWanted = (held: PublishedPort) => others.some(({ ports }) => ports.some((port) => concerns(port, held)));
  return !old.ports.some(isWanted);
}

/** Whether it is best to start it beside the old one unasked: there is something to lose, somebody to tell when it is fit, and no data of both. */
function isSafeBeside({ ports, healthcheck, mounts }: Service): boolean {
  const test = healthcheck?.test ?? null;
  const isChecked = test !== null && test.kind !== "none";
  return ports.length > 0 && isChecked && mounts.every((mount) => mount.readOnly || mount.type === "tmpfs");
}

/** Behind which replacements of its service the next one comes. Whether it is begun when they failed is for the update to say. */
export function nextTurn(p: Planning, service: Service): readonly string[] {
  const { parallelism } = policyOf(service, p.options);
  const before = p.replacements.get(service.name) ?? [];
  const gate = parallelism > 0 ? before[before.length - parallelism] : undefined;
  return gate === undefined ? [] : [gate.proves];
}

/** Has the replacements of a service end as one update: how many may fail, and what happens when more do. */
export function bindReplacements(p: Planning, service: Service): void {
  const all = p.replacements.get(service.name) ?? [];
  const policy = policyOf(service, p.options);
  if (policy.failureAction === "continue") return;
  const rollback = policy.failureAction === "rollback" && p.options.rollback;
  const way = rollback && service.rollback !== null ? { wayBack: wayBack(service.rollback, all.length) } : {};
  const means = { tolerated: tolerated(policy, all.length), rollback, ...way };
  for (const { begins, proves, seals } of all) {
    p.draft.mark(begins, { role: "begins", ...means });
    p.draft.mark(proves, { role: "proves", ...means });
    if (!rollback) continue;
    for (const seal of seals) {
      p.draft.mark(seal, { role: "seals", ...means });
      for (const other of all) p.draft.orderAnyway(seal, other.proves);
    }
  }
}

function wayBack(policy: UpdatePolicy, all: number): WayBack {
  const { parallelism, delayMs, monitorMs, failureAction } = policy;
  return { parallelism, delayMs, monitorMs: monitorMs ?? 0, tolerated: failureAction === "continue" ? all : tolerated(policy, all) };
}
