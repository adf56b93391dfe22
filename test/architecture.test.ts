import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { importsOf, ROOT, type SourceFile, sources } from "./support/sources.ts";

/**
 * The walls of the house: what each room may import. A name is a room, a package, or one file of node's; `*` at its end stands for the rest.
 * The longest room that fits a path is the file's room. docs/architecture.md draws it.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  lib: ["koffi", "node:*"],
  model: [],
  spec: ["model", "lib", "yaml", "node:path"],
  plan: ["model"],
  "plan/hash.ts": ["plan", "model", "node:crypto"],
  engine: ["model"],
  files: ["model", "images/unpack", "node:*"],
  images: ["model", "engine/images.ts", "lib", "zstddec", "node:*"],
  "engines/memory": ["model", "engine", "node:*"],
  "engines/oci": ["model", "engine", "files", "images", "lib", "yaml", "node:*"],
  execute: ["model", "engine", "lib"],
  reconcile: ["model", "spec", "plan", "engine", "execute", "lib", "node:*"],
  watch: ["model", "reconcile", "lib", "chokidar", "node:*"],
  ui: ["model", "listr2", "node:*"],
  cli: [
    "model",
    "lib",
    "spec",
    "plan",
    "engine",
    "engines/*",
    "files",
    "reconcile",
    "watch",
    "ui",
    "@oclif/core",
    "@oclif/core/*",
    "yaml",
    "node:*",
    "package.json",
  ],
  "cli/main.ts": ["cli", "commands/table.ts", "model", "ui", "node:*"],
  commands: ["cli", "model", "@oclif/core"],
};

/** The only files over 400 lines, each with the reason why it is not cut. */
const LONG: Readonly<Record<string, string>> = {
  "src/model/codes.ts": "a registry: one entry for each code, in the order of the alphabet",
};

const MOST_LINES = 400;
const MOST_LINES_OF_A_COMMAND = 60;

const src = sources("src");
const tests = sources("test");
const it = suite("architecture");

it("every import goes through a door that the table of rooms has", () => {
  const broken = src.flatMap((file) =>
    importsOf(file)
      .filter((target) => !mayImport(file.path, target))
      .map((target) => `${file.path} imports ${target}`),
  );
  none(broken, `an import goes through a wall; see docs/architecture.md. What each room may import:\n${table()}\n`);
});

it("every file of src is in a room", () => {
  none(
    src.filter(({ path }) => roomOf(path) === undefined).map(({ path }) => path),
    `files outside every room:\n${table()}\n`,
  );
});

it("no file is over 400 lines without a reason", () => {
  const long = [...src, ...tests, ...sources("scripts", "bench")].filter(({ path, text }) => lines(text) > MOST_LINES && !(path in LONG));
  none(
    long.map(({ path, text }) => `${path}: ${lines(text)} lines`),
    "cut these files by theme",
  );
});

it("a command is under 60 lines: it translates, and the session does the work", () => {
  const long = src.filter(
    ({ path, text }) => path.startsWith("src/commands/") && path !== "src/commands/table.ts" && lines(text) >= MOST_LINES_OF_A_COMMAND,
  );
  none(
    long.map(({ path, text }) => `${path}: ${lines(text)} lines`),
    "move logic to src/cli",
  );
});

it("every suite of tests is run", () => {
  const silent = tests.filter(({ path }) => path.endsWith(".test.ts")).flatMap(unrunSuites);
  none(silent, "uvu says nothing of a suite whose .run() is forgotten");
});

it("label keys are spelled in one file", () => {
  const elsewhere = src.filter(({ path, text }) => path !== "src/model/labels.ts" && text.includes("com.docker.compose"));
  none(
    elsewhere.map(({ path }) => path),
    "use LABEL of src/model/labels.ts",
  );
});

it("the environment is read in src/cli and nowhere else", () => {
  const readers = src.filter(({ path, text }) => !path.startsWith("src/cli/") && /(?<!\.)\bprocess\.env\b/.test(text));
  none(
    readers.map(({ path }) => path),
    "pass what is needed down from src/cli/settings.ts",
  );
});

it("every example has a test", () => {
  const text = tests.map((file) => file.text).join("\n");
  const untested = readdirSync(join(ROOT, "examples")).filter((name) => !text.includes(`examples/${name}`));
  none(untested, "examples that no test names");
});

it("every path that the table of rooms names exists", () => {
  const named = Object.entries(ROOMS).flatMap(([room, doors]) => [room, ...doors.filter((door) => door.endsWith(".ts"))]);
  none(
    named.filter((name) => !existsSync(join(ROOT, "src", name))),
    "rooms that are not there",
  );
});

it("every package that runs with wharf is in its dependencies", () => {
  const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const used = new Set(
    src.flatMap((file) => importsOf(file).filter((name) => /^[@a-z]/.test(name) && !name.startsWith("node:") && !name.startsWith("src/"))),
  );
  const packages = [...used]
    .filter((name) => name !== "package.json")
    .map((name) => name.split("/", name.startsWith("@") ? 2 : 1).join("/"));
  none(
    packages.filter((name) => !(name in dependencies)),
    "add these to the dependencies",
  );
});

it.run();

function mayImport(path: string, target: string): boolean {
  const room = roomOf(path);
  if (room === undefined) return true; // said by its own test
  const inside = target.startsWith("src/") ? target.slice("src/".length) : target;
  return [room, ...(ROOMS[room] ?? [])].some((door) => leadsTo(door, inside));
}

function leadsTo(door: string, target: string): boolean {
  return door.endsWith("*") ? target.startsWith(door.slice(0, -1)) : target === door || target.startsWith(`${door}/`);
}

function roomOf(path: string): string | undefined {
  const inside = path.slice("src/".length);
  return Object.keys(ROOMS)
    .filter((room) => leadsTo(room, inside))
    .sort((a, b) => b.length - a.length)[0];
}

/** Names of suites that a test file makes and never runs. */
function unrunSuites({ path, text }: SourceFile): readonly string[] {
  const made = [...text.matchAll(/^(?:export )?const (\w+) = suite(?:<[^>]*>)?\(/gm)].map(([, name = ""]) => name);
  if (made.length === 0 && !/\.run\(\)/.test(text)) return [`${path} runs nothing`];
  return made.filter((name) => !text.includes(`${name}.run()`)).map((name) => `${path} never runs ${name}`);
}

function table(): string {
  const width = Math.max(...Object.keys(ROOMS).map((room) => room.length));
  return Object.entries(ROOMS)
    .map(([room, doors]) => `  ${room.padEnd(width)}  ${doors.join(", ") || "nothing"}`)
    .join("\n");
}

function lines(text: string): number {
  return text.split("\n").length - 1;
}

function none(found: readonly string[], advice: string): void {
  assert.is(found.length, 0, `${advice}\n${found.map((line) => `  ${line}`).join("\n")}`);
}
