/**
 * What each action does to the world, as a pure function: the planner's laws are checked against it, and the memory engine is made of it.
 * It refuses what a real engine cannot do either, so that a wrong order of steps fails.
 */
import type { Action, ContainerSpec } from "./action.ts";
import { adjusted } from "./adjust.ts";
import type { Code } from "./codes.ts";
import { Failure } from "./diagnostic.ts";
import { LABEL } from "./labels.ts";
import { SHARED_BRIDGE } from "./network.ts";
import type { ContainerState, Observed, ObservedContainer, ObservedImage } from "./observed.ts";
import { choosePorts, clash } from "./ports.ts";
import type { Reference } from "./reference.ts";
import { contentOf, type Mount, type Service } from "./service.ts";

/** What the world adds that the action does not say. */
export interface Chance {
  /** RFC 3339 UTC. */
  readonly now?: string;
  /** The id of a container that is created, 64 hex digits. */
  readonly id?: string;
  /** What a pull brings. */
  readonly registry?: (reference: Reference) => ObservedImage;
}

/** The world after an action. Throws a `Failure` where the action cannot be carried out. */
export function simulate(world: Observed, action: Action, chance: Chance = {}): Observed {
  const now = chance.now ?? BEGINNING;
  switch (action.kind) {
    case "image.pull": {
      const { reference, policy } = action;
      if (policy === "missing" && world.images[reference] !== undefined) return world;
      return { ...world, images: { ...world.images, [reference]: (chance.registry ?? anyImage)(reference) } };
    }
    case "network.create": {
      const { network: name, key, labels, attributes } = action;
      if (world.networks.some((network) => network.name === name)) return world;
      return { ...world, networks: [...world.networks, { name, project: projectOf(labels), key, present: true, attributes }] };
    }
    case "network.update": {
      const { network: name, attributes } = action;
      const connected = connect(world, name);
      return {
        ...connected,
        networks: connected.networks.map((network) => (network.name === name ? { ...network, attributes } : network)),
      };
    }
    case "network.connect":
      return connect(world, action.network);
    case "network.remove": {
      const user = world.containers.find(({ networks }) => networks.some(({ name }) => name === action.network));
      if (user !== undefined) throw refused("E_NETWORK_IN_USE", `network ${action.network} is in use by container ${user.name}`);
      return { ...world, networks: world.networks.filter(({ name }) => name !== action.network) };
    }
    case "volume.create": {
      const { volume: name, key, labels, driverOptions } = action;
      if (world.volumes.some((volume) => volume.name === name)) return world;
      return {
        ...world,
        volumes: [
          ...world.volumes,
          {
            name,
            project: projectOf(labels),
            key,
            labels,
            ...(driverOptions !== undefined && Object.keys(driverOptions).length > 0 && { driverOptions }),
          },
        ],
      };
    }
    case "volume.update": {
      const { volume: name, labels } = action;
      return { ...world, volumes: world.volumes.map((volume) => (volume.name === name ? { ...volume, labels } : volume)) };
    }
    case "volume.remove": {
      const user = world.containers.find(({ volumes }) => volumes.some(({ name }) => name === action.volume));
      if (user !== undefined) throw refused("E_VOLUME_IN_USE", `volume ${action.volume} is in use by container ${user.name}`);
      return { ...world, volumes: world.volumes.filter(({ name }) => name !== action.volume) };
    }
    case "container.create":
      return create(world, { ...action, id: chance.id ?? nextId(world), now });
    case "container.update":
      return update(world, action);
    case "container.start":
      return start(world, { name: action.container, now, beside: action.beside === true });
    case "container.takeover":
      return takeOver(world, action);
    case "container.drain":
      return world;
    case "container.restart": {
      const ended = isLive(find(world, action.container)) ? end(world, { name: action.container, exitCode: 0, now }) : world;
      return start(ended, { name: action.container, now, beside: false });
    }
    case "container.stop": {
      const { container: name } = action;
      const { state } = find(world, name);
      return isLive({ state }) ? end(world, { name, exitCode: 0, now, stopped: true }) : edit(world, name, { state }); // and it stays down
    }
    case "container.kill":
      return kill(world, { name: action.container, signal: action.signal, now });
    case "container.hook":
      if (action.when === "post_start" && !isLive(find(world, action.container)))
        throw refused("E_HOOK", `container ${action.container} ended before its post_start hook could run`);
      return world;
    case "container.pause":
      return hold(world, action.container, "paused");
    case "container.unpause":
      return hold(world, action.container, "running");
    case "container.remove":
      return remove(world, action);
    case "container.rename":
      find(world, action.container);
      claimName(world, action.to);
      return edit(world, action.container, { name: action.to });
    case "container.prove":
      return prove(world, action.container);
    case "container.wait":
      return wait(world, { ...action, now });
    case "supervisor.start":
      return { ...world, unattended: false };
  }
}

