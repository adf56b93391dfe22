import { type Entry, list, type Node, scalar } from "./node.ts";
import { Beyond, type Cursor, isGap } from "./simple-yaml-cursor.ts";
import { DIRECTIVES, isTextKey, MOST_DEPTH, plainScalar, withMerged } from "./yaml-values.ts";

/** A collection in brackets or braces, over as many lines as it takes; nothing but a comment may follow on its last line. */
export function readFlow(cursor: Cursor, at: number, indent: number): Node {
  const reader = new FlowReader(cursor, at, indent);
  const node = reader.value();
  cursor.endLine(reader.at, reader.at);
  return node;
}

/** A text without quotes that holds nothing with a meaning of its own, up to where it surely ends. */
const USUAL_TEXT = /[A-Za-z0-9_/$.][A-Za-z0-9_/$.=+-]*(?=[,\]}]|: )/y;

class FlowReader {
  at: number;
  readonly #cursor: Cursor;
  readonly #indent: number;
  #depth = 0;

  constructor(cursor: Cursor, at: number, indent: number) {
    this.#cursor = cursor;
    this.at = at;
    this.#indent = indent;
  }

  value(): Node {
    const { text } = this.#cursor;
    const first = text[this.at] ?? "";
    if (first === "[") return this.#list();
    if (first === "{") return this.#mapping();
    if (first === "*") {
      const { node, end } = this.#cursor.aliased(this.at);
      this.at = end;
      return node;
    }
    if (first === "!") return this.#tagged();
    if (first === '"' || first === "'") {
      const { node, end } = this.#cursor.inQuotes(this.at);
      this.at = end;
      return node;
    }
    const start = this.at;
    const end = this.#plainEnd();
    this.at = end;
    return plainScalar(text.slice(start, end), { file: this.#cursor.file, start, end });
  }

  #tagged(): Node {
    const word = this.#cursor.word(this.at);
    const directive = DIRECTIVES.get(word);
    if (directive === undefined) throw new Beyond();
    const start = this.at;
    this.at += word.length;
    this.#skip();
    const first = this.#cursor.text[this.at] ?? "";
    if (first === "[" || first === "{") return { ...this.value(), directive };
    if (!",]}".includes(first)) throw new Beyond();
    return { ...scalar(null, { file: this.#cursor.file, start: start + word.length, end: start + word.length }), directive };
  }

  #list(): Node {
    const start = this.#open();
    const items: Node[] = [];
    for (;;) {
      this.#skip();
      if (this.#takes("]")) break;
      items.push(this.value());
      this.#skip();
      if (this.#takes("]")) break;
      if (!this.#takes(",")) throw new Beyond();
    }
    this.#depth--;
    return list(items, { file: this.#cursor.file, start, end: this.at });
  }

  #mapping(): Node {
    const { file } = this.#cursor;
    const start = this.#open();
    const entries = new Map<string, Entry>();
    const merged: Node[] = [];
    for (;;) {
      this.#skip();
      if (this.#takes("}")) break;
      const keyStart = this.at;
      const { key, plain } = this.#key();
      const place = { file, start: keyStart, end: this.at };
      const value = this.#pairValue();
      if (key === "<<" && plain) {
        if (value.kind !== "mapping") throw new Beyond();
        merged.push(value);
      } else if (entries.has(key)) throw new Beyond();
      else entries.set(key, { spelled: key, place, value });
      this.#skip();
      if (this.#takes("}")) break;
      if (!this.#takes(",")) throw new Beyond();
    }
    this.#depth--;
    return withMerged(entries, merged, { file, start, end: this.at });
  }

  #key(): { readonly key: string; readonly plain: boolean } {
    const first = this.#cursor.text[this.at] ?? "";
    if (first === '"' || first === "'") {
      const { node, end } = this.#cursor.inQuotes(this.at);
      this.at = end;
      return { key: node.text, plain: false };
    }
    const start = this.at;
    this.at = this.#plainEnd();
    if (!isTextKey(this.#cursor.text.slice(start, this.at))) throw new Beyond();
    return { key: this.#cursor.text.slice(start, this.at), plain: true };
  }

  #pairValue(): Node {
    const { text, file } = this.#cursor;
    this.#skip();
    if (!this.#takes(":")) {
      if (!",}".includes(text[this.at] ?? " ")) throw new Beyond();
      return scalar(null, { file, start: this.at, end: this.at });
    }
    this.#skip();
    if (",}".includes(text[this.at] ?? " ")) return scalar(null, { file, start: this.at, end: this.at });
    return this.value();
  }

  #open(): number {
    if (++this.#depth > MOST_DEPTH) throw new Beyond();
    return this.at++;
  }

  #takes(sign: string): boolean {
    if (this.#cursor.text[this.at] !== sign) return false;
    this.at++;
    return true;
  }

  /** Passes over blanks, line ends and comments. A line must stand further in than what the collection belongs to. */
  #skip(): void {
    const { text } = this.#cursor;
    for (;;) {
      const character = text[this.at];
      if (character === " ") this.at++;
      else if (character === "#" && isGap(text[this.at - 1])) this.at = this.#cursor.lineEnd(this.at);
      else if (character === "\n") {
        let first = this.at + 1;
        while (text[first] === " ") first++;
        const indent = first - this.at - 1;
        const empty = text[first] === "\n" || text[first] === "#";
        if (!empty && indent <= this.#indent) throw new Beyond();
        this.at = first;
      } else if (character === undefined || character === "\t") throw new Beyond();
      else return;
    }
  }

  #plainEnd(): number {
    const { text } = this.#cursor;
    USUAL_TEXT.lastIndex = this.at;
    if (USUAL_TEXT.test(text)) return USUAL_TEXT.lastIndex;
    const first = text[this.at] ?? "";
    if (
      ",[]{}%@`\"'|>&*!#".includes(first) ||
      ("-?:".includes(first) && (isGap(text[this.at + 1]) || ",[]{}".includes(text[this.at + 1] ?? "")))
    )
      throw new Beyond();
    let end = this.at;
    for (; end < text.length; end++) {
      const character = text[end] ?? "";
      if (character === "\n" || ",[]{}".includes(character) || (character === "#" && isGap(text[end - 1]))) break;
      if (character === "\t") throw new Beyond();
      if (character === ":" && (isGap(text[end + 1]) || ",[]{}".includes(text[end + 1] ?? ""))) break;
    }
    while (end > this.at && text[end - 1] === " ") end--;
    if (end === this.at) throw new Beyond();
    return end;
  }
}
