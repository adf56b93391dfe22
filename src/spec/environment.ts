import { absolute, lastPart } from "../lib/path.ts";
import { isProjectName, projectNameFrom } from "../model/names.ts";
import type { Context, Draft } from "./draft.ts";
import { type EnvFileProblem, parseEnvFile } from "./env-file.ts";
import { entry, isNull, type Node, type SourceFile, sourceOf } from "./node.ts";
import { readText } from "./read.ts";
import { substitute, TemplateError } from "./template.ts";
import { quote } from "./words.ts";

/** Reads `.env` files and decides the project's name, which is itself a variable for all else. */
export async function environment(draft: Draft, context: Context): Promise<Draft> {
  const files = await readEnvFiles(draft, context);
  const variables = new Map<string, string>();
  for (const file of files) {
    const found = parseEnvFile(file.text, (name) => context.options.env[name] ?? variables.get(name));
    if ("problem" in found) reportEnvFile(file, found, context);
    else for (const [name, { value }] of found) variables.set(name, value);
  }
  for (const [name, value] of Object.entries(context.options.env)) if (value !== undefined) variables.set(name, value);
  const name = projectName({ ...draft, variables }, context);
  variables.set("COMPOSE_PROJECT_NAME", name);
  return { ...draft, variables, name, inputs: [...draft.inputs, ...files.map((file) => file.path)] };
}

/** Adds the problem of a file of variables to the report. */
export function reportEnvFile(file: SourceFile, problem: EnvFileProblem, { report }: Pick<Context, "report">): void {
  const source = sourceOf({ file, start: problem.start, end: problem.end });
  report.add({ code: "E_ENV_FILE", message: `\`${file.shown}\`: ${problem.problem}`, hint: problem.hint, source });
}

async function readEnvFiles({ directory }: Draft, context: Context): Promise<readonly SourceFile[]> {
  const { cwd, envFiles } = context.options;
  const paths = envFiles?.map((path) => absolute(path, cwd)) ?? [];
  const usual = absolute(".env", directory);
  if (envFiles === null && (await context.reader.exists(usual))) paths.push(usual);
  const files = await Promise.all(paths.map((path) => readText({ path, what: "env file" }, context)));
  context.report.orThrow(); // without the variables of a file that is missing, everything else would look wrong
  return files.filter((file): file is SourceFile => file !== null);
}

/** What was asked for, else the last top-level `name`, else the directory's. */
function projectName({ layers, variables, directory }: Draft, context: Context): string {
  const asked = context.options.projectName ?? variables.get("COMPOSE_PROJECT_NAME") ?? "";
  if (asked !== "") return checkedName(asked, { node: null, context });
  for (const layer of layers.toReversed()) {
    const node = entry(layer, "name")?.value;
    if (node?.kind === "scalar" && !isNull(node)) return checkedName(interpolated(node.text, variables), { node, context });
  }
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
