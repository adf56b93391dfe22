/** Files of variables (`.env`, `env_file`) in Compose's dialect. */
import { substitute, TemplateError } from "./template.ts";

export interface EnvFileValue {
  readonly value: string;
  /** Offsets of the value in the text. */
  readonly start: number;
  readonly end: number;
}

export interface EnvFileProblem {
  readonly problem: string;
  readonly hint: string;
  /** Offsets in the text. */
  readonly start: number;
  readonly end: number;
}

/**
 * The variables of a file. Values may refer to variables above them and to those of `lookup`, which go first, and to those of earlier files.
 * A name alone takes its value from `lookup`, and is left out when that has none.
 */
export function parseEnvFile(
  text: string,
  lookup: (name: string) => string | undefined,
  earlier: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, EnvFileValue> | EnvFileProblem {
  const found = new Map<string, EnvFileValue>();
  const context = { lookup: (name: string) => lookup(name) ?? found.get(name)?.value ?? earlier.get(name), unset: () => {} };
  let at = statement(text, 0);
  while (at < text.length) {
    const name = readName(text, at);
    if ("problem" in name) return name;
    if (name.alone) {
      const value = lookup(name.name) ?? earlier.get(name.name);
      if (value !== undefined) found.set(name.name, { value, start: at, end: name.end });
      at = statement(text, name.end);
      continue;
    }
    const value = readValue(text, name.end);
    if ("problem" in value) return value;
    const place = { start: name.end, end: value.end };
    try {
      found.set(name.name, { value: value.literal ? value.text : substitute(value.text, context), ...place });
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      return { problem: error.message, hint: error.hint, ...place };
    }
    at = statement(text, value.end);
  }
  return found;
}

/** The variables of a file in `format: raw`: everything after the first `=` is the value, nothing is special. */
export function parseRawEnvFile(text: string): ReadonlyMap<string, EnvFileValue> {
  const found = new Map<string, EnvFileValue>();
  for (let start = 0; start < text.length; start = lineEnd(text, start) + 1) {
    const line = text.slice(start, lineEnd(text, start)).replace(/\r$/, "");
    const equals = line.indexOf("=");
    if (line.startsWith("#") || equals <= 0) continue;
    found.set(line.slice(0, equals).trim(), { value: line.slice(equals + 1), start: start + equals + 1, end: start + line.length });
  }
  return found;
}

interface Name {
  readonly name: string;
  /** Nothing but the name stands on the line. */
  readonly alone: boolean;
  /** Where the value begins, white space skipped. */
  readonly end: number;
}

interface Value {
  readonly text: string;
  /** In single quotes: no variables. */
  readonly literal: boolean;
  readonly end: number;
}

/** Where the next statement begins: white space and comments are passed over. */
function statement(text: string, from: number): number {
  let at = from;
  for (;;) {
    while (at < text.length && /\s/.test(text[at] ?? "")) at++;
    if (text[at] !== "#") return at;
    at = lineEnd(text, at);
  }
}

/** The letters of all languages take milliseconds to compile, and hardly any name has others than these. */
const USUAL_CHARACTER = /[A-Za-z0-9_.[\]-]/;

function isNameCharacter(character: string): boolean {
  return USUAL_CHARACTER.test(character) || /[\p{L}\p{N}]/u.test(character);
}
const EXPORT = /export[\t\v\f\r \u0085\u00a0]+/y;

function readName(text: string, from: number): Name | EnvFileProblem {
  EXPORT.lastIndex = from;
  const start = from + (EXPORT.exec(text)?.[0].length ?? 0);
  let at = start;
  while (at < text.length && !"=:\n".includes(text[at] ?? "")) {
    const character = text[at] ?? "";
    if (!isNameCharacter(character) && !/\s/.test(character))
      return {
        problem: `the character \`${character}\` cannot stand in the name of a variable`,
        hint: "each line is NAME=value; a comment begins with #",
        start: at,
        end: at + 1,
      };
    at++;
  }
  const name = text.slice(start, at).trimEnd();
  const place = { start, end: Math.max(at, start + 1) };
  if (/\s/.test(name)) return { problem: `the name \`${name}\` has a space in it`, hint: "each line is NAME=value", ...place };
  if (name === "") return { problem: "a line has no name before its value", hint: "each line is NAME=value", ...place };
  const alone = at >= text.length || text[at] === "\n";
  let end = alone ? at : at + 1;
  while (!alone && end < text.length && text[end] !== "\n" && /\s/.test(text[end] ?? "")) end++;
  return { name, alone, end };
}

function readValue(text: string, from: number): Value | EnvFileProblem {
  const quote = text[from];
  if (quote !== '"' && quote !== "'") {
    const end = lineEnd(text, from);
    const line = text.slice(from, end);
    const comment = line.indexOf(" #");
    return { text: (comment === -1 ? line : line.slice(0, comment)).trimEnd(), literal: false, end };
  }
  let value = "";
  for (let at = from + 1; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === "\r" && text[at + 1] === "\n") continue; // a line end of Windows is a line end
    if (character === quote) return { text: quote === '"' ? unescaped(value) : value, literal: quote === "'", end: at + 1 };
    const next = text[at + 1] ?? "";
    if (character === "\\" && next !== "") {
      value += next === quote ? quote : `\\${next}`;
      at++;
    } else value += character;
  }
  return { problem: "a quote is not closed", hint: `end the value with ${quote}`, start: from, end: lineEnd(text, from) };
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["a", "\u0007"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
  ['"', '"'],
  ["\\", "\\"],
  ["$", "$$"], // the substitution makes one dollar sign of it
]);

/** Escapes of double quotes; octal ones are `\0` and three digits, and lose the `0` when they are none. Anything else stays as it is. */
function unescaped(text: string): string {
  return text.replace(/\\(?:([abcfnrtv$"\\])|0([0-9]{0,3}))/g, (all, letter: string | undefined, octal: string | undefined) => {
    if (octal === undefined) return ESCAPES.get(letter ?? "") ?? all;
    return /^[0-3][0-7]{2}$/.test(octal) ? String.fromCharCode(Number.parseInt(octal, 8)) : `\\${octal}`;
  });
}
