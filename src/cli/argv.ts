import { Failure } from "../model/diagnostic.ts";
import { suggestion } from "../model/suggest.ts";

/** What a command line asks for. */
export type CommandLine =
  /** Run the command with this id (`up`, `image:ls`); its arguments carry the global flags that stood before the verb. */
  | { readonly kind: "run"; readonly id: string; readonly argv: readonly string[] }
  /** Show help: of wharf (`[]`), of a topic (`["image"]`), of a command (`["image", "ls"]`). */
  | { readonly kind: "help"; readonly words: readonly string[] }
  | { readonly kind: "version" };

/** Global flags, by long name: whether a value follows. The only list of them beside the flags' own definitions (a test compares). */
export const GLOBAL_FLAGS: Readonly<Record<string, { readonly value: boolean; readonly char?: string }>> = {
  file: { value: true, char: "f" },
  "project-name": { value: true, char: "p" },
  "project-directory": { value: true },
  "env-file": { value: true },
  profile: { value: true },
  engine: { value: true },
  progress: { value: true },
  color: { value: true },
  ansi: { value: true },
  "dry-run": { value: false },
  "all-resources": { value: false },
  compatibility: { value: false },
  parallel: { value: true },
  verbose: { value: false },
  "insecure-registry": { value: true },
};

/**
 * Commands whose first argument ends wharf's own flags: what follows belongs to the program in the container.
 * By command, the flags that take a value, long and short.
 */
export const PASSES_ON: Readonly<Record<string, ReadonlySet<string>>> = {
  exec: new Set(["env", "e", "user", "u", "workdir", "w", "index", "detach-keys"]),
  run: new Set([
    "env",
    "e",
    "volume",
    "volumes",
    "v",
    "publish",
    "p",
    "user",
    "u",
    "workdir",
    "w",
    "entrypoint",
    "name",
    "label",
    "labels",
    "l",
    "pull",
    "env-from-file",
    "cap-add",
    "cap-drop",
    "detach-keys",
  ]),
};

/**
 * Finds the command in argv (without node and script) and brings its words into the one order that its parser reads:
 * Compose's global flags stand before the verb, `wharf -f x -p y up -d`. Throws `Failure` for a command or a global flag that does not exist.
 */
export function commandLine(argv: readonly string[], ids: Iterable<string>): CommandLine {
  const known = new Set(ids);
  const { flags, rest, help, version } = takeGlobals(argv);
  const [verb, second] = rest[0] === "convert" ? ["config"] : rest;
  if (verb === undefined) return version ? { kind: "version" } : { kind: "help", words: [] };
  if (verb === "help") return { kind: "help", words: rest.slice(1) };
  const topic = topics(known).has(verb);
  const id = second !== undefined && known.has(`${verb}:${second}`) ? `${verb}:${second}` : verb;
  if (topic && id === verb && !known.has(id)) {
    if (second === undefined || HELP.has(second)) return { kind: "help", words: [verb] };
    throw unknownCommand(`${verb} ${second}`, known);
  }
  if (!known.has(id)) throw Object.hasOwn(NOT_HERE, verb) ? notHere(verb) : unknownCommand(verb, known);
  const words = id.split(":");
  const own = rest.slice(words.length);
  const end = endOfFlags(id, own);
  if (help || own.slice(0, end).some((word) => HELP.has(word))) return { kind: "help", words };
  return { kind: "run", id, argv: [...flags, ...own.slice(0, end), ...passedOn(id, own.slice(end))] };
}

const HELP: ReadonlySet<string> = new Set(["--help", "-h"]);
const VERSION: ReadonlySet<string> = new Set(["--version", "-v"]);

interface Globals {
  /** In their long form. */
  readonly flags: readonly string[];
  readonly rest: readonly string[];
  readonly help: boolean;
  readonly version: boolean;
}

