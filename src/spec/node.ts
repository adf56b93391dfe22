import type { Source } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";

/** A text file that was read, with what is needed to name places in it. */
export interface SourceFile {
  /** Absolute, or `-` for standard input. */
  readonly path: string;
  /** As diagnostics name it. */
  readonly shown: string;
  readonly text: string;
  /** Offset of the first character of each line. */
  readonly lineStarts: readonly number[];
}

/** A stretch of a file, in offsets of UTF-16 units; `end` is exclusive. */
export interface Place {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
}

/** What `!reset` and `!override` ask of a merge. */
export type Directive = "reset" | "override";

interface Common {
  readonly place: Place;
  readonly directive: Directive | null;
  /** How many nodes this one stands for once aliases are written out. */
  readonly size: number;
  /** The value of an earlier file or of an extended service that this one took the place of. */
  readonly overrides?: Node;
  /** No file says it: it goes without saying. */
  readonly implied?: true;
}

export interface Scalar extends Common {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  /** The value as text, spelled as compose-go prints it where text is wanted. */
  readonly text: string;
  /** What it was made of, where variables were filled in. */
  readonly template?: Template;
  /** As it was written, where that was without quotes and older YAML reads it otherwise. */
  readonly plain?: string;
}

/** A text as it was written, with what its variables stood for. */
export interface Template {
  readonly text: string;
  readonly variables: ReadonlyMap<string, string>;
  /** Where variables that come from files were written. */
  readonly origins: ReadonlyMap<string, Place>;
}

export interface List extends Common {
  readonly kind: "list";
  readonly items: readonly Node[];
}

export interface Mapping extends Common {
  readonly kind: "mapping";
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  /** The key as the user spelled it, which may be a short name of the key that it is filed under. */
  readonly spelled: string;
  /** Where the key is. */
  readonly place: Place;
  readonly value: Node;
  /** How it came here from elsewhere, the last step first. */
  readonly via?: Via;
}

/** A step by which a value came from another service or file. */
export interface Via {
  readonly how: "extends" | "include";
  /** What was asked for: the service, or the file. */
  readonly what: string;
  /** Where it was asked for. */
  readonly place: Place;
  readonly before?: Via;
}

/** A value of a spec with the place where it was written. Immutable: aliases and merges share nodes. */
export type Node = Scalar | List | Mapping;

export function sourceFile(path: string, shown: string, text: string): SourceFile {
  const lineStarts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lineStarts.push(at + 1);
  return { path, shown, text, lineStarts };
}

/** The place in words that a diagnostic carries. A stretch over several lines is cut at the end of its first. */
export function sourceOf({ file, start, end }: Place): Source {
  const line = lineAt(file.lineStarts, start);
  const lineStart = file.lineStarts[line] ?? 0;
  const lineEnd = file.lineStarts[line + 1] === undefined ? file.text.length : (file.lineStarts[line + 1] ?? 0) - 1;
  const column = start - lineStart + 1;
  return { file: file.shown, line: line + 1, column, end: Math.max(Math.min(end, lineEnd) - lineStart + 1, column + 1) };
}

/** The place of a part of a scalar's text, given by offsets in that text; the whole scalar where escapes or folding part the two. */
export function within({ text, place }: Scalar, start: number, end: number): Place {
  for (const skip of [0, 1]) {
    const base = place.start + skip;
    if (place.file.text.startsWith(text, base)) return { file: place.file, start: base + start, end: base + end };
  }
  return place;
}

export function scalar(value: Scalar["value"], place: Place, text = value === null ? "" : String(value)): Scalar {
  return { kind: "scalar", value, text, place, directive: null, size: 1 };
}

/** A value that no file has, at the place of what it follows from. */
export function implied(value: Scalar["value"], place: Place): Scalar {
  return { ...scalar(value, place), implied: true };
}

export function list(items: readonly Node[], place: Place): List {
  let size = 1;
  for (let index = 0; index < items.length; index++) size += items[index]?.size ?? 0;
  return { kind: "list", items, place, directive: null, size };
}

export function mapping(entries: ReadonlyMap<string, Entry>, place: Place): Mapping {
  let size = 1;
  entries.forEach(({ value }) => {
    size += value.size;
  });
  return { kind: "mapping", entries, place, directive: null, size };
}

/** The value under a key, or `undefined` when the node has none or is no mapping. */
export function child(node: Node | undefined, key: string): Node | undefined {
  return entry(node, key)?.value;
}

