import type { LogLine } from "../../engine/engine.ts";
import type { ImageConfig } from "../../engine/images.ts";
import type { ContainerSpec } from "../../model/action.ts";
import type { Observed, ObservedContainer } from "../../model/observed.ts";
import type { Platform } from "../../model/platform.ts";
import type { Project } from "../../model/project.ts";
import { contentOf } from "../../model/service.ts";

/** All that the engine knows. A value: what changes it makes another one. */
export interface World {
  /** What there is, of all projects: the part that `simulate` changes. */
  readonly observed: Observed;
  /** What each container was made of, by its id. */
  readonly made: Readonly<Record<string, Made>>;
  /** Every image by its id, with a name or without one. */
  readonly images: Readonly<Record<string, Image>>;
  /** What a volume was made with, by its name; an anonymous one and one of an older file has none. */
  readonly volumes?: Readonly<Record<string, MadeVolume>>;
  /** What containers printed, in the order in which they did. */
  readonly lines: readonly LogLine[];
}

export interface Made {
  readonly spec: ContainerSpec;
  /** Of its image. */
  readonly config: ImageConfig;
}

export interface MadeVolume {
  readonly anonymous: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339 UTC. */
  readonly createdAt: string;
}

export interface Image {
  readonly id: string;
  readonly created: string | null;
  /** Bytes of the archive that it was made from. */
  readonly size: number;
  readonly platform: Platform;
  readonly config: ImageConfig;
}

/** Where a world is kept. */
export interface Store {
  read(): World;
  write(world: World): void;
}

export const EMPTY: World = {
  observed: { containers: [], networks: [], volumes: [], images: {}, foreign: [], takenPorts: [], concerns: [] },
  made: {},
  images: {},
  lines: [],
};

/** A store that ends with the process. */
export function memoryStore(): Store {
  let current = EMPTY;
  return {
    read: () => current,
    write: (world) => {
      current = world;
    },
  };
}

/** The world as one project sees it. */
export function observedBy({ name, services, networks, volumes }: Project, { observed }: World): Observed {
  const own = observed.containers.filter(({ project }) => project === name);
  const others = observed.containers.filter(({ project }) => project !== name);
  const isSeen = (thing: { readonly name: string; readonly project: string | null }, named: readonly { readonly name: string }[]) =>
    thing.project === name || named.some((wanted) => wanted.name === thing.name);
  const wanted = new Set<string>(services.map(contentOf));
  return {
    containers: own.map(shown),
    networks: observed.networks.filter((network) => isSeen(network, networks)),
    volumes: observed.volumes.filter((volume) => isSeen(volume, volumes)),
    images: Object.fromEntries(Object.entries(observed.images).filter(([reference]) => wanted.has(reference))),
    foreign: others.map((container) => ({ name: container.name, project: container.project })),
    takenPorts: others.filter(isLive).flatMap(({ name: holder, project, ports }) =>
      ports.map(({ protocol, host, published }) => {
        return { protocol, host, port: published, by: `container ${holder}${project === null ? "" : ` of project ${project}`}` };
      }),
    ),
    concerns: [],
  };
}

/** A container as listings show it: it has no process of this machine, and publishes ports only while it runs. */
export function shown(container: ObservedContainer): ObservedContainer {
  if (isLive(container)) return { ...container, pid: null };
  return { ...container, pid: null, ports: [], networks: container.networks.map(({ name }) => ({ name, address: null })) };
}

export function isLive({ state }: ObservedContainer): boolean {
  return state === "running" || state === "paused" || state === "restarting";
}

/** Forgets what belongs to containers that are gone. */
export function tidied(world: World): World {
  const ids = new Set(world.observed.containers.map(({ id }) => id));
  return {
    ...world,
    made: Object.fromEntries(Object.entries(world.made).filter(([id]) => ids.has(id))),
    lines: world.lines.filter(({ container }) => ids.has(container)),
  };
}