/** The world in which a container's process has ended: by itself, or because it was told to. */
export function end(
  world: Observed,
  {
    name,
    exitCode,
    now,
    stopped = false,
  }: { readonly name: string; readonly exitCode: number; readonly now: string; readonly stopped?: boolean },
): Observed {
  const networks = find(world, name).networks.map(({ cutOff: _, ...network }) => network);
  return edit(world, name, { state: "exited", beside: false, exitCode, health: null, pid: null, finishedAt: now, stopped, networks });
}

const BEGINNING = "1970-01-01T00:00:00Z";
const LIVE: readonly ContainerState[] = ["running", "paused", "restarting"];
/** Signals that end a program that does not know them, with the exit status that tells of them. */
const DEADLY: ReadonlyMap<string, number> = new Map([
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGQUIT", 131],
  ["SIGKILL", 137],
  ["SIGTERM", 143],
]);

/** The network has its bridge and its rules, and everybody who runs is on it. */
function connect(world: Observed, network: string): Observed {
  if (!world.networks.some(({ name }) => name === network)) throw refused("E_NO_SUCH_NETWORK", `there is no network ${network}`);
  return {
    ...world,
    networks: world.networks.map((one) => (one.name === network ? { ...one, present: true, unfiltered: false } : one)),
    containers: world.containers.map((container) => ({
      ...container,
      networks: container.networks.map(({ cutOff, ...joined }) => (cutOff && joined.name !== network ? { ...joined, cutOff } : joined)),
    })),
  };
}

interface Creation {
  readonly container: string;
  readonly spec: ContainerSpec;
  readonly id: string;
  readonly now: string;
}

function create(world: Observed, { container: name, spec, id, now }: Creation): Observed {
  const { service, project, number, oneOff, hash, attributes, labels } = spec;
  claimName(world, name);
  const image = world.images[contentOf(service)];
  if (image === undefined) throw refused("E_IMAGE_ABSENT", `image ${service.image} is not here`);
  const argv = commandOf(service, image);
  if (argv.length === 0) throw refused("E_NOTHING_TO_RUN", `container ${name} has nothing to run`);
  for (const network of spec.networks)
    if (network.name !== SHARED_BRIDGE && !world.networks.some((candidate) => candidate.name === network.name))
      throw refused("E_NO_SUCH_NETWORK", `there is no network ${network.name}`);
  const volumes = volumesOf(world, { mounts: spec.mounts, image, id });
  const made = volumes.filter((volume) => !world.volumes.some((known) => known.name === volume.name));
  const container: ObservedContainer = {
    id,
    name,
    project,
    service: service.name,
    number,
    oneOff,
    hash,
    attributes,
    spec,
    image: { reference: service.image, id: image.id },
    state: "created",
    exitCode: null,
    health: null,
    afterReboot: false,
    pid: null,
    createdAt: now,
    startedAt: null,
    finishedAt: null,
    argv,
    labels,
    ports: choosePorts(world, service.ports),
    beside: false,
    networks: spec.networks.map(({ name: network, ipv4Address }) => ({ name: network, address: ipv4Address ?? null })),
    volumes,
    mounts: spec.mounts.flatMap((mount) => (mount.type === "volume" ? [] : [mount.type === "tmpfs" ? "tmpfs" : mount.source])),
  };
  return {
    ...found(world, name),
    containers: [...world.containers, container],
    volumes: [...world.volumes, ...made.map((volume) => ({ name: volume.name, project, key: null, labels: {} }))],
  };
}

