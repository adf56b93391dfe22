import type { Diagnostic } from "../model/diagnostic.ts";
import { suggestion } from "../model/suggest.ts";
import type { Context, Draft } from "./draft.ts";
import { child, entriesOf, entry, type Place, sourceOf } from "./node.ts";
import { type LongPort, portModel } from "./service/ports.ts";
import type { ReadService } from "./service/service.ts";
import { listing, quote, visible } from "./words.ts";

/** Checks what services say of each other and of the project. */
export function check(draft: Draft, context: Context): Draft {
  checkDependencies(draft, context);
  checkCycles(draft, context);
  checkVolumes(draft, context);
  checkContainerNames(draft, context);
  checkPorts(draft, context);
  return draft;
}

/** Names listed in a hint at most. */
const MOST_LISTED = 12;

function checkDependencies({ services, project }: Draft, { report }: Context): void {
  const names = new Set(services.map(({ name }) => name));
  const disabled = new Set(project.disabled);
  const known = `the services are ${listing([...names].slice(0, MOST_LISTED), "and")}`;
  for (const { name, dependencies } of services)
    for (const { service: wanted, required, place } of dependencies) {
      if (names.has(wanted) || !required) continue;
      const off = disabled.has(wanted);
      report.add({
        code: "E_UNKNOWN_SERVICE",
        message: `service ${quote(name)} depends on ${quote(wanted)}, ${off ? "which no active profile has" : "and there is no such service"}`,
        ...(off ? { hint: "activate one of its profiles with --profile, or say `required: false`" } : suggestion(wanted, names, known)),
        source: sourceOf(place),
      });
    }
}

/** Draws cycles of `depends_on`; those that share a service with a drawn one are left for the next time. */
function checkCycles({ services }: Draft, { report }: Context): void {
  const open = new Map(services.map((service) => [service.name, service]));
  for (;;) {
    prune(open);
    const cycle = findCycle(open);
    if (cycle.length === 0) return;
    const places = cycle.map((service, index) => edge(service, cycle[(index + 1) % cycle.length]));
    report.add({
      code: "E_DEPENDENCY_CYCLE",
      message: `services depend on each other in a circle: ${drawn(cycle)}`,
      hint: "take one of these dependencies out",
      ...(places[0] === undefined ? {} : { source: sourceOf(places[0]) }),
      related: places
        .slice(1, MOST_LISTED)
        .flatMap((place) => (place === undefined ? [] : [{ source: sourceOf(place), message: "and here" }])),
    });
    for (const { name } of cycle) open.delete(name);
  }
}

/** `a -> b -> a`; of a very long circle the beginning and the end. */
function drawn(cycle: readonly ReadService[]): string {
  const names = [...cycle, ...cycle.slice(0, 1)].map(({ name }) => name);
  const shown = names.length > MOST_LISTED ? [...names.slice(0, MOST_LISTED - 3), "…", ...names.slice(-2)] : names;
  return shown.map((name) => visible(name)).join(" -> ");
}

/** Takes out services, one by one, whose dependencies are all out. What stays is in a circle or waits for one. */
function prune(open: Map<string, ReadService>): void {
  const waiting = new Map<string, string[]>();
  const left = new Map<string, number>();
  for (const [name, { dependencies }] of open) {
    const inside = dependencies.filter(({ service }) => open.has(service));
    left.set(name, inside.length);
    for (const { service } of inside) {
      const dependents = waiting.get(service) ?? [];
      dependents.push(name);
      waiting.set(service, dependents);
    }
  }
  const free = [...left].filter(([, count]) => count === 0).map(([name]) => name);
  for (let name = free.pop(); name !== undefined; name = free.pop()) {
    open.delete(name);
    for (const dependent of waiting.get(name) ?? []) {
      const count = (left.get(dependent) ?? 0) - 1;
      left.set(dependent, count);
      if (count === 0) free.push(dependent);
    }
  }
}

function findCycle(open: ReadonlyMap<string, ReadService>): readonly ReadService[] {
  const path: ReadService[] = [];
  const seen = new Map<string, number>();
  let [next] = open.values();
  while (next !== undefined) {
    const before = seen.get(next.name);
    if (before !== undefined) return path.slice(before);
    seen.set(next.name, path.length);
    path.push(next);
    next = next.dependencies.map(({ service }) => open.get(service)).find((service) => service !== undefined);
  }
  return [];
}