export function entry(node: Node | undefined, key: string): Entry | undefined {
  return node?.kind === "mapping" ? node.entries.get(key) : undefined;
}

/** Entries of a mapping; none for anything else. */
export function entriesOf(node: Node | undefined): Iterable<[string, Entry]> {
  return node?.kind === "mapping" ? node.entries : [];
}

/** Items of a list, or the value itself as a list of one; none for mappings and for nothing. */
export function itemsOf(node: Node | undefined): readonly Node[] {
  if (node === undefined || node.kind === "mapping" || isNull(node)) return [];
  return node.kind === "list" ? node.items : [node];
}

export function isNull(node: Node): boolean {
  return node.kind === "scalar" && node.value === null;
}

/** A scalar's text; `null` for everything that is no text or number. */
export function textOf(node: Node | undefined): string | null {
  return node?.kind === "scalar" && node.value !== null ? node.text : null;
}

/** A scalar's truth value; `null` for everything else. */
export function booleanOf(node: Node | undefined): boolean | null {
  return node?.kind === "scalar" && typeof node.value === "boolean" ? node.value : null;
}

/** A scalar's number; `null` for everything else. */
export function numberOf(node: Node | undefined): number | null {
  return node?.kind === "scalar" && typeof node.value === "number" ? node.value : null;
}

/** The value without places. */
export function toJson(node: Node): Json {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(toJson);
    case "mapping": {
      const members: { [key: string]: Json } = {};
      node.entries.forEach(({ value }, key) => {
        addMember(members, key, toJson(value));
      });
      return members;
    }
  }
}

/** Sets a member of an object, whatever its name. */
export function addMember<Value>(members: { [key: string]: Value }, key: string, value: Value): void {
  if (key === "__proto__") Object.defineProperty(members, key, { value, enumerable: true, configurable: true, writable: true });
  else members[key] = value;
}

/** A mapping with one value replaced or added. */
export function put(node: Mapping, key: string, value: Node, place: Place = value.place): Mapping {
  const before = node.entries.get(key);
  const entry = before === undefined ? { spelled: key, place, value } : { ...before, value };
  return { ...node, entries: new Map(node.entries).set(key, entry) };
}

/** A mapping without some of its keys. */
export function without(node: Mapping, ...keys: readonly string[]): Mapping {
  if (!keys.some((key) => node.entries.has(key))) return node;
  const entries = new Map(node.entries);
  for (const key of keys) entries.delete(key);
  return { ...node, entries };
}

/** A mapping with one of its values changed where it has it; the node itself where nothing changes. */
export function change<T extends Node>(node: T, key: string, by: (value: Node) => Node | null): T | Mapping {
  const before = entry(node, key);
  if (node.kind !== "mapping" || before === undefined) return node;
  const value = by(before.value);
  if (value === null) return without(node, key);
  return value === before.value ? node : put(node, key, value);
}

/** A mapping with each of its values changed, or a list with each of its items; the node itself where nothing changes. */
export function each(node: Node, by: (value: Node, key: string) => Node): Node {
  if (node.kind === "mapping") return eachEntry(node, by);
  return node.kind === "list" ? eachItem(node, by) : node;
}

/** Copies only when something changes: most of a tree passes most of the phases as it is. */
function eachEntry(node: Mapping, by: (value: Node, key: string) => Node): Mapping {
  let entries: Map<string, Entry> | undefined;
  node.entries.forEach((held, key) => {
    const value = by(held.value, key);
    if (value === held.value) return;
    entries ??= new Map(node.entries);
    entries.set(key, { ...held, value });
  });
  return entries === undefined ? node : { ...node, entries };
}

function eachItem(node: List, by: (value: Node, key: string) => Node): List {
  let items: Node[] | null = null;
  for (let index = 0; index < node.items.length; index++) {
    const item = node.items[index];
    if (item === undefined) continue;
    const value = by(item, String(index));
    if (value === item) continue;
    items ??= [...node.items];
    items[index] = value;
  }
  return items === null ? node : { ...node, items };
}

/** A mapping of values by name, all at one place. */
export function record(values: Readonly<Record<string, Node | undefined>>, place: Place): Mapping {
  const entries = new Map<string, Entry>();
  for (const key in values) {
    const value = values[key];
    if (value !== undefined) entries.set(key, { spelled: key, place: value.place, value });
  }
  return mapping(entries, place);
}

function lineAt(lineStarts: readonly number[], offset: number): number {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
