/** What the parts of the planner hand to each other while they work on one plan. Nothing of it leaves the planner. */
import type { Action, ActionKind } from "../model/action.ts";
import type { Diagnostic, Source } from "../model/diagnostic.ts";
import type { Observed, ObservedContainer, PublishedPort } from "../model/observed.ts";
import type { Change, ChangeKind, Plan, Step } from "../model/plan.ts";
import type { Project } from "../model/project.ts";
import type { Port, Service } from "../model/service.ts";
import { sourceOf } from "./change.ts";
import { Draft, type Sketch } from "./draft.ts";
import { withDigests } from "./files.ts";
import { beforeStop } from "./hooks.ts";
import type { PlanOptions } from "./plan.ts";

export interface Planning {
  readonly desired: Project;
  readonly observed: Observed;
  readonly options: PlanOptions;
  readonly draft: Draft;
  readonly changes: Change[];
  readonly notices: Diagnostic[];
  readonly problems: Diagnostic[];
  /** Names that steps give to containers. */
  readonly names: NameClaim[];
  /** Fixed host ports that steps open. */
  readonly ports: PortClaim[];
  /** Host ports that containers let go of while they go on. */
  readonly freed: FreedPort[];
  /** Services as their `pre_start` steps' containers have them. */
  readonly preStart: Service[];
  /** Services of which a container is made. */
  readonly made: Set<Service>;
  /** Services of which a container is replaced. */
  readonly replaced: Set<string>;
  /** Services of which a container begins anew, replaced or not. */
  readonly renewed: Set<string>;
  /** Networks that are made anew, by their name in the engine, and why. */
  readonly rewired: Map<string, string>;
  /** Volumes that containers have and that are gone, and why those are restarted. */
  readonly lostVolumes: Map<string, string>;
  /** What each service has in the end. */
  readonly settled: Map<string, readonly Settled[]>;
  /** The replacements of each service, in the order of their turns. */
  readonly replacements: Map<string, readonly Replacement[]>;
  /** Stops that had better wait, so that nothing is down longer than it must. */
  readonly patient: { readonly container: string; readonly until: readonly string[] }[];
}

/** A container that runs and is replaced, or changed in place with those, by the keys of steps. */
export interface Replacement {
  readonly begins: string;
  /** After it the new one stands. */
  readonly proves: string;
  /** No attempt can undo them. */
  readonly seals: readonly string[];
}

export interface NameClaim {
  readonly name: string;
  /** The step that gives it. */
  readonly step: string;
  readonly source: Source | null;
}

export interface PortClaim {
  readonly port: Port;
  /** The container that wants it, by its final name. */
  readonly container: string;
  /** The step that opens it. */
  readonly step: string;
  /** The container that hands it over at that moment, or `null`. */
  readonly from: string | null;
  /** Those whose place it takes, by the names that they have now. */
  readonly olds: readonly string[];
  readonly source: Source | null;
}

export interface FreedPort extends PublishedPort {
  /** The container that has it now. */
  readonly container: string;
  /** The step by which it is free. */
  readonly step: string;
}

/** A container as it is when the plan is done. */
export interface Settled {
  readonly name: string;
  /** Steps after which it goes by this name and runs. */
  readonly after: readonly string[];
  /** It ended well and stays as it is. */
  readonly done: boolean;
}

export function beginPlanning(desired: Project, observed: Observed, options: PlanOptions): Planning {
  return {
    desired: withDigests(desired, observed.secretKey),
    observed,
    options,
    draft: new Draft(),
    changes: [],
    notices: [],
    problems: [],
    names: [],
    ports: [],
    freed: [],
    preStart: [],
    made: new Set(),
    replaced: new Set(),
    renewed: new Set(),
    rewired: new Map(),
    lostVolumes: new Map(),
    settled: new Map(),
    replacements: new Map(),
    patient: [],
  };
}

export function finishPlanning(p: Planning): Plan {
  const steps = p.problems.length === 0 ? p.draft.steps() : [];
  sayConcerns(p, steps);
  return {
    project: p.desired.name,
    steps: p.problems.length === 0 ? steps : [],
    changes: [...p.changes].sort((a, b) => rank(a) - rank(b)),
    confirmations: [],
    notices: once(p.notices),
    problems: once(p.problems),
  };
}

