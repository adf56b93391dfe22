import { Failure } from "../model/diagnostic.ts";
import type { ObservedContainer } from "../model/observed.ts";
import type { Project } from "../model/project.ts";
import { suggestion } from "../model/suggest.ts";
import { observedProject } from "./observed-project.ts";
import type { Session } from "./session.ts";

/** A project with the names in it that a command is about; `null`: all of it. */
export interface Target {
  readonly project: Project;
  readonly names: readonly string[] | null;
}

/**
 * The projects that names of services or containers belong to. Within a project's directory (or with `-p`, `-f`) that is this project; elsewhere
 * each name is a container's, of whatever project.
 */
export async function targets(session: Session, names: readonly string[]): Promise<readonly Target[]> {
  try {
    return [{ project: await session.project(), names: names.length === 0 ? null : names }];
  } catch (error) {
    if (!session.lacksSpec(error) || names.length === 0) throw error;
  }
  const all = await session.containers(null);
  const found = new Map<string, string[]>();
  for (const name of names) {
    const { project } = byName(all, name);
    if (project === null) throw unknown(name, all);
    found.set(project, [...(found.get(project) ?? []), name]);
  }
  return [...found].map(([project, inIt]) => ({
    project: observedProject(
      project,
      all.filter((c) => c.project === project),
      session.settings.cwd,
    ),
    names: inIt,
  }));
}

/** The containers that names mean, services' replicas in their order; no names: all. One-offs come along only when they are named. */
export async function containersOf(session: Session, names: readonly string[]): Promise<readonly ObservedContainer[]> {
  const chosen: ObservedContainer[] = [];
  for (const target of await targets(session, names)) {
    const containers = await session.containers(target.project.name);
    if (target.names === null) chosen.push(...containers.filter((c) => !c.oneOff));
    else for (const name of target.names) chosen.push(...ofName(containers, name, target.project));
  }
  return [...new Map(sorted(chosen).map((container) => [container.id, container])).values()];
}

/** The one container that a name means: a service's replica number `index` (its first without one), or a container by its name. */
export async function containerOf(session: Session, name: string, index: number | null): Promise<ObservedContainer> {
  const replicas = await containersOf(session, [name]);
  const candidates = replicas.length > 0 || index !== null ? replicas : await oneOffsOf(session, name, { running: true });
  const [first] = candidates;
  const found = index === null ? (candidates.find((c) => c.state === "running") ?? first) : candidates.find((c) => c.number === index);
  if (found !== undefined) return found;
  const message = index === null ? `service ${name} has no container` : `service "${name}" is not running container #${index}`;
  throw new Failure({ code: "E_NO_SUCH_CONTAINER", message, hint: `wharf up -d ${name} makes what the spec describes` });
}

/** The one-off containers of a service. */
export async function oneOffsOf(
  session: Session,
  service: string,
  { running }: { readonly running: boolean },
): Promise<readonly ObservedContainer[]> {
  const containers = await session.containers((await session.project()).name);
  return containers.filter((c) => c.oneOff && c.service === service && (!running || c.state === "running"));
}

/** In the order of projects, services and replica numbers, one-offs last. */
export function sorted(containers: readonly ObservedContainer[]): readonly ObservedContainer[] {
  const key = (c: ObservedContainer): string =>
    [c.project ?? "", c.service ?? "", c.oneOff ? "1" : "0", String(c.number).padStart(8, "0"), c.name].join("\0");
  return containers
    .map((container) => ({ container, key: key(container) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ container }) => container);
}

/** A service's containers, or the one with this name. */
function ofName(containers: readonly ObservedContainer[], name: string, project: Project): readonly ObservedContainer[] {
  const replicas = containers.filter((c) => c.service === name && !c.oneOff);
  if (replicas.length > 0 || project.services.some((service) => service.name === name)) return replicas;
  return [byName(containers, name, project)];
}

/** By name, by id or by the beginning of an id (from 12 digits, as listings show it). */
function byName(containers: readonly ObservedContainer[], name: string, project?: Project): ObservedContainer {
  const found = containers.find((c) => c.name === name) ?? (ID.test(name) ? containers.find((c) => c.id.startsWith(name)) : undefined);
  if (found === undefined) throw unknown(name, containers, project);
  return found;
}

const ID = /^[0-9a-f]{12,64}$/;

function unknown(name: string, containers: readonly ObservedContainer[], project?: Project): Failure {
  const services = project?.services.map((service) => service.name) ?? [];
  return new Failure({
    code: "E_NO_SUCH_CONTAINER",
    message:
      project === undefined
        ? `no container is named ${name}`
        : `no such service: ${name} (project ${project.name} has no container of that name either)`,
    ...suggestion(
      name,
      [...services, ...containers.map((c) => c.name)],
      services.length > 0 ? `its services are ${services.join(", ")}` : "wharf ls -a lists all projects",
    ),
  });
}
