import { splitWords } from "../lib/shell-words.ts";
import type { Report } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import { formatDuration, parseBytes, parseDuration } from "../model/quantity.ts";
import { addMember, child, isNull, itemsOf, type Mapping, mapping, type Node, type Scalar, textOf, toJson } from "./node.ts";
import { spell, type Trail } from "./path.ts";
import { refuse } from "./service/scope.ts";
import { type Fields, type Leaf, SECTIONS, type Shape } from "./shape.ts";
import { quote } from "./words.ts";

export type Format = "json" | "yaml";

export interface Encoding {
  readonly format: Format;
  /** Where values that cannot be what they should are told of. */
  readonly report: Report;
}

type Members = { [key: string]: Json };

/** A project as Compose prints it. Where Compose's two formats differ, so do these: JSON has no `x-` keys of services, YAML no empty parts. */
export function encodeProject(tree: Node, name: string, encoding: Encoding): { readonly [key: string]: Json } {
  const result: Members = { name };
  for (const [section, shape] of SECTIONS) {
    const value = encode(child(tree, section), { map: shape }, { encoding, up: null, key: section });
    if (section === "models" && encoding.format === "json") continue; // as Compose does
    if (value !== undefined) result[section] = value;
    else if (section === "services") result[section] = {};
  }
  for (const [key, value] of extensionsOf(tree, encoding)) result[key] = value;
  return encoding.format === "json" ? sorted(result, encoding) : result;
}

/** Where a value is. */
export interface At extends Trail {
  readonly encoding: Encoding;
}

/** `undefined`: it is left out. */
function encode(node: Node | undefined, shape: Shape | Leaf, at: At): Json | undefined {
  if (node === undefined || (isNull(node) && shape !== "words")) return undefined;
  if (typeof shape === "string") return leaf(node, shape, at);
  if (shape.list !== undefined) {
    const { list } = shape;
    const items = itemsOf(node).flatMap((item, index) => encode(item, list, below(at, index)) ?? []);
    return items.length === 0 ? undefined : items;
  }
  if (node.kind !== "mapping") return undefined;
  if (shape.map !== undefined) return named(node, shape.map, at);
  const members = fields(node, shape.fields ?? {}, at);
  return shape.capital === true && at.encoding.format === "json" ? capital(members) : members;
}

function named(node: Mapping, shape: Shape | Leaf, at: At): Json | undefined {
  if (node.entries.size === 0) return undefined;
  const nullable = typeof shape !== "string" && shape.nullable === true;
  const members: Members = {};
  for (const key of sortedKeys(node.entries, at.encoding)) {
    const encoded = encode(child(node, key), shape, below(at, key));
    addMember(members, key, encoded ?? (nullable ? null : empty(shape, below(at, key), node)));
  }
  return members;
}

/** What is printed for an entry without a value. */
function empty(shape: Shape | Leaf, at: At, { place }: Mapping): Json {
  return typeof shape === "string" ? {} : fields(mapping(new Map(), place), shape.fields ?? {}, at);
}

function fields(node: Mapping, all: Fields, at: At): Members {
  const json = at.encoding.format === "json";
  const members: Members = {};
  for (const key of keysToPrint(node, all)) {
    const shape = all[key] ?? "any";
    const always = typeof shape !== "string" && shape.always === true;
    const held = node.entries.get(key)?.value;
    const value = held === undefined ? undefined : encode(held, shape, below(at, key));
    if (value !== undefined && (json || value !== null)) {
      if (json || !isEmpty(value) || !always) members[key] = value;
    } else if (typeof shape === "string" && shape in UNSAID) members[key] = UNSAID[shape] ?? null;
    else if (json && shape === "words") members[key] = null;
    else if (json && always) members[key] = encodeEmpty(shape, at) ?? {};
  }
  if (!json) for (const [key, value] of extensionsOf(node, at.encoding)) members[key] = value;
  return members;
}

