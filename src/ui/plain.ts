import type { Awaited, EventStep, Stamped } from "../model/event.ts";
import type { Transfer } from "./board.ts";
import type { Renderer, RendererOptions, Terminal } from "./renderer.ts";
import { clean, pad, plural, width } from "./text.ts";
import { isOver, sumOf, Transfers } from "./transfers.ts";
import { bytes, elapsed } from "./units.ts";
import { milestone } from "./waits.ts";
import { spoken, WORDS } from "./words.ts";

/** One line for each thing that happens, with the time since the run began and the name of what it happened to. For pipes and log files. */
export function plainRenderer(terminal: Terminal, options: RendererOptions): Renderer {
  const steps = new Map<number, EventStep>();
  const moving = new Map<number, Transfers>();
  /** When something was last said of a step's transfers. */
  const told = new Map<number, number>();
  let begin: number | null = null;
  let column = 0;

  const line = (event: Stamped, id: number, text: string): void => {
    const step = steps.get(id);
    if (step === undefined) return;
    const seconds = ((Date.parse(event.at) - (begin ?? 0)) / 1000).toFixed(1);
    terminal.write(`${seconds.padStart(5)}s ${pad(clean(spoken(step)), column)} | ${clean(text)}\n`);
  };

  const waited = (event: Stamped, one: Awaited): void => {
    const seconds = ((Date.parse(event.at) - (begin ?? 0)) / 1000).toFixed(1);
    terminal.write(`${seconds.padStart(5)}s ${pad(clean(one.name), column)} | ${clean(milestone(one))}\n`);
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
        const transfers = moving.get(e.step) ?? new Transfers();
        moving.set(e.step, transfers);
        transfers.move(e, at);
        const own = transfers.list.find(({ item }) => item === e.item);
        if (own !== undefined && isOver(own)) line(e, e.step, `${e.phase} ${e.item} ${bytes(e.total ?? e.done)}`);
        else if (at - (told.get(e.step) ?? begin) >= HEARTBEAT_MS) line(e, e.step, heartbeat(transfers.list, at));
        else break;
        told.set(e.step, at);
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
      case "step.undone":
        line(e, e.step, `taken back in ${elapsed(e.ms)}: ${word(steps.get(e.step), "done")}`);
        break;
      case "step.skipped": {
        const because = e.because === null ? undefined : steps.get(e.because);
        line(e, e.step, `skipped: ${because === undefined ? "interrupted" : `${spoken(because)} was not ${WORDS[because.kind].done}`}`);
        break;
      }
      case "notice":
        terminal.write(`${options.diagnostic(e.diagnostic)}\n`);
        break;
      case "wait.started":
        for (const { name, verdict } of e.containers)
          if (verdict === "open") column = Math.max(column, Math.min(WIDEST, width(clean(name))));
        for (const one of e.containers) if (one.verdict === "open") waited(e, one);
        break;
      case "wait.changed":
        waited(e, e.container);
        break;
      case "wait.finished":
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

/** `downloading 3MB/8MB 1.2MB/s 4 s left, 1/2 layers` */
function heartbeat(transfers: readonly Transfer[], now: number): string {
  const phases = new Set(transfers.map(({ phase }) => phase));
  const doing = phases.has("upload") ? "uploading" : phases.has("download") || phases.has("waiting") ? "downloading" : "unpacking";
  const layers = transfers.length > 1 ? `, ${transfers.filter(isOver).length}/${plural(transfers.length, "layer")}` : "";
  return `${doing} ${sumOf(transfers, now).text}${layers}`;
}
