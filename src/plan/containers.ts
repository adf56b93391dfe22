/**
 * The containers of one service. Each replica has a slot, known by its number: usually one container, none before the first `up`, and two
 * while a replacement is under way (`shop-web-1`, and `shop-web-1.next` that takes its place). A plan made in the middle of a replacement
 * that broke off finds the newer container as good as wanted, and goes on from there.
 */
import { containerName, nextName } from "../model/names.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { contentOf, type Mount, type Service } from "../model/service.ts";
import { policyOf } from "../model/update.ts";
import { sourceOf } from "./change.ts";
import { contentsOf, secretsOf } from "./files.ts";
import { FILES } from "./fixed.ts";
import { gatesOf, restartCause } from "./gates.ts";
import { beforeStop, runHooks } from "./hooks.ts";
import { attributeChanges, changeInPlace, isLike, namesOf, portRival } from "./in-place.ts";
import { joinsOf, notJoined, updateKeys } from "./joining.ts";
import { containerSpec, groundwork, type Pattern, patternOf } from "./making.ts";
import { freeNumbers, isMissing, OWED } from "./missing.ts";
import { hasDoneItsWork, sayRunsAgain } from "./one-shots.ts";
import {
  changed,
  drifted,
  graceOf,
  isUp,
  type Planning,
  type PortClaim,
  placed,
  readyKey,
  type Settled,
  servingOf,
  stepKey,
  takeAway,
  undone,
} from "./planning.ts";
import { preStart } from "./pre-start.ts";
import { bindReplacements, nextTurn, startsFirst } from "./updates.ts";
import { volumeKeys } from "./volumes.ts";

export interface Slot {
  readonly number: number;
  /** The name of its container in the end. */
  readonly name: string;
  readonly containers: readonly ObservedContainer[];
}

/** Plans one service; those it depends on are planned already. */
export function planService(p: Planning, service: Service): void {
  const pattern = patternOf(p.desired, service);
  const scale = p.options.scale[service.name] ?? service.scale;
  const slots = slotsOf(p, service);
  const isGood = (slot: Slot) => slot.containers.some((container) => whyNot(p, pattern, container) === null);
  const byWorth = [...slots].sort((a, b) => Number(isGood(b)) - Number(isGood(a)) || a.number - b.number);
  const settled = byWorth.slice(0, scale).map((slot) => settle(p, pattern, slot));
  for (const slot of byWorth.slice(scale)) for (const container of slot.containers) retire(p, container, `scaled down to ${scale}`);
  for (const number of freeNumbers(
    p,
    service,
    slots.map((slot) => slot.number),
  ))
    if (settled.length < scale) settled.push(make(p, pattern, { number, name: containerName(p.desired, service, number), containers: [] }));
    else break;
  bindReplacements(p, service);
  p.settled.set(service.name, settled);
  const steps = settled.flatMap(({ after }) => after);
  const gates = gatesOf(p, service, "order");
  p.draft.milestone(readyKey(service.name), steps.length > 0 ? { after: steps } : gates);
}

/** Restarts what runs on as it is, of services that are not planned themselves, where a dependency that they follow was replaced. */
export function restartDependents(p: Planning): void {
  for (const service of p.desired.services) {
    if (p.settled.has(service.name) || !p.options.start) continue;
    for (const container of p.observed.containers) {
      if (container.service !== service.name || container.oneOff || !isUp(container)) continue;
      const cause = restartCause(p, service, container);
      if (cause === null) continue;
      restart(p, container, { reason: cause });
      changed(p, "update", { address: `container/${container.name}`, reason: cause });
    }
  }
}

function retire(p: Planning, container: ObservedContainer, reason: string): void {
  takeAway(p, container, { reason });
  changed(p, "remove", { address: `container/${container.name}`, reason });
}

