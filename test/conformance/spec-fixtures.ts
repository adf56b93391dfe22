/**
 * Holds the loader against documents and results of Compose's own loader that are kept outside of the repository.
 * Prints how many agree; `VERBOSE=1` prints the differences. All must agree, but for the differences that docs/compose-differences.md has.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { access, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Failure } from "../../src/model/diagnostic.ts";
import { canonical, isList, type Json } from "../../src/model/json.ts";
import { parseEnvFile } from "../../src/spec/env-file.ts";
import { type Loaded, type LoadOptions, load, type Reader } from "../../src/spec/load.ts";
import { substitute, TemplateError } from "../../src/spec/template.ts";
import { yamlText } from "../../src/spec/yaml-text.ts";

const FIXTURES = process.env["WHARF_FIXTURES"] ?? join(dirname(fileURLToPath(import.meta.url)), "../../../shared/fixtures");
const VERBOSE = process.env["VERBOSE"] !== undefined;

/** What Compose refuses and wharf takes on purpose, told by the document or by Compose's words. Each has its reason in docs/compose-differences.md. */
const TAKEN: readonly { readonly document?: RegExp; readonly refused: RegExp }[] = [
  { document: /^\s*(?:pre_start|no_cache_filter):/m, refused: /additional properties/ },
  { refused: /refers to undefined network #extensions/ },
  { document: /^\s*ssh:/m, refused: /MarshalJSON/ },
  { refused: /cycle detected: node at path (\S+) references node at path (?!.*\1)/ },
];

const reader: Reader = {
  read: (path) => readFile(path),
  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
};

type Golden = { readonly config: Json } | { readonly refused: string };

const it = suite<{ scratch: string }>("Compose's own results");

const FAMILIES: readonly (readonly [name: string, agrees: (scratch: string) => boolean | Promise<boolean>])[] = [
  ["templates are filled in as Compose fills them in", interpolation],
  ["files of variables are read as Compose reads them", variables],
  ["documents are taken and printed, or refused, as by Compose", documents],
  ["real projects too, and what is printed is read again as it was", projects],
  ["files merge into what they merge into for Compose", merges],
  ["the whole specification is printed alike, in both formats", example],
];

const there = existsSync(FIXTURES);
if (!there) console.log(`skipped: ${FIXTURES} is not there, and WHARF_FIXTURES names no other`);
it.before(async (context) => {
  context.scratch = realpathSync(await mkdtemp(join(tmpdir(), "wharf-fixtures-")));
});
it.after(({ scratch }) => rm(scratch, { recursive: true }));
for (const [name, agrees] of FAMILIES)
  (there ? it : it.skip)(name, async ({ scratch }) => {
    assert.ok(await agrees(scratch), "VERBOSE=1 shows where they differ");
  });
it.run();

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

async function documents(scratch: string): Promise<boolean> {
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
      tally.add(name, { golden, outcome: await attempt([file]), directory: scratch, text });
    }
  return tally.tell("documents");
}

async function projects(scratch: string): Promise<boolean> {
  const goldens = fixture<Readonly<Record<string, Golden>>>("real-world/goldens.json");
  const tally = new Tally();
  for (const [index, [name, golden]] of Object.entries(goldens).entries()) {
    const from = join(FIXTURES, "real-world", name.replace(/^project /, ""));
    const directory = join(scratch, String(index), "above", "project");
    await cp(dirname(from), directory, { recursive: true });
    const sample = readdirSync(directory).find((file) => EXAMPLE.test(file));
    if (sample !== undefined && !existsSync(join(directory, ".env"))) await cp(join(directory, sample), join(directory, ".env"));
    const file = join(directory, basename(from));
    const outcome = await attempt([file]);
    tally.add(name, { golden, outcome, directory, text: "" });
    if (outcome instanceof Failure) continue;
    const again = join(directory, "again.yaml");
    await writeFile(again, yamlText(outcome.print("yaml", [])));
    tally.add(`${name} again`, { golden: { config: outcome.config }, outcome: await attempt([again]), directory, text: "" });
  }
  return tally.tell("real projects");
}

/** Files in which projects show the variables that they need. */
const EXAMPLE = /^(?:\.env\.example|\.env\.sample|example\.env|env\.example|\.env\.template|\.env-dist|dot-?env.*)$/i;

