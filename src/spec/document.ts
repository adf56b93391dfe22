import {
  Composer,
  CST,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type ParsedNode,
  Parser,
  type Scalar as YamlScalar,
} from "yaml";
import type { Diagnostic, Report } from "../model/diagnostic.ts";
import { type Entry, isNull, list, type Node, type Place, type SourceFile, scalar, sourceOf } from "./node.ts";
import { resolvePlain } from "./scalar.ts";
import { readSimple } from "./simple-yaml.ts";
import { quote } from "./words.ts";
import { DIRECTIVES, isTextKey, MOST_DEPTH, MOST_NODES, plainScalar, withMerged } from "./yaml-values.ts";

/**
 * The YAML documents of a file as nodes with places: anchors, aliases and merge keys are resolved, duplicate keys are errors.
 * Adds what is wrong to the report; a document with errors is left out, an empty one as well.
 */
export function parseDocuments(file: SourceFile, report: Report): readonly Node[] {
  const control = file.text.search(CONTROL);
  if (control !== -1) {
    const shown = `U+${file.text.charCodeAt(control).toString(16).toUpperCase().padStart(4, "0")}`;
    report.add({
      ...problem("E_YAML", `a control character (${shown}) stands here, and YAML has none`, { file, start: control, end: control + 1 }),
      hint: 'take it out, or write it as an escape between double quotes, such as "\\e"',
    });
    return [];
  }
  const simple = readSimple(file);
  if (simple?.every(({ kind }) => kind === "mapping")) return simple;
  return parseWhole(file, report);
}

/** What YAML texts cannot have as it is. */
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f]/;

/** Likewise by a reader of all of YAML, which takes some ten times as long and says what is wrong. */
export function parseWhole(file: SourceFile, report: Report): readonly Node[] {
  try {
    return compose(file, report);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the library's own stack: it nests on one line what the check below counts too late
    report.add(problem("E_YAML", `the file nests deeper than ${MOST_DEPTH} levels`, { file, start: 0, end: 1 }));
    return [];
  }
}

function compose(file: SourceFile, report: Report): readonly Node[] {
  const tokens = [...new Parser().parse(file.text)];
  const deep = tooDeep(tokens);
  if (deep !== null) {
    report.add(problem("E_YAML", `the file nests deeper than ${MOST_DEPTH} levels`, { file, start: deep, end: deep + 1 }));
    return [];
  }
  const composer = new Composer({ schema: "failsafe", merge: false, uniqueKeys: false, logLevel: "silent", strict: true });
  return [...composer.compose(tokens)].flatMap((document) => convertDocument(document, file, report));
}

function convertDocument(document: Document.Parsed, file: SourceFile, report: Report): readonly Node[] {
  for (const error of document.errors) {
    const [start, end] = error.pos;
    report.add({ ...problem("E_YAML", oneLine(error.message), { file, start, end: Math.max(end, start + 1) }), hint: YAML_HINT });
  }
  if (document.errors.length > 0 || document.contents === null) return [];
  try {
    const root = new Converter(file, report).convert(document.contents);
    if (isNull(root)) return [];
    if (root.kind === "mapping") return [root];
    report.add({
      ...problem("E_YAML", `the file is a ${root.kind === "list" ? "list" : "single value"}: it must be a mapping`, root.place),
      hint: "a spec begins with keys such as `services:`",
    });
    return [];
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    report.add(error.diagnostic);
    return [];
  }
}

const YAML_HINT = "indent with spaces, the same number on each level, and put quotes around texts with special characters";

/** Ends the conversion of one document: nothing sensible can be said about the rest of it. */
class Unusable extends Error {
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

class Converter {
  readonly #file: SourceFile;
  readonly #report: Report;
  /** What each anchor stands for; `null` while it is being read. */
  readonly #anchors = new Map<string, Node | null>();

  constructor(file: SourceFile, report: Report) {
    this.#file = file;
    this.#report = report;
  }

  convert(node: ParsedNode | null): Node {
    const place = this.#place(node);
    if (node === null) return scalar(null, place);
    if (isAlias(node)) return this.#alias(node.source, place);
    const anchor = node.anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, null);
    const converted = this.#withDirective(this.#plain(node, place), node.tag);
    if (converted.size > MOST_NODES)
      throw new Unusable(problem("E_ALIAS", `the aliases here stand for more than ${MOST_NODES} values`, place));
    if (anchor !== undefined) this.#anchors.set(anchor, converted);
    return converted;
  }