function slotsOf(p: Planning, service: Service): readonly Slot[] {
  const byNumber = new Map<number, ObservedContainer[]>();
  for (const container of p.observed.containers) {
    if (container.service !== service.name || container.oneOff) continue;
    const slot = byNumber.get(container.number);
    if (slot === undefined) byNumber.set(container.number, [container]);
    else slot.push(container);
  }
  return [...byNumber]
    .sort(([a], [b]) => a - b)
    .map(([number, containers]) => ({ number, name: containerName(p.desired, service, number), containers }));
}

/** Why a container cannot stay as it is, or `null` when it can. */
function whyNot(p: Planning, pattern: Pattern, container: ObservedContainer): string | null {
  if (container.state === "dead") return "dead";
  if (p.options.recreate === "never") return null;
  if (!isLike(pattern, container) || portRival(p, pattern, container) !== null) return `config changed${changesIn(p, pattern, container)}`;
  const image = p.observed.images[contentOf(pattern.service)];
  // Content that is not here yet is not what it runs.
  if (image === undefined ? pattern.service.pin !== null : image.id !== container.image.id) return "image changed";
  const missing = notJoined(p, pattern, container);
  if (missing !== null) return `not on network ${missing}`;
  const { recreate, recreateDependencies, services } = p.options;
  const forced = recreate === "always" || (recreateDependencies && services?.includes(pattern.service.name) === false);
  return forced ? "forced" : null;
}

/** What it is replaced for comes first; what could change in place comes along. */
function changesIn(p: Planning, pattern: Pattern, container: ObservedContainer): string {
  const fixed = attributeChanges(p, pattern, container).filter(({ fixedBecause }) => fixedBecause !== null);
  return fixed.length === 0 ? "" : `: ${namesOf(fixed)}`;
}

/** Brings a slot that has containers to the one it shall have. */
function settle(p: Planning, pattern: Pattern, slot: Slot): Settled {
  const good = slot.containers.filter((container) => whyNot(p, pattern, container) === null);
  const keeper = good.find(isUp) ?? good.find(({ name }) => name === slot.name) ?? good[0];
  if (keeper === undefined) return make(p, pattern, slot);
  const serving = servingOf(slot.containers);
  // A replacement that broke off before it took over has proved nothing: it is made again, with its way back.
  const isHalfMade = serving !== null && !good.includes(serving) && p.options.start;
  return isHalfMade ? make(p, pattern, slot) : keep(p, pattern, { slot, keeper });
}

/** The slot keeps a container it has: that is started if need be, gets its final name, and others in the slot go. */
function keep(p: Planning, pattern: Pattern, { slot, keeper }: { readonly slot: Slot; readonly keeper: ObservedContainer }): Settled {
  const { service } = pattern;
  const others = slot.containers.filter((container) => container !== keeper);
  const done = hasDoneItsWork(service, keeper);
  const cause = isUp(keeper) ? restartCause(p, service, keeper) : null;
  const stops = stopKeys(others);
  const change = changeInPlace(p, pattern, { slot, keeper });
  const before = change === null ? [] : [change.step];
  const steps: string[] = [];
  if (p.options.start && !isUp(keeper) && !done) {
    const behind = [...stops, ...before];
    const groundwork =
      keeper.state === "created" ? preStart(p, pattern, { slot, after: behind, stays: (c) => whyNot(p, pattern, c) === null }) : behind;
    steps.push(...start(p, pattern, { container: keeper.name, slot, reason: stateText(keeper), after: groundwork }));
    sayRunsAgain(p, service, keeper);
    waitPatiently(p, others, service);
  } else if (p.options.start && keeper.beside && isUp(keeper)) {
    const from = servingOf(others)?.name ?? null;
    steps.push(takeOver(p, pattern, { container: keeper.name, slot, reason: "it was to take over", after: before, beside: from }));
  } else if (p.options.start && cause !== null) steps.push(...restart(p, keeper, { reason: cause, after: before }));
  const wasStarted = steps.length > 0;
  if (wasStarted) p.renewed.add(service.name);
  else steps.push(...before);
  const finishing = "an interrupted replacement goes on";
  const stopAfter = keeper.beside ? [...steps] : [];
  for (const other of others) takeAway(p, other, { reason: finishing, after: steps, stopAfter, drained: isUp(keeper) });
  const renamed = keeper.name !== slot.name && canTake(p, slot);
  if (renamed) steps.push(rename(p, pattern, { container: keeper.name, slot, reason: finishing, after: steps }));
  const address = `container/${renamed ? slot.name : keeper.name}`;
  const also = (reason: string) => ({
    address,
    reason: change === null ? reason : `${reason}; ${change.reason}`,
    attributes: change?.attributes ?? [],
  });
  if (cause !== null && wasStarted) changed(p, "update", also(cause));
  else if (wasStarted && !keeper.beside) changed(p, "start", also(stateText(keeper)));
  else if (wasStarted || renamed || others.length > 0) changed(p, "update", also(finishing));
  else if (change !== null) changed(p, "update", { address, reason: change.reason, attributes: change.attributes });
  else changed(p, "unchanged", { address, reason: done ? "it did its work" : "as the spec says" });
  return { name: renamed ? slot.name : keeper.name, after: steps, done: done && !wasStarted };
}

