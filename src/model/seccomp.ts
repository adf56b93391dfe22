/** Docker's format of a filter of system calls, read from a file of the user's. */
import type { Problem } from "./quantity.ts";

export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet: number | null;
  /** Names of libseccomp (`SCMP_ARCH_X86_64`); empty: the machine's own. */
  readonly architectures: readonly string[];
  /** The ones that come with a machine's own. */
  readonly archMap: readonly { readonly architecture: string; readonly subArchitectures: readonly string[] }[];
  readonly flags: readonly string[];
  readonly rules: readonly SeccompRule[];
}

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet: number | null;
  readonly args: readonly SeccompArgument[];
  /** The rule counts when all of these hold, … */
  readonly includes: SeccompCondition;
  /** … and none of these. */
  readonly excludes: SeccompCondition;
}

export interface SeccompArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo: number;
  readonly op: string;
}

export interface SeccompCondition {
  /** With `CAP_`. */
  readonly caps: readonly string[];
  /** As images name them: `amd64`. */
  readonly arches: readonly string[];
  /** `4.8`, or `null`. */
  readonly minKernel: string | null;
}

/** A profile of a JSON text, or why it is none. */
export function parseSeccomp(text: string): SeccompProfile | Problem {
  try {
    return profileOf(new Value(JSON.parse(text), "the profile"));
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: `it is no JSON: ${error.message}` };
    if (error instanceof Unfit) return { problem: error.message };
    throw error;
  }
}

function profileOf(value: Value): SeccompProfile {
  return {
    defaultAction: value.at("defaultAction").action(),
    defaultErrnoRet: value.at("defaultErrnoRet").optional((errno) => errno.whole()),
    architectures: value
      .at("architectures")
      .list()
      .map((item) => item.text()),
    archMap: value
      .at("archMap")
      .list()
      .map((item) => ({
        architecture: item.at("architecture").text(),
        subArchitectures: item
          .at("subArchitectures")
          .list()
          .map((sub) => sub.text()),
      })),
    flags: value
      .at("flags")
      .list()
      .map((item) => item.text()),
    rules: value.at("syscalls").list().map(ruleOf),
  };
}

function ruleOf(value: Value): SeccompRule {
  const name = value.at("name").optional((single) => single.text());
  const names = value
    .at("names")
    .list()
    .map((item) => item.text());
  if (name !== null && names.length > 0) throw new Unfit(`${value.path} has both \`name\` and \`names\``);
  return {
    names: name === null || name === "" ? names : [name],
    action: value.at("action").action(),
    errnoRet: value.at("errnoRet").optional((errno) => errno.whole()),
    args: value
      .at("args")
      .list()
      .map((item) => ({
        index: item.at("index").optional((index) => index.whole()) ?? 0,
        value: item.at("value").optional((number) => number.whole()) ?? 0,
        valueTwo: item.at("valueTwo").optional((number) => number.whole()) ?? 0,
        op: item.at("op").operator(),
      })),
    includes: conditionOf(value.at("includes")),
    excludes: conditionOf(value.at("excludes")),
  };
}

function conditionOf(value: Value): SeccompCondition {
  const minKernel = value.at("minKernel").optional((version) => version.text());
  return {
    caps: value
      .at("caps")
      .list()
      .map((item) => item.text()),
    arches: value
      .at("arches")
      .list()
      .map((item) => item.text()),
    minKernel: minKernel === "" ? null : minKernel,
  };
}

class Unfit extends Error {}

/** A value of somebody else's JSON, with its place in it. What is `null` is as good as absent. */
class Value {
  readonly path: string;
  readonly #value: unknown;

  constructor(value: unknown, path: string) {
    this.#value = value ?? null;
    this.path = path;
  }

  at(key: string): Value {
    const path = this.path === "the profile" ? `\`${key}\`` : `${this.path.slice(0, -1)}.${key}\``;
    if (this.#value === null) return new Value(null, path);
    if (typeof this.#value !== "object" || Array.isArray(this.#value)) throw new Unfit(`${this.path} is no object`);
    return new Value(Object.hasOwn(this.#value, key) ? Reflect.get(this.#value, key) : null, path);
  }

  list(): readonly Value[] {
    if (this.#value === null) return [];
    if (!Array.isArray(this.#value)) throw new Unfit(`${this.path} is no list`);
    return this.#value.map((item: unknown, index) => new Value(item, `${this.path.slice(0, -1)}[${index}]\``));
  }

  text(): string {
    if (typeof this.#value !== "string") throw new Unfit(`${this.path} is no text`);
    return this.#value;
  }

  whole(): number {
    if (typeof this.#value !== "number" || !Number.isSafeInteger(this.#value) || this.#value < 0)
      throw new Unfit(`${this.path} is no whole number from 0 to 2^53`);
    return this.#value;
  }

  action(): string {
    return this.#word(ACTIONS, "SCMP_ACT_");
  }

  operator(): string {
    return this.#word(OPERATORS, "SCMP_CMP_");
  }

  optional<T>(read: (value: Value) => T): T | null {
    return this.#value === null ? null : read(this);
  }

  #word(known: readonly string[], prefix: string): string {
    const text = this.text();
    if (!text.startsWith(prefix) || !known.includes(text.slice(prefix.length)))
      throw new Unfit(`${this.path} is ${JSON.stringify(text)}: it must be ${prefix}${known.join(`, ${prefix}`)}`);
    return text;
  }
}

const ACTIONS = ["KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "ERRNO", "TRACE", "ALLOW", "LOG"];
const OPERATORS = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];
