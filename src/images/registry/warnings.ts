/** Words for the user that a registry adds to its answers: `Warning: 299 - "this image is no longer updated"`. */
import type { IncomingMessage } from "node:http";
import { inOneLine } from "./problems.ts";

/** So many different ones are passed on: nobody reads more. */
const MOST = 5;
const WARNING = /(?:^|,)\s*299 \S+ "((?:[^"\\]|\\.)*)"/g;

export function warningsOf({ rawHeaders }: IncomingMessage): readonly string[] {
  return rawHeaders
    .filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === "warning")
    .flatMap((header) => [...header.matchAll(WARNING)].map(([, text = ""]) => inOneLine(text.replace(/\\(.)/g, "$1"))));
}

/** Passes each text on once. */
export function once(tell: (text: string) => void): (text: string) => void {
  const told = new Set<string>();
  return (text) => {
    if (told.has(text) || told.size === MOST) return;
    told.add(text);
    tell(text);
  };
}
