/** Operations on containers that exist: the spec gives only their order and their grace. */
import type { Action } from "../model/action.ts";
import type { Observed, ObservedContainer } from "../model/observed.ts";
import type { ChangeKind, Plan } from "../model/plan.ts";
import type { Project } from "../model/project.ts";
import { suggestion } from "../model/suggest.ts";
import { restart } from "./containers.ts";
import { type Group, groups } from "./dependents.ts";
import { secretsOf } from "./files.ts";
import { type Gates, gatesOf, restarting } from "./gates.ts";
import { beforeStop, runHooks } from "./hooks.ts";
import { planImages } from "./images.ts";
import { isLike } from "./in-place.ts";
import { patternOf } from "./making.ts";
import { planOwed } from "./missing.ts";
import { withDependencies } from "./order.ts";
import { DEFAULTS, type Operation } from "./plan.ts";
import { beginPlanning, changed, finishPlanning, graceOf, isUp, type Planning, type Settled, stepKey } from "./planning.ts";
import { preStart } from "./pre-start.ts";
import { namespacesRenewed } from "./sharing.ts";

/**
 * A plan for an operation on services or containers by name (`null`: all of the project), in the order of dependencies. What is begun waits until
 * what it depends on is as it asks for.
 */
export function planOperation(
  project: Project,
  observed: Observed,
  operation: Operation,
  { names, healthchecks }: { readonly names: readonly string[] | null; readonly healthchecks: boolean },
): Plan {
  const graceMs = "graceMs" in operation ? operation.graceMs : null;
  const p = beginPlanning(project, observed, { ...DEFAULTS, stopGraceMs: graceMs, healthchecks });
  const wanted = names === null ? null : withOthers(p, operation, names);
  const containers = select(p, operation, wanted);
  if (operation.kind === "start") refuseMissing(p, wanted);
  const forward = groups(project, containers);
  if (operation.kind === "start") settleOthers(p, containers);
  const ordered = WAY[operation.kind] === "reverse" ? [...forward].reverse() : forward;
  for (const group of ordered) {
    const dependents = forward.filter(({ dependencies }) => group.service !== null && dependencies.includes(group.service));
    const earlier = { forward: group.dependencies, reverse: dependents.map(({ service }) => service ?? ""), none: [] }[WAY[operation.kind]];
    const after = earlier.map(passedKey);
    const steps = group.containers.flatMap((container) => planOne(p, operation, { container, after, named: names !== null }));
    if (group.service !== null && BEGINS.has(operation.kind)) settleGroup(p, group);
    p.draft.milestone(passedKey(group.service ?? ""), { after: steps.length > 0 ? steps : after });
    if (steps.length > 0 && group.service !== null && BEGINS.has(operation.kind)) p.renewed.add(group.service);
  }
  restartSharers(p, containers);
  if (BEGINS.has(operation.kind)) planOwed(p);
  refusePause(p, operation, containers);
  planImages(p, p.preStart);
  return finishPlanning(p);
}

/** Containers that begin anew have new namespaces, and those that lived in the ones before have to follow. */
const BEGINS: ReadonlySet<Operation["kind"]> = new Set(["start", "restart"]);

/** What the containers of a service are for those that wait for them, when the operation is done with them. */
function settleGroup(p: Planning, { service, containers }: Group): void {
  const settled = containers.map((container): Settled => {
    const after = [stepKey("container.start", container.name), stepKey("container.restart", container.name)].filter((key) =>
      p.draft.has(key),
    );
    return { name: container.name, after, done: after.length === 0 && container.state === "exited" && container.exitCode === 0 };
  });
  p.settled.set(service ?? "", settled);
}

/** Likewise for services that the operation is not about: who begins waits for those of them that run. */
function settleOthers(p: Planning, planned: readonly ObservedContainer[]): void {
  const others = p.observed.containers.filter((container) => !container.oneOff && isUp(container) && !planned.includes(container));
  for (const { service, containers } of groups(p.desired, others))
    if (service !== null)
      p.settled.set(
        service,
        containers.map(({ name }) => ({ name, after: [], done: false })),
      );
}

/** What a service waits for before it begins. */
function gatesFor(p: Planning, { kind }: Operation, { service }: ObservedContainer): Gates {
  const desired = BEGINS.has(kind) ? p.desired.services.find(({ name }) => name === service) : undefined;
  return desired === undefined ? { after: [], afterAnyway: [] } : gatesOf(p, desired, "wait");
}

function restartSharers(p: Planning, planned: readonly ObservedContainer[]): void {
  for (const service of p.desired.services) {
    const cause = namespacesRenewed(p, service);
    if (cause === null) continue;
    const reason = restarting(cause);
    for (const container of p.observed.containers) {
      if (container.service !== service.name || container.oneOff || !isUp(container) || planned.includes(container)) continue;
      restart(p, container, { reason });
      for (const other of p.renewed) p.draft.order(stepKey("container.restart", container.name), passedKey(other));
      changed(p, "update", { address: `container/${container.name}`, reason });
    }
  }
}

