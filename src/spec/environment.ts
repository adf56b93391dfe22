import { absolute, lastPart } from "../lib/path.ts";
import { isProjectName, projectNameFrom } from "../model/names.ts";
import type { Context, Draft } from "./draft.ts";
import { type EnvFileProblem, parseEnvFile } from "./env-file.ts";
import { entry, isNull, type Node, type Place, type SourceFile, sourceOf } from "./node.ts";
import { readText } from "./read.ts";
import { substitute, TemplateError } from "./template.ts";
import { quote } from "./words.ts";

/** Reads `.env` files and decides the project's name, which is itself a variable for all else. */
export async function environment(draft: Draft, context: Context): Promise<Draft> {
  const over = new Map(Object.entries(context.options.env).filter((pair): pair is [string, string] => pair[1] !== undefined));
  const read = await readAll(await requests(draft, context), { over, origins: draft.origins, context });
  context.report.orThrow(); // without the variables everything after would be told of wrongly
  const variables = new Map(read.values);
  const given = projectName({ ...draft, variables }, context);
  const name = given ?? directoryName(draft, context);
  variables.set("COMPOSE_PROJECT_NAME", name);
  return { ...draft, variables, origins: read.origins, name, isNamed: given !== null, inputs: [...draft.inputs, ...read.paths] };
}

/** The variables of the directory in which one stands go before those of the project's. */
async function readAll(groups: readonly (readonly FileRequest[])[], scope: VariableScope): Promise<Variables> {
  let read: Variables = { values: scope.over, origins: scope.origins, paths: [] };
  for (const group of groups) {
    const { values, origins, paths } = await readVariables(group, { ...scope, over: read.values, origins: read.origins });
    read = { values, origins, paths: [...read.paths, ...paths] };
  }
  return read;
}

export interface FileRequest {
  readonly path: string;
  /** It is read because of its name: a directory that has it is none. */
  readonly unasked?: true;
  /** Where the file was asked for, when that was in a spec. */
  readonly place: Place | null;
}

export interface Variables {
  readonly values: ReadonlyMap<string, string>;
  /** Where those that come from files were written. */
  readonly origins: ReadonlyMap<string, Place>;
  readonly paths: readonly string[];
}

export interface VariableScope extends Pick<Variables, "origins"> {
  /** What is known already. */
  readonly over: ReadonlyMap<string, string>;
  readonly context: Context;
}

/** The variables of files, later ones over earlier ones, and those that are known over all of them. */
export async function readVariables(wanted: readonly FileRequest[], { over, origins, context }: VariableScope): Promise<Variables> {
  const read = await Promise.all(
    wanted.map(({ path, place, unasked }) =>
      readText(
        { path, what: "env file", ...(unasked === true ? { unasked } : {}), ...(place === null ? {} : { source: sourceOf(place) }) },
        context,
      ),
    ),
  );
  const files = read.filter((file): file is SourceFile => file !== null);
  const values = new Map<string, string>();
  const places = new Map<string, Place>(origins);
  for (const file of files) {
    const found = parseEnvFile(file.text, (name) => over.get(name), values);
    if ("problem" in found) reportEnvFile(file, found, context);
    else
      for (const [name, { value, start, end }] of found) {
        values.set(name, value);
        if (!over.has(name)) places.set(name, { file, start, end });
      }
  }
  for (const [name, value] of over) values.set(name, value);
  return { values, origins: places, paths: files.map(({ path }) => path) };
}

/** Adds the problem of a file of variables to the report. */
export function reportEnvFile(file: SourceFile, problem: EnvFileProblem, { report }: Pick<Context, "report">): void {
  const source = sourceOf({ file, start: problem.start, end: problem.end });
  report.add({ code: "E_ENV_FILE", message: `\`${file.shown}\`: ${problem.problem}`, hint: problem.hint, source });
}

async function requests({ directory }: Draft, context: Context): Promise<readonly (readonly FileRequest[])[]> {
  const { cwd, envFiles, env, files, projectDirectory } = context.options;
  if (envFiles !== null) return [envFiles.map((path) => ({ path: absolute(path, cwd), place: null }))];
  if (TRUE.has((env["COMPOSE_DISABLE_ENV_FILE"] ?? "").toLowerCase())) return [];
  const directories = new Set([...(files === null && projectDirectory === null ? [cwd] : []), directory]);
  const usual = Array.from(directories, (parent) => absolute(".env", parent));
  const there = await Promise.all(usual.map((path) => context.reader.exists(path)));
  return usual.filter((_, index) => there[index]).map((path) => [{ path, place: null, unasked: true }]);
}

const TRUE: ReadonlySet<string> = new Set(["1", "true", "t", "yes"]);

/** What was asked for, else the last top-level `name`; `null`: nobody gave one. */
function projectName({ layers, variables }: Draft, context: Context): string | null {
  const asked = context.options.projectName ?? variables.get("COMPOSE_PROJECT_NAME") ?? "";
  if (asked !== "") return checkedName(asked, { node: null, context });
  for (const layer of layers.toReversed()) {
    const node = entry(layer, "name")?.value;
    if (node?.kind !== "scalar" || isNull(node)) continue;
    const written = interpolated(node.text, variables);
    return node.text === "" ? null : validName(written, { node, context });
  }
  return null;
}

function directoryName({ directory }: Draft, context: Context): string {
  const own = projectNameFrom(lastPart(directory));
  if (own !== "") return own;
  return checkedName(lastPart(directory), { node: null, context });
}

/** The name with its variables; as it is when they make no sense, which the interpolation says later. */
function interpolated(text: string, variables: ReadonlyMap<string, string>): string {
  try {
    return substitute(text, { lookup: (name) => variables.get(name), unset: () => {} });
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return text;
  }
}

/** A name from a file as a project can have it. */
function validName(name: string, scope: { readonly node: Node; readonly context: Context }): string {
  const valid = projectNameFrom(name);
  if (valid === "") return checkedName(name, scope);
  if (valid !== name)
    scope.context.report.add({
      code: "W_PROJECT_NAME",
      message: `${quote(name)} cannot name a project: it is called ${quote(valid)}`,
      hint: `write \`name: ${valid}\``,
      source: sourceOf(scope.node.place),
    });
  return valid;
}

function checkedName(name: string, { node, context }: { readonly node: Node | null; readonly context: Context }): string {
  if (isProjectName(name)) return name;
  const valid = projectNameFrom(name);
  const hint = "lower-case letters, digits, `-` and `_`, beginning with a letter or digit";
  context.report.add({
    code: "E_PROJECT_NAME",
    message: `${quote(name)} cannot name a project`,
    hint: valid === "" ? hint : `${hint}: \`${valid}\` would do`,
    ...(node === null ? {} : { source: sourceOf(node.place) }),
  });
  return valid === "" ? "project" : valid;
}
