/** What services want to be run around the life of their containers. */
import type { ObservedContainer } from "../model/observed.ts";
import type { Hook, Service } from "../model/service.ts";
import { type Planning, stepKey } from "./planning.ts";

export type Moment = "post_start" | "pre_stop";

export interface HookSteps {
  /** The container by the name it has then. */
  readonly container: string;
  readonly service: string | null;
  readonly reason: string;
  readonly after: readonly string[];
}

/** The key of a step that runs a hook, the first without a number. */
export const hookKey = (when: Moment, container: string, index = 0): string => stepKey("container.hook", `${container} ${when} ${index}`);

/** Steps that run a service's hooks one after the other in one of its containers. Gives the key of the last one, or what they came after. */
export function runHooks(p: Planning, when: Moment, { container, service, reason, after }: HookSteps): readonly string[] {
  let before = after;
  hooksOf(p, when, service).forEach((hook, index) => {
    const action = { kind: "container.hook", container, when, hook } as const;
    before = [p.draft.step(hookKey(when, container, index), { action, reason, service, after: before })];
  });
  return before;
}

/** As `runHooks` before a container that is there is stopped. Where nothing of it runs there is nothing to ask. */
export function beforeStop(
  p: Planning,
  container: ObservedContainer,
  { reason, after }: Pick<HookSteps, "reason" | "after">,
): readonly string[] {
  if (container.state !== "running" || container.oneOff) return after;
  return runHooks(p, "pre_stop", { container: container.name, service: container.service, reason, after });
}

export function hooksOf({ desired, options }: Planning, when: Moment, name: string | null): readonly Hook[] {
  const service: Service | undefined = desired.services.find((candidate) => candidate.name === name);
  if (service !== undefined) return when === "post_start" ? service.postStart : service.preStop;
  return when === "pre_stop" && name !== null && Object.hasOwn(options.preStop, name) ? (options.preStop[name] ?? []) : [];
}
