/** Containers, and who looks after them, that are gone and that nobody asked wharf to remove. */
import { containerName } from "../model/names.ts";
import type { ObservedContainer } from "../model/observed.ts";
import type { Service } from "../model/service.ts";
import { secretsOf } from "./files.ts";
import { gatesOf } from "./gates.ts";
import { runHooks } from "./hooks.ts";
import { changed, drifted, type Planning, stepKey } from "./planning.ts";

export function isMissing({ observed }: Planning, container: string): boolean {
  return observed.missing?.some(({ name }) => name === container) === true;
}

/** Numbers for new containers of a service: those of missing ones first, then above all that are taken. */
export function* freeNumbers(p: Planning, service: Service, taken: readonly number[]): Generator<number> {
  const highest = Math.max(0, ...taken);
  for (let number = 1; number < highest; number++)
    if (!taken.includes(number) && isMissing(p, containerName(p.desired, service, number))) yield number;
  for (let number = highest + 1; ; number++) yield number;
}

/** Forgets those that no step makes again: nobody asks for them any more. */
export function planMissing(p: Planning): void {
  if (p.options.services !== null) return;
  for (const { name, service } of p.observed.missing ?? []) {
    if (p.draft.has(stepKey("container.create", name))) continue;
    const reason = drifted("it was removed, and nobody asks for it any more");
    p.draft.step(stepKey("container.remove", name), {
      action: { kind: "container.remove", container: name, volumes: false, force: true },
      reason,
      service,
    });
    changed(p, "remove", { address: `container/${name}`, reason });
  }
}

/** Why what a killed command owes a container is done. */
export const OWED = { start: "a restart of it was broken off", unpause: "a commit that had paused it was broken off" } as const;

/** Does what killed commands owe to containers that nothing else is planned for. */
export function planOwed(p: Planning): void {
  if (!p.options.start) return;
  for (const { name, owed, service, oneOff } of p.observed.containers) {
    if (owed === undefined || p.changes.some(({ address, kind }) => address === `container/${name}` && kind !== "unchanged")) continue;
    const reason = drifted(OWED[owed]);
    if (owed === "start") startOwed(p, { name, service, oneOff, reason });
    else p.draft.step(stepKey("container.unpause", name), { action: { kind: "container.unpause", container: name }, reason, service });
    const at = p.changes.findIndex(({ address }) => address === `container/${name}`);
    if (at >= 0) p.changes.splice(at, 1);
    changed(p, owed === "start" ? "start" : "update", { address: `container/${name}`, reason });
  }
}

type Owed = Pick<ObservedContainer, "name" | "service" | "oneOff"> & { readonly reason: string };

function startOwed(p: Planning, { name, service, oneOff, reason }: Owed): void {
  const desired = p.desired.services.find((candidate) => candidate.name === service);
  const action = { kind: "container.start", container: name, ...secretsOf(p.desired, desired) } as const;
  const gates = desired === undefined || oneOff ? {} : gatesOf(p, desired, "wait");
  const step = p.draft.step(stepKey("container.start", name), { action, reason, service, ...gates });
  if (!oneOff) runHooks(p, "post_start", { container: name, service, reason, after: [step] });
}

/** Has those that run looked after again. */
export function planAttendance(p: Planning): void {
  if (p.observed.unattended !== true || !p.options.start) return;
  const project = p.desired.name;
  const reason = drifted("it was killed, and nobody looks after the containers");
  p.draft.step(stepKey("supervisor.start", project), { action: { kind: "supervisor.start", project }, reason, service: null });
  changed(p, "start", { address: `supervisor/${project}`, reason });
}
