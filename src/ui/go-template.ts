/**
 * Templates as Docker's listings take them (`--format '{{.Name}}'`): what of Go's text/template people write there. Fields, `if`/`else`, `range`,
 * `with`, variables, pipelines, and the functions below; nothing that defines or calls templates.
 */
import { isList, type Json } from "../model/json.ts";

export type Template = (data: Json) => string;

/** Why a text is no template. */
export class TemplateError extends Error {}

/** Reads a template. Throws `TemplateError`; what it gives throws one where a field or a function does not fit the data. */
export function parseTemplate(text: string): Template {
  const pieces = piecesOf(text);
  const { nodes, end } = parseNodes(pieces, 0);
  if (end < pieces.length) throw new TemplateError(`unexpected {{${pieces[end]?.text ?? ""}}}`);
  return (data) => render(nodes, { dot: data, root: data, variables: new Map() });
}

interface Piece {
  readonly action: boolean;
  readonly text: string;
}

type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "value"; readonly pipe: Pipe }
  | {
      readonly kind: "block";
      readonly word: Block;
      readonly pipe: Pipe;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

type Block = "if" | "range" | "with";

interface Pipe {
  /** Names of `$variables` that it sets: the value, or with `range` the key and the value. */
  readonly sets: readonly string[];
  readonly commands: readonly (readonly Operand[])[];
}

type Operand =
  | { readonly kind: "literal"; readonly value: Json }
  | { readonly kind: "function"; readonly name: string }
  | { readonly kind: "path"; readonly from: Pipe | string | null; readonly keys: readonly string[] };

interface Scope {
  readonly dot: Json;
  readonly root: Json;
  readonly variables: Map<string, Json>;
}

/** Texts and actions in turn; `{{-` and `-}}` take the space beside them away. */
function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let rest = text;
  let trim = false;
  for (;;) {
    const at = rest.indexOf("{{");
    const plain = at < 0 ? rest : rest.slice(0, at);
    const [, before, action, after] = at < 0 ? [] : (ACTION.exec(rest.slice(at)) ?? []);
    if (at >= 0 && action === undefined) throw new TemplateError("a {{ is not closed");
    let shown = trim ? plain.trimStart() : plain;
    if (before !== undefined && before !== "") shown = shown.trimEnd();
    if (shown !== "") pieces.push({ action: false, text: shown });
    if (action === undefined) return pieces;
    if (!action.startsWith("/*")) pieces.push({ action: true, text: action.trim() });
    trim = (after ?? "") !== "";
    rest = rest.slice(at + 4 + (before?.length ?? 0) + action.length + (after?.length ?? 0));
  }
}

