import type { Style } from "./style.ts";
import { pad, width } from "./text.ts";

export interface LogLook {
  readonly style: Style;
  /** What to call each container, by id. Names with one colour key in common share a colour. */
  readonly names: ReadonlyMap<string, string>;
  readonly prefix: boolean;
  readonly timestamps: boolean;
  /** It goes to a terminal, which obeys what it is told: of what programs write, only colours get there. */
  readonly terminal?: boolean;
}

export interface PrintableLine {
  readonly container: string;
  readonly time: string;
  readonly text: string;
  /** `false` where the program wrote no newline. */
  readonly complete: boolean;
}

/** How log lines look: `web-1  | text`, names aligned. What a program wrote is passed on as it is, but to a terminal. */
export function logFormatter({ style, names, prefix, timestamps, terminal = false }: LogLook): (line: PrintableLine) => string {
  const column = [...names.values()].reduce((most, name) => Math.max(most, width(name)), 0);
  return ({ container, time, text, complete }) => {
    const name = names.get(container) ?? container.slice(0, 12);
    const head = prefix ? style.named(name, `${pad(name, column)}  | `) : "";
    const stamp = timestamps ? `${time} ` : "";
    return `${head}${stamp}${terminal ? tame(text) : text}${complete || prefix ? "\n" : ""}`;
  };
}

/**
 * A line without what would move the cursor, change the terminal or put words into its owner's mouth. Colours stay, and end with the line; of a line
 * that was written over and over (a progress bar) the last version stays.
 */
export function tame(text: string): string {
  if (PLAIN.test(text)) return text;
  const last = text.replace(/\r+$/, "").split("\r").at(-1) ?? "";
  const kept = last.replace(SEQUENCE, (found) => (COLOUR.test(found) ? found : "")).replace(CONTROL, "");
  return kept.includes("\x1b[") ? `${kept}\x1b[0m` : kept;
}

const PLAIN = /^[\t\x20-\x7e]*$/;
/** Escape sequences: CSI, those that carry text (OSC, DCS, …) to their end or that of the line, and the short ones. */
const SEQUENCE = /\x1b\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[\x20-\x2f]*[\x30-\x7e]?/g;
const COLOUR = /^\x1b\[[\d;:]*m$/;
/** All but the tab, and the escape that colours begin with. */
const CONTROL = /(?!\x1b\[[\d;:]*m)[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