/** The names, and those that have to come along. */
function withOthers(p: Planning, operation: Operation, names: readonly string[]): readonly string[] {
  if (operation.kind === "start") return withNeeded(p.desired, names);
  return operation.kind === "restart" && operation.alone !== true ? [...names, ...followersOf(p, names)] : names;
}

/** Containers that run of services that asked to be restarted with what they depend on (`depends_on.restart`), and of those that follow these. */
function followersOf({ desired, observed }: Planning, names: readonly string[]): readonly string[] {
  const begun = new Set(names);
  const followers = new Set<string>();
  for (let size = -1; size !== followers.size; ) {
    size = followers.size;
    for (const { name, dependsOn } of desired.services) {
      if (begun.has(name) || !dependsOn.some(({ service, restart: follows }) => follows && begun.has(service))) continue;
      begun.add(name);
      followers.add(name);
    }
  }
  return observed.containers.flatMap((container) =>
    container.service !== null && followers.has(container.service) && !container.oneOff && isUp(container) ? [container.name] : [],
  );
}

/** The names, and those of all services that these cannot do without: to start one means to start what it needs. */
function withNeeded({ services }: Project, names: readonly string[]): readonly string[] {
  const needed = services.map((service) => ({ ...service, dependsOn: service.dependsOn.filter(({ required }) => required) }));
  return [...withDependencies(needed, names)];
}

/** Pausing what is paused already, and letting go on what is not paused, where there is nothing else to do. */
function refusePause(p: Planning, { kind }: Operation, containers: readonly ObservedContainer[]): void {
  if (kind !== "pause" && kind !== "unpause") return;
  const up = containers.filter(isUp);
  const isSo = ({ state, owed }: ObservedContainer): boolean =>
    kind === "pause" ? state === "paused" && owed !== "unpause" : state !== "paused";
  if (up.length === 0 || !up.every(isSo)) return;
  const one = up.length === 1;
  const who = `${one ? "container" : "containers"} ${up.map(({ name }) => name).join(", ")} ${one ? "is" : "are"}`;
  p.problems.push(
    kind === "pause"
      ? { code: "E_PAUSED", message: `${who} already paused`, hint: "`wharf unpause` lets go on what is paused" }
      : { code: "E_NOT_PAUSED", message: `${who} not paused`, hint: "`wharf ps` shows what is" },
  );
}

/** What was never made cannot be started. */
function refuseMissing(p: Planning, names: readonly string[] | null): void {
  for (const { name, scale } of p.desired.services) {
    if (scale === 0 || names?.includes(name) === false) continue;
    if (p.observed.containers.some(({ service, oneOff }) => service === name && !oneOff)) continue;
    p.problems.push({
      code: "E_NO_SUCH_CONTAINER",
      message: `service "${name}" has no container to start`,
      hint: `\`wharf up -d ${name}\` makes what the spec describes`,
    });
  }
}

/** Which comes first: dependencies, dependents, or neither. */
const WAY = {
  start: "forward",
  restart: "forward",
  stop: "reverse",
  remove: "reverse",
  kill: "none",
  pause: "none",
  unpause: "none",
} as const satisfies Record<Operation["kind"], "forward" | "reverse" | "none">;

const passedKey = (service: string): string => `passed ${service}`;

/** The containers meant by these names; without any those of the spec's services. One-offs and orphans only count when called by name. */
function select(p: Planning, operation: Operation, names: readonly string[] | null): readonly ObservedContainer[] {
  const { containers } = p.observed;
  const services = new Set([...p.desired.services.map(({ name }) => name), ...p.desired.disabled]);
  const isKnown = (service: string | null) => p.desired.files.length === 0 || service === null || services.has(service);
  if (names === null) return containers.filter(({ oneOff, service }) => !oneOff && isKnown(service));
  for (const { service } of containers) if (service !== null) services.add(service);
  const found = new Set<ObservedContainer>();
  for (const name of names) {
    const meant = containers.filter((container) => container.name === name || (container.service === name && !container.oneOff));
    for (const container of meant) found.add(container);
    if (meant.length === 0 && !services.has(name)) {
      const known = [...services, ...containers.map((container) => container.name)];
      p.problems.push({
        code: "E_NO_SUCH_SERVICE",
        message: `no such service: ${name} (project ${p.desired.name} has no container of that name either)`,
        ...suggestion(name, known, known.length === 0 ? "the project has no containers" : `it has ${known.join(", ")}`),
      });
    } else if (meant.length === 0 && operation.kind !== "remove" && operation.kind !== "start")
      p.notices.push({
        code: "W_NO_CONTAINERS",
        message: `service ${name} has no containers to ${operation.kind}`,
        hint: `\`wharf up -d ${name}\` makes them`,
      });
  }
  return containers.filter((container) => found.has(container));
}

