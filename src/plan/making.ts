/** What a new container is made of: the service with everything that the planner decides for it. */
import type { ContainerSpec } from "../model/action.ts";
import { LABEL, labelBoolean } from "../model/labels.ts";
import { scopedName } from "../model/names.ts";
import type { ObservedContainer } from "../model/observed.ts";
import type { Project } from "../model/project.ts";
import { contentOf, type Mount, type Service } from "../model/service.ts";
import { type Attributes, attributesOf, fixedOf } from "./change.ts";
import { givenFiles } from "./files.ts";
import { configHash } from "./hash.ts";
import { mountedKey, pullKey, willPull } from "./images.ts";
import { forOneOff, joinsOf, updateKeys } from "./joining.ts";
import { dependsOnText } from "./order.ts";
import { type Planning, stepKey } from "./planning.ts";

/** What every up-to-date container of a service has in common. */
export interface Pattern {
  readonly service: Service;
  /** The service's mounts, volumes by their engine name. */
  readonly mounts: readonly Mount[];
  readonly attributes: Attributes;
  readonly hash: string;
}

export function patternOf(project: Project, service: Service): Pattern {
  const mounts = service.mounts.map((mount) => resolveMount(project, mount));
  const preStart = service.preStart.map((step) => ({
    ...step,
    service: { ...step.service, mounts: step.service.mounts.map((mount) => resolveMount(project, mount)) },
  }));
  const attributes = attributesOf({ ...service, mounts, preStart });
  return { service, mounts, attributes, hash: configHash(fixedOf(attributes)) };
}

/** The name in the engine of the volume that the spec calls `key`. */
export function volumeName(project: Project, key: string): string {
  return project.volumes.find((volume) => volume.key === key)?.name ?? scopedName(project.name, key);
}

/** The steps that must be done before a container of a service can be made: its image, its networks, its volumes. */
export function groundwork(p: Planning, pattern: Pattern): readonly string[] {
  return [
    pullKey(pattern.service),
    ...updateKeys(joinsOf(p.desired, pattern.service, [])),
    ...pattern.mounts.flatMap((mount) => (mount.type === "image" ? [mountedKey(pattern.service, mount.source)] : [])),
    ...pattern.mounts.flatMap((mount) =>
      mount.type === "volume" && mount.source !== null ? [stepKey("volume.create", mount.source)] : [],
    ),
  ];
}

/** The container that takes the place of `old`, whose anonymous volumes it gets where it still has a place for them. */
export function containerSpec(
  p: Planning,
  pattern: Pattern,
  as: {
    readonly name: string;
    readonly number: number;
    readonly oneOff: boolean;
    readonly old: ObservedContainer | null;
    /** A one-off is found by the service's names too. */
    readonly useAliases?: boolean;
    readonly autoRemove?: boolean;
    readonly hook?: "pre_start";
  },
): ContainerSpec {
  const { name: project, directory, files } = p.desired;
  const { service, hash, attributes } = pattern;
  const known = !as.oneOff || as.useAliases === true;
  const aliases = known && service.name !== as.name ? [service.name, as.name] : [as.name];
  return {
    project,
    directory,
    service,
    number: as.number,
    oneOff: as.oneOff,
    ...(as.autoRemove === true ? { autoRemove: true } : {}),
    hash,
    attributes,
    labels: {
      ...service.labels,
      [LABEL.project]: project,
      [LABEL.service]: service.name,
      [LABEL.number]: String(as.number),
      [LABEL.oneOff]: labelBoolean(as.oneOff),
      ...(as.hook === undefined ? {} : { [LABEL.hook]: as.hook }),
      [LABEL.hash]: hash,
      [LABEL.directory]: directory,
      [LABEL.files]: files.join(","),
      [LABEL.dependsOn]: dependsOnText(service.dependsOn),
    },
    networks: joinsOf(p.desired, as.oneOff ? forOneOff(service, { useAliases: known }) : service, aliases),
    mounts: as.old === null || p.options.renewAnonymousVolumes ? pattern.mounts : carryOver(p, pattern, as.old),
    ...givenFiles(p.desired, service),
  };
}

function resolveMount(project: Project, mount: Mount): Mount {
  return mount.type === "volume" && mount.source !== null ? { ...mount, source: volumeName(project, mount.source) } : mount;
}

/** An anonymous volume stays where the spec or the image still asks for one; an image not known yet gets the benefit of the doubt. */
function carryOver(p: Planning, pattern: Pattern, old: ObservedContainer): readonly Mount[] {
  const anonymous = new Map(old.volumes.flatMap(({ name, target, anonymous }) => (anonymous ? [[target, name]] : [])));
  const mounts = pattern.mounts.map((mount) => {
    const name = anonymous.get(mount.target);
    return mount.type === "volume" && mount.source === null && name !== undefined ? { ...mount, source: name } : mount;
  });
  const image = p.observed.images[contentOf(pattern.service)];
  for (const [target, source] of anonymous) {
    if (mounts.some((mount) => mount.target === target)) continue;
    if (image !== undefined && !willPull(p, pattern.service) && !image.volumes.includes(target)) continue;
    mounts.push({ type: "volume", source, target, readOnly: false, noCopy: false, subpath: null });
  }
  return mounts;
}
