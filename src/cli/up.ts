import { stopwatch } from "../lib/clock.ts";
import { Failure } from "../model/diagnostic.ts";
import { nothing, type Project } from "../model/project.ts";
import { suggestion } from "../model/suggest.ts";
import { DEFAULTS, type PlanOptions } from "../plan/plan.ts";
import { reconcile } from "../reconcile/reconcile.ts";
import type { Loaded } from "../spec/load.ts";
import { type AttachChoice, attach } from "./attach.ts";
import { removeProjectImages } from "./images.ts";
import { refuseJobs, refuseSchedules } from "./jobs.ts";
import { locked } from "./lock-file.ts";
import { conclude, outcomeOf } from "./outcome.ts";
import type { Session } from "./session.ts";
import { isTrue } from "./settings.ts";
import type { Patience } from "./wait-well.ts";

/** What of the project a plan is about and how far it may go, as the flags of `up`, `create` and `plan` say it. */
export interface Selection {
  readonly services: readonly string[];
  readonly recreate: "changed" | "always" | "never";
  /** Replace what the services named depend on, whether it changed or not. */
  readonly recreateDependencies: boolean;
  readonly dependencies: boolean;
  readonly start: boolean;
  readonly removeOrphans: boolean;
  readonly renewAnonymousVolumes: boolean;
  readonly pull: string | undefined;
  /** Keep to the lock file. */
  readonly locked: boolean;
  /** Put back what ran when its replacement does not make it. */
  readonly rollback: boolean;
  /** `service=count` each. */
  readonly scale: readonly string[];
  /** Seconds. */
  readonly timeout: number | undefined;
}

/** What `up` without flags does. */
export const EVERYTHING: Selection = {
  services: [],
  recreate: "changed",
  recreateDependencies: false,
  dependencies: true,
  start: true,
  removeOrphans: false,
  renewAnonymousVolumes: false,
  pull: undefined,
  locked: false,
  rollback: true,
  scale: [],
  timeout: undefined,
};

export interface UpOptions extends Selection {
  readonly assumeYes: boolean;
  readonly quietPull: boolean;
  /** `null`: leave the containers to themselves. */
  readonly attach: AttachChoice | null;
  readonly patience?: Patience;
}

/** Makes what runs equal to the spec, and stays with it unless told otherwise. */
export async function up(session: Session, options: UpOptions): Promise<number> {
  const began = stopwatch();
  const since = Date.now();
  const { project, variables } = await wanted(session, options);
  refuseUnknown(project, namedBy(options.attach)); // before anything is begun
  const world = await session.world({ assumeYes: options.assumeYes, quietTransfers: options.quietPull, patience: options.patience });
  const result = await reconcile(world, project, planOptions(session, options, variables));
  const status = await conclude(session, outcomeOf(result), began);
  if (status !== 0 || options.attach === null || result.rehearsed === true) return status;
  return attach(session, project, { ...options.attach, since, names: options.services.length === 0 ? null : options.services });
}

/** The services that flags about attaching name. */
export function namedBy(attach: AttachChoice | null): readonly string[] {
  if (attach === null) return [];
  const { only, except, exitCodeFrom } = attach;
  return [...only, ...except, ...(exitCodeFrom === null ? [] : [exitCodeFrom])];
}

/** The project to make true: as its files say or, with `locked`, with its images pinned by the lock file. */
export async function wanted(session: Session, { services, locked: isLocked }: Selection): Promise<Pick<Loaded, "project" | "variables">> {
  session.naming(services);
  const { project, variables } = await session.load();
  refuseJobs(project, services);
  refuseSchedules(project);
  return { project: isLocked ? await locked(project) : project, variables };
}

/** `up` for the services in `service=count` texts, with those numbers. */
export async function scale(session: Session, counts: readonly string[], options: { readonly dependencies: boolean }): Promise<number> {
  return up(session, {
    ...EVERYTHING,
    services: counts.map((count) => parseScale(count)[0]),
    scale: counts,
    dependencies: options.dependencies,
    assumeYes: false,
    quietPull: false,
    attach: null,
  });
}