/** The slot gets a new container, which takes the place of those it has. */
function make(p: Planning, pattern: Pattern, slot: Slot): Settled {
  const { service } = pattern;
  const old = slot.containers.find(({ name }) => name === slot.name) ?? slot.containers[0] ?? null;
  const absent = isMissing(p, slot.name) ? drifted("it was removed") : "not there yet";
  const reason = old === null ? absent : (whyNot(p, pattern, old) ?? "forced");
  const next = nextName(slot.name);
  const isFree = p.observed.containers.every((container) => container.name !== slot.name);
  // What is in the way of the new one goes first, and that may not be the one that serves.
  const serving = servingOf(slot.containers)?.name ?? slot.name;
  const isUseless = serving !== slot.name && slot.containers.some((container) => container.name === slot.name);
  const name = isFree || isUseless ? slot.name : next;
  if (p.draft.has(stepKey("container.create", name))) return refuseTwin(p, service, slot);
  const inTheWay = slot.containers.filter((container) => container.name === name);
  const olds = slot.containers.filter((container) => container.name !== name);
  // What ran is put back when its successor does not make it.
  const running = p.options.start ? servingOf(olds) : null;
  const attempt = running !== null && p.options.rollback ? slot.name : null;
  const beside = running !== null && olds.filter(isUp).length === 1 && startsFirst(p, service, running) ? running.name : null;
  const create = p.draft.step(stepKey("container.create", name), {
    action: {
      kind: "container.create",
      container: name,
      spec: containerSpec(p, pattern, { ...slot, oneOff: false, old }),
      ...contentsOf(p.desired, service),
    },
    reason,
    service: service.name,
    after: [...groundwork(p, pattern), ...lenders(service)],
    afterAnyway: running === null ? [] : nextTurn(p, service),
    ...undone(attempt, { kind: "container.remove", container: name, volumes: true, force: true }),
  });
  p.made.add(service);
  if (p.options.start) p.renewed.add(service.name);
  p.names.push({ name, step: create, source: nameSource(p, service) });
  const steps = [create];
  for (const stale of inTheWay) takeAway(p, stale, { reason: "left over from a replacement", drained: running !== null });
  if (p.options.start) {
    const stops = beside === null ? stopKeys(olds) : [];
    const groundwork = preStart(p, pattern, { slot, after: [create], stays: (c) => whyNot(p, pattern, c) === null });
    steps.push(...start(p, pattern, { container: name, slot, reason, after: [...groundwork, create, ...stops], attempt, beside }));
    if (beside === null) waitPatiently(p, olds, service);
  }
  if (running !== null && (attempt !== null || beside !== null))
    steps.push(prove(p, pattern, { container: name, slot, reason, after: steps, attempt }));
  if (beside !== null) steps.push(takeOver(p, pattern, { container: name, slot, reason, after: steps, attempt, beside }));
  const proves = steps.at(-1) ?? create;
  const seals: string[] = [];
  for (const container of olds) {
    const drained = beside === container.name;
    takeAway(p, container, {
      reason,
      stopAfter: beside === null ? [create] : [...steps],
      after: [...steps],
      attempt: beside === null ? attempt : null,
      drained,
    });
    seals.push(stepKey(drained ? "container.drain" : "container.remove", container.name));
  }
  if (running !== null) p.replacements.set(service.name, [...(p.replacements.get(service.name) ?? []), { begins: create, proves, seals }]);
  if (name !== slot.name) steps.push(rename(p, pattern, { container: name, slot, reason, after: steps }));
  const address = `container/${slot.name}`;
  if (old === null) changed(p, "create", { address, reason });
  else {
    p.replaced.add(service.name);
    changed(p, "replace", { address, reason, attributes: replacedAttributes(p, pattern, old) });
  }
  return { name: slot.name, after: steps, done: false };
}