function start(
  world: Observed,
  { name, now, beside }: { readonly name: string; readonly now: string; readonly beside: boolean },
): Observed {
  const container = find(world, name);
  if (isLive(container)) return world;
  if (!beside) checkPorts(world, container);
  for (const { name: network, address } of container.networks) {
    const holder = world.containers.find(
      (other) => other !== container && isLive(other) && other.networks.some((held) => held.name === network && held.address === address),
    );
    if (address !== null && holder !== undefined)
      throw refused("E_ADDRESS_TAKEN", `address ${address} in network ${network} is taken by container ${holder.name}`);
  }
  // What is well is so as soon as it runs.
  const health = container.attributes?.["healthcheck"] === undefined ? null : "healthy";
  const joined = new Set(container.networks.map((network) => network.name));
  const networks = world.networks.map((network) => (joined.has(network.name) ? { ...network, present: true, unfiltered: false } : network));
  return edit({ ...world, networks }, name, {
    state: "running",
    health,
    pid: 1000 + world.containers.indexOf(container),
    startedAt: now,
    beside,
  });
}

/** All of it or nothing: a port that is taken is found before anything is changed. */
function update(world: Observed, { container: name, spec }: Extract<Action, { kind: "container.update" }>): Observed {
  const container = find(world, name);
  const others = { ...world, containers: world.containers.filter((other) => other !== container) };
  const ports = choosePorts(others, spec.service.ports, container.ports);
  if (isLive(container) && !container.beside) checkPorts(others, { ...container, ports });
  const { hash, attributes, labels } = spec;
  const health = !isLive(container) || attributes["healthcheck"] === undefined ? null : (container.health ?? "healthy");
  const given = container.spec === undefined ? {} : { spec: adjusted(container.spec, spec) };
  return edit(world, name, { hash, attributes, labels, ports, health, ...given });
}

/** The ports change hands at one instant. */
function takeOver(world: Observed, { container: name, from }: Extract<Action, { kind: "container.takeover" }>): Observed {
  const container = find(world, name);
  if (!isLive(container)) throw refused("E_NOT_RUNNING", `container ${name} does not run`);
  if (!container.beside) return world;
  const without = from === null ? world : edit(world, from, { beside: true });
  checkPorts(without, find(without, name));
  return edit(without, name, { beside: false });
}

function checkPorts(world: Observed, container: ObservedContainer): void {
  const { name } = container;
  for (const port of container.ports) {
    const holder = world.containers.find(
      (other) => other !== container && isLive(other) && !other.beside && other.ports.some((held) => clash(held, port)),
    );
    const taken = world.takenPorts.find((held) => clash({ ...held, published: held.port }, port));
    const by = holder === undefined ? taken?.by : `container ${holder.name}`;
    if (by !== undefined) throw refused("E_PORT_TAKEN", `port ${port.published}/${port.protocol} of container ${name} is taken by ${by}`);
  }
}

function kill(world: Observed, { name, signal, now }: { readonly name: string; readonly signal: string; readonly now: string }): Observed {
  if (!isLive(find(world, name))) throw refused("E_NOT_RUNNING", `container ${name} does not run`);
  const exitCode = DEADLY.get(signal);
  return exitCode === undefined ? hold(world, name, "running") : end(world, { name, exitCode, now });
}

/** A container that runs is paused, or one that is paused runs again. */
function hold(world: Observed, name: string, state: "running" | "paused"): Observed {
  const container = find(world, name);
  if (!isLive(container)) throw refused("E_NOT_RUNNING", `container ${name} does not run`);
  return container.state === "restarting" ? world : edit(world, name, { state });
}

function remove(world: Observed, { container: name, volumes, force }: Extract<Action, { kind: "container.remove" }>): Observed {
  if (world.missing?.some((gone) => gone.name === name) === true) return found(world, name);
  const container = find(world, name);
  if (isLive(container) && !force) throw refused("E_STILL_RUNNING", `container ${name} is ${container.state}`);
  const containers = world.containers.filter((other) => other !== container);
  const used = new Set(containers.flatMap((other) => other.volumes.map((volume) => volume.name)));
  const gone = new Set(container.volumes.flatMap((volume) => (volumes && volume.anonymous && !used.has(volume.name) ? [volume.name] : [])));
  return { ...world, containers, volumes: world.volumes.filter((volume) => !gone.has(volume.name)) };
}

/** A container that was missing is so no more: there is one again, or nobody asks for it. */
function found(world: Observed, name: string): Observed {
  return world.missing === undefined ? world : { ...world, missing: world.missing.filter((gone) => gone.name !== name) };
}

