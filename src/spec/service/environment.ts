import { absolute } from "../../lib/path.ts";
import type { Context } from "../draft.ts";
import { parseEnvFile, parseRawEnvFile } from "../env-file.ts";
import { reportEnvFile } from "../environment.ts";
import { booleanOf, child, entriesOf, itemsOf, type Node, type Place, sourceOf, textOf } from "../node.ts";
import { readText } from "../read.ts";
import { quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

/** A variable's value with the place where it was given; `null` takes the image's variable away. */
export interface Variable {
  readonly value: string | null;
  readonly place: Place;
}

export interface ReadEnvironment {
  readonly variables: ReadonlyMap<string, Variable>;
  /** Absolute paths of the env files that were read. */
  readonly files: readonly string[];
}

/** The variables of a service: those of its env files, later ones over earlier ones, and its own over all of them. */
export async function readEnvironment(service: Node, scope: Scope, context: Context): Promise<ReadEnvironment> {
  const variables = new Map<string, Variable>();
  const files: string[] = [];
  for (const item of itemsOf(child(service, "env_file"))) {
    const file = await readEnvFile(item, scope, context);
    if (file === null) continue;
    files.push(file.path);
    for (const [name, variable] of file.variables) variables.set(name, variable);
  }
  for (const [name, { place, value }] of entriesOf(child(service, "environment"))) {
    if (!checkName(name, { place, scope })) continue;
    const given = textOf(value);
    const passed = given ?? scope.variables.get(name) ?? null;
    variables.set(name, { value: passed, place: given === null ? place : value.place });
  }
  return { variables, files };
}

/** `key=value` attributes such as `labels`: a key without a value is empty. */
export function readPairs(node: Node | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from(entriesOf(node), ([key, { value }]) => [key, textOf(value) ?? ""]));
}

interface ReadFile {
  readonly path: string;
  readonly variables: ReadonlyMap<string, Variable>;
}

async function readEnvFile(item: Node, scope: Scope, context: Context): Promise<ReadFile | null> {
  const pathNode = child(item, "path") ?? item;
  const written = textOf(pathNode);
  if (written === null) return null;
  const path = absolute(written, scope.directory);
  if (booleanOf(child(item, "required")) === false && !(await context.reader.exists(path))) return null;
  const file = await readText({ path, what: "env file", source: sourceOf(pathNode.place) }, context);
  if (file === null) return null;
  const raw = textOf(child(item, "format")) === "raw";
  const found = raw ? parseRawEnvFile(file.text) : parseEnvFile(file.text, (name) => scope.variables.get(name));
  if ("problem" in found) {
    reportEnvFile(file, found, context);
    return null;
  }
  return { path, variables: new Map(Array.from(found, ([name, { value, start, end }]) => [name, { value, place: { file, start, end } }])) };
}

function checkName(name: string, { place, scope }: { readonly place: Place; readonly scope: Scope }): boolean {
  const problem =
    name === ""
      ? "a variable without a name"
      : name !== name.trimEnd()
        ? `the variable ${quote(name)}, whose name ends with a blank`
        : /[\u0000=]/.test(name)
          ? `the variable ${quote(name)}, whose name has a character that cannot stand in one`
          : null;
  if (problem === null) return true;
  refuse(scope, {
    place,
    message: `\`${scope.path}.environment\` has ${problem}`,
    hint: "write NAME=value, without blanks around the equals sign",
  });
  return false;
}
