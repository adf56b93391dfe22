/** Containers that run to their end, one after the other, before a service's own container starts for the first time. */
import { preStartName } from "../model/names.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { NO_RESTART, type PreStart, type Service } from "../model/service.ts";
import { sourceOf } from "./change.ts";
import type { Slot } from "./containers.ts";
import { contentsOf, secretsOf } from "./files.ts";
import { gatesOf } from "./gates.ts";
import { containerSpec, groundwork, type Pattern, patternOf } from "./making.ts";
import { type Planning, stepKey, takeAway } from "./planning.ts";

/**
 * Steps for the container of a slot. Gives the keys that its start has to wait for. What is for all replicas is run before the first of them: not
 * again where one ran already, for a start that comes second it is only waited for.
 */
export function preStart(
  p: Planning,
  pattern: Pattern,
  { slot, after, stays }: { readonly slot: Pick<Slot, "name">; readonly after: readonly string[]; readonly stays: Stays },
): readonly string[] {
  const { service } = pattern;
  let before = after;
  service.preStart.forEach((step, index) => {
    const ofAll = !step.perReplica;
    if (ofAll && hasRun(p, service, stays)) return;
    const name = preStartName(ofAll ? `${p.desired.name}-${service.name}` : slot.name, index);
    const planned = p.draft.has(stepKey("container.create", name));
    before = planned ? [...before, endKey(name)] : runStep(p, service, { step, index, name, after: before });
  });
  return before;
}

/** Whether a container of the service is kept as it is. */
export type Stays = (container: ObservedContainer) => boolean;

/** Whether a container that is kept was started before, and so all that comes before a first start was done. */
function hasRun({ observed }: Planning, { name }: Service, stays: Stays): boolean {
  return observed.containers.some((c) => c.service === name && !c.oneOff && c.state !== "created" && stays(c));
}

interface OneStep {
  readonly step: PreStart;
  readonly index: number;
  readonly name: string;
  readonly after: readonly string[];
}

/** Made, started, waited for, removed. One that failed is left, so that its logs can be read, until the next try. */
function runStep(p: Planning, service: Service, { step, index, name, after }: OneStep): readonly string[] {
  const pattern = patternOf(p.desired, serviceOf(service, step));
  const gates = gatesOf(p, service, "wait");
  const reason = `before ${service.name} starts`;
  const common = { reason, service: service.name };
  const old = p.observed.containers.find((container) => container.name === name);
  if (old !== undefined) takeAway(p, old, { reason: "left over from a try that failed" });
  const create = p.draft.step(stepKey("container.create", name), {
    ...common,
    action: {
      kind: "container.create",
      container: name,
      spec: containerSpec(p, pattern, { name, number: index, oneOff: true, old: null, hook: "pre_start" }),
      ...contentsOf(p.desired, pattern.service),
    },
    after: [...groundwork(p, pattern), ...after],
  });
  p.names.push({ name, step: create, source: sourceOf(p.desired, `services.${service.name}.pre_start.${index}`) });
  p.preStart.push(pattern.service);
  p.made.add(pattern.service);
  const start = p.draft.step(stepKey("container.start", name), {
    ...common,
    action: { kind: "container.start", container: name, ...secretsOf(p.desired, pattern.service) },
    after: [create, ...gates.after],
    afterAnyway: gates.afterAnyway,
  });
  const wait = p.draft.step(stepKey("container.wait", name), {
    ...common,
    action: { kind: "container.wait", container: name, until: "completed", required: true },
    after: [start],
  });
  const remove = { kind: "container.remove", container: name, volumes: true, force: false } as const;
  return [p.draft.step(endKey(name), { ...common, action: remove, after: [wait] })];
}

/** Of the step that removes it when it is done; what removes one that was there before has the plain key. */
const endKey = (name: string): string => `${stepKey("container.remove", name)} done`;

/** The service as its step's container has it, without what only the service's own has. */
function serviceOf(service: Service, step: PreStart): Service {
  return {
    ...step.service,
    image: step.image ?? service.image,
    pin: step.image === null ? service.pin : null,
    containerName: null,
    ports: [],
    expose: [],
    hostname: null,
    restart: NO_RESTART,
    healthcheck: null, // it is waited for until it ends
    tty: false,
    stdinOpen: false,
    preStart: [],
    postStart: [],
    preStop: [],
    scale: 1,
  };
}
