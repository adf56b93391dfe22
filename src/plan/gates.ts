/** What a service waits for before it starts, and what its dependencies make it do. */
import type { ObservedContainer } from "../model/observed.ts";
import type { Dependency, Service } from "../model/service.ts";
import { type Planning, readyKey, stepKey } from "./planning.ts";
import { namespacesRenewed } from "./sharing.ts";

export interface Gates {
  /** Keys that must be reached. */
  readonly after: readonly string[];
  /** Keys that must be behind, well or not. */
  readonly afterAnyway: readonly string[];
}

/** `order`: dependencies are dealt with; `wait`: their conditions hold too, which may add steps that wait for that. */
export function gatesOf(p: Planning, service: Service, strictness: "order" | "wait"): Gates {
  const after: string[] = [];
  const afterAnyway: string[] = [];
  for (const dependency of service.dependsOn) {
    if (!p.settled.has(dependency.service)) continue; // left out by a profile or by the caller
    const keys = strictness === "wait" ? [readyKey(dependency.service), ...waits(p, service, dependency)] : [readyKey(dependency.service)];
    (dependency.required ? after : afterAnyway).push(...keys);
  }
  return { after, afterAnyway };
}

/** Why a container that runs on as it is must be restarted, or `null`. */
export function restartCause(
  p: Planning,
  service: Service,
  { networks, volumes }: Pick<ObservedContainer, "networks" | "volumes">,
): string | null {
  const followed = service.dependsOn.find(({ service: name, restart }) => restart && p.replaced.has(name));
  const causes = [
    followed === undefined ? null : `${followed.service} was replaced`,
    namespacesRenewed(p, service),
    ...networks.map(({ name }) => p.rewired.get(name)),
    ...volumes.map(({ name }) => p.lostVolumes.get(name)),
  ];
  const cause = causes.find((text) => text !== null && text !== undefined);
  return cause === undefined || cause === null ? null : restarting(cause);
}

/** Of what happens to a container for a reason, that it is a restart. */
export const restarting = (cause: string): string => `${cause}; restarted`;

function waits(p: Planning, service: Service, { service: name, condition, required }: Dependency): readonly string[] {
  if (condition === "started") return [];
  if (condition === "healthy" && !p.options.healthchecks) {
    p.notices.push({
      code: "W_HEALTH_NOT_CHECKED",
      message: `service ${service.name} waits until ${name} is healthy, but health is not checked here: it waits until ${name} is started`,
    });
    return [];
  }
  return (p.settled.get(name) ?? []).flatMap((container) => {
    if (condition === "completed" && container.done) return [];
    const key = stepKey("container.wait", `${container.name} ${condition} ${required}`);
    if (!p.draft.has(key))
      p.draft.step(key, {
        action: { kind: "container.wait", container: container.name, until: condition, required },
        reason: `service ${service.name} needs it ${condition}`,
        service: name,
        after: container.after,
      });
    return [key];
  });
}
