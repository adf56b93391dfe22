/**
 * Whose the containers of a project's name are. Two directories may give one name to two projects: what one of them made is not the other's, unless
 * somebody named the project, or the other directory is gone.
 */
import { realpath } from "node:fs/promises";
import { type Diagnostic, Failure } from "../model/diagnostic.ts";
import { LABEL } from "../model/labels.ts";
import type { ObservedContainer } from "../model/observed.ts";
import type { Plan } from "../model/plan.ts";
import type { Project } from "../model/project.ts";

export interface Ownership {
  /** Why a command must not change them: they are another project's. */
  readonly problems: readonly Diagnostic[];
  /** What is to be told of where they come from. */
  readonly notices: readonly Diagnostic[];
  /** Directories that are there, with what they made. */
  readonly others: readonly Others[];
}

interface Others {
  readonly directory: string;
  readonly containers: readonly ObservedContainer[];
  readonly isGone: boolean;
}

export async function ownershipOf(project: Project, containers: readonly ObservedContainer[]): Promise<Ownership> {
  const all = await othersOf(project, containers);
  const others = all.filter(({ isGone }) => !isGone);
  const isNamed = project.namedAfter === undefined;
  return {
    problems: isNamed ? [] : others.map((other) => strange(project, other)),
    notices: isNamed ? [] : all.flatMap((other) => (other.isGone ? [moved(project, other)] : [])),
    others,
  };
}

/** Throws E_OTHER_DIRECTORY where a command would change what another project made. */
export async function refuseOthers(project: Project, containers: readonly ObservedContainer[]): Promise<Ownership> {
  const ownership = await ownershipOf(project, containers);
  if (ownership.problems.length > 0) throw new Failure(ownership.problems);
  return ownership;
}

/** The plan, with a warning where it changes or removes what was made from another directory under the name that somebody gave. */
export function withWarnings(plan: Plan, project: Project, { others }: Ownership): Plan {
  const touched = new Set(plan.steps.flatMap(({ action }) => ("container" in action ? [action.container] : [])));
  const notices = others.flatMap(({ directory, containers }): Diagnostic[] => {
    const names = containers.flatMap(({ name }) => (touched.has(name) ? [name] : []));
    if (names.length === 0) return [];
    return [
      {
        code: "W_OTHER_DIRECTORY",
        message: `${names.join(", ")} of project ${project.name} ${names.length === 1 ? "was" : "were"} made from ${directory}, and this is ${project.directory}`,
        hint: "another name (-p, or `name` in the spec) keeps the two apart",
      },
    ];
  });
  return notices.length === 0 ? plan : { ...plan, notices: [...notices, ...plan.notices] };
}

function strange({ name, directory }: Project, other: Others): Diagnostic {
  return {
    code: "E_OTHER_DIRECTORY",
    message: `project ${name} belongs to ${other.directory}, and this is ${directory}: both directories have that name`,
    hint: `name this one, with \`name\` in the spec or -p NAME; -p ${name} says that you mean the project of that directory`,
  };
}

function moved({ name, directory }: Project, other: Others): Diagnostic {
  return {
    code: "W_PROJECT_MOVED",
    message: `project ${name} was made from ${other.directory}, which is not there any more: it is that of ${directory} now`,
  };
}

async function othersOf(project: Project, containers: readonly ObservedContainer[]): Promise<readonly Others[]> {
  const found = new Map<string, ObservedContainer[]>();
  for (const container of containers) {
    const directory = container.labels[LABEL.directory];
    if (directory === undefined || directory === "" || directory === project.directory) continue;
    found.set(directory, [...(found.get(directory) ?? []), container]);
  }
  if (found.size === 0) return [];
  const own = (await whole(project.directory)) ?? project.directory;
  const others = await Promise.all(
    [...found].map(async ([directory, made]) => {
      const there = await whole(directory);
      return there === own ? [] : [{ directory, containers: made, isGone: there === null }];
    }),
  );
  return others.flat();
}

/** Whether a directory was moved or deleted. */
export async function isGone(directory: string): Promise<boolean> {
  return (await whole(directory)) === null;
}

/** A directory's path without links; `null`: it is not there. One that cannot be looked at is taken to be there. */
async function whole(directory: string): Promise<string | null> {
  try {
    return await realpath(directory);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === "ENOENT" || code === "ENOTDIR" ? null : directory;
  }
}
