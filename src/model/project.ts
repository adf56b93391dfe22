import type { Source } from "./diagnostic.ts";
import type { Service } from "./service.ts";

/** The normalised desired model: what should run. `down` is the same type with nothing in it. */
export interface Project {
  /** `[a-z0-9][a-z0-9_-]*` */
  readonly name: string;
  /** Absolute directory that relative paths in the spec start from. */
  readonly directory: string;
  /** Absolute paths of the spec files, in merge order. */
  readonly files: readonly string[];
  /** Absolute paths of every file that was read (spec, `.env`, env files): what `watch` looks at. */
  readonly inputs: readonly string[];
  /** In the order of the file. */
  readonly services: readonly Service[];
  /** Names of services that the active profiles leave out: their containers are no orphans. */
  readonly disabled: readonly string[];
  readonly networks: readonly Network[];
  readonly volumes: readonly Volume[];
  /** Where a value was written, by dotted path (`services.web.environment.COLOR`). Feeds reasons and errors after loading. */
  readonly sources: Readonly<Record<string, Source>>;
}

export interface Network {
  /** Key in the spec (`default`). */
  readonly key: string;
  /** Name in the engine (`<project>_default`). */
  readonly name: string;
}

export interface Volume {
  /** Key in the spec. */
  readonly key: string;
  /** Name in the engine (`<project>_<key>`, or the `name` given). */
  readonly name: string;
  /** Must exist already; never created, never removed. */
  readonly external: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** The project that has nothing: the target of `down`. */
export function nothing(name: string, directory: string): Project {
  return { name, directory, files: [], inputs: [], services: [], disabled: [], networks: [], volumes: [], sources: {} };
}
