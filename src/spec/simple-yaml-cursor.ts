import { type Node, type Place, type Scalar, type SourceFile, scalar } from "./node.ts";
import { isTextKey } from "./yaml-values.ts";

/** Ends the simple reading of a file: it holds something that needs the reader of all of YAML. */
export class Beyond extends Error {}

/** A line with something on it. */
export interface Line {
  /** Where its first character that is no blank stands. */
  readonly start: number;
  /** How many blanks are before that. */
  readonly indent: number;
}

/** Where the reader is in the text, line by line. */
export class Cursor {
  readonly file: SourceFile;
  readonly text: string;
  /** What each anchor stands for; `null` while it is being read. */
  readonly anchors = new Map<string, Node | null>();
  /** Where the last value ended. */
  lastEnd = 0;
  /** Start of the line that is next. */
  #next = 0;
  #line: Line | null | undefined;

  constructor(file: SourceFile) {
    this.file = file;
    this.text = file.text;
    if (this.text.includes("\r") || this.text.charCodeAt(0) === 0xfeff) throw new Beyond();
  }

  /** Passes over the marker of a document; `false` at the end of the text. */
  startDocument(): boolean {
    this.anchors.clear();
    const first = this.#next === 0;
    const at = this.#skipEmpty();
    if (this.text.startsWith("%", at) || this.text.startsWith("...", at)) throw new Beyond();
    if (!this.#isMarker(at)) return at < this.text.length && first;
    const rest = this.skipBlanks(at + 3);
    if (!this.endsAt(rest)) throw new Beyond();
    this.endLine(rest, rest);
    return true;
  }

  /** The next line with something on it, or `null` at the end of the document. */
  line(): Line | null {
    this.#line ??= this.#readLine();
    return this.#line;
  }

  /** Says that everything up to the end of this line has been read; what is left must be a comment. */
  endLine(at: number, end: number): void {
    const rest = this.skipBlanks(at);
    if (!this.endsAt(rest)) throw new Beyond();
    this.lastEnd = end;
    this.#to(this.lineEnd(rest) + 1);
  }

  /** Says that everything before a line's start has been read. */
  endBefore(next: number, end: number): void {
    this.lastEnd = end;
    this.#to(next);
  }

  /** Makes the rest of a line a line of its own, as in `- - a`. */
  enter(start: number, indent: number): void {
    this.#line = { start, indent };
  }

  /** Whether a list's item begins here. */
  isDash(at: number): boolean {
    return this.text[at] === "-" && isGap(this.text[at + 1]);
  }

  skipBlanks(at: number): number {
    let end = at;
    while (this.text[end] === " ") end++;
    if (this.text[end] === "\t") throw new Beyond();
    return end;
  }

  /** Whether nothing but a comment is left of the line. */
  endsAt(at: number): boolean {
    const character = this.text[at];
    return character === undefined || character === "\n" || (character === "#" && isGap(this.text[at - 1]));
  }

  lineEnd(at: number): number {
    const end = this.text.indexOf("\n", at);
    return end === -1 ? this.text.length : end;
  }

  column(at: number): number {
    return at - (this.text.lastIndexOf("\n", at - 1) + 1);
  }

  /** The colon that ends the key at `at`, or -1 where there is no key. */
  keyEnd(at: number): number {
    const first = this.text[at] ?? "";
    if (first === '"' || first === "'") {
      const close = this.#closing(at);
      return close !== -1 && this.text[close + 1] === ":" && isGap(this.text[close + 2]) ? close + 1 : -1;
    }
    if ("[{&*!|>%@`,]}#".includes(first) || (first === "?" && isGap(this.text[at + 1]))) {
      if (first === "?") throw new Beyond();
      return -1;
    }
    const line = this.text.slice(at, this.lineEnd(at)); // the searches below stay within it, however long the text is
    const blank = line.indexOf(": ");
    const colon = blank === -1 && line.endsWith(":") ? line.length - 1 : blank;
    if (line.includes("\t")) throw new Beyond();
    if (colon === -1 || colon > LONGEST_KEY) return -1;
    const comment = line.indexOf(" #");
    return comment !== -1 && comment < colon ? -1 : at + colon;
  }

  key(at: number, colon: number): { readonly key: string; readonly place: Place; readonly plain: boolean } {
    const first = this.text[at];
    if (first === '"' || first === "'") {
      const key = this.#unquoted(at, colon - 1);
      return { key, place: { file: this.file, start: at, end: colon }, plain: false };
    }
    let end = colon;
    while (end > at && this.text[end - 1] === " ") end--;
    if (end === at || !isTextKey(this.text.slice(at, end))) throw new Beyond();
    return { key: this.text.slice(at, end), place: { file: this.file, start: at, end }, plain: true };
  }

  /** The end of a plain scalar on one line. */
  plainEnd(at: number): number {
    const first = this.text[at] ?? "";
    if (",[]{}%@`\"'|>&*!#".includes(first) || ("-?:".includes(first) && isGap(this.text[at + 1]))) throw new Beyond();
    const line = this.text.slice(at, this.lineEnd(at));
    const comment = line.indexOf(" #");
    const value = (comment === -1 ? line : line.slice(0, comment)).replace(/ +$/, "");
    if (line.includes("\t") || value.endsWith(":") || value.includes(": ")) throw new Beyond();
    return at + value.length;
  }

  /** A word up to the next blank. */
  word(at: number): string {
    let end = at;
    while (end < this.text.length && !isGap(this.text[end]) && !",[]{}".includes(this.text[end] ?? "")) end++;
    return this.text.slice(at, end);
  }

  /** What an alias stands for; the line ends behind it. */
  alias(at: number): Node {
    const { node, end } = this.aliased(at);
    this.endLine(end, end);
    return node;
  }

  aliased(at: number): { readonly node: Node; readonly end: number } {
    const word = this.word(at);
    const node = this.anchors.get(word.slice(1));
    if (node === undefined || node === null) throw new Beyond();
    return { node, end: at + word.length };
  }

  /** A text in quotes on one line; the line ends behind it. */
  quoted(at: number): Node {
    const { node, end } = this.inQuotes(at);
    this.endLine(end, end);
    return node;
  }

  inQuotes(at: number): { readonly node: Scalar; readonly end: number } {
    const close = this.#closing(at);
    if (close === -1) throw new Beyond();
    return { node: scalar(this.#unquoted(at, close), { file: this.file, start: at, end: close + 1 }), end: close + 1 };
  }

  /** The quote that closes the one at `at` on the same line, or -1. */
  #closing(at: number): number {
    USUAL_QUOTED.lastIndex = at;
    if (USUAL_QUOTED.test(this.text)) return USUAL_QUOTED.lastIndex - 1;
    const quote = this.text[at];
    for (let end = at + 1; end < this.text.length; end++) {
      const character = this.text[end];
      if (character === "\n") return -1;
      if (quote === '"' && character === "\\") end++;
      else if (character === quote) {
        if (quote !== "'" || this.text[end + 1] !== "'") return end;
        end++;
      }
    }
    return -1;
  }

  #unquoted(open: number, close: number): string {
    const inside = this.text.slice(open + 1, close);
    if (this.text[open] === "'") return inside.includes("''") ? inside.replaceAll("''", "'") : inside;
    return inside.includes("\\") ? unescaped(inside) : inside;
  }

  #to(next: number): void {
    this.#next = next;
    this.#line = undefined;
  }

