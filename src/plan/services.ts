/** What the spec's services need, taken together. */
import type { Service } from "../model/service.ts";
import { suggestion } from "../model/suggest.ts";
import { planConflicts } from "./conflicts.ts";
import { planService, restartDependents } from "./containers.ts";
import { planFiles } from "./files.ts";
import { checkHealthchecks } from "./health.ts";
import { planImages, planMountedImages } from "./images.ts";
import { planNetworks } from "./networks.ts";
import { inOrder, withDependencies } from "./order.ts";
import type { Planning } from "./planning.ts";
import { refuseMissingLenders } from "./sharing.ts";
import { planVolumes } from "./volumes.ts";

/** The services that the options ask for, dependencies first. */
export function selectServices(p: Planning): readonly Service[] {
  const { services, dependencies, scale } = p.options;
  for (const name of new Set([...(services ?? []), ...Object.keys(scale)])) checkName(p, name);
  const ordered = inOrder(p.desired.services);
  if (services === null) return ordered;
  const names = dependencies ? withDependencies(ordered, services) : new Set(services);
  return ordered.filter(({ name }) => names.has(name));
}

/** The containers of these services, dependencies first. */
export function planServices(p: Planning, services: readonly Service[]): void {
  const running = services.filter(({ name, scale }) => (p.options.scale[name] ?? scale) > 0);
  refuseMissingLenders(p, running, new Set(services.map(({ name }) => name)));
  for (const service of services) planService(p, service);
  restartDependents(p);
}

/** What containers stand on: images, networks, volumes; and whether names and ports are free for them. All containers are planned by now. */
export function planGround(p: Planning, services: readonly Service[]): void {
  const used = services.filter(({ name, scale }) => (p.options.scale[name] ?? scale) > 0);
  planImages(p, [...used, ...p.preStart]);
  planMountedImages(p, [...used, ...p.preStart]);
  planNetworks(p, [...used, ...p.preStart]);
  planVolumes(p, [...used, ...p.preStart]);
  planFiles(p, [...used, ...p.preStart]);
  checkHealthchecks(p);
  planConflicts(p);
}

function checkName(p: Planning, name: string): void {
  const names = p.desired.services.map((service) => service.name);
  if (names.includes(name)) return;
  const isJob = p.desired.jobs?.some((job) => job.name === name) === true;
  p.problems.push({
    code: "E_NO_SUCH_SERVICE",
    message: `no such service: ${name} (in project ${p.desired.name})`,
    ...(p.desired.disabled.includes(name)
      ? { hint: isJob ? `it is a job: wharf run ${name}` : "its profile is not active: name one of its profiles with --profile" }
      : suggestion(name, names, names.length === 0 ? "it has no services" : `it has ${names.join(", ")}`)),
  });
}
