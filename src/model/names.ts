import type { Project } from "./project.ts";
import type { Service } from "./service.ts";

/** What a project gives to the names of its containers. */
type Named = Pick<Project, "name" | "separator">;

/** Name of the container number `index` (from 1) of a service. */
export function containerName(project: Named, service: Pick<Service, "name" | "containerName">, index: number): string {
  return service.containerName ?? [project.name, service.name, index].join(project.separator ?? "-");
}

/** Name of a one-off container made by `run`. `slug` is a short random hex text that the caller chose. */
export function oneOffName(project: Named, service: string, slug: string): string {
  return [project.name, service, "run", slug].join(project.separator ?? "-");
}

/** Name of the container that runs a `pre_start` step (from 0) before a service, or one container of it, starts: Compose's. */
export function preStartName(of: string, step: number): string {
  return `${of}-pre_start-${step}`;
}

const NEXT = ".next";

/** Name of the container that is to take another's place, until it does. */
export function nextName(of: string): string {
  return `${of}${NEXT}`;
}

/** The name that a container has when replacements are done. */
export function finalName(name: string): string {
  return name.endsWith(NEXT) ? name.slice(0, -NEXT.length) : name;
}

/** Name of a project's network or volume in the engine. */
export function scopedName(project: string, key: string): string {
  return `${project}_${key}`;
}

const CONTAINER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Whether a text may name a container (Docker's rule). */
export function isContainerName(text: string): boolean {
  return CONTAINER_NAME.test(text) && text.length <= 255;
}

const PROJECT_NAME = /^[a-z0-9][a-z0-9_-]*$/;

export function isProjectName(text: string): boolean {
  return PROJECT_NAME.test(text) && text.length <= 128;
}

/** A directory's name made into a project's name as Compose does: lower case, foreign characters dropped, no leading `_` or `-`. */
export function projectNameFrom(directoryName: string): string {
  return directoryName
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");
}
