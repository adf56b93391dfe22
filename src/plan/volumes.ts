import { canonical } from "../model/json.ts";
import { LABEL } from "../model/labels.ts";
import type { ObservedVolume } from "../model/observed.ts";
import type { AttributeChange } from "../model/plan.ts";
import type { Service } from "../model/service.ts";
import { compare, sourceOf } from "./change.ts";
import { volumeName } from "./making.ts";
import { foreign } from "./networks.ts";
import { changed, drifted, type Planning, placed, stepKey } from "./planning.ts";

/** Looks which volumes of these services are gone though containers have them. Those are planned with that in mind. */
export function findLostVolumes(p: Planning, services: readonly Service[]): void {
  const used = services.filter(({ name, scale }) => (p.options.scale[name] ?? scale) > 0);
  const keys = used.flatMap(({ mounts }) => mounts.flatMap((mount) => (mount.type === "volume" ? (mount.source ?? []) : [])));
  const external = new Set(p.desired.volumes.flatMap((volume) => (volume.external ? [volume.name] : [])));
  const named = new Set(keys.map((key) => volumeName(p.desired, key)).filter((name) => !external.has(name)));
  for (const { volumes } of p.observed.containers)
    for (const { name, anonymous } of volumes)
      if (!anonymous && named.has(name) && !p.observed.volumes.some((volume) => volume.name === name))
        p.lostVolumes.set(name, drifted(`volume ${name} was removed`));
}

/** The steps that make volumes. */
export function volumeKeys(names: readonly (string | null)[]): readonly string[] {
  return names.flatMap((name) => (name === null ? [] : [stepKey("volume.create", name)]));
}

/** Plans the named volumes that these services mount: made where missing, but for their labels never changed; external ones must be there. */
export function planVolumes(p: Planning, services: readonly Service[]): void {
  const declared = p.options.allResources ? p.desired.volumes.map(({ key }) => key) : [];
  const mounted = services.flatMap(({ mounts }) => mounts.flatMap((m) => (m.type === "volume" && m.source !== null ? [m.source] : [])));
  for (const key of new Set([...mounted, ...declared])) {
    const volume = p.desired.volumes.find((candidate) => candidate.key === key);
    const name = volumeName(p.desired, key);
    const found = p.observed.volumes.find((candidate) => candidate.name === name);
    const address = `volume/${name}`;
    const reason = p.lostVolumes.has(name) ? drifted("it was removed, with what was in it") : "not there yet";
    const labels = { ...volume?.labels, [LABEL.project]: p.desired.name, [LABEL.volume]: key };
    if (found !== undefined) {
      const difference = found.project === p.desired.name ? labelsChanged(p, { key, found, labels }) : [];
      if (difference.length === 0) changed(p, "unchanged", { address, reason: "there already" });
      else {
        const reason = "changed: labels";
        p.draft.step(stepKey("volume.update", name), { action: { kind: "volume.update", volume: name, labels }, reason, service: null });
        changed(p, "update", { address, reason, attributes: difference });
      }
      if (found.project === p.desired.name && canonical(found.driverOptions ?? {}) !== canonical(volume?.driverOptions ?? {}))
        p.notices.push({
          code: "W_VOLUME_CHANGED",
          message: `volume ${name} was made with other \`driver_opts\`: it is used as it was made`,
          hint: `nothing deletes its data by itself: \`wharf down\` and \`wharf volume rm ${name}\`, and \`wharf up\` makes it anew`,
          ...placed(sourceOf(p.desired, `volumes.${key}`)),
        });
      if (found.project !== p.desired.name && volume?.external !== true)
        p.notices.push(foreign({ kind: "volume", name, owner: found.project, project: p.desired.name }));
    } else if (volume?.external === true) {
      p.problems.push({
        code: "E_VOLUME_MISSING",
        message: `volume ${name} is external, and there is no such volume`,
        hint: `make it with \`wharf volume create ${name}\`, or take \`external\` away so that it is made for ${p.desired.name}`,
        ...placed(sourceOf(p.desired, `volumes.${key}`)),
      });
    } else {
      const options = volume?.driverOptions;
      p.draft.step(stepKey("volume.create", name), {
        action: { kind: "volume.create", volume: name, key, labels, ...(options && { driverOptions: options }) },
        reason,
        service: null,
      });
      changed(p, "create", { address, reason });
    }
  }
}

interface Labelled {
  readonly key: string;
  readonly found: ObservedVolume;
  readonly labels: Readonly<Record<string, string>>;
}

function labelsChanged(p: Planning, { key, found, labels }: Labelled): readonly AttributeChange[] {
  if (canonical(found.labels) === canonical(labels)) return [];
  return compare({ labels: found.labels }, { labels }, { project: p.desired, path: `volumes.${key}` });
}