async function merges(scratch: string): Promise<boolean> {
  const cases =
    fixture<readonly { readonly id: string; readonly base: string; readonly override: string; readonly expected: string }[]>(
      "compose-merge/cases.json",
    );
  const tally = new Tally();
  for (const { id, base, override, expected } of cases) {
    const [first = "", second = "", third = ""] = ["base", "override", "expected"].map((name) => join(scratch, `${name}.yaml`));
    await Promise.all([writeFile(first, base), writeFile(second, override), writeFile(third, expected)]);
    const raw = { interpolate: false, normalise: false, resolvePaths: false };
    const wanted = await attempt([third], raw);
    if (!(wanted instanceof Failure))
      tally.add(id, { golden: { config: wanted.config }, outcome: await attempt([first, second], raw), directory: scratch, text: "" });
  }
  return tally.tell("merges");
}

/** The whole specification in one file, in both of Compose's formats. A newer loader made the goldens: it leaves a default out that Compose prints. */
async function example(): Promise<boolean> {
  const directory = join(FIXTURES, "compose-full-example");
  const env = { HOME: "/home/u", QUX: "qux_from_environment", BAR: "this is a secret" };
  const outcome = await attempt([join(directory, "full-example.yml")], {
    ...{ projectName: null, normalise: false, consistency: false, keepFiles: true, env },
  });
  if (outcome instanceof Failure) throw outcome;
  const seen = (text: string) => text.replaceAll(directory, "/w");
  const yaml = seen(yamlText(outcome.print("yaml", []))).replaceAll(/bind:\n +create_host_path: true/g, "bind: {}");
  const json = seen(JSON.stringify(outcome.config)).replaceAll('"create_host_path":true', "");
  const wanted = canonical(fixture<Json>("compose-full-example/expected.json"));
  const agree = [yaml === readFileSync(join(directory, "expected.yaml"), "utf8"), canonical(JSON.parse(json) as Json) === wanted];
  if (VERBOSE && !agree[0]) await writeFile(join(tmpdir(), "wharf-full-example.yaml"), yaml);
  if (VERBOSE && !agree[1]) console.log(`ours   ${canonical(JSON.parse(json) as Json)}\ntheirs ${wanted}`);
  return tell("full example", { passed: agree.filter((one) => one).length, all: 2 });
}

type Outcome = Loaded | Failure;

async function attempt(files: readonly string[], more: Partial<LoadOptions> = {}): Promise<Outcome> {
  const options: LoadOptions = {
    files,
    stdin: null,
    cwd: dirname(files[0] ?? "/"),
    projectName: "project",
    projectDirectory: null,
    envFiles: null,
    profiles: [],
    env: { HOME: "/home/u", PATH: process.env["PATH"] },
    ...more,
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
  readonly text: string;
}

class Tally {
  #passed = 0;
  #taken = 0;
  #failed = 0;

  /** Agrees; is taken on purpose where Compose refuses it; or differs. */
  add(name: string, { golden, outcome, directory, text }: Comparison): void {
    const difference = differs({ golden, outcome, directory, text });
    if (difference === null) this.#passed++;
    else if ("refused" in golden && TAKEN.some(({ document, refused }) => (document?.test(text) ?? true) && refused.test(golden.refused)))
      this.#taken++;
    else {
      this.#failed++;
      if (VERBOSE) console.log(`\n${name}\n${difference}`);
    }
  }

  tell(what: string): boolean {
    const all = this.#passed + this.#taken + this.#failed;
    const taken = this.#taken === 0 ? "" : `, ${this.#taken} are taken on purpose`;
    console.log(`${what}: ${this.#passed} of ${all} agree${taken}${this.#failed === 0 ? "" : `, ${this.#failed} differ`}`);
    return this.#failed === 0;
  }
}

function differs({ golden, outcome, directory }: Comparison): string | null {
  if ("refused" in golden) return outcome instanceof Failure ? null : `should be refused: ${golden.refused}`;
  if (outcome instanceof Failure) return `refused: ${outcome.message}`;
  const [ours, theirs] = [outcome.config, golden.config].map((config) => canonical(within(config, directory)));
  return ours === theirs ? null : `ours   ${ours}\ntheirs ${theirs}`;
}

/** A document with the project's directory, and those above it, under names of their own. */
function within(value: Json, directory: string): Json {
  if (typeof value === "string")
    return value
      .replaceAll(directory, "$DIR")
      .replaceAll(dirname(directory), "$UP1")
      .replaceAll(dirname(dirname(directory)), "$UP2");
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
