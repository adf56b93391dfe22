/** Orders containers that exist by what depends on what: as the spec says where it has the service, else as their labels say. */
import { LABEL } from "../model/labels.ts";
import type { ObservedContainer } from "../model/observed.ts";
import type { Project } from "../model/project.ts";
import { dependsOnNames, sorted } from "./order.ts";

export interface Group {
  /** `null`: containers that name no service. */
  readonly service: string | null;
  readonly containers: readonly ObservedContainer[];
  /** Names of services of earlier groups that this one depends on. */
  readonly dependencies: readonly string[];
}

/** The containers by service, dependencies first. Circles, which only labels can have, are cut. */
export function groups(project: Project, containers: readonly ObservedContainer[]): readonly Group[] {
  const byService = new Map<string, ObservedContainer[]>();
  for (const container of containers)
    byService.set(container.service ?? "", [...(byService.get(container.service ?? "") ?? []), container]);
  const needs = new Map([...byService].map(([service, members]) => [service, dependenciesOf(project, service, members)]));
  const order = sorted([...byService.keys()], (service) => needs.get(service) ?? []);
  const position = new Map(order.map((service, index) => [service, index]));
  return order.map((service, index) => ({
    service: service === "" ? null : service,
    containers: byService.get(service) ?? [],
    dependencies: (needs.get(service) ?? []).filter((name) => (position.get(name) ?? index) < index),
  }));
}

function dependenciesOf(project: Project, service: string, members: readonly ObservedContainer[]): readonly string[] {
  const desired = project.services.find(({ name }) => name === service);
  if (desired !== undefined) return desired.dependsOn.map((dependency) => dependency.service);
  return [...new Set(members.flatMap(({ labels }) => dependsOnNames(labels[LABEL.dependsOn])))];
}