/** The flags before the verb. */
function takeGlobals(argv: readonly string[]): Globals {
  const flags: string[] = [];
  let help = false;
  let version = false;
  let i = 0;
  for (; i < argv.length; i++) {
    const word = argv[i] ?? "";
    if (!word.startsWith("-") || word === "-" || word === "--") break;
    if (HELP.has(word)) help = true;
    else if (VERSION.has(word)) version = true;
    else {
      const { name, attached } = readFlag(word);
      flags.push(`--${name}`);
      if (GLOBAL_FLAGS[name]?.value !== true) continue;
      const value = attached ?? argv[++i];
      if (value === undefined)
        throw new Failure({ code: "E_USAGE", message: `${word} needs a value`, hint: "wharf --help lists the global flags" });
      flags.push(value);
    }
  }
  return { flags, rest: argv.slice(i), help, version };
}

/** A global flag as written: `--file`, `--file=x`, `-f`, `-fx`, `-f=x`. */
function readFlag(word: string): { readonly name: string; readonly attached: string | null } {
  if (word.startsWith("--")) {
    const equals = word.indexOf("=");
    const name = word.slice(2, equals < 0 ? undefined : equals);
    if (name in GLOBAL_FLAGS) return { name, attached: equals < 0 ? null : word.slice(equals + 1) };
  } else {
    const [name] = Object.entries(GLOBAL_FLAGS).find(([, { char }]) => char === word[1]) ?? [];
    const value = word.slice(word[2] === "=" ? 3 : 2);
    if (name !== undefined) return { name, attached: word.length > 2 ? value : null };
  }
  throw unknownFlag(word, Object.keys(GLOBAL_FLAGS), "flags of a command stand after it; wharf --help lists the global ones");
}

/** A flag that does not exist, with the one that may be meant. */
export function unknownFlag(word: string, names: readonly string[], otherwise: string): Failure {
  const name = word.split("=")[0] ?? word;
  return new Failure({
    code: "E_UNKNOWN_FLAG",
    message: `there is no flag ${name}`,
    ...suggestion(
      name,
      names.map((known) => `--${known}`),
      otherwise,
    ),
  });
}

function unknownCommand(words: string, ids: ReadonlySet<string>): Failure {
  const spoken = [...ids].map((id) => id.replace(":", " "));
  return new Failure({
    code: "E_UNKNOWN_COMMAND",
    message: `there is no command \`${words}\``,
    ...suggestion(words, [...spoken, ...topics(ids)], "wharf --help lists the commands"),
  });
}

/** Compose's commands that wharf does not have, each with what helps instead. */
const NOT_HERE: Readonly<Record<string, string>> = {
  alpha: "`wharf plan` shows what `up` would do",
  bridge: "`wharf config` prints the project for other tools to read",
  build: "build the image with another tool, bring it in with `wharf image load`, and name it with `image:`",
  publish: "keep the spec with the sources; `wharf lock` pins its images",
};

function notHere(verb: string): Failure {
  return new Failure({ code: "E_UNSUPPORTED", message: `wharf does not support \`${verb}\` of Compose`, hint: NOT_HERE[verb] ?? "" });
}

function topics(ids: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...ids].filter((id) => id.includes(":")).map((id) => id.slice(0, id.indexOf(":"))));
}

/** Index of the first word that is not a flag of wharf. */
function endOfFlags(id: string, words: readonly string[]): number {
  const values = PASSES_ON[id];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") return i;
    if (values === undefined) continue;
    if (!word.startsWith("-") || word === "-") return i;
    if (takesNext(word, values)) i++;
  }
  return words.length;
}

/** Whether a flag's value is the next word: `--user root` and `-u root`, not `--user=root`, `-uroot` or `-Tu=root`. */
function takesNext(word: string, values: ReadonlySet<string>): boolean {
  if (word.startsWith("--")) return values.has(word.slice(2)) || GLOBAL_FLAGS[word.slice(2)]?.value === true;
  const first = [...word.slice(1)].findIndex((char) => values.has(char));
  return first >= 0 && first + 2 === word.length;
}

/** The rest behind `--`, so that the parser leaves it alone. A `--` that the user put before the program's name is not passed to it. */
function passedOn(id: string, words: readonly string[]): readonly string[] {
  if (!(id in PASSES_ON) || words.length === 0 || words[0] === "--") return words;
  const [target = "", ...program] = words;
  return ["--", target, ...(program[0] === "--" ? program.slice(1) : program)];
}
