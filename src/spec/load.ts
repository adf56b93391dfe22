import { type Diagnostic, Failure, Report } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import { nothing, type Project } from "../model/project.ts";
import type { Service } from "../model/service.ts";
import { advise } from "./advice.ts";
import { warnOfAmbiguous } from "./ambiguous.ts";
import { canonical } from "./canonical.ts";
import { config, printed } from "./config.ts";
import { consistency } from "./consistency.ts";
import { contents } from "./contents.ts";
import type { Context, Draft, Phase } from "./draft.ts";
import type { Format } from "./encode.ts";
import { environment } from "./environment.ts";
import { extendServices } from "./extends.ts";
import { include } from "./include.ts";
import { interpolate } from "./interpolate.ts";
import { fileJobs } from "./jobs.ts";
import { locate } from "./locate.ts";
import { merge } from "./merge.ts";
import { model, withImages } from "./model.ts";
import { mapping, type Node, type Place, sourceFile } from "./node.ts";
import { normalise } from "./normalise.ts";
import { parse } from "./parse.ts";
import { selectProfiles } from "./profiles.ts";
import { resolvePaths } from "./resolve.ts";
import { checkDeclared } from "./resources.ts";
import { securityProfiles } from "./security-profiles.ts";
import { spelling } from "./spelling.ts";
import { layStepsOver } from "./steps.ts";
import { grouped, support } from "./support.ts";
import { leaveUnused } from "./used.ts";
import { validate } from "./validate.ts";
import { variables } from "./variables.ts";

/** Reads files for the loader: the only way it touches the outside. Throws errors with `code` as node's fs does (`ENOENT`). */
export interface Reader {
  read(path: string): Promise<Uint8Array>;
  exists(path: string): Promise<boolean>;
  /** Likewise, where nothing but advice depends on the answer; without it `exists` is asked. `near`: its directory was just looked into. */
  glance?(path: string, options?: { readonly near: boolean }): Promise<boolean>;
}

export interface LoadOptions {
  /** As given with `-f`, in order (`-` is standard input); `null`: find a default file in `cwd` or a parent. */
  readonly files: readonly string[] | null;
  /** What `-f -` reads. */
  readonly stdin: (() => Promise<Uint8Array>) | null;
  readonly cwd: string;
  readonly projectName: string | null;
  readonly projectDirectory: string | null;
  /** Given with `--env-file`; `null`: `.env` in the project's directory when there is one. */
  readonly envFiles: readonly string[] | null;
  /** Active profiles; `*` is all. */
  readonly profiles: readonly string[];
  /** Services that are there whatever their profiles, which are switched on with them. */
  readonly enabled?: readonly string[];
  /** The caller's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `false`: variables stay as they are written. The model is of no use then. */
  readonly interpolate?: boolean;
  /** `false`: nothing is said that the files do not say. */
  readonly normalise?: boolean;
  /** `false`: relative paths stay so. */
  readonly resolvePaths?: boolean;
  /** `false`: references between services and to resources are not checked. */
  readonly consistency?: boolean;
  /** `false`: env files are named, not read. */
  readonly resolveEnvironment?: boolean;
  /** `true`: env and label files are named besides being read, and what no service uses stays. */
  readonly keepFiles?: boolean;
  /** `true`: what no service uses stays. */
  readonly allResources?: boolean;
  /** `true`: containers are called as Compose 1 called them. */
  readonly compatibility?: boolean;
}

export interface Loaded {
  readonly project: Project;
  /** The services that the active profiles leave in, also those without an image: they have the name that one built for them gets. */
  readonly services: readonly Service[];
  readonly warnings: readonly Diagnostic[];
  /** What keeps the project from being run, though Compose would print it: `config` shows it all the same. */
  readonly refusals: readonly Diagnostic[];
  /** Compose's canonical form of the whole file, as JSON has it. */
  readonly config: Json;
  /** The canonical form in a format, of some services and what they depend on, or of all. */
  print(format: Format, services: readonly string[]): Json;
  /** The files as one, before profiles are chosen and unused resources left out. */
  readonly whole: Node;
  /** What is printed, with the place of each value. */
  readonly tree: Node;
  readonly variables: ReadonlyMap<string, string>;
  /** Where variables that come from files were written. */
  readonly origins: ReadonlyMap<string, Place>;
}