/** What the machine cannot do for what is begun. */
function sayConcerns({ desired, observed, notices, problems }: Planning, steps: readonly Step[]): void {
  const begun = new Set(steps.flatMap(({ action, service }) => (BEGINS.has(action.kind) ? [service] : [])));
  for (const { service, attribute, ...diagnostic } of observed.concerns) {
    if (!begun.has(service)) continue;
    const said = diagnostic.code.startsWith("E_") ? problems : notices;
    said.push({ ...diagnostic, ...placed(sourceOf(desired, `services.${service}.${attribute}`)) });
  }
}

const BEGINS: ReadonlySet<ActionKind> = new Set(["container.create", "container.update", "container.start", "container.restart"]);

/** What containers stand on is read before them. */
function rank({ address }: Change): number {
  return READING_ORDER.findIndex((kind) => address.startsWith(`${kind}/`));
}

const READING_ORDER = ["image", "network", "volume", "container", "supervisor"];

/** Several replicas say the same. */
function once(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...new Map(diagnostics.map((diagnostic) => [`${diagnostic.code} ${diagnostic.message}`, diagnostic])).values()];
}

/** The key of the step that does this to that. */
export const stepKey = (kind: ActionKind, subject: string): string => `${kind} ${subject}`;

/** The milestone at which a service can be built upon. */
export const readyKey = (service: string): string => `ready ${service}`;

/** Whether a container has live processes. */
export function isUp(container: ObservedContainer): boolean {
  return container.state === "running" || container.state === "paused" || container.state === "restarting";
}

/** The one of several that stand in one place to whom those come who ask for the service. */
export function servingOf(containers: readonly ObservedContainer[]): ObservedContainer | null {
  return containers.find((container) => isUp(container) && !container.beside) ?? null;
}

export function changed(
  p: Planning,
  kind: ChangeKind,
  about: Omit<Change, "kind" | "attributes" | "drift"> & Partial<Pick<Change, "attributes">>,
): void {
  p.changes.push({ kind, attributes: [], drift: about.reason.startsWith(DRIFT), ...about });
}

/** The reason for putting right what nobody asked wharf for. */
export const drifted = (what: string): string => `${DRIFT}${what}`;

const DRIFT = "drift: ";

/** The grace period of a stop: as the command says, else as the spec says, else (`null`) as the container was made with. */
export function graceOf(p: Planning, service: string | null): number | null {
  return p.options.stopGraceMs ?? p.desired.services.find(({ name }) => name === service)?.stopGraceMs ?? null;
}

/** A step's part in an attempt, absent where there is none. */
export function undone(attempt: string | null, undo: Action | null): Pick<Sketch, "attempt"> {
  return attempt === null ? {} : { attempt: { name: attempt, undo } };
}

/** Steps that take a container away, the stop included. Gives the key of the last one. */
export function takeAway(
  p: Planning,
  container: ObservedContainer,
  how: {
    readonly reason: string;
    readonly after?: readonly string[];
    readonly stopAfter?: readonly string[];
    readonly volumes?: boolean;
    /** Leave those who are connected to it the grace period to end by themselves. */
    readonly drained?: boolean;
    /** The attempt that the stop belongs to. */
    readonly attempt?: string | null;
  },
): string {
  const { reason, attempt = null } = how;
  const { name, service } = container;
  const stop = stepKey("container.stop", name);
  if (isUp(container)) {
    const graceMs = graceOf(p, service);
    const drain = stepKey("container.drain", name);
    if (how.drained === true)
      p.draft.step(drain, { action: { kind: "container.drain", container: name, graceMs }, reason, service, after: how.stopAfter ?? [] });
    const after = beforeStop(p, container, { reason, after: how.drained === true ? [drain] : (how.stopAfter ?? []) });
    p.draft.step(stop, {
      action: { kind: "container.stop", container: name, graceMs },
      reason,
      service,
      after,
      ...undone(attempt, { kind: "container.start", container: name }),
    });
  }
  return p.draft.step(stepKey("container.remove", name), {
    action: { kind: "container.remove", container: name, volumes: how.volumes ?? false, force: false },
    reason,
    service,
    after: [stop, ...(how.after ?? [])],
  });
}

/** `source` for a diagnostic, absent where there is none. */
export function placed(source: Source | null): { readonly source?: Source } {
  return source === null ? {} : { source };
}
