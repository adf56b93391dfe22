import type { Diagnostic, Report } from "../model/diagnostic.ts";
import type { Project, ProjectFile } from "../model/project.ts";
import type { SeccompProfile } from "../model/seccomp.ts";
import type { LoadOptions, Reader } from "./load.ts";
import type { Mapping, Node, Place, SourceFile } from "./node.ts";
import type { ReadService } from "./service/service.ts";

/** A project on its way through the loader: each phase fills in what the next ones need. */
export interface Draft {
  /** Spec files in merge order. */
  readonly files: readonly SourceFile[];
  /** Absolute paths of everything that was read. */
  readonly inputs: readonly string[];
  /** Absolute directory that relative paths start from. */
  readonly directory: string;
  /** That of the project that includes this one; its own where none does. */
  readonly root: string;
  /** What `${…}` sees: the caller's environment over that of `.env` files. */
  readonly variables: ReadonlyMap<string, string>;
  /** Likewise what parts of included projects see, by section and key (`services.web`): those have variables of their own. */
  readonly scopes: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Where variables that come from files were written. */
  readonly origins: ReadonlyMap<string, Place>;
  readonly name: string;
  /** Somebody gave it; else it is the directory's. */
  readonly isNamed: boolean;
  /** One mapping a YAML document, in merge order. */
  readonly layers: readonly Node[];
  /** Absolute paths of the files that included these, the outermost first. */
  readonly chain: readonly string[];
  /** The layers as one. */
  readonly tree: Node;
  /** The tree as merged, with unused resources, services of inactive profiles and short forms. */
  readonly whole: Node;
  /** Configs and secrets that services use, with what they hold. */
  readonly configs: readonly ProjectFile[];
  readonly secrets: readonly ProjectFile[];
  /** Filters of system calls by the absolute path of their file, or why one cannot be used. */
  readonly seccomp: ReadonlyMap<string, SeccompProfile | readonly Diagnostic[]>;
  /** Names of services that the active profiles leave out. */
  readonly disabled: readonly string[];
  /** By service, its `pre_start` steps as services: what a step says, laid over its service. */
  readonly steps: ReadonlyMap<string, readonly Mapping[]>;
  /** Services that the active profiles leave in. */
  readonly services: readonly ReadService[];
  readonly project: Project;
  /** What keeps the project from being run, though it is a valid spec. */
  readonly refusals: readonly Diagnostic[];
}

/** The variables that a part of the project sees. */
export function scopeOf({ scopes, variables }: Pick<Draft, "scopes" | "variables">, part: string): ReadonlyMap<string, string> {
  return scopes.get(part) ?? variables;
}

export interface Context {
  readonly options: LoadOptions;
  readonly reader: Reader;
  readonly report: Report;
  /** Takes a project's files to their tree: what an included one goes through. */
  readonly tree: (draft: Draft) => Promise<Draft>;
}

/** A step of loading. The list of phases is the loader's table of contents. */
export interface Phase {
  readonly name: string;
  readonly purpose: string;
  /** Adds problems to the context's report; throws only when nothing after it would make sense. */
  readonly run: (draft: Draft, context: Context) => Draft | Promise<Draft>;
}