const ACTION = /^\{\{(- )?((?:"(?:[^"\\]|\\.)*"|`[^`]*`|(?! -\}\})(?!\}\})[^"`])*)( -)?\}\}/s;

function parseNodes(pieces: readonly Piece[], from: number): { readonly nodes: readonly Node[]; readonly end: number } {
  const nodes: Node[] = [];
  for (let i = from; i < pieces.length; i++) {
    const { action, text } = pieces[i] ?? { action: false, text: "" };
    if (!action) {
      nodes.push({ kind: "text", text });
      continue;
    }
    const [, word = "", rest = ""] = /^(\w+)?\s*(.*)$/s.exec(text) ?? [];
    if (word === "end" || word === "else") return { nodes, end: i };
    if (word === "if" || word === "range" || word === "with") {
      const block = parseBlock(pieces, i + 1, { word, text: rest });
      nodes.push(block.node);
      i = block.end;
    } else nodes.push({ kind: "value", pipe: parsePipe(text) });
  }
  return { nodes, end: pieces.length };
}

/** What stands between a block's beginning and its `end`, whose index is given with it. */
function parseBlock(
  pieces: readonly Piece[],
  from: number,
  { word, text }: { readonly word: Block; readonly text: string },
): { readonly node: Node; readonly end: number } {
  const pipe = parsePipe(text);
  const body = parseNodes(pieces, from);
  const stop = pieces[body.end]?.text;
  if (stop === undefined) throw new TemplateError(`{{${word}}} has no {{end}}`);
  if (stop === "end") return { node: { kind: "block", word, pipe, body: body.nodes, otherwise: [] }, end: body.end };
  const [, chained] = /^else\s+if\s+(.*)$/s.exec(stop) ?? [];
  if (chained !== undefined) {
    const { node, end } = parseBlock(pieces, body.end + 1, { word: "if", text: chained });
    return { node: { kind: "block", word, pipe, body: body.nodes, otherwise: [node] }, end };
  }
  const otherwise = parseNodes(pieces, body.end + 1);
  if (pieces[otherwise.end]?.text !== "end") throw new TemplateError(`{{${word}}} has no {{end}}`);
  return { node: { kind: "block", word, pipe, body: body.nodes, otherwise: otherwise.nodes }, end: otherwise.end };
}

const TOKEN = /\s*("(?:[^"\\]|\\.)*"|`[^`]*`|:=|[|(),]|-?\d+(?:\.\d+)?|\$\w*(?:\.\w+)*|(?:\.\w+)+|\.|\w+)/y;

function parsePipe(text: string): Pipe {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) throw new TemplateError(`{{${text}}}: cannot read ${text.slice(at).trim()}`);
    tokens.push(token);
  }
  const { pipe, end } = pipeOf(tokens, 0);
  if (end < tokens.length) throw new TemplateError(`{{${text}}}: unexpected ${tokens[end]}`);
  return pipe;
}

function pipeOf(tokens: readonly string[], from: number): { readonly pipe: Pipe; readonly end: number } {
  const assigned = tokens.indexOf(":=", from);
  const sets = assigned < 0 ? [] : tokens.slice(from, assigned).filter((token) => token !== ",");
  const commands: Operand[][] = [[]];
  let i = assigned < 0 ? from : assigned + 1;
  for (; i < tokens.length && tokens[i] !== ")"; i++) {
    const token = tokens[i] ?? "";
    if (token === "|") commands.push([]);
    else if (token === "(") {
      const inner = pipeOf(tokens, i + 1);
      if (tokens[inner.end] !== ")") throw new TemplateError("a ( is not closed");
      i = inner.end;
      const next = tokens[i + 1] ?? "";
      const keys = /^\.\w/.test(next) ? next.split(".").slice(1) : [];
      if (keys.length > 0) i++;
      commands.at(-1)?.push({ kind: "path", from: inner.pipe, keys });
    } else commands.at(-1)?.push(operandOf(token));
  }
  if (commands.some((command) => command.length === 0)) throw new TemplateError("there is nothing to print");
  return { pipe: { sets, commands }, end: i };
}

function operandOf(token: string): Operand {
  if (token.startsWith('"')) return { kind: "literal", value: unquoted(token) };
  if (token.startsWith("`")) return { kind: "literal", value: token.slice(1, -1) };
  if (/^-?\d/.test(token)) return { kind: "literal", value: Number(token) };
  if (token === "true" || token === "false") return { kind: "literal", value: token === "true" };
  if (token === "nil") return { kind: "literal", value: null };
  if (token.startsWith(".")) return { kind: "path", from: null, keys: token.split(".").filter((key) => key !== "") };
  if (token.startsWith("$")) {
    const [name = "$", ...keys] = token.split(".");
    return { kind: "path", from: name, keys };
  }
  if (!Object.hasOwn(FUNCTIONS, token)) throw new TemplateError(`there is no function ${token}`);
  return { kind: "function", name: token };
}

function unquoted(token: string): string {
  try {
    return String(JSON.parse(token));
  } catch (error) {
    if (error instanceof SyntaxError) throw new TemplateError(`cannot read ${token}`);
    throw error;
  }
}

