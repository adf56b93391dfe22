/** The way to nothing: `down`, and containers whose service the spec has no more. */
import type { ObservedContainer } from "../model/observed.ts";
import { groups } from "./dependents.ts";
import { changed, type Planning, stepKey, takeAway } from "./planning.ts";

/** Takes away all that the project has (of the services asked for: their containers only). Volumes stay unless it is asked for them. */
export function planTeardown(p: Planning): void {
  const { services, removeVolumes } = p.options;
  const containers = p.observed.containers.filter(
    ({ service, name }) => services === null || services.includes(name) || (service !== null && services.includes(service)),
  );
  const last = removeInOrder(p, containers, { reason: "down", volumes: removeVolumes });
  if (services !== null) return;
  for (const { name, project } of p.observed.networks) {
    if (project !== p.desired.name) continue;
    const action = { kind: "network.remove", network: name } as const;
    p.draft.step(stepKey("network.remove", name), { action, reason: "down", service: null, after: last });
    changed(p, "remove", { address: `network/${name}`, reason: "down" });
  }
  // Anonymous volumes go with the container that has them.
  const anonymous = new Set(containers.flatMap(({ volumes }) => volumes.flatMap((volume) => (volume.anonymous ? [volume.name] : []))));
  for (const { name, project } of p.observed.volumes) {
    if (project !== p.desired.name || (removeVolumes && anonymous.has(name))) continue;
    const address = `volume/${name}`;
    if (removeVolumes) {
      const action = { kind: "volume.remove", volume: name } as const;
      p.draft.step(stepKey("volume.remove", name), { action, reason: "down with its volumes", service: null, after: last });
      changed(p, "remove", { address, reason: "down with its volumes" });
    } else changed(p, "unchanged", { address, reason: "volumes are kept" });
  }
}

/** Containers of services that the spec does not have: removed when that is asked for, else only named. One-offs that ended go with them. */
export function planOrphans(p: Planning): void {
  const known = new Set([...p.desired.services.map(({ name }) => name), ...p.desired.disabled]);
  const orphans = p.observed.containers.filter(({ oneOff, service }) => !oneOff && (service === null || !known.has(service)));
  const ended = p.observed.containers.filter(({ oneOff, state }) => oneOff && (state === "exited" || state === "dead"));
  if (p.options.removeOrphans) {
    removeInOrder(p, orphans, { reason: "its service is not in the spec", volumes: false });
    for (const container of ended) {
      changed(p, "remove", { address: `container/${container.name}`, reason: "a one-off that ended" });
      takeAway(p, container, { reason: "a one-off that ended" });
    }
  } else if (orphans.length + ended.length > 0 && !p.options.ignoreOrphans)
    p.notices.push({ code: "W_ORPHANS", message: orphansFound(orphans, ended), hint: "`wharf up --remove-orphans` removes them" });
}

function orphansFound(orphans: readonly ObservedContainer[], ended: readonly ObservedContainer[]): string {
  const named = (containers: readonly ObservedContainer[]) => containers.map(({ name }) => name).join(", ");
  const parts = [
    ...(orphans.length === 0 ? [] : [`whose services are not in the spec: ${named(orphans)}`]),
    ...(ended.length === 0 ? [] : [`of \`run\` that ended: ${named(ended)}`]),
  ];
  return `found orphan containers, ${parts.join("; ")}`;
}

/** Stops dependents before what they depend on, and removes each once it is stopped. Gives the keys of the last steps. */
function removeInOrder(
  p: Planning,
  containers: readonly ObservedContainer[],
  { reason, volumes }: { readonly reason: string; readonly volumes: boolean },
): readonly string[] {
  const ordered = [...groups(p.desired, containers)].reverse();
  const stopped = (service: string | null) => `stopped ${service ?? ""}`;
  return ordered.flatMap((group) => {
    const dependents = ordered.filter(({ dependencies }) => group.service !== null && dependencies.includes(group.service));
    const stopAfter = dependents.map(({ service }) => stopped(service));
    p.draft.milestone(stopped(group.service), {
      after: [...stopAfter, ...group.containers.map(({ name }) => stepKey("container.stop", name))],
    });
    return group.containers.map((container) => {
      changed(p, "remove", { address: `container/${container.name}`, reason });
      return takeAway(p, container, { reason, volumes, stopAfter });
    });
  });
}