/** What is printed where nothing is said. */
const UNSAID: Readonly<{ [kind in Leaf]?: Json }> = { "always-text": "", "always-integer": 0, "always-bytes": "0" };

function capital(members: Members): Members {
  return Object.fromEntries(Object.entries(members).map(([key, value]) => [key.charAt(0).toUpperCase() + key.slice(1), value]));
}

/** The keys that a mapping has, or that are printed without, in the order of the attributes: there are many more attributes than any has. */
function keysToPrint({ entries }: Mapping, all: Fields): readonly string[] {
  const { ranks, always } = orderOf(all);
  const keys: string[] = [];
  entries.forEach((_, key) => {
    if (ranks.has(key)) keys.push(key);
  });
  for (const key of always) if (!entries.has(key)) keys.push(key);
  return keys.sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0));
}

interface Order {
  readonly ranks: ReadonlyMap<string, number>;
  /** Those that are printed when nothing is said of them. */
  readonly always: readonly string[];
}

const ORDERS = new WeakMap<Fields, Order>();

function orderOf(all: Fields): Order {
  const known = ORDERS.get(all);
  if (known !== undefined) return known;
  const keys = Object.keys(all);
  const always = keys.filter((key) => {
    const shape = all[key];
    return typeof shape === "object" ? shape.always === true : shape === "words" || (shape !== undefined && shape in UNSAID);
  });
  const order = { ranks: new Map(keys.map((key, rank) => [key, rank])), always };
  ORDERS.set(all, order);
  return order;
}

/** What JSON has for a part that is always there. */
function encodeEmpty(shape: Shape | Leaf, at: At): Json | undefined {
  if (typeof shape === "string" || shape.fields === undefined) return undefined;
  const members: Members = {};
  for (const [key, inner] of Object.entries(shape.fields)) if (inner === "words" && at.encoding.format === "json") members[key] = null;
  return members;
}

function isEmpty(value: Json): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function extensionsOf(node: Node, encoding: Encoding): readonly (readonly [string, Json])[] {
  if (node.kind !== "mapping") return [];
  const extensions: (readonly [string, Json])[] = [];
  node.entries.forEach(({ value }, key) => {
    if (key.startsWith("x-")) extensions.push([key, deepSorted(toJson(value), encoding)]);
  });
  return extensions.sort(([a], [b]) => order(encoding)(a, b));
}

/** A value of one kind; `undefined` when it is left out, and when it cannot be one: the report says why. */
export function leaf(node: Node, kind: Leaf, at: At): Json | undefined {
  switch (kind) {
    case "texts":
      return some(itemsOf(node).map((item) => textOf(item) ?? ""));
    case "hosts":
      return some(
        itemsOf(node)
          .flatMap((item, index) => host(textOf(item) ?? "", item, below(at, index)) ?? [])
          .sort(),
      );
    case "words":
      return words(node, at);
    case "test":
      return node.kind === "scalar" ? ["CMD-SHELL", node.text] : some(itemsOf(node).map((item) => textOf(item) ?? ""));
    case "labels":
      return texts(node, "", at);
    case "variables":
      return texts(node, null, at);
    case "lists":
      return lists(node, at);
    case "ulimit":
      return node.kind === "mapping" ? fields(node, SOFT_AND_HARD, at) : leaf(node, "given-integer", at);
    case "file":
      return fileOf(node);
    case "any":
      return toJson(node);
    default:
      return node.kind === "scalar" ? single(node, kind, at) : undefined;
  }
}

const SOFT_AND_HARD: Fields = { soft: "integer", hard: "integer" };

type Single = Exclude<Leaf, "texts" | "hosts" | "words" | "test" | "labels" | "variables" | "lists" | "ulimit" | "file" | "any">;

