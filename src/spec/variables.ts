import { absolute } from "../lib/path.ts";
import { type Context, type Draft, scopeOf } from "./draft.ts";
import { type EnvFileValue, parseEnvFile, parseRawEnvFile } from "./env-file.ts";
import { reportEnvFile } from "./environment.ts";
import {
  booleanOf,
  child,
  type Entry,
  entriesOf,
  isNull,
  itemsOf,
  type Mapping,
  mapping,
  type Node,
  put,
  type SourceFile,
  scalar,
  sourceOf,
  textOf,
  without,
} from "./node.ts";
import { readText } from "./read.ts";
import { quote } from "./words.ts";

/** Reads the files of variables and labels of the services, and passes the caller's variables on to those without a value. */
export async function variables(draft: Draft, context: Context): Promise<Draft> {
  const services = child(draft.tree, "services");
  if (draft.tree.kind !== "mapping" || services?.kind !== "mapping" || context.options.interpolate === false) return draft;
  const reader = new FileReader(draft, context);
  const entries = new Map<string, Entry>(services.entries);
  for (const [name, entry] of services.entries) {
    if (entry.value.kind !== "mapping" || !takesFromOutside(entry.value)) continue;
    const value = await resolved(entry.value, { name, variables: scopeOf(draft, `services.${name}`), context, reader });
    if (value !== entry.value) entries.set(name, { ...entry, value });
  }
  const steps = new Map<string, readonly Mapping[]>();
  for (const [name, own] of draft.steps) {
    const scope = { name, variables: scopeOf(draft, `services.${name}`), context, reader };
    steps.set(name, await Promise.all(own.map((step) => (takesFromOutside(step) ? resolved(step, scope) : step))));
  }
  const tree = put(draft.tree, "services", { ...services, entries });
  return { ...draft, steps, tree, inputs: [...new Set([...draft.inputs, ...reader.read])] };
}

/** Attributes that take values from files or from the caller. */
const FROM_OUTSIDE = ["environment", "env_file", "label_file"] as const;

function takesFromOutside(service: Mapping): boolean {
  return FROM_OUTSIDE.some((key) => child(service, key) !== undefined);
}

interface Scope {
  readonly name: string;
  readonly variables: ReadonlyMap<string, string>;
  readonly context: Context;
  readonly reader: FileReader;
}

async function resolved(service: Mapping, { name, variables, context, reader }: Scope): Promise<Mapping> {
  const environment = child(service, "environment");
  const own = passedOn(environment, { name, variables, context });
  let result = service;
  const files = itemsOf(child(service, "env_file"));
  const reads = context.options.resolveEnvironment !== false;
  let all = own;
  if (reads && files.length > 0) {
    const lookup = (variable: string): string | undefined => variables.get(variable) ?? textOf(own.get(variable)?.value) ?? undefined;
    all = new Map([...(await reader.all(files, { what: "env file", lookup })), ...own]);
  }
  if (all.size > 0 && !(environment?.kind === "mapping" && environment.entries === all))
    result = put(result, "environment", mapping(all, environment?.place ?? service.place));
  if (reads && context.options.keepFiles !== true) result = without(result, "env_file");
  const labelFiles = itemsOf(child(service, "label_file"));
  if (labelFiles.length === 0) return result;
  const labels = await reader.all(labelFiles, { what: "label file", lookup: (variable) => variables.get(variable) });
  const merged = new Map([...labels, ...entriesOf(child(service, "labels"))]);
  result = put(result, "labels", mapping(merged, child(service, "labels")?.place ?? service.place));
  return context.options.keepFiles === true ? result : without(result, "label_file");
}

/** The variables that a service gives itself, those without a value with the caller's. */
function passedOn(environment: Node | undefined, { name, variables, context }: Omit<Scope, "reader">): ReadonlyMap<string, Entry> {
  if (environment?.kind !== "mapping") return new Map();
  let own: Map<string, Entry> | undefined;
  environment.entries.forEach((entry, key) => {
    checkName(name, key, entry, context);
    const passed = isNull(entry.value) ? variables.get(key) : undefined;
    if (passed === undefined) return;
    own ??= new Map(environment.entries);
    own.set(key, { ...entry, value: scalar(passed, entry.place) });
  });
  return own ?? environment.entries;
}

function checkName(service: string, name: string, { place }: Entry, { report }: Context): void {
  const problem =
    name === ""
      ? "a variable without a name"
      : name !== name.trimEnd()
        ? `the variable ${quote(name)}, whose name ends with a blank`
        : /[\u0000=]/.test(name)
          ? `the variable ${quote(name)}, whose name has a character that cannot stand in one`
          : null;
  if (problem === null) return;
  report.add({
    code: "E_VALUE",
    message: `\`services.${service}.environment\` has ${problem}`,
    hint: "write NAME=value, without blanks around the equals sign",
    source: sourceOf(place),
  });
}

interface Request {
  readonly what: "env file" | "label file";
  readonly lookup: (name: string) => string | undefined;
}

/** Reads each file once, however many services name it. */
class FileReader {
  readonly read = new Set<string>();
  readonly #texts = new Map<string, Promise<SourceFile | null>>();
  readonly #told = new Set<string>();
  readonly #draft: Draft;
  readonly #context: Context;

  constructor(draft: Draft, context: Context) {
    this.#draft = draft;
    this.#context = context;
  }

  /** What the files give, later ones over earlier ones. */
  async all(items: readonly Node[], request: Request): Promise<ReadonlyMap<string, Entry>> {
    const found = new Map<string, Entry>();
    for (const item of items) for (const [name, entry] of await this.#one(item, request)) found.set(name, entry);
    return found;
  }

  async #one(item: Node, { what, lookup }: Request): Promise<readonly (readonly [string, Entry])[]> {
    const pathNode = child(item, "path") ?? item;
    const written = textOf(pathNode);
    if (written === null) return [];
    const path = absolute(written, this.#draft.directory);
    if (booleanOf(child(item, "required")) === false && !(await this.#context.reader.exists(path))) return [];
    const text = this.#texts.get(path) ?? readText({ path, what, source: sourceOf(pathNode.place) }, this.#context);
    this.#texts.set(path, text);
    const file = await text;
    if (file === null) return [];
    this.read.add(path);
    this.#warnOfLineEnds(file, pathNode);
    const raw = textOf(child(item, "format")) === "raw";
    const found = raw ? parseRawEnvFile(file.text) : parseEnvFile(file.text, lookup);
    if ("problem" in found) {
      if (!this.#told.has(path)) reportEnvFile(file, found, this.#context);
      this.#told.add(path);
      return [];
    }
    return Array.from(found, ([name, value]) => [name, entryOf(name, value, file)]);
  }

  /** A carriage return at a line's end is no part of a value here, and is one for `docker run --env-file` and for shells. */
  #warnOfLineEnds(file: SourceFile, { place }: Node): void {
    if (!file.text.includes("\r\n") || this.#told.has(`\r${file.path}`)) return;
    this.#told.add(`\r${file.path}`);
    this.#context.report.add({
      code: "W_LINE_ENDS",
      message: `${quote(file.shown)} has the line ends of Windows`,
      hint: "they are left out here, and other programs take them for a part of the values: save the file with the line ends of Unix",
      source: sourceOf(place),
    });
  }
}

function entryOf(name: string, { value, start, end }: EnvFileValue, file: SourceFile): Entry {
  const place = { file, start, end };
  return { spelled: name, place, value: scalar(value, place) };
}
