import { isList, type Json } from "../model/json.ts";
import { resolvePlain } from "./scalar.ts";

interface Page {
  readonly lines: string[];
  /** The blanks of a level. */
  readonly step: string;
}

/** A value as YAML in the manner of Compose: two blanks a level, lists set in, quotes only where they are needed. */
export function yamlText(value: Json, { step = 2 }: { readonly step?: number } = {}): string {
  const page: Page = { lines: [], step: " ".repeat(step) };
  if (value === null || typeof value !== "object") page.lines.push(scalarText(value, page.step));
  else if (isEmpty(value)) page.lines.push(isList(value) ? "[]" : "{}");
  else block(value, "", page);
  return `${page.lines.join("\n")}\n`;
}

type Structure = Exclude<Json, string | number | boolean | null>;

function block(value: Structure, indent: string, page: Page): void {
  if (isList(value)) {
    for (const item of value) listItem(item, indent, page);
    return;
  }
  for (const [key, member] of Object.entries(value)) pair(`${indent}${keyText(key)}:`, member, indent, page);
}

function pair(head: string, value: Json, indent: string, page: Page): void {
  const { lines, step } = page;
  if (value === null || typeof value !== "object") lines.push(`${head} ${scalarText(value, `${indent}${step}`)}`);
  else if (isEmpty(value)) lines.push(`${head} ${isList(value) ? "[]" : "{}"}`);
  else {
    lines.push(head);
    block(value, `${indent}${step}`, page);
  }
}

function listItem(item: Json, indent: string, page: Page): void {
  if (item === null || typeof item !== "object" || isEmpty(item)) {
    pair(`${indent}-`, item, indent, page);
    return;
  }
  const { lines } = page;
  const first = lines.length;
  block(item, `${indent}  `, page);
  lines[first] = `${indent}- ${(lines[first] ?? "").slice(indent.length + 2)}`;
}

function isEmpty(value: Structure): boolean {
  return Object.keys(value).length === 0;
}

function keyText(key: string): string {
  const text = scalarText(key, "");
  return text.startsWith("|") ? JSON.stringify(key) : text;
}

/** `pad`: what each line of a text of several begins with. */
function scalarText(value: string | number | boolean | null, pad: string): string {
  if (typeof value !== "string") return String(value);
  if (value.includes("\n") && isPrintable(value) && !/ \n| $/.test(value)) return literal(value, pad);
  if (value === "" || OTHER.test(value) || typeof resolvePlain(value).value !== "string" || isNumberLike(value)) return doubled(value);
  if (!isPrintable(value) || /[\n\t]/.test(value)) return doubled(value);
  return isPlain(value) ? value : `'${value.replaceAll("'", "''")}'`;
}

/** Words and forms that some YAML reader takes for something else than text. */
const OTHER =
  /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF|<<|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?)$/;

function isNumberLike(value: string): boolean {
  return (
    /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9]*)?$/.test(value) ||
    /^[-+]?(?:[0-9][0-9_]*|0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+)$/.test(value)
  );
}

/** Whether a text may stand without quotes in a block. */
function isPlain(value: string): boolean {
  if (/^\s|\s$/.test(value) || /^(?:---|\.\.\.)/.test(value)) return false;
  if (/^[,[\]{}#&*!|>'"%@`]/.test(value) || /^[-?:](?:\s|$)/.test(value)) return false;
  return !/: |:$| #/.test(value);
}

function isPrintable(value: string): boolean {
  return !/[\u0000-\u0008\u000b-\u001f\u007f-\u0084\u0086-\u009f\ufeff\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])/.test(value);
}

/** A text of several lines, which keeps its line ends. */
function literal(value: string, pad: string): string {
  const body = value.replace(/\n+$/, "");
  const ends = value.length - body.length;
  const blanks = /^[ \n]/.test(value) ? "2" : "";
  const chomp = ends === 0 ? "-" : ends === 1 && body !== "" ? "" : "+";
  const lines = (ends > 1 || body === "" ? value.slice(0, -1) : body).split("\n");
  return `|${blanks}${chomp}\n${lines.map((line) => (line === "" ? "" : pad + line)).join("\n")}`;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\u0000", "\\0"],
  ["\u0007", "\\a"],
  ["\b", "\\b"],
  ["\t", "\\t"],
  ["\n", "\\n"],
  ["\u000b", "\\v"],
  ["\f", "\\f"],
  ["\r", "\\r"],
  ["\u001b", "\\e"],
  ['"', '\\"'],
  ["\\", "\\\\"],
]);

function doubled(value: string): string {
  const text = value.replace(/["\\]|[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, (character) => {
    const code = character.charCodeAt(0);
    const hex = code < 0x100 ? `x${code.toString(16).padStart(2, "0")}` : `u${code.toString(16).padStart(4, "0")}`;
    return ESCAPES.get(character) ?? `\\${hex.toUpperCase().replace(/^([XU])/, (letter) => letter.toLowerCase())}`;
  });
  return `"${text}"`;
}
