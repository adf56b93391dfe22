import { type Entry, isNull, list, type Node, type Place, type SourceFile, scalar } from "./node.ts";
import { Beyond, Cursor, type Line } from "./simple-yaml-cursor.ts";
import { readFlow } from "./simple-yaml-flow.ts";
import { blockScalar } from "./simple-yaml-text.ts";
import { DIRECTIVES, isTextKey, MOST_DEPTH, MOST_NODES, plainScalar, withMerged } from "./yaml-values.ts";

/**
 * Reads the YAML that people write: mappings, lists, scalars on one line, block scalars, flow collections, anchors, aliases, merges, tags of
 * Compose. `null` for everything else, and for every mistake: those are for the reader of all of YAML, which is slower and can say what is wrong.
 */
export function readSimple(file: SourceFile): readonly Node[] | null {
  try {
    return new SimpleReader(file).documents();
  } catch (error) {
    if (error instanceof Beyond) return null;
    throw error;
  }
}

/** What stands before a value. */
interface Properties {
  readonly anchor: string | null;
  readonly tag: string | null;
}

interface Pair {
  readonly key: string;
  /** Of the key. */
  readonly place: Place;
  /** The key has no quotes. */
  readonly plain: boolean;
  readonly value: Node;
}

/** What most keys and dashes have behind them: a text in quotes without escapes, one without quotes that holds no sign of YAML, an alias, a list. */
const USUAL_VALUE = String.raw` (?:(?:("[^"\\\n\t]*"|'[^'\n\t]*')|([A-Za-z0-9_/$.](?:[^\n\t#:]|:(?![ \n]))*))\n|(?=[[{*]))`;
const USUAL_PAIR = new RegExp(String.raw`([A-Za-z_][A-Za-z0-9_.-]{0,200}|<<):(?:\n|${USUAL_VALUE})`, "y");
const USUAL_ITEM = new RegExp(`(-)${USUAL_VALUE}`, "y");

class SimpleReader {
  readonly #cursor: Cursor;
  #depth = 0;

  constructor(file: SourceFile) {
    this.#cursor = new Cursor(file);
  }

  documents(): readonly Node[] {
    const cursor = this.#cursor;
    const found: Node[] = [];
    while (cursor.startDocument()) {
      const line = cursor.line();
      if (line === null) continue;
      const root = this.#block(line, -1);
      if (cursor.line() !== null) throw new Beyond();
      if (!isNull(root)) found.push(root);
    }
    return found;
  }

  /** The value that begins on a line of its own; `parent` is the indentation of what it belongs to. */
  #block(line: Line, parent: number): Node {
    if (++this.#depth > MOST_DEPTH) throw new Beyond();
    const cursor = this.#cursor;
    const node = cursor.isDash(line.start)
      ? this.#list(line.indent)
      : cursor.keyEnd(line.start) !== -1
        ? this.#mapping(line.start, line.indent)
        : this.#inline(line.start, parent, null);
    this.#depth--;
    return this.#counted(node);
  }