  #plain(node: ParsedNode, place: Place): Node {
    if (isMap(node)) return this.#mapping(node.items, place);
    if (isSeq(node))
      return list(
        node.items.map((item) => this.convert(isPair(item) ? null : (item as ParsedNode))),
        place,
      );
    return isScalar(node) ? this.#scalar(node, place) : scalar(null, place);
  }

  #scalar(node: YamlScalar, place: Place): Node {
    const text = typeof node.value === "string" ? node.value : "";
    const plain = node.type === "PLAIN" && (node.tag === undefined || !node.tag.endsWith(":str"));
    if (!plain && !CORE_TAGS.has(node.tag ?? "")) return scalar(text, place);
    return plain ? plainScalar(text, place) : scalar(resolvePlain(text).value, place, resolvePlain(text).text);
  }

  #alias(name: string, place: Place): Node {
    const target = this.#anchors.get(name);
    if (target === undefined)
      throw new Unusable(problem("E_ALIAS", `\`*${name}\` refers to an anchor that is not defined above it`, place));
    if (target === null) throw new Unusable(problem("E_ALIAS", `\`*${name}\` refers to the value that it is a part of`, place));
    return target;
  }

  #mapping(items: readonly { readonly key: unknown; readonly value: unknown }[], place: Place): Node {
    const entries = new Map<string, Entry>();
    const merged: Node[] = [];
    for (const item of items) {
      const keyNode = item.key as ParsedNode | null; // a parsed document has parsed nodes
      const keyPlace = this.#place(keyNode);
      const value = this.convert(item.value as ParsedNode | null);
      const key = isScalar(keyNode) && typeof keyNode.value === "string" ? keyNode.value : null;
      if (key === null) this.#report.add(problem("E_YAML", "a key must be a text", keyPlace));
      else if (isScalar(keyNode) && keyNode.type === "PLAIN" && !isTextKey(key))
        this.#report.add({
          ...problem("E_YAML", `the key ${quote(key)} is no text: a key must be one`, keyPlace),
          hint: `put quotes around it: "${key}"`,
        });
      else if (key === "<<" && isScalar(keyNode) && keyNode.type === "PLAIN") merged.push(...this.#mergeSources(value, keyPlace));
      else {
        const first = entries.get(key);
        if (first === undefined) entries.set(key, { spelled: key, place: keyPlace, value });
        else this.#duplicate(key, first, keyPlace);
      }
    }
    return withMerged(entries, merged, place);
  }

  #mergeSources(value: Node, place: Place): readonly Node[] {
    const sources = value.kind === "list" ? value.items : [value];
    if (sources.every((source) => source.kind === "mapping")) return sources;
    this.#report.add({
      ...problem("E_ALIAS", "`<<` takes a mapping or a list of mappings", place),
      hint: "write `<<: *anchor`, where `&anchor` stands before a mapping",
    });
    return [];
  }

  #duplicate(key: string, first: Entry, place: Place): void {
    this.#report.add({
      ...problem("E_DUPLICATE_KEY", `the key ${quote(key)} is given twice`, place),
      hint: "keep one of them, or join their values",
      related: [{ source: sourceOf(first.place), message: "first given here" }],
    });
  }

  #withDirective(node: Node, tag: string | undefined): Node {
    const directive = tag === undefined ? undefined : DIRECTIVES.get(tag);
    return directive === undefined ? node : { ...node, directive };
  }

  #place(node: ParsedNode | null): Place {
    const [start, end] = node?.range ?? [0, 0];
    return { file: this.#file, start, end };
  }
}

/** Tags that ask for a value of the core schema even when it is quoted. */
const CORE_TAGS: ReadonlySet<string> = new Set(["int", "float", "bool", "null"].map((name) => `tag:yaml.org,2002:${name}`));

/** Where the nesting passes the limit, or `null`. Walks without recursion: the input may be made to overflow a stack. */
function tooDeep(tokens: readonly CST.Token[]): number | null {
  const open: { readonly token: CST.Token; readonly depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > MOST_DEPTH) return token.offset;
    if (token.type === "document" && token.value !== undefined) open.push({ token: token.value, depth });
    if (!CST.isCollection(token)) continue;
    for (const item of token.items)
      for (const part of [item.key, item.value]) if (part !== undefined && part !== null) open.push({ token: part, depth: depth + 1 });
  }
  return null;
}

function problem(code: "E_YAML" | "E_ALIAS" | "E_DUPLICATE_KEY", message: string, place: Place): Diagnostic {
  return { code, message, source: sourceOf(place) };
}

function oneLine(message: string): string {
  return (message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:?$/, "");
}
