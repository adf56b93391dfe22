import { oneOffName } from "../model/names.ts";
import type { Observed } from "../model/observed.ts";
import type { Plan } from "../model/plan.ts";
import type { Project } from "../model/project.ts";
import { NO_RESTART, type Service } from "../model/service.ts";
import { sourceOf } from "./change.ts";
import { contentsOf, withDigestsOf } from "./files.ts";
import { gatesOf } from "./gates.ts";
import { containerSpec, groundwork, patternOf } from "./making.ts";
import { findRewired } from "./networks.ts";
import { DEFAULTS, type PlanOptions } from "./plan.ts";
import { beginPlanning, changed, finishPlanning, stepKey } from "./planning.ts";
import { planGround, planServices, selectServices } from "./services.ts";
import { refuseMissingLenders } from "./sharing.ts";
import { planOrphans } from "./teardown.ts";

export interface OneOff {
  /** The service with all that the caller overrides already in it. */
  readonly service: Service;
  /** A short random hex text for its name. */
  readonly slug: string;
  /** A name of the caller's choice instead. */
  readonly name: string | null;
  /** Bring up what it depends on first. */
  readonly dependencies: boolean;
  /** What of those is replaced. */
  readonly recreate: PlanOptions["recreate"];
  /** Publish the service's ports; otherwise it has none. */
  readonly ports: boolean;
  /** Answer to the service's names on its networks too. */
  readonly useAliases: boolean;
  /** It goes when it has ended, whoever is there to see that. */
  readonly autoRemove: boolean;
  readonly removeOrphans: boolean;
  /** Say nothing of those that stay. */
  readonly ignoreOrphans: boolean;
  readonly pull: PlanOptions["pull"];
  readonly healthchecks: boolean;
}

/** A plan whose last step makes the container of a `run`, called `oneOffContainer(…)`. It is not started: the caller does, attached or not. */
export function planOneOff(project: Project, observed: Observed, options: OneOff): Plan {
  const { recreate, pull, healthchecks, removeOrphans, ignoreOrphans, useAliases, autoRemove } = options;
  const service: Service = {
    ...options.service,
    containerName: null,
    ports: options.ports ? options.service.ports : [],
    restart: NO_RESTART,
    scale: 1,
  };
  const dependencies = options.dependencies ? service.dependsOn.map((d) => d.service) : [];
  const present = dependencies.filter((name) => project.services.some((candidate) => candidate.name === name));
  const p = beginPlanning(project, observed, {
    ...DEFAULTS,
    services: present,
    recreate,
    pull,
    healthchecks,
    removeOrphans,
    ignoreOrphans,
  });
  const services = selectServices(p);
  findRewired(p, [...services, service]);
  planServices(p, services);
  planOrphans(p);
  refuseMissingLenders(p, [service], new Set(services.map(({ name }) => name)));
  const pattern = patternOf(p.desired, withDigestsOf(p.desired, { service, key: observed.secretKey }));
  const gates = gatesOf(p, service, "wait");
  const container = oneOffContainer(project, options);
  const reason = "run once";
  const step = p.draft.step(stepKey("container.create", container), {
    action: {
      kind: "container.create",
      container,
      spec: containerSpec(p, pattern, { name: container, number: 0, oneOff: true, old: null, useAliases, autoRemove }),
      ...contentsOf(p.desired, service),
    },
    reason,
    service: service.name,
    after: [...groundwork(p, pattern), ...gates.after],
    afterAnyway: gates.afterAnyway,
  });
  p.made.add(service);
  const source = sourceOf(project, `services.${service.name}`);
  p.names.push({ name: container, step, source });
  for (const port of service.ports) p.ports.push({ port, container, step, from: null, olds: [], source });
  changed(p, "create", { address: `container/${container}`, reason });
  planGround(p, [...services, service]);
  return finishPlanning(p);
}

/** The name of the container of a `run`. */
export function oneOffContainer(project: Project, { service, slug, name }: Pick<OneOff, "service" | "slug" | "name">): string {
  return name ?? oneOffName(project, service.name, slug);
}
