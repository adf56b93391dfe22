import { type Node, scalar } from "./node.ts";
import { Beyond, type Cursor } from "./simple-yaml-cursor.ts";

/** A text of several lines after `|` or `>`. Its lines stand further in than `indent`. */
export function blockScalar(cursor: Cursor, at: number, indent: number): Node {
  const { text, file } = cursor;
  const folded = text[at] === ">";
  const chomp = text[at + 1] === "-" || text[at + 1] === "+" ? (text[at + 1] ?? "") : "";
  const rest = cursor.skipBlanks(at + 1 + chomp.length);
  if (!cursor.endsAt(rest)) throw new Beyond();
  const body = cursor.lineEnd(rest) + 1;
  const { lines, next } = read(text, body, indent);
  const end = Math.min(next, text.length);
  cursor.endBefore(next, end);
  return scalar(chomped(folded ? fold(lines) : lines.join("\n"), lines, chomp), { file, start: at, end });
}

interface Body {
  /** Without their indentation, empty ones at the end included. */
  readonly lines: readonly string[];
  /** Where the next line of the document begins. */
  readonly next: number;
}

function read(text: string, start: number, indent: number): Body {
  const lines: string[] = [];
  let own = -1;
  let at = start;
  while (at < text.length) {
    const newline = text.indexOf("\n", at);
    const end = newline === -1 ? text.length : newline;
    let first = at;
    while (text[first] === " ") first++;
    const width = first - at;
    if (first >= end) {
      if (own === -1 ? width > indent + 1 : width > own) {
        if (own === -1) throw new Beyond(); // blanks before the first line: which of them count is for the other reader
        lines.push(text.slice(at + own, end));
      } else lines.push("");
    } else {
      if (own === -1) {
        if (width <= indent) break;
        own = width;
      }
      if (width < own) {
        if (width > indent) throw new Beyond();
        break;
      }
      lines.push(text.slice(at + own, end));
    }
    at = end + 1;
  }
  return { lines, next: at };
}

/** Lines that begin at the edge become one; empty ones between them and indented ones keep their ends. */
function fold(lines: readonly string[]): string {
  let out = "";
  let before: "none" | "text" | "indented" = "none";
  let empty = 0;
  for (const line of lines) {
    if (line === "") {
      empty++;
      continue;
    }
    const indented = line.startsWith(" ") || line.startsWith("\t");
    if (before === "none") out += "\n".repeat(empty);
    else if (before === "text" && !indented) out += empty === 0 ? " " : "\n".repeat(empty);
    else out += "\n".repeat(empty + 1);
    out += line;
    before = indented ? "indented" : "text";
    empty = 0;
  }
  return out + "\n".repeat(empty);
}

/** The end of the text: one line end, none with `-`, all of them with `+`. */
function chomped(joined: string, lines: readonly string[], chomp: string): string {
  const body = joined.replace(/\n+$/, "");
  if (lines.every((line) => line === "")) return chomp === "+" ? "\n".repeat(lines.length) : "";
  if (chomp === "-") return body;
  if (chomp !== "+") return `${body}\n`;
  let empty = 0;
  while (lines[lines.length - 1 - empty] === "") empty++;
  return `${body}${"\n".repeat(empty + 1)}`;
}