  #counted(node: Node): Node {
    if (node.size > MOST_NODES) throw new Beyond();
    return node;
  }

  /** A mapping whose first key begins at `start`, `indent` columns in. */
  #mapping(start: number, indent: number): Node {
    const cursor = this.#cursor;
    const entries = new Map<string, Entry>();
    const merged: Node[] = [];
    for (let at = start; ; ) {
      const { key, place, plain, value } = this.#usualPair(at, indent) ?? this.#pair(at, indent);
      if (key === "<<" && plain) merged.push(...mergeSources(value));
      else if (entries.has(key)) throw new Beyond();
      else entries.set(key, { spelled: key, place, value });
      const line = cursor.line();
      if (line === null || line.indent < indent) break;
      if (line.indent > indent || cursor.isDash(line.start)) throw new Beyond();
      at = line.start;
    }
    return withMerged(entries, merged, this.#place(start, cursor.lastEnd));
  }

  #pair(at: number, indent: number): Pair {
    const cursor = this.#cursor;
    const colon = cursor.keyEnd(at);
    if (colon === -1) throw new Beyond();
    return { ...cursor.key(at, colon), value: this.#value(colon + 1, indent, indent) };
  }

  /** A pair with one of the values that most have: one look is enough for them. */
  #usualPair(at: number, indent: number): Pair | null {
    const cursor = this.#cursor;
    USUAL_PAIR.lastIndex = at;
    const found = USUAL_PAIR.exec(cursor.text);
    const key = found?.[1];
    if (found === null || key === undefined || !isTextKey(key)) return null;
    const colon = at + key.length;
    const value = this.#usualValue(found, colon + 1, indent);
    return value === null ? null : { key, place: this.#place(at, colon), plain: true, value };
  }

  /** The value behind a colon or dash that was found to be a usual one. `null`: it needs a closer look. */
  #usualValue({ 2: quoted, 3: plain }: RegExpExecArray, after: number, indent: number): Node | null {
    const cursor = this.#cursor;
    const at = after + 1;
    const text = quoted ?? plain;
    if (text === undefined) {
      if (cursor.text[after] === " ") return cursor.text[at] === "*" ? cursor.alias(at) : readFlow(cursor, at, indent);
      cursor.endBefore(at, after);
      return this.#below(after, indent, indent);
    }
    if (text.endsWith(" ")) return null;
    const end = at + text.length;
    cursor.endBefore(end + 1, end);
    if (quoted !== undefined) return scalar(quoted.slice(1, -1), this.#place(at, end));
    const line = cursor.line();
    if (line !== null && line.indent > indent) throw new Beyond(); // it goes on there
    return plainScalar(text, this.#place(at, end));
  }

  #list(indent: number): Node {
    const cursor = this.#cursor;
    const items: Node[] = [];
    const first = cursor.line()?.start ?? 0;
    for (let line = cursor.line(); line !== null && line.indent === indent && cursor.isDash(line.start); line = cursor.line())
      items.push(this.#usualItem(line.start, indent) ?? this.#item(line.start + 1, indent));
    const line = cursor.line();
    if (line !== null && line.indent > indent) throw new Beyond();
    return list(items, this.#place(first, cursor.lastEnd));
  }

  /** An item that takes the rest of its line, likewise. */
  #usualItem(dash: number, indent: number): Node | null {
    USUAL_ITEM.lastIndex = dash;
    const found = USUAL_ITEM.exec(this.#cursor.text);
    return found === null ? null : this.#usualValue(found, dash + 1, indent);
  }

  /** What follows a dash: a value, or a mapping or list that begins on the same line. */
  #item(after: number, indent: number): Node {
    const cursor = this.#cursor;
    const at = cursor.skipBlanks(after);
    if (cursor.endsAt(at)) return this.#value(after, indent, null);
    const inner = cursor.column(at);
    if (cursor.isDash(at)) {
      cursor.enter(at, inner);
      return this.#block({ start: at, indent: inner }, indent);
    }
    if (cursor.keyEnd(at) === -1) return this.#value(after, indent, null);
    if (++this.#depth > MOST_DEPTH) throw new Beyond();
    const node = this.#mapping(at, inner);
    this.#depth--;
    return this.#counted(node);
  }

  /**
   * The value behind a colon or dash. `indent` is the indentation of what it belongs to; a list may stand `listAt` columns in, when that is
   * not `null`.
   */
  #value(after: number, indent: number, listAt: number | null): Node {
    const cursor = this.#cursor;
    const { properties, at } = this.#properties(cursor.skipBlanks(after));
    if (!cursor.endsAt(at)) return this.#inline(at, indent, properties);
    const empty = cursor.skipBlanks(after);
    cursor.endLine(at, properties.anchor === null && properties.tag === null ? empty : at);
    const open = this.#open(properties);
    return open(this.#below(at, indent, listAt));
  }

  /** What stands on the lines below a key or dash; nothing where the next line belongs to something else. */
  #below(at: number, indent: number, listAt: number | null): Node {
    const cursor = this.#cursor;
    const line = cursor.line();
    const holds = line !== null && (line.indent > indent || (line.indent === listAt && cursor.isDash(line.start)));
    return holds ? this.#block(line, indent) : scalar(null, this.#place(at, at));
  }

  /** A value that begins on this line. */
  #inline(start: number, indent: number, given: Properties | null): Node {
    const cursor = this.#cursor;
    const { properties, at } = given === null ? this.#properties(start) : { properties: given, at: start };
    if (given === null && cursor.endsAt(at)) throw new Beyond();
    const open = this.#open(properties);
    const first = cursor.text[at] ?? "";
    if (first === "*") {
      if (properties.anchor !== null || properties.tag !== null) throw new Beyond();
      return cursor.alias(at);
    }
    if (first === "[" || first === "{") return open(readFlow(cursor, at, indent));
    if (first === "|" || first === ">") return open(blockScalar(cursor, at, indent));
    if (first === '"' || first === "'") return open(cursor.quoted(at));
    return open(this.#plain(at, indent));
  }

  #plain(at: number, indent: number): Node {
    const cursor = this.#cursor;
    const end = cursor.plainEnd(at);
    cursor.endLine(end, end);
    const line = cursor.line();
    if (line !== null && line.indent > indent) throw new Beyond(); // it goes on there
    return plainScalar(cursor.text.slice(at, end), this.#place(at, end));
  }

  #properties(start: number): { readonly properties: Properties; readonly at: number } {
    const cursor = this.#cursor;
    let anchor: string | null = null;
    let tag: string | null = null;
    let at = start;
    for (;;) {
      const sign = cursor.text[at];
      if (sign !== "&" && sign !== "!") return { properties: { anchor, tag }, at };
      const word = cursor.word(at);
      if (sign === "&" && anchor === null && word.length > 1) anchor = word.slice(1);
      else if (sign === "!" && tag === null && DIRECTIVES.has(word)) tag = word;
      else throw new Beyond();
      at = cursor.skipBlanks(at + word.length);
    }
  }

  /** Opens an anchor: nothing inside of its value can refer to it. Gives what the value becomes with its properties. */
  #open({ anchor, tag }: Properties): (node: Node) => Node {
    const cursor = this.#cursor;
    if (anchor === null && tag === null) return (node) => node;
    if (anchor !== null) cursor.anchors.set(anchor, null);
    return (node) => {
      const directive = tag === null ? undefined : DIRECTIVES.get(tag);
      if (tag !== null && node.kind === "scalar" && isNull(node) === false) throw new Beyond(); // a tag takes what YAML makes of the letters away
      const result = directive === undefined ? node : { ...node, directive };
      if (anchor !== null) cursor.anchors.set(anchor, result);
      return result;
    };
  }

  #place(start: number, end: number): Place {
    return { file: this.#cursor.file, start, end };
  }
}

function mergeSources(value: Node): readonly Node[] {
  const sources = value.kind === "list" ? value.items : [value];
  if (!sources.every(({ kind }) => kind === "mapping")) throw new Beyond();
  return sources;
}
