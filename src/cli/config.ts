import { writeAtomic } from "../lib/atomic-file.ts";
import { Failure } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import { suggestion } from "../model/suggest.ts";
import { withDigestsOf } from "../plan/files.ts";
import { patternOf } from "../plan/making.ts";
import type { Format } from "../spec/encode.ts";
import { explainPath } from "../spec/explain.ts";
import { type Listing, listNames, variablesOf } from "../spec/listing.ts";
import type { Loaded } from "../spec/load.ts";
import { yamlText } from "../spec/yaml-text.ts";
import { table } from "../ui/table.ts";
import { pinned } from "./digests.ts";
import type { Session } from "./session.ts";

export interface ConfigOptions {
  readonly services: readonly string[];
  readonly format: string;
  /** Only check. */
  readonly quiet: boolean;
  /** Print names only, of this kind. */
  readonly list: Listing | null;
  /** Print the variables that the files ask for. */
  readonly variables: boolean;
  /** Print the variables that the files see. */
  readonly environment: boolean;
  /** Print the hash of this service, or of all with `*`. */
  readonly hash: string | undefined;
  /** Print where the value at this path comes from. */
  readonly explain: string | undefined;
  /** Steps of loading that are left out. */
  readonly without: ReadonlySet<Step>;
  /** Pin images to the digests that their names have; `only`: print nothing else. */
  readonly digests: "no" | "yes" | "only";
  /** File to write instead of standard output. */
  readonly output: string | undefined;
}

export type Step = "interpolate" | "normalise" | "resolvePaths" | "consistency" | "resolveEnvironment";

/** The command's flags, by their names. */
export interface ConfigFlags
  extends Readonly<Record<Listing | StepFlag, boolean>>,
    Pick<ConfigOptions, "format" | "quiet" | "variables" | "environment"> {
  readonly hash?: string | undefined;
  readonly explain?: string | undefined;
  readonly output?: string | undefined;
  readonly "resolve-image-digests": boolean;
  readonly "lock-image-digests": boolean;
}

const STEPS = {
  "no-interpolate": "interpolate",
  "no-normalize": "normalise",
  "no-path-resolution": "resolvePaths",
  "no-consistency": "consistency",
  "no-env-resolution": "resolveEnvironment",
} as const satisfies Record<string, Step>;

type StepFlag = keyof typeof STEPS;

export function configOptions(flags: ConfigFlags, services: readonly string[]): ConfigOptions {
  const { format, quiet, variables, environment, hash, explain, output } = flags;
  return {
    ...{ services, format, quiet, variables, environment, hash, explain, output },
    list: LISTINGS.find((kind) => flags[kind]) ?? null,
    without: new Set(Object.entries(STEPS).flatMap(([flag, step]) => (flags[flag as StepFlag] ? [step] : []))),
    digests: flags["lock-image-digests"] ? "only" : flags["resolve-image-digests"] ? "yes" : "no",
  };
}

const LISTINGS = ["services", "images", "volumes", "networks", "models", "profiles"] as const satisfies readonly Listing[];

/** Prints the spec as it is understood. */
export async function config(session: Session, options: ConfigOptions): Promise<number> {
  const steps = Object.fromEntries(Array.from(options.without, (step) => [step, false]));
  // What is printed is whole: that wharf does not act on all of it matters to those who check.
  const { quiet } = options;
  const asked = options.list !== null || options.explain !== undefined || options.variables || options.environment;
  const shown = ({ code }: { readonly code: string }) => quiet || (!asked && code !== "W_UNSUPPORTED");
  const loaded = await session.read({ ...steps, ...(options.variables ? { interpolate: false } : {}), enabled: options.services }, shown);
  refuseUnknown(loaded, options.services);
  if (!asked) await session.notice(loaded.refusals);
  if (quiet) return 0;
  const text = await render(session, loaded, options);
  if (options.output === undefined) session.out.write(text);
  else await writeAtomic(options.output, text, { mode: 0o644 });
  return 0;
}

async function render(session: Session, loaded: Loaded, options: ConfigOptions): Promise<string> {
  const format: Format = options.format === "json" ? "json" : "yaml";
  if (options.explain !== undefined) return explained(loaded, options.explain, options.format);
  if (options.hash !== undefined) return hashes(loaded, options.hash);
  if (options.variables) return askedFor(loaded, options.format);
  if (options.environment) return lines(Array.from(loaded.variables, ([name, value]) => `${name}=${value}`).sort());
  if (options.list !== null) return lines(listNames(loaded, options.list, options.services));
  const printed = loaded.print(format, options.services);
  const document = options.digests === "no" ? printed : await pinned(printed, options.digests, session);
  return format === "json" ? `${JSON.stringify(document, null, 2)}\n` : yamlText(document);
}

function refuseUnknown(loaded: Loaded, wanted: readonly string[]): void {
  if (wanted.length === 0) return;
  const known = Object.keys(member(loaded.config, "services"));
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new Failure(
    unknown.map((name) => ({ code: "E_NO_SUCH_SERVICE", message: `no such service: ${name}`, ...suggestion(name, known) })),
  );
}

function explained(loaded: Loaded, path: string, format: string): string {
  const story = explainPath(loaded, path);
  return format === "json"
    ? `${JSON.stringify(story, null, 2)}\n`
    : lines(story.map(({ place, text }) => (place === null ? text : `${place}  ${text}`)));
}

function hashes(loaded: Loaded, wanted: string): string {
  const { project, services } = loaded;
  // What a container is made of can be said before there is an image to make it from.
  if (loaded.refusals.some(({ code }) => code !== "E_NO_IMAGE")) throw new Failure(loaded.refusals);
  if (wanted !== "*") refuseUnknown(loaded, wanted.split(","));
  const chosen = wanted === "*" ? services : services.filter(({ name }) => wanted.split(",").includes(name));
  return lines(chosen.map((service) => `${service.name} ${patternOf(project, withDigestsOf(project, { service, key: undefined })).hash}`));
}

function askedFor(loaded: Loaded, format: string): string {
  const asked = variablesOf(loaded.whole);
  if (format === "json")
    return `${JSON.stringify(
      Object.fromEntries(
        asked.map(({ name, required, fallback, alternate }) => [
          name,
          { Name: name, DefaultValue: fallback, PresenceValue: alternate, Required: required },
        ]),
      ),
      null,
      2,
    )}\n`;
  const columns = [{ title: "NAME" }, { title: "REQUIRED" }, { title: "DEFAULT VALUE" }, { title: "ALTERNATE VALUE" }];
  const rows = asked.map(({ name, required, fallback, alternate }) => [name, String(required), fallback, alternate]);
  return lines(table(columns, rows, { width: Number.POSITIVE_INFINITY }));
}

function member(value: Json | undefined, key: string): { readonly [key: string]: Json } | string {
  const found = objectOf(value)[key];
  return typeof found === "string" ? found : objectOf(found);
}

function objectOf(value: Json | undefined): { readonly [key: string]: Json } {
  return value !== undefined && value !== null && typeof value === "object" && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json })
    : {};
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}