function single(node: Scalar, kind: Single, at: At): Json | undefined {
  switch (kind) {
    case "text":
    case "always-text":
      return node.text === "" ? undefined : node.text;
    case "flag":
    case "given-flag":
    case "always-flag":
      return flag(node, kind === "flag", at);
    case "integer":
    case "given-integer":
    case "always-integer":
    case "number":
      return numeric(node, kind, at);
    case "natural":
    case "given-natural":
      return natural(node, kind, at);
    case "bytes":
    case "given-bytes":
    case "always-bytes":
      return bytes(node, kind === "bytes", at);
    case "duration":
    case "given-duration":
      return duration(node, kind === "duration", at);
    case "mode":
      return mode(node, at);
    case "count":
      return node.text === "all" ? -1 : numeric(node, "integer", at);
  }
}

function flag(node: Scalar, omit: boolean, at: At): Json | undefined {
  const value = typeof node.value === "boolean" ? node.value : BOOLEANS.get(node.text.toLowerCase());
  if (value === undefined) return wrong(node, "it must be true or false", at);
  return omit && !value ? undefined : value;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["true", "1", "t", "y", "yes", "on"].map((word) => [word, true] as const),
  ...["false", "0", "f", "n", "no", "off"].map((word) => [word, false] as const),
]);

function natural(node: Scalar, kind: "natural" | "given-natural", at: At): Json | undefined {
  const value = numeric(node, "given-integer", at);
  if (typeof value === "number" && value < 0) return wrong(node, "it must be 0 or more", at);
  return value === 0 && kind === "natural" ? undefined : value;
}

function numeric(node: Scalar, kind: "integer" | "given-integer" | "always-integer" | "number", at: At): Json | undefined {
  const value =
    typeof node.value === "number"
      ? node.value
      : /^[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/.test(node.text)
        ? Number(node.text)
        : null;
  if (value === null) return wrong(node, kind === "number" ? "it must be a number" : "it must be a whole number", at);
  if (value === 0 && kind !== "given-integer") return undefined;
  return kind === "number" ? single32(value) : Math.trunc(value);
}

/** The shortest decimal that a 32-bit number stands for, which is what Compose keeps of it. */
function single32(value: number): number {
  const kept = Math.fround(value);
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(kept.toPrecision(digits));
    if (Math.fround(short) === kept) return short;
  }
  return kept;
}

function bytes(node: Scalar, omit: boolean, at: At): Json | undefined {
  if (typeof node.value === "number" || node.text === "-1") return omit && node.value === 0 ? undefined : node.text;
  const size = parseBytes(node.text);
  if (typeof size !== "number") return wrong(node, size.problem, at);
  return omit && size === 0 ? undefined : String(size);
}

function duration(node: Scalar, omit: boolean, at: At): Json | undefined {
  const ms = parseDuration(node.text);
  if (typeof ms !== "number") return wrong(node, ms.problem, at, "write 10s or 1m30s");
  return omit && ms === 0 ? undefined : formatDuration(ms);
}

function mode(node: Scalar, at: At): Json | undefined {
  const bits =
    typeof node.value === "number"
      ? node.value
      : /^(?:0o)?[0-7]+$/.test(node.text)
        ? Number.parseInt(node.text.replace("0o", ""), 8)
        : null;
  return bits === null ? wrong(node, "it must be permission bits such as 0440", at) : `0${bits.toString(8)}`;
}

function words(node: Node, at: At): Json | undefined {
  if (node.kind === "list") return itemsOf(node).map((item) => textOf(item) ?? "");
  if (node.kind !== "scalar") return undefined;
  if (node.value === null) return null;
  const split = splitWords(node.text);
  return split === null
    ? wrong(node, "a quote is not closed, or it ends with a backslash", at, "close the quote, or give a list of words")
    : [...split];
}

function host(text: string, node: Node, at: At): string | undefined {
  const [, name = "", address = ""] = /^([^=]*)=(.*)$/s.exec(text) ?? /^([^:]*):(.*)$/s.exec(text) ?? [];
  if (name.trim() !== "" && address.trim() !== "") return `${name.trim()}=${address.trim().replace(/^\[(.*)\]$/, "$1")}`;
  const message = `\`${spell(at)}\` is ${quote(text)}: it must be name=address`;
  return refuse(at.encoding, { place: node.place, message, hint: "the address `host-gateway` is this machine" }) ?? undefined;
}

