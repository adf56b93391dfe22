import type { Stamped } from "../model/event.ts";
import { Board, type Row } from "./board.ts";
import { type FrameOptions, finalLines, frame } from "./frame.ts";
import type { Renderer, RendererOptions, Terminal } from "./renderer.ts";
import { Screen } from "./screen.ts";
import { Waits, waitFrame } from "./waits.ts";

/**
 * A live picture of the run, one line for each thing. What is quick is never drawn: the picture comes after a moment only, and with it the library
 * behind it. When the run is over each line is written once, to stay.
 */
export function ttyRenderer(terminal: Terminal, options: RendererOptions): Renderer {
  const board = new Board();
  const size = (tick: number): FrameOptions => ({
    style: options.style,
    columns: terminal.columns ?? 80,
    rows: terminal.rows,
    now: Date.now(),
    tick,
  });
  const waits = new Waits();
  const picture = (tick: number): readonly string[] =>
    waits.rows.length > 0 ? waitFrame(waits.rows, size(tick)) : frame(board.rows, size(tick));
  const screen = new Screen(terminal, picture);
  const pending = new Pending();
  let timer: NodeJS.Timeout | undefined;
  let shown: Promise<void> = Promise.resolve();

  const show = async (): Promise<void> => {
    const { showWhile } = await import("./task-list.ts");
    while (pending.open) await showWhile(screen, pending.tasks(board.rows));
  };

  const event = (e: Stamped): void => {
    board.apply(e);
    waits.apply(e);
    if (e.type === "notice") say(options.diagnostic(e.diagnostic));
    if ((e.type === "step.started" || (e.type === "wait.started" && waits.isOpen)) && timer === undefined) {
      timer = setTimeout(() => {
        shown = show();
      }, PATIENCE_MS);
      timer.unref();
    }
    if (e.type !== "plan.ready") pending.settle(board.rows);
  };

  const say = (line: string): void => screen.above(line);

  const end = async (): Promise<void> => {
    clearTimeout(timer);
    pending.close();
    await shown;
    screen.hide();
    if (options.brief === true) return;
    const lines = [...finalLines(board.rows.filter(hasBegun), size(0)), ...waits.final(size(0))];
    if (lines.length > 0) terminal.write(`${lines.join("\n")}\n`);
  };

  return { event, say, end };
}

/** How long a run may take before a picture of it is drawn. */
const PATIENCE_MS = 150;

function hasBegun(row: Row): boolean {
  return row.since !== null || row.status === "skipped";
}

function hasEnded(row: Row): boolean {
  return row.status !== "waiting" && row.status !== "running";
}

/** The promises behind the rows that have not ended. */
class Pending {
  readonly #waiting = new Map<string, () => void>();
  open = true;

  /** One task for each row that has not ended; settles when that row has ended or nothing is shown any more. */
  tasks(rows: readonly Row[]): readonly { readonly title: string; readonly settled: Promise<void> }[] {
    const left = rows.filter((row) => !hasEnded(row)).map((row) => `${row.noun} ${row.name}`);
    const names = left.length > 0 ? left : ["more"]; // between two rounds of steps: until the next one, or the end
    return names.map((title) => ({ title, settled: new Promise((resolve) => this.#waiting.set(title, resolve)) }));
  }

  settle(rows: readonly Row[]): void {
    for (const row of rows) {
      const resolve = this.#waiting.get(`${row.noun} ${row.name}`);
      if (hasEnded(row)) resolve?.();
      else this.#waiting.get("more")?.();
    }
  }

  close(): void {
    this.open = false;
    for (const resolve of this.#waiting.values()) resolve();
  }
}