function render(nodes: readonly Node[], scope: Scope): string {
  return nodes
    .map((node) => (node.kind === "text" ? node.text : node.kind === "value" ? shown(node.pipe, scope) : blockText(node, scope)))
    .join("");
}

function shown(pipe: Pipe, scope: Scope): string {
  const value = evaluate(pipe, scope);
  const [name] = pipe.sets;
  if (name === undefined) return textOf(value);
  scope.variables.set(name, value);
  return "";
}

function blockText({ word, pipe, body, otherwise }: Extract<Node, { kind: "block" }>, scope: Scope): string {
  const value = evaluate(pipe, scope);
  const inner = (dot: Json, set: readonly (readonly [string | undefined, Json])[] = []): string => {
    const variables = new Map(scope.variables);
    for (const [name, held] of set) if (name !== undefined) variables.set(name, held);
    return render(body, { ...scope, dot, variables });
  };
  if (!isTrue(value)) return render(otherwise, { ...scope, variables: new Map(scope.variables) });
  if (word === "if") return inner(scope.dot, [[pipe.sets[0], value]]);
  if (word === "with") return inner(value, [[pipe.sets[0], value]]);
  const entries: readonly (readonly [Json, Json])[] = isList(value)
    ? value.map((item, i) => [i, item] as const)
    : isRecord(value)
      ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
      : fail(`range over ${textOf(value)}`);
  const [first, second] = pipe.sets;
  return entries
    .map(([key, item]) =>
      inner(
        item,
        second === undefined
          ? [[first, item]]
          : [
              [first, key],
              [second, item],
            ],
      ),
    )
    .join("");
}

function evaluate({ commands }: Pipe, scope: Scope): Json {
  let piped: readonly Json[] = [];
  for (const [head, ...rest] of commands) {
    if (head === undefined) throw new TemplateError("there is nothing to print");
    const values = [...rest.map((operand) => operandValue(operand, scope)), ...piped];
    piped = [apply(head, values, scope)];
  }
  return piped[0] ?? null;
}

function apply(head: Operand, values: readonly Json[], scope: Scope): Json {
  if (head.kind === "function") return (FUNCTIONS[head.name] ?? fail(`there is no function ${head.name}`))(values);
  // Docker's rows have one method with an argument: `.Label "key"`.
  if (head.kind === "path" && head.from === null && head.keys[0] === "Label" && head.keys.length === 1 && values.length === 1)
    return labelOf(scope.dot, textOf(values[0] ?? null));
  if (values.length > 0) throw new TemplateError(`${head.kind === "path" ? `.${head.keys.join(".")}` : "a value"} takes no arguments`);
  return operandValue(head, scope);
}

function operandValue(operand: Operand, scope: Scope): Json {
  if (operand.kind === "literal") return operand.value;
  if (operand.kind === "function") return apply(operand, [], scope);
  const { from, keys } = operand;
  let value = from === null ? scope.dot : typeof from === "string" ? variable(from, scope) : evaluate(from, scope);
  for (const key of keys) {
    if (!isRecord(value) || !Object.hasOwn(value, key))
      throw new TemplateError(`there is no field ${key}${isRecord(value) ? ` among ${Object.keys(value).join(", ")}` : ""}`);
    value = value[key] ?? null;
  }
  return value;
}

function variable(name: string, { root, variables }: Scope): Json {
  if (name === "$") return root;
  if (!variables.has(name)) throw new TemplateError(`there is no variable ${name}`);
  return variables.get(name) ?? null;
}

/** Docker writes labels as `key=value,…`. */
function labelOf(row: Json, key: string): string {
  const text = isRecord(row) && typeof row["Labels"] === "string" ? row["Labels"] : "";
  const entry = text.split(",").find((pair) => pair.startsWith(`${key}=`));
  return entry === undefined ? "" : entry.slice(key.length + 1);
}

