import type { EventStep, Stamped } from "../model/event.ts";
import type { Renderer, RendererOptions, Terminal } from "./renderer.ts";
import { clean, pad, width } from "./text.ts";
import { bytes, elapsed } from "./units.ts";
import { spoken, WORDS } from "./words.ts";

/** One line for each thing that happens, with the time since the run began and the name of what it happened to. For pipes and log files. */
export function plainRenderer(terminal: Terminal, options: RendererOptions): Renderer {
  const steps = new Map<number, EventStep>();
  const lastProgress = new Map<number, number>();
  let begin: number | null = null;
  let column = 0;

  const line = (event: Stamped, id: number, text: string): void => {
    const step = steps.get(id);
    if (step === undefined) return;
    const seconds = ((Date.parse(event.at) - (begin ?? 0)) / 1000).toFixed(1);
    terminal.write(`${seconds.padStart(5)}s ${pad(clean(spoken(step)), column)} | ${clean(text)}\n`);
  };

  const event = (e: Stamped): void => {
    if (options.brief === true && e.type !== "notice") return;
    begin ??= Date.parse(e.at);
    switch (e.type) {
      case "plan.ready":
        for (const step of e.steps) {
          steps.set(step.id, step);
          column = Math.max(column, Math.min(WIDEST, width(clean(spoken(step)))));
        }
        break;
      case "step.started":
        line(e, e.step, word(steps.get(e.step), "doing"));
        break;
      case "step.progress": {
        const at = Date.parse(e.at);
        const complete = e.total !== null && e.done >= e.total;
        if (!complete && at - (lastProgress.get(e.step) ?? begin) < HEARTBEAT_MS) break;
        lastProgress.set(e.step, at);
        line(e, e.step, `${e.phase} ${e.item} ${complete ? bytes(e.done) : amount(e)}`);
        break;
      }
      case "step.note":
        line(e, e.step, e.message);
        break;
      case "step.done":
        line(e, e.step, `${word(steps.get(e.step), "done")} in ${elapsed(e.ms)}`);
        break;
      case "step.failed":
        line(e, e.step, `failed: ${e.diagnostics.map((d) => d.message).join("; ")}`);
        break;
      case "step.skipped": {
        const because = e.because === null ? undefined : steps.get(e.because);
        line(e, e.step, `skipped: ${because === undefined ? "interrupted" : `${spoken(because)} was not ${WORDS[because.kind].done}`}`);
        break;
      }
      case "notice":
        terminal.write(`${options.diagnostic(e.diagnostic)}\n`);
        break;
      case "run.finished":
      case "watch.changed":
      case "watch.waiting":
        break;
    }
  };
  return { event, say: (text) => terminal.write(`${text}\n`), end: async () => {} };
}

/** A longer name does not push everybody's text aside. */
const WIDEST = 40;
/** How often a transfer that goes on says so. */
const HEARTBEAT_MS = 5000;

function word(step: EventStep | undefined, form: "doing" | "done"): string {
  return step === undefined ? "" : WORDS[step.kind][form];
}

function amount({ done, total }: { readonly done: number; readonly total: number | null }): string {
  return total === null ? bytes(done) : `${bytes(done)}/${bytes(total)}`;
}