export interface DownOptions {
  readonly services: readonly string[];
  readonly volumes: boolean;
  /** Seconds. */
  readonly timeout: number | undefined;
  /** Remove the images that the services use. */
  readonly images: boolean;
}

/** The same way towards nothing. */
export async function down(session: Session, options: DownOptions): Promise<number> {
  const began = stopwatch();
  const project = await session.project();
  const services = options.services.length === 0 ? null : options.services;
  refuseJobs(project, options.services);
  if (services !== null) refuseUnknown(project, services);
  const containers = options.images ? await session.containers(project.name) : [];
  const result = await reconcile(await session.world({ assumeYes: true }), nothing(project.name, project.directory, project), {
    ...DEFAULTS,
    services,
    removeOrphans: true,
    removeVolumes: options.volumes,
    preStop: Object.fromEntries(project.services.map(({ name, preStop }) => [name, preStop])),
    stopGraceMs: graceMs(options.timeout),
  });
  const isEmpty = result.outcome === "converged" && result.plan.changes.every(({ kind }) => kind === "unchanged");
  const outcome = outcomeOf(result);
  const said = isEmpty ? { ...outcome, text: `No resource found to remove for project "${project.name}"; ${outcome.text}` } : outcome;
  const status = await conclude(session, said, began);
  if (status !== 0 || !options.images || result.rehearsed === true) return status;
  return removeProjectImages(session, [...project.services.map(({ image }) => image), ...containers.map(({ image }) => image.reference)]);
}

/** The planner's options for a selection. Throws `Failure` for values that mean nothing. */
export function planOptions(session: Session, selection: Selection, variables: ReadonlyMap<string, string> = NO_VARIABLES): PlanOptions {
  return {
    ...DEFAULTS,
    recreate: selection.recreate,
    recreateDependencies: selection.recreateDependencies,
    services: selection.services.length === 0 ? null : selection.services,
    dependencies: selection.dependencies,
    start: selection.start,
    // The project's own `.env` may ask for it, too.
    removeOrphans: selection.removeOrphans || session.settings.removeOrphans || isTrue(variables.get("COMPOSE_REMOVE_ORPHANS")),
    ignoreOrphans: session.settings.ignoreOrphans || isTrue(variables.get("COMPOSE_IGNORE_ORPHANS")),
    allResources: session.settings.allResources,
    renewAnonymousVolumes: selection.renewAnonymousVolumes,
    pull: pullPolicy(selection.pull),
    rollback: selection.rollback,
    stopGraceMs: graceMs(selection.timeout),
    scale: Object.fromEntries(selection.scale.map(parseScale)),
  };
}

const NO_VARIABLES: ReadonlyMap<string, string> = new Map();

/** Milliseconds of a `--timeout` in seconds. */
export function graceMs(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Math.max(0, seconds) * 1000;
}

/** Throws for the first name that is no service of the project. */
export function refuseUnknown(project: Project, services: readonly string[]): void {
  const names = project.services.map(({ name }) => name);
  for (const service of services) {
    if (names.includes(service)) continue;
    const disabled = project.disabled.includes(service);
    throw new Failure({
      code: "E_NO_SUCH_SERVICE",
      message: disabled
        ? `service ${service} is left out by the active profiles`
        : `no such service: ${service} (in project ${project.name})`,
      ...(disabled ? { hint: "switch its profile on with --profile" } : suggestion(service, names, `its services are ${names.join(", ")}`)),
    });
  }
}

/** The policy that `--pull` asks for; `null`: each service's own. */
export function pullPolicy(policy: string | undefined): PlanOptions["pull"] {
  switch (policy) {
    case undefined:
    case "policy":
      return null;
    case "always":
    case "missing":
    case "never":
      return policy;
    case "if_not_present":
      return "missing";
    default:
      throw new Failure({ code: "E_USAGE", message: `--pull ${policy}: give always, missing, never or policy` });
  }
}

function parseScale(text: string): readonly [string, number] {
  const [, service, count] = /^([^=]+)=(\d{1,5})$/.exec(text) ?? [];
  if (service === undefined) throw new Failure({ code: "E_USAGE", message: `--scale ${text}: give SERVICE=COUNT, such as web=3` });
  return [service, Number(count)];
}
