import { type Diagnostic, Failure, Report } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import { nothing, type Project } from "../model/project.ts";
import { check } from "./check.ts";
import type { Draft, Phase } from "./draft.ts";
import { environment } from "./environment.ts";
import { interpolate } from "./interpolate.ts";
import { locate } from "./locate.ts";
import { merge } from "./merge.ts";
import { mapping, sourceFile } from "./node.ts";
import { normalise } from "./normalise.ts";
import { parse } from "./parse.ts";
import { spelling } from "./spelling.ts";
import { support } from "./support.ts";
import { validate } from "./validate.ts";

/** Reads files for the loader: the only way it touches the outside. Throws errors with `code` as node's fs does (`ENOENT`). */
export interface Reader {
  read(path: string): Promise<Uint8Array>;
  exists(path: string): Promise<boolean>;
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
  /** The caller's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Loaded {
  readonly project: Project;
  readonly warnings: readonly Diagnostic[];
  /** Compose's canonical form of the whole file, for `wharf config`. */
  readonly config: Json;
}

/** What loading is made of, in order. */
export const PHASES: readonly Phase[] = [
  { name: "locate", purpose: "find and read the spec files", run: locate },
  { name: "parse", purpose: "read YAML with the place of every value", run: parse },
  { name: "environment", purpose: "read `.env` files and decide the project's name", run: environment },
  { name: "spelling", purpose: "file wharf's short names under Compose's", run: spelling },
  { name: "interpolate", purpose: "fill in variables and read the texts that come out as what their places ask for", run: interpolate },
  { name: "merge", purpose: "lay later files over earlier ones", run: merge },
  { name: "validate", purpose: "check keys and types against schemas/spec.schema.json", run: validate },
  { name: "support", purpose: "warn of what wharf does not do yet", run: support },
  {
    name: "normalise",
    purpose: "make services, volumes and networks of the words, without short forms and missing defaults",
    run: normalise,
  },
  { name: "check", purpose: "check what services say of each other", run: check },
];

/** Loads a spec. Throws one `Failure` with every error found. */
export async function load(options: LoadOptions, reader: Reader): Promise<Loaded> {
  const report = new Report();
  const context = { options, reader, report };
  let draft = begin(options);
  for (const phase of PHASES) draft = await phase.run(draft, context);
  const found = inOrder(report.items, draft);
  const errors = found.filter(({ code }) => code.startsWith("E_"));
  if (errors.length > 0) throw new Failure(errors);
  return { project: draft.project, warnings: found, config: draft.config };
}

/** As a reader meets them: file by file, from top to bottom; what has no place comes first. */
function inOrder(items: readonly Diagnostic[], { files }: Draft): readonly Diagnostic[] {
  const order = new Map(files.map((file, index) => [file.shown, index]));
  const rank = ({ source }: Diagnostic): readonly [number, number, number] =>
    source === undefined ? [-1, 0, 0] : [order.get(source.file) ?? files.length, source.line, source.column];
  return items
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
    variables: new Map(),
    name: "",
    layers: [],
    tree,
    services: [],
    project: nothing("", directory),
    config: null,
  };
}