function texts(node: Node, empty: string | null, at: At): Json | undefined {
  const found = new Map<string, string | null>();
  if (node.kind === "mapping")
    node.entries.forEach(({ value }, key) => {
      found.set(key, textOf(value));
    });
  else for (const item of itemsOf(node)) found.set(...pair(item));
  if (found.size === 0) return undefined;
  const members: Members = {};
  for (const key of sortedKeys(found, at.encoding)) addMember(members, key, found.get(key) ?? empty);
  return members;
}

/** `key=value`, or a key alone. */
function pair(node: Node): readonly [string, string | null] {
  const text = textOf(node) ?? "";
  const equals = text.indexOf("=");
  return equals === -1 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)];
}

function lists(node: Node, at: At): Json | undefined {
  if (node.kind !== "mapping" || node.entries.size === 0) return undefined;
  const members: Members = {};
  for (const key of sortedKeys(node.entries, at.encoding))
    addMember(
      members,
      key,
      itemsOf(child(node, key)).map((item) => textOf(item) ?? ""),
    );
  return members;
}

function fileOf(node: Node): Json | undefined {
  const required = child(node, "required");
  const optional = required?.kind === "scalar" && (required.value === false || required.text === "false");
  const format = textOf(child(node, "format"));
  return { path: textOf(child(node, "path")) ?? "", ...(optional ? { required: false } : {}), ...(format === null ? {} : { format }) };
}

function wrong(node: Scalar, problem: string, at: At, hint?: string): undefined {
  const value = node.text === "" ? "empty" : quote(node.text);
  refuse(at.encoding, { place: node.place, message: `\`${spell(at)}\` is ${value}: ${problem}`, ...(hint === undefined ? {} : { hint }) });
  return undefined;
}

function some(items: readonly string[]): Json | undefined {
  return items.length === 0 ? undefined : items;
}

function below(at: At, key: string | number): At {
  return { encoding: at.encoding, up: at, key };
}

function sortedKeys(map: ReadonlyMap<string, unknown>, encoding: Encoding): readonly string[] {
  const keys = [...map.keys()];
  return keys.length < 2 ? keys : keys.sort(order(encoding));
}

function sorted(members: Members, encoding: Encoding): Members {
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => order(encoding)(a, b)));
}

/** A value with all of its mappings sorted as the format sorts them. */
export function deepSorted(value: Json, encoding: Pick<Encoding, "format">): Json {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item: Json) => deepSorted(item, encoding));
  const members = Object.entries(value).sort(([a], [b]) => order(encoding)(a, b));
  return Object.fromEntries(members.map(([key, member]) => [key, deepSorted(member, encoding)]));
}

function order({ format }: Pick<Encoding, "format">): (a: string, b: string) => number {
  return format === "json" ? byUnits : naturally;
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Numbers in names by their value, and what is no letter before letters: `a2`, `a10`, `aB`. */
function naturally(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const [x = "", y = ""] = [a[at], b[at]];
  if (x === "" || y === "") return a.length - b.length;
  const [letterX, letterY] = [/\p{L}/u.test(x), /\p{L}/u.test(y)];
  if (letterX && letterY) return byUnits(x, y);
  const afterDigit = /[0-9]/.test(a[at - 1] ?? "");
  if (letterX || letterY) return letterX === afterDigit ? -1 : 1;
  const [m, n] = [numberAt(a, at), numberAt(b, at)];
  return m - n || byUnits(x, y);
}

function numberAt(text: string, at: number): number {
  let start = at;
  while (start > 0 && /[0-9]/.test(text[start - 1] ?? "")) start--;
  return Number(/^[0-9]*/.exec(text.slice(start))?.[0] ?? 0);
}
