/**
 * Holds the loader against documents and results of Compose's own loader that are kept outside of the repository.
 * Prints how many agree; `VERBOSE=1` prints the differences. Interpolation and files of variables must agree completely.
 */
import { existsSync, readFileSync } from "node:fs";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../../src/model/diagnostic.ts";
import { canonical, isList, type Json } from "../../src/model/json.ts";
import { parseEnvFile } from "../../src/spec/env-file.ts";
import { type Loaded, type LoadOptions, load, type Reader } from "../../src/spec/load.ts";
import { substitute, TemplateError } from "../../src/spec/template.ts";

const FIXTURES = process.env["WHARF_FIXTURES"] ?? join(dirname(fileURLToPath(import.meta.url)), "../../../shared/fixtures");
const VERBOSE = process.env["VERBOSE"] !== undefined;

const reader: Reader = {
  read: (path) => readFile(path),
  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
};

type Golden = { readonly config: Json } | { readonly refused: string };

async function main(): Promise<void> {
  const must = [interpolation(), variables()];
  const scratch = await mkdtemp(join(tmpdir(), "wharf-fixtures-"));
  try {
    await documents(scratch);
    await projects();
    await merges(scratch);
  } finally {
    await rm(scratch, { recursive: true });
  }
  if (!must.every((all) => all)) process.exitCode = 1;
}

function interpolation(): boolean {
  const { env, cases, invalid } = fixture<{
    readonly env: Readonly<Record<string, string>>;
    readonly cases: readonly { readonly template: string; readonly expected: string }[];
    readonly invalid: readonly string[];
  }>("compose-interpolation/cases.json");
  const context = { lookup: (name: string) => env[name], unset: () => {} };
  const good = cases.filter(({ template, expected }) => substitute(template, context) === expected).length;
  const bad = invalid.filter((template) => {
    try {
      substitute(template, context);
      return false;
    } catch (error) {
      if (error instanceof TemplateError) return true;
      throw error;
    }
  }).length;
  return tell("interpolation", { passed: good + bad, all: cases.length + invalid.length });
}

function variables(): boolean {
  const cases = fixture<readonly (readonly [string, string, string])[]>("compose-dotenv/cases.json");
  const passed = cases.filter(([text, name, value]) => {
    const found = parseEnvFile(text, () => undefined);
    return !("problem" in found) && found.get(name)?.value === value;
  });
  return tell("files of variables", { passed: passed.length, all: cases.length });
}

async function documents(scratch: string): Promise<void> {
  const goldens = fixture<Readonly<Record<string, Golden>>>("compose-loader/goldens.json");
  const sources = fixture<readonly { readonly id: string; readonly yaml: readonly string[] }[]>("compose-loader/documents.json");
  const tally = new Tally();
  for (const { id, yaml } of sources)
    for (const [index, text] of yaml.entries()) {
      const name = `document ${id}#${index}`;
      const golden = goldens[name];
      if (golden === undefined) continue;
      const file = join(scratch, "compose.yaml");
      await writeFile(file, text);
      tally.add(name, { golden, outcome: await attempt(file), directory: scratch });
    }
  tally.tell("documents");
}

async function projects(): Promise<void> {
  const goldens = fixture<Readonly<Record<string, Golden>>>("real-world/goldens.json");
  const tally = new Tally();
  for (const [name, golden] of Object.entries(goldens)) {
    const file = join(FIXTURES, "real-world", name.replace(/^project /, ""));
    tally.add(name, { golden, outcome: await attempt(file), directory: dirname(file) });
  }
  tally.tell("real projects");
}

async function merges(scratch: string): Promise<void> {
  const cases =
    fixture<readonly { readonly id: string; readonly base: string; readonly override: string; readonly expected: string }[]>(
      "compose-merge/cases.json",
    );
  const tally = new Tally();
  for (const { id, base, override, expected } of cases) {
    const paths = ["base", "override", "expected"].map((name) => join(scratch, `${name}.yaml`));
    const texts = [base, override, expected];
    await Promise.all(paths.map((path, index) => writeFile(path, texts[index] ?? "")));
    const [first = "", second = "", third = ""] = paths;
    const wanted = await attempt(third);
    if (!(wanted instanceof Failure))
      tally.add(id, { golden: { config: wanted.config }, outcome: await attempt(first, second), directory: scratch });
  }
  tally.tell("merges");
}

type Outcome = Loaded | Failure;

async function attempt(...files: readonly string[]): Promise<Outcome> {
  const options: LoadOptions = {
    files,
    stdin: null,
    cwd: dirname(files[0] ?? "/"),
    projectName: "project",
    projectDirectory: null,
    envFiles: null,
    profiles: [],
    env: { HOME: "/home/u", PATH: "/usr/bin" },
  };
  try {
    return await load(options, reader);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

interface Comparison {
  readonly golden: Golden;
  readonly outcome: Outcome;
  readonly directory: string;
}

class Tally {
  #passed = 0;
  #partly = 0;
  #failed = 0;

  /** Agrees; agrees in all that is supported (the rest was warned of); or differs. */
  add(name: string, { golden, outcome, directory }: Comparison): void {
    const difference = differs({ golden, outcome, directory });
    if (difference === null) this.#passed++;
    else if (!(outcome instanceof Failure) && outcome.warnings.some(({ code }) => code === "W_UNSUPPORTED")) this.#partly++;
    else {
      this.#failed++;
      if (VERBOSE) console.log(`\n${name}\n${difference}`);
    }
  }

  tell(what: string): void {
    const all = this.#passed + this.#partly + this.#failed;
    console.log(`${what}: ${this.#passed} of ${all} agree, ${this.#partly} have parts that are not supported yet, ${this.#failed} differ`);
  }
}

function differs({ golden, outcome, directory }: Comparison): string | null {
  if ("refused" in golden) return outcome instanceof Failure ? null : `should be refused: ${golden.refused}`;
  if (outcome instanceof Failure) return `refused: ${outcome.message}`;
  const [ours, theirs] = [outcome.config, golden.config].map((config) => canonical(within(config, directory)));
  return ours === theirs ? null : `ours   ${ours}\ntheirs ${theirs}`;
}

/** A document with the project's directory under one name. */
function within(value: Json, directory: string): Json {
  if (typeof value === "string") return value.replaceAll(directory, "$DIR");
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) return value.map((item) => within(item, directory));
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, within(member, directory)]));
}

function tell(what: string, { passed, all }: { readonly passed: number; readonly all: number }): boolean {
  console.log(`${what}: ${passed} of ${all} agree`);
  return passed === all;
}

function fixture<T>(path: string): T {
  return JSON.parse(readFileSync(join(FIXTURES, path), "utf8")) as T; // our own test data
}

if (existsSync(FIXTURES)) await main();
else console.log(`spec fixtures: skipped, ${FIXTURES} is not there`);