function edge(from: ReadService, to: ReadService | undefined): Place | undefined {
  return from.dependencies.find(({ service }) => service === to?.name)?.place;
}

function checkVolumes({ tree, services }: Draft, { report }: Context): void {
  const declared = new Set(Array.from(entriesOf(child(tree, "volumes")), ([key]) => key));
  for (const { name, mounts } of services)
    for (const { mount, sourcePlace } of mounts) {
      if (mount.type !== "volume" || mount.source === null || declared.has(mount.source)) continue;
      report.add({
        code: "E_UNKNOWN_VOLUME",
        message: `service ${quote(name)} mounts the volume ${quote(mount.source)}, which the file does not declare`,
        ...suggestion(
          mount.source,
          declared,
          `add \`${mount.source}:\` under the top-level \`volumes:\`, or write \`./${mount.source}\` for a directory of the host`,
        ),
        source: sourceOf(sourcePlace),
      });
    }
}

function checkContainerNames({ services }: Draft, { report }: Context): void {
  const taken = new Map<string, { readonly service: string; readonly place: Place }>();
  for (const { name: service, rest, entry: at } of services) {
    const given = entry(at.value, "container_name");
    const name = rest.containerName;
    if (given === undefined || name === null) continue;
    const { place } = given.value;
    const other = taken.get(name);
    if (other !== undefined)
      report.add({
        code: "E_CONTAINER_NAME",
        message: `services ${quote(other.service)} and ${quote(service)} both want the container name ${quote(name)}`,
        hint: "container names are unique: change one of them, or leave it out",
        source: sourceOf(place),
        related: [{ source: sourceOf(other.place), message: "first wanted here" }],
      });
    if (rest.scale > 1)
      report.add({
        code: "E_CONTAINER_NAME",
        message: `service ${quote(service)} has the one container name ${quote(name)} for ${rest.scale} containers`,
        hint: `leave \`${given.spelled}\` out, or run one container`,
        source: sourceOf(place),
      });
    taken.set(name, other ?? { service, place });
  }
}

interface Claim {
  readonly service: string;
  readonly port: LongPort;
  readonly host: string;
}

/** Two containers cannot listen on one port of one address. Ranges are left to the engine, which picks what is free. */
function checkPorts({ services }: Draft, { report }: Context): void {
  const claims = new Map<string, Claim[]>();
  for (const { name: service, ports, rest } of services)
    for (const port of ports) {
      const { published, host, protocol } = portModel(port);
      if (published === null || rest.scale === 0) continue;
      const free = published.to - published.from + 1;
      if (free < rest.scale)
        report.add({
          code: "E_PORT_CONFLICT",
          message: `service ${quote(service)} runs ${rest.scale} containers and has ${free === 1 ? "one host port" : `${free} host ports`} for them: ${port.published}`,
          hint: `publish a range of ports, such as ${published.from}-${published.from + rest.scale - 1}:${port.target}, or leave the host port out`,
          source: sourceOf(port.place),
        });
      if (free > 1) continue;
      const key = `${protocol}/${published.from}`;
      const others = claims.get(key) ?? [];
      const other = others.find((claim) => overlap(claim.host, host));
      if (other !== undefined) report.add(conflict({ service, port, host }, { key: `${published.from}/${protocol}`, other }));
      others.push({ service, port, host });
      claims.set(key, others);
    }
}

function conflict({ service, port }: Claim, { key, other }: { readonly key: string; readonly other: Claim }): Diagnostic {
  const who =
    other.service === service
      ? `service ${quote(service)} publishes`
      : `services ${quote(other.service)} and ${quote(service)} both publish`;
  return {
    code: "E_PORT_CONFLICT",
    message: `${who} the host port ${key}${other.service === service ? " twice" : ""}`,
    hint: "give one of them another host port",
    source: sourceOf(port.place),
    related: [{ source: sourceOf(other.port.place), message: "first published here" }],
  };
}

/** Whether two addresses to listen on collide: the same, or one of them stands for all of its family. */
function overlap(a: string, b: string): boolean {
  if (a.includes(":") !== b.includes(":")) return false;
  return a === b || [a, b].some((host) => host === "0.0.0.0" || host === "::");
}