/** What it takes mounts over from must be there when it is made. */
function lenders({ volumesFrom = [] }: Service): readonly string[] {
  return volumesFrom.flatMap(({ from, name }) => (from === "service" ? [readyKey(name)] : []));
}

/** Two services, or two replicas of one with a fixed name, that come to the same container name. */
function refuseTwin(p: Planning, service: Service, { name }: Slot): Settled {
  const source = nameSource(p, service);
  p.problems.push({
    code: "E_NAME_TAKEN",
    message: `container name "${name}" is already in use by another container of the project, and service ${service.name} wants it, too`,
    hint: service.containerName === null ? "rename one of the two" : "leave `name` out, and each container gets a name of its own",
    ...placed(source),
  });
  return { name, after: [], done: false };
}

function replacedAttributes(p: Planning, pattern: Pattern, old: ObservedContainer) {
  const changes = attributeChanges(p, pattern, old);
  const image = p.observed.images[contentOf(pattern.service)];
  if (changes.length > 0 || image === undefined || image.id === old.image.id) return changes;
  const source = sourceOf(p.desired, `services.${pattern.service.name}.image`);
  return [{ path: "image", before: old.image.id, after: image.id, source, fixedBecause: FILES.why }];
}

function stopKeys(containers: readonly ObservedContainer[]): readonly string[] {
  return containers.filter(isUp).map(({ name }) => stepKey("container.stop", name));
}

/** What is stopped for a successor that has to wait runs until that one need not wait any more. */
function waitPatiently(p: Planning, containers: readonly ObservedContainer[], service: Service): void {
  const until = gatesOf(p, service, "wait").after;
  for (const { name } of containers.filter(isUp)) p.patient.push({ container: name, until });
}

interface SlotStep {
  /** The container by the name it has then. */
  readonly container: string;
  readonly slot: Slot;
  readonly reason: string;
  readonly after: readonly string[];
  /** The attempt that it belongs to. */
  readonly attempt?: string | null;
  /** The container that it runs beside until it takes over. */
  readonly beside?: string | null;
}

/** The last step of an attempt: after it there is no way back, nor need of one. */
function prove(p: Planning, { service }: Pattern, { container, reason, after, attempt = null }: SlotStep): string {
  const { monitorMs, delayMs } = policyOf(service, p.options);
  return p.draft.step(stepKey("container.prove", container), {
    action: { kind: "container.prove", container, monitorMs, delayMs },
    reason,
    service: service.name,
    after,
    ...undone(attempt, null),
  });
}