/** From YAML to one tree in Compose's form. Included projects go through these by themselves. */
export const TREE_PHASES: readonly Phase[] = [
  { name: "jobs", purpose: "file jobs among the services", run: fileJobs },
  { name: "spelling", purpose: "file wharf's short names under Compose's", run: spelling },
  { name: "interpolate", purpose: "fill in variables and read the texts that come out as what their places ask for", run: interpolate },
  { name: "extends", purpose: "fill in what services take from others, of the same file or another one", run: extendServices },
  { name: "include", purpose: "load the projects that files include and add what they declare", run: include },
  { name: "merge", purpose: "lay later files over earlier ones", run: merge },
  { name: "ambiguous", purpose: "warn of what older YAML reads otherwise", run: warnOfAmbiguous },
  { name: "validate", purpose: "check keys and types against schemas/spec.schema.json", run: validate },
  { name: "canonical", purpose: "write out short forms, so that each attribute has one shape", run: canonical },
  { name: "paths", purpose: "make paths start from the project's directory", run: resolvePaths },
];

/** What loading is made of, in order. */
export const PHASES: readonly Phase[] = [
  { name: "locate", purpose: "find and read the spec files", run: locate },
  { name: "parse", purpose: "read YAML with the place of every value", run: parse },
  { name: "environment", purpose: "read `.env` files and decide the project's name", run: environment },
  { name: "tree", purpose: `make the files one tree: ${TREE_PHASES.map(({ name }) => name).join(", ")}`, run: toTree },
  { name: "support", purpose: "warn of what wharf does not do yet", run: support },
  { name: "declared", purpose: "check what resources and services say of themselves", run: checkDeclared },
  { name: "normalise", purpose: "say what goes without saying: default network, implied dependencies, names", run: normalise },
  { name: "profiles", purpose: "leave out services that no active profile has", run: selectProfiles },
  { name: "steps", purpose: "lay `pre_start` steps over their services", run: layStepsOver },
  { name: "consistency", purpose: "check what services say of each other and of resources", run: consistency },
  { name: "variables", purpose: "read env and label files, and pass the caller's variables on", run: variables },
  { name: "security", purpose: "read the filters of system calls that services name", run: securityProfiles },
  { name: "used", purpose: "leave out resources that no service uses", run: leaveUnused },
  { name: "contents", purpose: "read the files of configs and secrets", run: contents },
  { name: "advice", purpose: "warn of what is valid and seldom meant", run: advise },
  { name: "config", purpose: "find values that Compose's canonical form has no place for", run: config },
  { name: "model", purpose: "make the project that engines run", run: model },
];

/** Loads a spec. Throws one `Failure` with every error found. */
export async function load(options: LoadOptions, reader: Reader): Promise<Loaded> {
  const report = new Report();
  const context: Context = { options, reader, report, tree: (draft) => toTree(parse(draft, context), context) };
  let draft = begin(options);
  for (const phase of PHASES) draft = await phase.run(draft, context);
  const found = inOrder(report.items, draft);
  if (found.some(isError)) throw new Failure(inOrder([...report.items.filter(isError), ...draft.refusals], draft));
  const { project, whole, tree, variables, origins } = draft;
  const last = draft;
  return {
    project,
    get services() {
      return withImages(last);
    },
    warnings: grouped(found),
    refusals: inOrder(draft.refusals, draft),
    get config() {
      return printed(last, { context, format: "json", services: [] });
    },
    print: (format, services) => printed(last, { context, format, services }),
    whole,
    tree,
    variables,
    origins,
  };
}

function isError({ code }: Diagnostic): boolean {
  return code.startsWith("E_");
}

async function toTree(draft: Draft, context: Context): Promise<Draft> {
  let result = draft;
  for (const phase of TREE_PHASES) result = await phase.run(result, context);
  return { ...result, whole: result.tree };
}

/** As a reader meets them: file by file, from top to bottom, each once; what has no place comes first. */
function inOrder(items: readonly Diagnostic[], { files }: Draft): readonly Diagnostic[] {
  const order = new Map(files.map((file, index) => [file.shown, index]));
  const rank = ({ source }: Diagnostic): readonly [number, number, number] =>
    source === undefined ? [-1, 0, 0] : [order.get(source.file) ?? files.length, source.line, source.column];
  const seen = new Map(
    items.map((item) => [`${item.code} ${item.source?.file}:${item.source?.line}:${item.source?.column} ${item.message}`, item]),
  );
  return [...seen.values()]
    .map((item) => ({ item, rank: rank(item) }))
    .sort(({ rank: [a, b, c] }, { rank: [x, y, z] }) => a - x || b - y || c - z)
    .map(({ item }) => item);
}

function begin({ cwd }: LoadOptions): Draft {
  const nowhere = { file: sourceFile("", "", ""), start: 0, end: 0 };
  const directory = cwd;
  const tree = mapping(new Map(), nowhere);
  return {
    files: [],
    inputs: [],
    directory,
    root: directory,
    variables: new Map(),
    scopes: new Map(),
    origins: new Map(),
    name: "",
    isNamed: false,
    layers: [],
    chain: [],
    tree,
    whole: tree,
    configs: [],
    secrets: [],
    seccomp: new Map(),
    disabled: [],
    steps: new Map(),
    services: [],
    project: nothing("", directory),
    refusals: [],
  };
}
