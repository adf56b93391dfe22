import type { Diagnostic, Source } from "./diagnostic.ts";
import type { Network } from "./network.ts";
import type { Content } from "./secret.ts";
import type { Service } from "./service.ts";

/** The normalised desired model: what should run. `down` is the same type with nothing in it. */
export interface Project {
  /** `[a-z0-9][a-z0-9_-]*` */
  readonly name: string;
  /** `directory`: nobody named it, and it has its directory's name. Absent: somebody did. */
  readonly namedAfter?: "directory";
  /** Absolute directory that relative paths in the spec start from. */
  readonly directory: string;
  /** Absolute paths of the spec files, in merge order. */
  readonly files: readonly string[];
  /** Absolute paths of every file that was read (spec, `.env`, env files): what `watch` looks at. */
  readonly inputs: readonly string[];
  /** Stands between the parts of containers' names; absent: a dash. */
  readonly separator?: "_";
  /** How many revisions are kept; absent: `USUAL_REVISIONS`. */
  readonly revisions?: number;
  /** In the order of the file. */
  readonly services: readonly Service[];
  /** Names of services that the active profiles leave out: their containers are no orphans. */
  readonly disabled: readonly string[];
  /** Absent: none. Those that are called for are among the services, the others are left out (`disabled`). */
  readonly jobs?: readonly Job[];
  /** Those that services are on. */
  readonly networks: readonly Network[];
  readonly volumes: readonly Volume[];
  /** Those that services use. */
  readonly configs: readonly ProjectFile[];
  readonly secrets: readonly ProjectFile[];
  /** Where a value was written, by dotted path (`services.web.environment.COLOR`). Feeds reasons and errors after loading. */
  readonly sources: Readonly<Record<string, Source>>;
}

/** What is run when it is asked for, or at times of its own. */
export interface Job {
  readonly name: string;
  /** It may be run by hand. */
  readonly isManual: boolean;
  readonly isScheduled: boolean;
}

/** How many revisions are kept of a project that does not say. */
export const USUAL_REVISIONS = 10;

export interface Volume {
  /** Key in the spec. */
  readonly key: string;
  /** Name in the engine (`<project>_<key>`, or the `name` given). */
  readonly name: string;
  /** Must exist already; never created, never removed. */
  readonly external: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** What it is mounted from: `type`, `o`, `device` of the local driver. Absent: a directory of its own. */
  readonly driverOptions?: Readonly<Record<string, string>>;
}

/** A config or a secret of the project. */
export interface ProjectFile {
  /** Key in the spec. */
  readonly key: string;
  readonly origin: FileOrigin;
  /** `null`: it could not be had, and `problem` says why. */
  readonly content: Content | null;
  readonly problem: Diagnostic | null;
}

export type FileOrigin =
  /** Absolute path on this machine. */
  | { readonly from: "file"; readonly path: string }
  | { readonly from: "environment"; readonly variable: string }
  /** Written in the spec itself. */
  | { readonly from: "content" };

/** The project that has nothing: the target of `down`. */
export function nothing(name: string, directory: string, { namedAfter }: Pick<Project, "namedAfter"> = {}): Project {
  return {
    name,
    ...(namedAfter !== undefined && { namedAfter }),
    directory,
    files: [],
    inputs: [],
    services: [],
    disabled: [],
    networks: [],
    volumes: [],
    configs: [],
    secrets: [],
    sources: {},
  };
}
