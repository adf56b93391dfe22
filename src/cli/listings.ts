import { Failure } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import { LABEL } from "../model/labels.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { table } from "../ui/table.ts";
import { containerOf, containersOf, sorted, targets } from "./selection.ts";
import type { Session } from "./session.ts";
import { down } from "./up.ts";

/** Lists all projects of the engine. */
export async function ls(
  session: Session,
  options: { readonly all: boolean; readonly quiet: boolean; readonly format: string; readonly filters: readonly string[] },
): Promise<number> {
  const named = options.filters.map(nameFilter);
  const projects = new Map<string, ObservedContainer[]>();
  for (const container of sorted(await session.containers(null))) {
    if (container.project !== null && !container.oneOff) {
      projects.set(container.project, [...(projects.get(container.project) ?? []), container]);
    }
  }
  const shown = [...projects].filter(
    ([name, containers]) =>
      (named.length === 0 || named.some((pattern) => pattern.test(name))) &&
      (options.all || containers.some(({ state }) => state === "running" || state === "paused" || state === "restarting")),
  );
  const entries = shown.map(([name, containers]) => ({
    Name: name,
    Status: countStates(containers),
    ConfigFiles: containers[0]?.labels[LABEL.files] ?? "",
  }));
  if (options.quiet) for (const { Name } of entries) session.out.line(Name);
  else if (options.format === "json") session.out.line(JSON.stringify(entries));
  else {
    const rows = entries.map(({ Name, Status, ConfigFiles }) => [Name, Status, ConfigFiles]);
    const columns = [{ title: "NAME" }, { title: "STATUS" }, { title: "CONFIG FILES", shrinkTo: 12 }];
    for (const line of table(columns, rows, { width: session.out.columns })) session.out.line(line);
  }
  return 0;
}

/** `name=PATTERN`, as Docker takes it: anywhere in the name. */
function nameFilter(filter: string): RegExp {
  const [, pattern] = /^name=(.+)$/.exec(filter) ?? [];
  try {
    if (pattern !== undefined) return new RegExp(pattern);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Failure({ code: "E_USAGE", message: `--filter ${filter}: only name=PATTERN is known`, hint: "such as name=^shop" });
}

export interface PortOptions {
  readonly service: string;
  /** A number, with a protocol behind a slash that goes before the other one. */
  readonly port: string;
  readonly protocol: string;
  readonly index: number | null;
}

/** Prints where a container's port is published. */
export async function port(session: Session, { service, port: text, protocol: usual, index }: PortOptions): Promise<number> {
  const [, digits, given] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  if (digits === undefined) throw new Failure({ code: "E_USAGE", message: `${text} is no port`, hint: "such as 80, or 53/udp" });
  const target = Number(digits);
  const protocol = given ?? usual;
  const container = await containerOf(session, service, index);
  const published = container.ports.filter((p) => p.target === target && p.protocol === protocol);
  if (published.length === 0) {
    throw new Failure({
      code: "E_NOT_PUBLISHED",
      message: `${container.name} does not publish port ${target}/${protocol}`,
      hint:
        container.ports.length === 0
          ? "it publishes none"
          : `it publishes ${[...new Set(container.ports.map((p) => `${p.target}/${p.protocol}`))].join(", ")}`,
    });
  }
  for (const { host, published: number } of published) session.out.line(`${host.includes(":") ? `[${host}]` : host}:${number}`);
  return 0;
}

/**
 * Waits until the named services' containers ended, prints each exit status, and gives the last one. With `down` the first end is enough, and the
 * project goes with it.
 */
export async function wait(session: Session, names: readonly string[], options: { readonly down: boolean }): Promise<number> {
  const engine = await session.engine();
  const containers = await containersOf(session, names);
  if (containers.length === 0)
    throw new Failure({
      code: "E_NO_SUCH_CONTAINER",
      message: `there is no container to wait for: ${names.join(", ")}`,
      hint: "`wharf ps -a` shows those there are",
    });
  const waits = containers.map(({ id }) => engine.wait(id, session.signal));
  if (options.down) {
    const status = await Promise.race(waits);
    session.out.line(String(status));
    const removed = await down(session, { services: [], volumes: false, timeout: undefined, images: false });
    await Promise.allSettled(waits); // they end with their containers
    return status === 0 ? removed : status;
  }
  const statuses = await Promise.all(waits);
  for (const status of statuses) session.out.line(String(status));
  return statuses.at(-1) ?? 0;
}

/** Prints Docker's inspect documents of containers, or of images where no container has the name, as one JSON list. */
export async function inspect(session: Session, names: readonly string[]): Promise<number> {
  const documents: Json[] = [];
  for (const name of names) documents.push(...(await inspectOne(session, name)));
  session.out.line(JSON.stringify(documents, null, 2));
  return 0;
}

async function inspectOne(session: Session, name: string): Promise<readonly Json[]> {
  const engine = await session.engine();
  const containers = await session.containers(null);
  const exact = containers.find((c) => c.name === name || c.id === name || (/^[0-9a-f]{12,}$/.test(name) && c.id.startsWith(name)));
  if (exact !== undefined) return [await engine.inspect(exact.id, session.signal)];
  const replicas = await replicasOf(session, name);
  if (replicas.length > 0) return Promise.all(replicas.map(({ id }) => engine.inspect(id, session.signal)));
  const image = await engine.images.inspect(name, session.signal);
  if (image !== null) return [image];
  throw new Failure({
    code: "E_NO_SUCH_OBJECT",
    message: `there is no container and no image named ${name}`,
    hint: "wharf ps -a and wharf image ls list them",
  });
}

/** The containers of a service of this directory's project; none where there is no project. */
async function replicasOf(session: Session, service: string): Promise<readonly ObservedContainer[]> {
  try {
    const found = await Promise.all((await targets(session, [])).map(({ project }) => session.containers(project.name)));
    return sorted(found.flat().filter((container) => container.service === service && !container.oneOff));
  } catch (error) {
    if (session.lacksSpec(error)) return [];
    throw error;
  }
}

/** `running(2), exited(1)` */
function countStates(containers: readonly ObservedContainer[]): string {
  const counts = new Map<string, number>();
  for (const { state } of containers) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts]
    .sort()
    .map(([state, count]) => `${state}(${count})`)
    .join(", ");
}
