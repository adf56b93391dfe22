import { writeAtomic } from "../lib/atomic-file.ts";
import { type Diagnostic, Failure } from "../model/diagnostic.ts";
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
import { type ServiceFilter, serviceFilter } from "./service-filter.ts";
import type { Session } from "./session.ts";

export interface ConfigOptions {
  readonly services: readonly string[];
  /** `undefined`: YAML, or a table where there is one. */
  readonly format: string | undefined;
  /** Only check. */
  readonly quiet: boolean;
  /** Print names only, of this kind. */
  readonly list: Listing | null;
  /** Which services are listed: `profile=…`, `label=…`. */
  readonly filters: readonly string[];
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
    Pick<ConfigOptions, "quiet" | "variables" | "environment"> {
  readonly format?: string | undefined;
  readonly filter?: readonly string[] | undefined;
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
    filters: flags.filter ?? [],
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
  const filter = options.filters.length > 0 ? serviceFilter(options.filters, options.list === "services") : null;
  const loaded = await session.read(
    {
      ...steps,
      ...(options.variables ? { interpolate: false } : {}),
      ...(filter === null || filter.profiles.length === 0 ? {} : { profiles: [...session.settings.profiles, ...filter.profiles] }),
      enabled: options.services,
    },
    shown,
  );
  refuseUnknown(loaded, options.services);
  if (!asked) await session.notice(loaded.refusals);
  if (quiet) return 0;
  const whole = printsAll(options);
  if (whole !== null && options.services.length > 0) await session.notice([notSelected(whole)]);
  const text = await render(session, loaded, whole === null ? options : { ...options, services: [] }, filter);
  if (options.output === undefined) session.out.write(text);
  else await writeAtomic(options.output, text, { mode: 0o644 });
  return 0;
}

/** The flag for which services are not picked out, if there is one: what is not interpolated is not yet what the services will be. */
function printsAll({ variables, without, list, explain, environment, hash }: ConfigOptions): string | null {
  if (variables) return "--variables";
  const isModel = list === null && explain === undefined && hash === undefined && !environment;
  return isModel && without.has("interpolate") ? "--no-interpolate" : null;
}

function notSelected(flag: string): Diagnostic {
  const message = `service filtering is not applied when ${flag} is set, the whole is printed`; // Compose's words
  return { code: "W_NOT_SELECTED", message, hint: "leave the names of services out" };
}

async function render(session: Session, loaded: Loaded, options: ConfigOptions, filter: ServiceFilter | null): Promise<string> {
  const format: Format = options.format === "json" ? "json" : "yaml";
  if (options.explain !== undefined) return explained(loaded, options.explain, options.format);
  if (options.hash !== undefined) return hashes(loaded, options.hash);
  if (options.variables) return askedFor(loaded, options.format);
  if (options.environment) return lines(Array.from(loaded.variables, ([name, value]) => `${name}=${value}`).sort());
  if (options.list !== null)
    return lines(filter === null ? listNames(loaded, options.list, options.services) : filter.names(loaded, options.services));
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

function explained(loaded: Loaded, path: string, format: string | undefined): string {
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
  return lines(
    chosen
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((service) => `${service.name} ${patternOf(project, withDigestsOf(project, { service, key: undefined })).hash}`),
  );
}

/** In Compose's forms, down to the blanks: they are compared with. */
function askedFor(loaded: Loaded, format: string | undefined): string {
  const asked = variablesOf(loaded.whole);
  if (format !== undefined) {
    const records = asked.map(({ name, required, fallback, alternate }) => ({
      ...{ Name: name, DefaultValue: fallback, PresenceValue: alternate, Required: required },
    }));
    if (format === "json") return `${JSON.stringify(Object.fromEntries(records.map((record) => [record.Name, record])), null, 4)}\n`;
    const lowered = records.map((record) => Object.fromEntries(Object.entries(record).map(([key, value]) => [key.toLowerCase(), value])));
    return yamlText(Object.fromEntries(records.map(({ Name }, index) => [Name, lowered[index] ?? null])), { step: 4 });
  }
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
