import type { Awaited, EventStep, Stamped } from "../model/event.ts";
import type { ContainerState } from "../model/observed.ts";
import type { Transfer } from "./board.ts";
import type { Renderer, RendererOptions, Terminal } from "./renderer.ts";
import { clean, plural } from "./text.ts";
import { isOver, sumOf, Transfers } from "./transfers.ts";
import { bytes, elapsed } from "./units.ts";
import { milestone } from "./waits.ts";
import { doneWord, spoken, WORDS } from "./words.ts";

/**
 * One line for each thing that happens, with the time since the run began and what it happened to: `Container shop-web-1 Started`, as Compose writes
 * it, so that a script finds it. For pipes and log files.
 */
export function plainRenderer(terminal: Terminal, options: RendererOptions): Renderer {
  const steps = new Map<number, EventStep>();
  const moving = new Map<number, Transfers>();
  /** When something was last said of a step's transfers. */
  const told = new Map<number, number>();
  let begin: number | null = null;

  const write = (event: Stamped, noun: string, name: string, text: string): void => {
    const seconds = ((Date.parse(event.at) - (begin ?? 0)) / 1000).toFixed(1);
    terminal.write(`${seconds.padStart(5)}s ${capital(noun)} ${clean(name)} ${clean(text)}\n`);
  };
  const line = (event: Stamped, id: number, text: (step: EventStep) => string): void => {
    const step = steps.get(id);
    if (step !== undefined) write(event, WORDS[step.kind].noun, spoken(step), text(step));
  };
  const waited = (event: Stamped, one: Awaited): void => write(event, "container", one.name, capital(milestone(one)));

  const event = (e: Stamped): void => {
    if (options.brief === true && e.type !== "notice") return;
    begin ??= Date.parse(e.at);
    switch (e.type) {
      case "plan.ready":
        for (const step of e.steps) steps.set(step.id, step);
        for (const { name, state } of e.settled ?? []) write(e, "container", name, STANDING[state]);
        break;
      case "step.started":
        line(e, e.step, ({ kind }) => capital(WORDS[kind].doing));
        break;
      case "step.progress": {
        const at = Date.parse(e.at);
        const transfers = moving.get(e.step) ?? new Transfers();
        moving.set(e.step, transfers);
        transfers.move(e, at);
        const own = transfers.list.find(({ item }) => item === e.item);
        if (own !== undefined && isOver(own)) line(e, e.step, () => `${e.phase} ${e.item} ${bytes(e.total ?? e.done)}`);
        else if (at - (told.get(e.step) ?? begin) >= HEARTBEAT_MS) line(e, e.step, () => heartbeat(transfers.list, at));
        else break;
        told.set(e.step, at);
        break;
      }
      case "step.note":
        line(e, e.step, () => e.message);
        break;
      case "step.done":
        line(e, e.step, (step) => `${capital(doneWord(step))} in ${elapsed(e.ms)}`);
        break;
      case "step.failed":
        line(e, e.step, () => `Failed: ${e.diagnostics.map((d) => d.message).join("; ")}`);
        break;
      case "step.undone":
        line(e, e.step, (step) => `Taken back in ${elapsed(e.ms)}: ${doneWord(step)}`);
        break;
      case "step.skipped": {
        const { why } = e;
        if (why !== undefined) {
          line(e, e.step, () => `Skipped ${why}`);
          break;
        }
        const because = e.because === null ? undefined : steps.get(e.because);
        line(e, e.step, () => `Skipped: ${because === undefined ? "interrupted" : `${spoken(because)} was not ${doneWord(because)}`}`);
        break;
      }
      case "notice":
        terminal.write(`${options.diagnostic(e.diagnostic)}\n`);
        break;
      case "wait.started":
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

/** What is said of a container that stays as it is, in Compose's words. */
const STANDING = {
  created: "Created",
  running: "Running",
  paused: "Paused",
  restarting: "Restarting",
  exited: "Stopped",
  dead: "Stopped",
} as const satisfies Record<ContainerState, string>;
/** How often a transfer that goes on says so. */
const HEARTBEAT_MS = 5000;

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `downloading 3MB/8MB 1.2MB/s 4 s left, 1/2 layers` */
function heartbeat(transfers: readonly Transfer[], now: number): string {
  const phases = new Set(transfers.map(({ phase }) => phase));
  const doing = phases.has("upload") ? "uploading" : phases.has("download") || phases.has("waiting") ? "downloading" : "unpacking";
  const layers = transfers.length > 1 ? `, ${transfers.filter(isOver).length}/${plural(transfers.length, "layer")}` : "";
  return `${doing} ${sumOf(transfers, now).text}${layers}`;
}
