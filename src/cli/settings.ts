import { join } from "node:path";
import { destinationOf } from "../lib/standard-streams.ts";
import { Failure } from "../model/diagnostic.ts";
import { insecureProblem, parseMirror, type RegistryMirror } from "../model/registry-settings.ts";
import { suggestion } from "../model/suggest.ts";
import { DEFAULT_ENGINES, type EngineName } from "./engines.ts";

/** Values of the global flags, as parsed; what was not given is absent. */
export interface GlobalFlags {
  readonly file?: readonly string[] | undefined;
  readonly "project-name"?: string | undefined;
  readonly "project-directory"?: string | undefined;
  readonly "env-file"?: readonly string[] | undefined;
  readonly profile?: readonly string[] | undefined;
  readonly engine?: string | undefined;
  readonly progress?: string | undefined;
  readonly color?: string | undefined;
  readonly ansi?: string | undefined;
  readonly verbose?: boolean | undefined;
  readonly "insecure-registry"?: readonly string[] | undefined;
  readonly "all-resources"?: boolean | undefined;
  readonly compatibility?: boolean | undefined;
  readonly "dry-run"?: boolean | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the process stands in, as far as settings depend on it. */
export interface Surroundings {
  readonly env: Environment;
  readonly cwd: string;
  readonly root: boolean;
  /** Whether the standard streams are terminals. */
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export const PROGRESS_KINDS = ["auto", "tty", "plain", "json", "quiet"] as const;
export type ProgressKind = (typeof PROGRESS_KINDS)[number];
export const COLOUR_KINDS = ["auto", "always", "never"] as const;

/** Everything that flags and variables decide. */
export interface Settings {
  readonly env: Environment;
  readonly cwd: string;
  /** As given with `-f`, in order; `null`: look for one. */
  readonly files: readonly string[] | null;
  readonly projectName: string | null;
  readonly projectDirectory: string | null;
  readonly envFiles: readonly string[] | null;
  readonly profiles: readonly string[];
  /** `null`: the first that works here. */
  readonly engine: EngineName | null;
  readonly progress: Exclude<ProgressKind, "auto">;
  /** Whether standard output and standard error are coloured. */
  readonly colour: { readonly stdout: boolean; readonly stderr: boolean };
  readonly verbose: boolean;
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly RegistryMirror[];
  readonly removeOrphans: boolean;
  readonly ignoreOrphans: boolean;
  /** Networks, volumes and the like too that no service uses. */
  readonly allResources: boolean;
  /** Containers are called as Compose 1 called them: `project_service_1`. */
  readonly compatibility: boolean;
  /** Say what would be done, and do none of it. */
  readonly dryRun: boolean;
  /** Directory of durable data. */
  readonly root: string;
  /** Directory of what does not outlive a boot. */
  readonly run: string;
}

/** Flags win over `WHARF_*`, those over `COMPOSE_*`. Throws `Failure` for a value that is not one of those allowed. */
export function settingsOf(flags: GlobalFlags, around: Surroundings): Settings {
  const { env, cwd } = around;
  const separator = env["COMPOSE_PATH_SEPARATOR"] || ":";
  return {
    env,
    cwd,
    files: flags.file ?? list(env["WHARF_FILE"] || env["COMPOSE_FILE"], separator),
    projectName: flags["project-name"] || env["WHARF_PROJECT_NAME"] || env["COMPOSE_PROJECT_NAME"] || null,
    projectDirectory: flags["project-directory"] ?? null,
    envFiles: flags["env-file"] ?? list(env["COMPOSE_ENV_FILES"], ","),
    profiles: flags.profile ?? list(env["COMPOSE_PROFILES"], ",") ?? [],
    engine: engineOf(flags.engine || env["WHARF_ENGINE"] || null),
    progress: progressOf(flags, around),
    colour: {
      stdout: coloured(flags.color ?? flags.ansi, env, around.stdout),
      stderr: coloured(flags.color ?? flags.ansi, env, around.stderr),
    },
    verbose: flags.verbose === true,
    insecureRegistries: insecureOf(flags["insecure-registry"] ?? list(env["WHARF_INSECURE_REGISTRIES"], ",") ?? []),
    registryMirrors: (list(env["WHARF_REGISTRY_MIRRORS"], ",") ?? []).map(mirrorOf),
    removeOrphans: isTrue(env["COMPOSE_REMOVE_ORPHANS"]),
    ignoreOrphans: isTrue(env["COMPOSE_IGNORE_ORPHANS"]),
    allResources: flags["all-resources"] === true,
    compatibility: flags.compatibility ?? isTrue(env["COMPOSE_COMPATIBILITY"]),
    dryRun: flags["dry-run"] === true,
    ...directoriesOf(around),
  };
}

/** The surroundings of this process. */
export function surroundings(): Surroundings {
  return {
    env: process.env,
    cwd: process.cwd(),
    root: process.geteuid?.() === 0,
    stdin: destinationOf(0) === "terminal",
    stdout: destinationOf(1) === "terminal",
    stderr: destinationOf(2) === "terminal",
  };
}

/** Whether a variable that switches something on does. */
export function isTrue(value: string | undefined): boolean {
  return TRUE.has((value ?? "").toLowerCase());
}

const TRUE: ReadonlySet<string> = new Set(["1", "true", "yes", "on"]);

function list(value: string | undefined, separator: string): readonly string[] | null {
  const items = (value ?? "").split(separator).filter((item) => item !== "");
  return items.length === 0 ? null : items;
}

function engineOf(name: string | null): EngineName | null {
  return name === null || name === "memory" ? name : oneOf("engine", name, DEFAULT_ENGINES);
}

function insecureOf(entries: readonly string[]): readonly string[] {
  for (const entry of entries) {
    const problem = insecureProblem(entry);
    if (problem !== null) throw new Failure({ code: "E_USAGE", message: `insecure registry ${problem}` });
  }
  return entries;
}

function mirrorOf(entry: string): RegistryMirror {
  const mirror = parseMirror(entry);
  if ("problem" in mirror) throw new Failure({ code: "E_USAGE", message: `WHARF_REGISTRY_MIRRORS: ${mirror.problem}` });
  return mirror;
}

function progressOf(flags: GlobalFlags, { env, stderr }: Surroundings): Exclude<ProgressKind, "auto"> {
  const kind = oneOf("progress", flags.progress || env["WHARF_PROGRESS"] || env["COMPOSE_PROGRESS"] || "auto", PROGRESS_KINDS);
  if (kind !== "auto") return kind;
  return stderr && env["TERM"] !== "dumb" && !env["CI"] ? "tty" : "plain";
}

/** `--color` wins, then NO_COLOR (any value but the empty one), then FORCE_COLOR (any value but 0), then whether it is a terminal that can. */
function coloured(flag: string | undefined, env: Environment, terminal: boolean): boolean {
  const kind = oneOf("color", flag ?? "auto", COLOUR_KINDS);
  if (kind !== "auto") return kind === "always";
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"] !== undefined) return env["FORCE_COLOR"] !== "0" && env["FORCE_COLOR"] !== "false";
  return terminal && env["TERM"] !== "dumb";
}

function directoriesOf({ env, root }: Surroundings): { readonly root: string; readonly run: string } {
  const home = env["HOME"] || "/";
  const data = root ? "/var/lib" : env["XDG_DATA_HOME"] || join(home, ".local", "share");
  const volatile = root ? "/run" : env["XDG_RUNTIME_DIR"] || join(home, ".cache");
  return { root: env["WHARF_ROOT"] || join(data, "wharf"), run: env["WHARF_RUN"] || join(volatile, "wharf") };
}

function oneOf<T extends string>(what: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new Failure({
    code: "E_USAGE",
    message: `${what} \`${value}\` is not one of ${allowed.join(", ")}`,
    ...suggestion(value, allowed),
  });
}
