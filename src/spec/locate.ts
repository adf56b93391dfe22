import { absolute, parent } from "../lib/path.ts";
import { Failure, Report } from "../model/diagnostic.ts";
import type { Context, Draft } from "./draft.ts";
import { readVariables } from "./environment.ts";
import type { SourceFile } from "./node.ts";
import { readStandardInput, readText } from "./read.ts";
import { listing, quote } from "./words.ts";

/** Names that are looked for, the first that is there wins, each with the files that are laid over it when they stand beside it. */
export const DEFAULT_FILES: readonly { readonly name: string; readonly overrides: readonly string[] }[] = [
  ...["wharf.yaml", "wharf.yml"].map((name) => ({ name, overrides: ["wharf.override.yaml", "wharf.override.yml"] })),
  ...["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"].map((name) => ({
    name,
    overrides: ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"],
  })),
];

/** Finds and reads the spec files. Throws when there is nothing to go on with. */
export async function locate(draft: Draft, context: Context): Promise<Draft> {
  const { cwd, files: given, projectDirectory } = context.options;
  const named = given ?? (await namedByVariables(context));
  const paths = named === null ? await findDefault(context) : named.map((path) => (path === "-" ? path : absolute(path, cwd)));
  const read = await Promise.all(
    paths.map((path) => (path === "-" ? readStandardInput(context) : readText({ path, what: "spec" }, context))),
  );
  context.report.orThrow();
  const files = read.filter((file): file is SourceFile => file !== null);
  const first = files.find((file) => file.path !== "-");
  const directory = projectDirectory === null ? (first === undefined ? cwd : parent(first.path)) : absolute(projectDirectory, cwd);
  return { ...draft, files, directory, root: directory, inputs: files.map((file) => file.path).filter((path) => path !== "-") };
}

/** Compose's names mean the same: of several in one directory only the first is read, which may not be the one that someone edits. */
async function warnOfOthers(found: { readonly name: string; readonly directory: string }, { reader, report }: Context): Promise<void> {
  const names = DEFAULT_FILES.map(({ name }) => name).filter((name) => name.startsWith("wharf") === found.name.startsWith("wharf"));
  const there = await Promise.all(
    names.map((name) => {
      const path = absolute(name, found.directory);
      return name === found.name ? false : (reader.glance?.(path, { near: true }) ?? reader.exists(path));
    }),
  );
  const others = names.filter((_, i) => there[i]);
  if (others.length > 0)
    report.add({
      code: "W_SEVERAL_FILES",
      message: `${listing([found.name, ...others], "and")} are all here: only ${quote(found.name)} is read`,
      hint: "keep one of them, or name the files with -f",
    });
}

/** The files that `COMPOSE_FILE` of a file of variables names, as Compose has it; `null` when none does. */
async function namedByVariables(context: Context): Promise<readonly string[] | null> {
  const { cwd, projectDirectory, envFiles, env } = context.options;
  const usual = absolute(".env", projectDirectory === null ? cwd : absolute(projectDirectory, cwd));
  const paths = envFiles?.map((path) => absolute(path, cwd)) ?? ((await context.reader.exists(usual)) ? [usual] : []);
  if (paths.length === 0) return null;
  const over = new Map(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));
  const quiet = { ...context, report: new Report() }; // what is wrong with the files is said when the variables are read
  const { values } = await readVariables(
    paths.map((path) => ({ path, place: null })),
    { over, origins: new Map(), context: quiet },
  );
  const files = (values.get("COMPOSE_FILE") ?? "").split(values.get("COMPOSE_PATH_SEPARATOR") || ":").filter((path) => path !== "");
  return files.length === 0 ? null : files;
}

async function findDefault(context: Context): Promise<readonly string[]> {
  const { options, reader } = context;
  for (let directory = options.cwd; ; directory = parent(directory)) {
    for (const { name, overrides } of DEFAULT_FILES) {
      const base = absolute(name, directory);
      if (!(await reader.exists(base))) continue;
      await warnOfOthers({ name, directory }, context);
      for (const override of overrides) {
        const path = absolute(override, directory);
        if (await reader.exists(path)) return [base, path];
      }
      return [base];
    }
    if (directory === parent(directory)) break;
  }
  throw new Failure({
    code: "E_NO_SPEC",
    message: `there is no wharf.yaml or compose.yaml in ${options.cwd} or a directory above it`,
    hint: "create a wharf.yaml, go to the directory that has one, or name a file with -f",
  });
}
