/** What the tests of renderers share: a run as events, streams to look into, a terminal to draw on. */
import xterm from "@xterm/headless";
import type { Diagnostic } from "../../src/model/diagnostic.ts";
import type { Event, EventStep, Stamped } from "../../src/model/event.ts";
import type { RendererOptions, Terminal } from "../../src/ui/renderer.ts";
import { styleOf } from "../../src/ui/style.ts";

export const BEGIN = Date.parse("2026-01-02T03:04:05.000Z");

/** Stamps events, `gap` milliseconds apart. */
export function stamped(events: readonly Event[], gap = 100): readonly Stamped[] {
  return events.map((event, i) => ({ ...event, seq: i + 1, at: new Date(BEGIN + i * gap).toISOString() }));
}

export function step(id: number, kind: EventStep["kind"], subject: string): EventStep {
  return { id, kind, subject, service: null, reason: "" };
}

export function ready(...steps: readonly EventStep[]): Event {
  return { type: "plan.ready", project: "shop", steps, unchanged: 0 };
}

export const finished: Event = { type: "run.finished", outcome: "converged", ms: 1000, summary: { done: 1, failed: 0, skipped: 0 } };

/** A stream that keeps what is written to it. */
export class Paper implements Terminal {
  text = "";
  readonly columns: number | null = null;
  readonly rows = 24;

  write(text: string): void {
    this.text += text;
  }
}

/** A real terminal without glass: what stands on it can be read, escape sequences have done their work. */
export class Glass implements Terminal {
  readonly columns: number;
  readonly rows: number;
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  bytes = "";

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.#terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 1000, allowProposedApi: true, convertEol: true });
  }

  write(text: string): void {
    this.bytes += text;
    this.#terminal.write(text);
  }

  /** All lines, those scrolled away too, without the empty ones at the end. */
  async lines(): Promise<readonly string[]> {
    await new Promise<void>((resolve) => this.#terminal.write("", resolve));
    const { active } = this.#terminal.buffer;
    const lines = Array.from({ length: active.length }, (_, i) => active.getLine(i)?.translateToString(true) ?? "");
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }
}

export const OPTIONS: RendererOptions = {
  style: styleOf(false),
  diagnostic: ({ code, message }: Diagnostic) => `${code}: ${message}`,
};