/** The moment at which the new one has the ports and names of the old one. */
function takeOver(p: Planning, { service }: Pattern, { container, slot, reason, after, attempt = null, beside = null }: SlotStep): string {
  const step = p.draft.step(stepKey("container.takeover", container), {
    action: { kind: "container.takeover", container, from: beside },
    reason,
    service: service.name,
    after,
    ...undone(attempt, beside === null ? null : { kind: "container.takeover", container: beside, from: container }),
  });
  claimPorts(p, service, { slot, step, from: beside });
  return step;
}

function claimPorts(p: Planning, service: Service, claim: { readonly slot: Slot } & Pick<PortClaim, "step" | "from">): void {
  const { slot, ...rest } = claim;
  const olds = slot.containers.map(({ name }) => name);
  service.ports.forEach((port, index) => {
    p.ports.push({ port, container: slot.name, olds, ...rest, source: sourceOf(p.desired, `services.${service.name}.ports.${index}`) });
  });
}

/** Gives the key of the step after which it runs and what it wants to be run in it has been run. */
function start(
  p: Planning,
  { service, mounts }: Pattern,
  { container, slot, reason, after, attempt = null, beside = null }: SlotStep,
): readonly string[] {
  const gates = gatesOf(p, service, "wait");
  const step = p.draft.step(stepKey("container.start", container), {
    action: { kind: "container.start", container, ...secretsOf(p.desired, service), ...(beside === null ? {} : { beside: true }) },
    reason,
    service: service.name,
    after: [...gates.after, ...after, ...updateKeys(joinsOf(p.desired, service, [])), ...volumeKeys(mounts.map(volumeOf))],
    afterAnyway: gates.afterAnyway,
    ...undone(attempt, { kind: "container.stop", container, graceMs: null }),
  });
  if (beside === null) claimPorts(p, service, { slot, step, from: null });
  return runHooks(p, "post_start", { container, service: service.name, reason, after: [step] });
}

/** Restarts one that runs. Gives the keys of the last steps. */
export function restart(
  p: Planning,
  container: ObservedContainer,
  { reason, after = [] }: { readonly reason: string; readonly after?: readonly string[] },
): readonly string[] {
  const { name, service, networks, volumes } = container;
  const desired = p.desired.services.find((candidate) => candidate.name === service);
  const step = p.draft.step(stepKey("container.restart", name), {
    action: { kind: "container.restart", container: name, graceMs: graceOf(p, service), ...secretsOf(p.desired, desired) },
    reason,
    service,
    after: beforeStop(p, container, {
      reason,
      after: [
        ...after,
        ...(desired === undefined ? [] : gatesOf(p, desired, "order").after),
        ...updateKeys(networks),
        ...volumeKeys(volumes.map((volume) => volume.name)),
      ],
    }),
  });
  return runHooks(p, "post_start", { container: name, service, reason, after: [step] });
}

function rename(p: Planning, { service }: Pattern, { container, slot, reason, after }: SlotStep): string {
  const step = p.draft.step(stepKey("container.rename", container), {
    action: { kind: "container.rename", container, to: slot.name },
    reason,
    service: service.name,
    after,
  });
  p.names.push({ name: slot.name, step, source: nameSource(p, service) });
  return step;
}

/** Whether the slot's own name is free, or will be once the slot is settled. */
function canTake(p: Planning, slot: Slot): boolean {
  if (p.observed.foreign.some(({ name }) => name === slot.name)) return false;
  return p.observed.containers.every((container) => container.name !== slot.name || slot.containers.includes(container));
}

function nameSource(p: Planning, { name, containerName }: Service) {
  return sourceOf(p.desired, containerName === null ? `services.${name}` : `services.${name}.container_name`);
}

function stateText({ state, exitCode, ended, owed }: ObservedContainer): string {
  if (owed === "start") return drifted(OWED[owed]);
  if (state === "created") return "made but not started";
  const text = exitCode === null ? state : `${state} with ${exitCode}`;
  return ended === undefined ? text : drifted(`${ended} (${text})`);
}

function volumeOf(mount: Mount): string | null {
  return mount.type === "volume" ? mount.source : null;
}
