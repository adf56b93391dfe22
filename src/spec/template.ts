/**
 * Compose's interpolation of one text: `$V ${V} ${V:-d} ${V-d} ${V:?e} ${V?e} ${V:+a} ${V+a} $$`, nested to any depth.
 * Defaults are lazy: a branch that is not taken is not looked at.
 */

export interface TemplateContext {
  lookup(name: string): string | undefined;
  /** Called for each variable that is not set and has no default; offsets are those of the text. */
  unset(name: string, start: number, end: number): void;
}

/** What is wrong with a template, with the offsets of the offending part. */
export class TemplateError extends Error {
  readonly code: "E_INTERPOLATION" | "E_REQUIRED_VARIABLE";
  readonly hint: string;
  readonly start: number;
  readonly end: number;

  constructor(message: string, details: Pick<TemplateError, "code" | "hint" | "start" | "end">) {
    super(message);
    this.code = details.code;
    this.hint = details.hint;
    this.start = details.start;
    this.end = details.end;
  }
}

/** The text with its variables filled in. Throws `TemplateError`. */
export function substitute(text: string, context: TemplateContext): string {
  return text.includes("$") ? expand(text, { start: 0, end: text.length }, context, 0) : text;
}

/** A variable that a template asks for. */
export interface TemplateVariable {
  readonly name: string;
  readonly required: boolean;
  /** What stands in for it when it is not set, as written. */
  readonly fallback: string;
  /** What stands in for it when it is set, as written. */
  readonly alternate: string;
}

/** The variables of a text, those inside defaults too; of a text that is no template those before its mistake. */
export function templateVariables(text: string): readonly TemplateVariable[] {
  const found: TemplateVariable[] = [];
  for (let at = text.indexOf("$"); at !== -1; at = text.indexOf("$", at)) {
    const braced = text[at + 1] === "{";
    const name = match(NAME, text, at + (braced ? 2 : 1), text.length);
    const close = braced ? closing(text, at + 1, text.length) : -1;
    if (name === null || (braced && close === -1)) {
      at += 2;
      continue;
    }
    const afterName = at + (braced ? 2 : 1) + name.length;
    const operator = braced ? (match(OPERATOR, text, afterName, close) ?? "") : "";
    const argument = braced ? text.slice(afterName + operator.length, close) : "";
    const given = (kind: string): string => (operator.endsWith(kind) ? argument : "");
    found.push({ name, required: operator.endsWith("?"), fallback: given("-"), alternate: given("+") }, ...templateVariables(argument));
    at = braced ? close + 1 : afterName;
  }
  return found;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

const NAME = /[_a-z][_a-z0-9]*/iy;
const OPERATOR = /:?[-?+]/y;
const MOST_DEPTH = 50;

function expand(text: string, span: Span, context: TemplateContext, depth: number): string {
  if (depth > MOST_DEPTH)
    throw failure(`variables nest deeper than ${MOST_DEPTH} levels`, span, "give the inner ones a name of their own in `.env`");
  let out = "";
  let at = span.start;
  for (let dollar = text.indexOf("$", at); dollar !== -1 && dollar < span.end; dollar = text.indexOf("$", at)) {
    out += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next === "$" && dollar + 1 < span.end) {
      out += "$";
      at = dollar + 2;
    } else if (next === "{" && dollar + 1 < span.end) {
      const close = closing(text, dollar + 1, span.end);
      if (close === -1)
        throw failure(`\`${text.slice(dollar, span.end)}\` has no closing brace`, { start: dollar, end: span.end }, LITERAL_HINT);
      out += braced(text, { start: dollar, end: close + 1 }, context, depth);
      at = close + 1;
    } else {
      const name = match(NAME, text, dollar + 1, span.end);
      at = dollar + 1 + (name?.length ?? 0);
      // As Compose has it: `$1` of awk and the `$` that ends a pattern are meant as they are.
      out += name === null ? "$" : plain(name, { start: dollar, end: at }, context);
    }
  }
  return out + text.slice(at, span.end);
}

/** One `${…}`: `span` covers all of it. */
function braced(text: string, span: Span, context: TemplateContext, depth: number): string {
  const last = span.end - 1;
  const name = match(NAME, text, span.start + 2, last);
  if (name === null) throw failure(`\`${text.slice(span.start, span.end)}\` has no name of a variable after \`\${\``, span, LITERAL_HINT);
  const afterName = span.start + 2 + name.length;
  if (afterName === last) return plain(name, span, context);
  const operator = match(OPERATOR, text, afterName, last);
  if (operator === null)
    throw failure(
      `\`${text.slice(span.start, span.end)}\` has a character after \`${name}\` that means nothing there`,
      span,
      OPERATOR_HINT,
    );
  const value = context.lookup(name);
  const given = value !== undefined && !(operator.startsWith(":") && value === "");
  const argument = () => expand(text, { start: afterName + operator.length, end: last }, context, depth + 1);
  if (operator.endsWith("+")) return given ? argument() : "";
  if (given) return value;
  if (operator.endsWith("-")) return argument();
  const why = argument();
  throw new TemplateError(`the variable \`${name}\` is required${why === "" ? "" : `: ${why}`}`, {
    ...span,
    code: "E_REQUIRED_VARIABLE",
    hint: `set it in the environment or in \`.env\`: ${name}=…`,
  });
}

function plain(name: string, span: Span, context: TemplateContext): string {
  const value = context.lookup(name);
  if (value === undefined) context.unset(name, span.start, span.end);
  return value ?? "";
}

/** The brace that closes the one at `open`, or -1. Every `{` opens, whether a `$` stands before it or not, as compose-go counts. */
function closing(text: string, open: number, end: number): number {
  const close = text.indexOf("}", open);
  const inner = text.indexOf("{", open + 1);
  if (close === -1 || inner === -1 || inner > close) return close < end ? close : -1;
  let depth = 0;
  for (let at = open; at < end; at++) {
    if (text[at] === "}" && --depth === 0) return at;
    if (text[at] === "{") depth++;
  }
  return -1;
}

function match(pattern: RegExp, text: string, at: number, end: number): string | null {
  pattern.lastIndex = at;
  const found = pattern.exec(text)?.[0] ?? null;
  return found === null ? null : found.slice(0, Math.max(end - at, 0)) || null;
}

const LITERAL_HINT = "write `$$` for a dollar sign that is meant as it is";
const OPERATOR_HINT = "after the name come `}`, `:-default`, `-default`, `:?message`, `?message`, `:+other` or `+other`";

function failure(message: string, span: Span, hint: string): TemplateError {
  return new TemplateError(message, { ...span, code: "E_INTERPOLATION", hint });
}