  #readLine(): Line | null {
    const start = this.#skipEmpty();
    if (start >= this.text.length) return null;
    const indent = start - this.#next;
    if (indent === 0 && (this.#isMarker(start) || this.text.startsWith("...", start))) return null;
    return { start, indent };
  }

  #isMarker(at: number): boolean {
    return this.text.startsWith("---", at) && isGap(this.text[at + 3]) && (at === 0 || this.text[at - 1] === "\n");
  }

  /** Passes over empty lines and comments; gives where the first line with something on it has its first character. */
  #skipEmpty(): number {
    for (;;) {
      let at = this.#next;
      while (this.text[at] === " ") at++;
      const character = this.text[at];
      if (character === undefined) return at;
      if (character === "\t") throw new Beyond();
      if (character !== "\n" && character !== "#") return at;
      this.#next = this.lineEnd(at) + 1;
    }
  }
}

/** A text in quotes that holds none of them. */
const USUAL_QUOTED = /"[^"\\\n]*"|'[^'\n]*'(?!')/y;

/** No key of YAML that stands on one line is longer; looking further would make long lines slow. */
const LONGEST_KEY = 1024;

/** A blank, or the end of a line or of the text. */
export function isGap(character: string | undefined): boolean {
  return character === undefined || character === " " || character === "\n" || character === "\t";
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["0", "\0"],
  ["a", "\u0007"],
  ["b", "\b"],
  ["t", "\t"],
  ["n", "\n"],
  ["v", "\v"],
  ["f", "\f"],
  ["r", "\r"],
  ["e", "\u001b"],
  [" ", " "],
  ['"', '"'],
  ["/", "/"],
  ["\\", "\\"],
]);

function unescaped(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/gs, (_, byte?: string, unit?: string, letter?: string) => {
    const hex = byte ?? unit;
    const meant = hex === undefined ? ESCAPES.get(letter ?? "") : String.fromCharCode(Number.parseInt(hex, 16));
    if (meant === undefined) throw new Beyond();
    return meant;
  });
}
