import type { Diagnostic } from "../model/diagnostic.ts";
import type { Stamped } from "../model/event.ts";
import type { Style } from "./style.ts";

/** Shows a run. Nothing of it throws or waits, but `end`. */
export interface Renderer {
  event(event: Stamped): void;
  /** One line for a person that is no event. */
  say(line: string): void;
  /** Leaves the terminal as it was, with what is worth keeping. */
  end(): Promise<void>;
}

/** Where a renderer writes. */
export interface Terminal {
  write(text: string): void;
  /** `null` when it is no terminal. */
  readonly columns: number | null;
  readonly rows: number;
}

export interface RendererOptions {
  readonly style: Style;
  /** A diagnostic as text, without a newline at its end. */
  readonly diagnostic: (diagnostic: Diagnostic) => string;
  /** Nothing stays of the steps, only of what is said: whoever shows the run sums it up. */
  readonly brief?: boolean;
}

export type RendererKind = "tty" | "plain" | "json" | "quiet";

export async function openRenderer(kind: RendererKind, terminal: Terminal, options: RendererOptions): Promise<Renderer> {
  switch (kind) {
    case "tty":
      return (await import("./tty.ts")).ttyRenderer(terminal, options);
    case "plain":
      return (await import("./plain.ts")).plainRenderer(terminal, options);
    case "json":
      return jsonRenderer(terminal);
    case "quiet":
      return QUIET;
  }
}

/** One event a line; what is said to people only is left out. */
export function jsonRenderer(terminal: Terminal): Renderer {
  return { event: (event) => terminal.write(`${JSON.stringify(event)}\n`), say: () => {}, end: async () => {} };
}

const QUIET: Renderer = { event: () => {}, say: () => {}, end: async () => {} };