/** Plans what is done to one container. Gives the key of the step that the next in order waits for, if there is any. */
function planOne(
  p: Planning,
  operation: Operation,
  { container, after, named }: { readonly container: ObservedContainer; readonly after: readonly string[]; readonly named: boolean },
): readonly string[] {
  const address = `container/${container.name}`;
  const actions = actionsOf(p, operation, container);
  if (actions === null && named) {
    p.problems.push({
      code: "E_STILL_RUNNING",
      message: `container ${container.name} is ${container.state}`,
      hint: `stop it first with \`wharf stop ${container.name}\`, or remove it anyway with -f`,
    });
    return [];
  }
  if (actions === null || actions.length === 0) {
    changed(p, "unchanged", { address, reason: container.state });
    return [];
  }
  const reason = reasonOf(operation);
  const gates = gatesFor(p, operation, container);
  let before: readonly string[] = [...after, ...gates.after];
  let passed: readonly string[] | null = null;
  for (const action of actions) {
    if (action.kind === "container.stop" || action.kind === "container.restart")
      before = beforeStop(p, container, { reason, after: before });
    if (action.kind === "container.start") before = firstStart(p, container, before);
    const { afterAnyway } = gates;
    before = [
      p.draft.step(stepKey(action.kind, container.name), { action, reason, service: container.service, after: before, afterAnyway }),
    ];
    if ((action.kind === "container.start" || action.kind === "container.restart") && !container.oneOff)
      before = runHooks(p, "post_start", { container: container.name, service: container.service, reason, after: before });
    passed ??= before;
  }
  changed(p, changeOf(operation), { address, reason });
  return passed ?? [];
}

/** What a service runs before the first start of a container. */
function firstStart(p: Planning, { state, name, service }: ObservedContainer, after: readonly string[]): readonly string[] {
  const desired = p.desired.services.find((candidate) => candidate.name === service);
  if (desired === undefined || state !== "created") return after;
  const pattern = patternOf(p.desired, desired);
  return preStart(p, pattern, { slot: { name }, after, stays: (container) => isLike(pattern, container) });
}

/** The steps in a row; none when it is as asked, `null` when that must not be done to a container that runs. */
function actionsOf(p: Planning, operation: Operation, target: ObservedContainer): readonly Action[] | null {
  const container = target.name;
  const up = isUp(target);
  const graceMs = graceOf(p, target.service);
  const secrets = secretsOf(
    p.desired,
    p.desired.services.find(({ name }) => name === target.service),
  );
  switch (operation.kind) {
    case "start":
      return up ? [] : [{ kind: "container.start", container, ...secrets }];
    case "stop":
      return up || target.owed === "start" ? [{ kind: "container.stop", container, graceMs }] : [];
    case "restart":
      return [{ kind: "container.restart", container, graceMs, ...secrets }];
    case "kill":
      return up ? [{ kind: "container.kill", container, signal: operation.signal }] : [];
    case "pause":
      return target.state === "running" || target.owed === "unpause" ? [{ kind: "container.pause", container }] : []; // or it would go on
    case "unpause":
      return target.state === "paused" ? [{ kind: "container.unpause", container }] : [];
    case "remove": {
      const { volumes, force, stop } = operation;
      if (up && stop)
        return [
          { kind: "container.stop", container, graceMs },
          { kind: "container.remove", container, volumes, force },
        ];
      return up && !force ? null : [{ kind: "container.remove", container, volumes, force }];
    }
  }
}

function reasonOf(operation: Operation): string {
  return operation.kind === "kill" && !KILLS.has(operation.signal) ? `asked to send ${operation.signal}` : REASON[operation.kind];
}

/** A signal may mean anything to a program; only one ends it whatever it does. */
function changeOf(operation: Operation): ChangeKind {
  return operation.kind === "kill" && !KILLS.has(operation.signal) ? "update" : CHANGE[operation.kind];
}

const KILLS: ReadonlySet<string> = new Set(["SIGKILL", "9"]);

const REASON = {
  start: "asked to start",
  stop: "asked to stop",
  restart: "asked to restart",
  kill: "asked to kill",
  pause: "asked to pause",
  unpause: "asked to resume",
  remove: "asked to remove",
} as const satisfies Record<Operation["kind"], string>;

const CHANGE = {
  start: "start",
  stop: "stop",
  restart: "update",
  kill: "stop",
  pause: "update",
  unpause: "update",
  remove: "remove",
} as const satisfies Record<Operation["kind"], ChangeKind>;