function isTrue(value: Json): boolean {
  if (isList(value)) return value.length > 0;
  return isRecord(value) ? Object.keys(value).length > 0 : Boolean(value);
}

/** As Go prints values: lists in brackets, maps as `map[k:v]`. */
function textOf(value: Json): string {
  if (value === null) return "<no value>";
  if (isList(value)) return `[${value.map((item) => textOf(item)).join(" ")}]`;
  if (!isRecord(value)) return String(value);
  return `map[${Object.entries(value)
    .map(([key, item]) => `${key}:${textOf(item)}`)
    .join(" ")}]`;
}

const text = (values: readonly Json[], at: number): string => textOf(values[at] ?? null);
const last = (values: readonly Json[]): Json => values.at(-1) ?? null;
const compared = (values: readonly Json[]): number => {
  const [a = null, b = null] = values;
  if (typeof a === "number" && typeof b === "number") return a - b;
  return textOf(a) < textOf(b) ? -1 : textOf(a) === textOf(b) ? 0 : 1;
};

const FUNCTIONS: Readonly<Record<string, (values: readonly Json[]) => Json>> = {
  and: (values) => values.find((value) => !isTrue(value)) ?? last(values),
  or: (values) => values.find(isTrue) ?? last(values),
  not: (values) => !isTrue(last(values)),
  eq: ([first = null, ...rest]) => rest.some((value) => textOf(value) === textOf(first)),
  ne: ([first = null, second = null]) => textOf(first) !== textOf(second),
  lt: (values) => compared(values) < 0,
  le: (values) => compared(values) <= 0,
  gt: (values) => compared(values) > 0,
  ge: (values) => compared(values) >= 0,
  index: ([value = null, ...keys]) => keys.reduce<Json>(indexed, value),
  len: ([value = null]) => (isList(value) ? value.length : isRecord(value) ? Object.keys(value).length : textOf(value).length),
  print: (values) => values.map(textOf).join(""),
  println: (values) => `${values.map(textOf).join(" ")}\n`,
  printf: (values) => formatted(text(values, 0), values.slice(1)),
  json: ([value = null]) => JSON.stringify(value),
  join: ([list = null, between = ""]) => (isList(list) ? list.map((item) => textOf(item)).join(textOf(between)) : textOf(list)),
  split: (values) => text(values, 0).split(text(values, 1)),
  lower: (values) => text(values, 0).toLowerCase(),
  upper: (values) => text(values, 0).toUpperCase(),
  title: (values) => text(values, 0).replace(/\b\w/g, (letter) => letter.toUpperCase()),
  pad: (values) => `${" ".repeat(Number(text(values, 1)) || 0)}${text(values, 0)}${" ".repeat(Number(text(values, 2)) || 0)}`,
  truncate: (values) => text(values, 0).slice(0, Math.max(0, Number(text(values, 1)) || 0)),
};

function indexed(value: Json, key: Json): Json {
  if (isList(value)) return (typeof key === "number" ? value[key] : undefined) ?? fail(`there is no item ${textOf(key)}`);
  return isRecord(value) ? (value[textOf(key)] ?? "") : fail(`index of ${textOf(value)}`);
}

/** `%s`, `%v`, `%d`, `%q` with a width, `%%`. */
function formatted(format: string, values: readonly Json[]): string {
  let next = 0;
  return format.replace(/%(-?)(\d{0,3})([svdq%])/g, (_, left: string, width: string, verb: string) => {
    if (verb === "%") return "%";
    const value = values[next++] ?? null;
    const said = verb === "q" ? JSON.stringify(textOf(value)) : textOf(value);
    return left === "-" ? said.padEnd(Number(width)) : said.padStart(Number(width));
  });
}

function isRecord(value: Json): value is { readonly [key: string]: Json } {
  return value !== null && typeof value === "object" && !isList(value);
}

function fail(message: string): never {
  throw new TemplateError(message);
}
