/** Words for diagnostics: values in quotes, lists, what someone may have meant. */
import { nearest } from "../model/suggest.ts";

const LONGEST = 60;

/** A name or value of the user's as it stands in a message: in backquotes, cut when long, with control characters made visible. */
export function quote(text: string): string {
  return `\`${visible(text)}\``;
}

/** A text without anything that would move a terminal's cursor or break a line, cut when long. */
export function visible(text: string, longest = LONGEST): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    const short = ESCAPES.get(character);
    return short ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** `a`, `b` and `c`. */
export function listing(names: readonly string[], joiner: "and" | "or"): string {
  const quoted = names.map(quote);
  const last = quoted.pop() ?? "";
  return quoted.length === 0 ? last : `${quoted.join(", ")} ${joiner} ${last}`;
}

/** `did you mean …?`, or `null` when nothing known is near. */
export function didYouMean(typed: string, known: Iterable<string>): string | null {
  const best = nearest(typed, known);
  return best === null ? null : `did you mean ${quote(best)}?`;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\t", "\\t"],
  ["\r", "\\r"],
]);
