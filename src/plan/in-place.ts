/** What a container gets without being replaced. */
import { canonical } from "../model/json.ts";
import type { ObservedContainer } from "../model/observed.ts";
import type { AttributeChange } from "../model/plan.ts";
import { concerns, satisfies } from "../model/ports.ts";
import { policyOf } from "../model/update.ts";
import { compareContainers, fixedOf, sourceOf } from "./change.ts";
import { firstHash, isFirstHash } from "./hash.ts";
import { containerSpec, type Pattern } from "./making.ts";
import { isUp, type Planning, stepKey, undone } from "./planning.ts";

/** Whether a container is as the pattern in all that only a new one could have otherwise, by the version of the hash that it carries. */
export function isLike({ hash, attributes }: Pattern, container: ObservedContainer): boolean {
  if (container.hash === hash) return true;
  if (!isFirstHash(container.hash)) return false;
  if (container.hash === firstHash(attributes)) return true;
  // That version counted what can change in place, too: what it was made of tells the two apart, where it is all that it was made of.
  if (container.attributes === null || container.hash !== firstHash(container.attributes)) return false;
  return canonical(fixedOf(container.attributes)) === canonical(fixedOf(attributes));
}

/** What the spec says otherwise of a container than it has, attribute by attribute; nothing where that is not known. */
export function attributeChanges(p: Planning, pattern: Pattern, container: ObservedContainer): readonly AttributeChange[] {
  if (container.attributes === null) return [];
  const { name } = pattern.service;
  const changes = compareContainers(container.attributes, pattern.attributes, { project: p.desired, path: `services.${name}` });
  const rival = portRival(p, pattern, container);
  if (rival === null) return changes;
  const fixedBecause = `${rival} has a port of it until that one is stopped`;
  return changes.map((change) => (change.path === "ports" ? { ...change, fixedBecause } : change));
}

/** The container of the project that has a port which a container is to get: ports change hands by stopping and starting. `null`: there is none. */
export function portRival({ observed }: Planning, { service }: Pattern, container: ObservedContainer): string | null {
  const fresh = service.ports.filter((port) => !container.ports.some((held) => satisfies(held, port)));
  const rival = observed.containers.find(
    (other) =>
      other !== container && isUp(other) && !other.beside && other.ports.some((held) => fresh.some((port) => concerns(port, held))),
  );
  return container.state === "running" || container.state === "paused" ? (rival?.name ?? null) : null;
}

export interface InPlace {
  /** Key of the step. */
  readonly step: string;
  readonly reason: string;
  readonly attributes: readonly AttributeChange[];
}

/**
 * The step that gives a container of a slot what changes in place; `null` where it has all that. Where the service's replacements stand or fall
 * together it does so with them.
 */
export function changeInPlace(
  p: Planning,
  pattern: Pattern,
  { slot, keeper }: { readonly slot: { readonly name: string; readonly number: number }; readonly keeper: ObservedContainer },
): InPlace | null {
  if (!isLike(pattern, keeper)) return null; // it is kept as it is because that was asked for
  const attributes = attributeChanges(p, pattern, keeper);
  const isUnfinished = keeper.attributes === null && keeper.hash === pattern.hash;
  if (attributes.length === 0 && !isUnfinished) return null;
  const { service } = pattern;
  const reason = isUnfinished ? "a change in place broke off" : `changed in place: ${namesOf(attributes)}`;
  const together = p.options.rollback && policyOf(service, p.options).failureAction === "rollback" && keeper.spec !== undefined;
  const step = p.draft.step(stepKey("container.update", keeper.name), {
    action: {
      kind: "container.update",
      container: keeper.name,
      spec: containerSpec(p, pattern, { ...slot, oneOff: false, old: keeper }),
    },
    reason,
    service: service.name,
    ...undone(
      together ? slot.name : null,
      keeper.spec === undefined ? null : { kind: "container.update", container: keeper.name, spec: keeper.spec },
    ),
  });
  if (together) p.replacements.set(service.name, [...(p.replacements.get(service.name) ?? []), { begins: step, proves: step, seals: [] }]);
  claimPorts(p, pattern, { slot, keeper, step });
  return { step, reason, attributes };
}

/** Names of the first few. */
export function namesOf(attributes: readonly AttributeChange[]): string {
  const paths = attributes.map(({ path }) => path);
  return `${paths.slice(0, 3).join(", ")}${paths.length > 3 ? ` and ${paths.length - 3} more` : ""}`;
}

/** Ports that it opens where it runs, and those that it lets go of. */
function claimPorts(
  p: Planning,
  { service }: Pattern,
  { slot, keeper, step }: { readonly slot: { readonly name: string }; readonly keeper: ObservedContainer; readonly step: string },
): void {
  if (!isUp(keeper) || keeper.beside) return;
  service.ports.forEach((port, index) => {
    const source = sourceOf(p.desired, `services.${service.name}.ports.${index}`);
    p.ports.push({ port, container: slot.name, olds: [], step, from: keeper.name, source });
  });
  for (const held of keeper.ports)
    if (!service.ports.some((port) => port.target === held.target && (port.published === null || concerns(port, held))))
      p.freed.push({ ...held, container: keeper.name, step });
}