function prove(world: Observed, name: string): Observed {
  const { state, exitCode } = find(world, name);
  if (state === "running" || exitCode === 0) return world;
  throw refused("E_NOT_STEADY", `container ${name} is ${state}${exitCode === null ? "" : ` with ${exitCode}`}`);
}

/** Time passes: what runs ends well, or gets healthy. */
function wait(world: Observed, action: Extract<Action, { kind: "container.wait" }> & { readonly now: string }): Observed {
  const { container: name, until, required, now } = action;
  const container = find(world, name);
  if (isLive(container)) return until === "completed" ? end(world, { name, exitCode: 0, now }) : world;
  if (until === "completed" && container.exitCode === 0) return world;
  if (!required) return world;
  if (until === "completed" && container.exitCode !== null)
    throw refused("E_DEPENDENCY_FAILED", `container ${name} ended with ${container.exitCode}, and others wait for it to succeed`);
  throw refused("E_NOT_RUNNING", `container ${name} is ${container.state} and will not be ${until}`);
}

function find(world: Observed, name: string): ObservedContainer {
  const container = world.containers.find((candidate) => candidate.name === name);
  if (container === undefined) throw refused("E_NO_SUCH_CONTAINER", `there is no container ${name}`);
  return container;
}

function edit(world: Observed, name: string, change: Partial<ObservedContainer>): Observed {
  const target = find(world, name);
  const { owed, ...rest } = target; // who does something else with it does what was owed, or it is owed no more
  const edited = { ...rest, ...(owed !== undefined && change.state === undefined && { owed }), ...change };
  return { ...world, containers: world.containers.map((container) => (container === target ? edited : container)) };
}

function claimName(world: Observed, name: string): void {
  const taken = [...world.containers, ...world.foreign].find((holder) => holder.name === name);
  if (taken === undefined) return;
  const by = taken.project === null ? "a container of no project" : `project ${taken.project}`;
  throw refused("E_NAME_TAKEN", `container name ${name} is taken by ${by}`);
}

function isLive({ state }: Pick<ObservedContainer, "state">): boolean {
  return LIVE.includes(state);
}

function commandOf({ entrypoint, command }: Service, image: ObservedImage): readonly string[] {
  if (entrypoint === null && command === null) return image.command;
  return [...(entrypoint ?? []), ...(command ?? [])];
}

/** The volumes that a container gets: those it names, and new anonymous ones for the spec and the image. */
function volumesOf(
  world: Observed,
  { mounts, image, id }: { readonly mounts: readonly Mount[]; readonly image: ObservedImage; readonly id: string },
) {
  const anonymous = new Set(world.containers.flatMap(({ volumes }) => volumes.flatMap((v) => (v.anonymous ? [v.name] : []))));
  const named = mounts.flatMap((mount) =>
    mount.type === "volume" && mount.source !== null ? [{ name: mount.source, target: mount.target }] : [],
  );
  for (const { name } of named)
    if (!world.volumes.some((volume) => volume.name === name)) throw refused("E_VOLUME_MISSING", `there is no volume ${name}`);
  const open = mounts.flatMap((mount) => (mount.type === "volume" && mount.source === null ? [mount.target] : []));
  const covered = new Set(mounts.map(({ target }) => target));
  const fresh = [...open, ...image.volumes.filter((target) => !covered.has(target))];
  return [
    ...named.map((volume) => ({ ...volume, anonymous: anonymous.has(volume.name) })),
    ...fresh.map((target, index) => ({ name: `${id.slice(0, 60)}${String(index).padStart(4, "0")}`, target, anonymous: true })),
  ];
}

function projectOf(labels: Readonly<Record<string, string>>): string | null {
  return labels[LABEL.project] ?? null;
}

/** One more than any so far. */
function nextId({ containers }: Observed): string {
  const highest = containers.reduce((most, { id }) => (BigInt(`0x${id}`) > most ? BigInt(`0x${id}`) : most), 0n);
  return (highest + 1n).toString(16).padStart(64, "0");
}

function anyImage(reference: Reference): ObservedImage {
  return { id: `sha256:${reference}`, digest: null, command: ["/run"], volumes: [] };
}

function refused(code: Code, message: string): Failure {
  return new Failure({ code, message });
}
