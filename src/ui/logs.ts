import type { Style } from "./style.ts";
import { pad, width } from "./text.ts";

export interface LogLook {
  readonly style: Style;
  /** What to call each container, by id. Names with one colour key in common share a colour. */
  readonly names: ReadonlyMap<string, string>;
  readonly prefix: boolean;
  readonly timestamps: boolean;
}

export interface PrintableLine {
  readonly container: string;
  readonly time: string;
  readonly text: string;
  /** `false` where the program wrote no newline. */
  readonly complete: boolean;
}

/** How log lines look: `web-1  | text`, names aligned. What a program wrote is passed on as it is. */
export function logFormatter({ style, names, prefix, timestamps }: LogLook): (line: PrintableLine) => string {
  const column = [...names.values()].reduce((most, name) => Math.max(most, width(name)), 0);
  return ({ container, time, text, complete }) => {
    const name = names.get(container) ?? container.slice(0, 12);
    const head = prefix ? style.named(name, `${pad(name, column)}  | `) : "";
    const stamp = timestamps ? `${time} ` : "";
    return `${head}${stamp}${text}${complete || prefix ? "\n" : ""}`;
  };
}
