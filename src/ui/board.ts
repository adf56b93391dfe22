import type { EventStep, Stamped } from "../model/event.ts";
import { Transfers } from "./transfers.ts";
import { doneWord, spoken, WORDS } from "./words.ts";

/** One thing that a run works on: a container, an image, a network, a volume. Several steps may belong to it. */
export interface Row {
  readonly noun: string;
  readonly name: string;
  readonly status: "waiting" | "running" | "done" | "failed" | "skipped";
  /** What happens to it, or did last: `starting`, `started`. */
  readonly verb: string;
  /** Milliseconds since 1970 when its first step began. */
  readonly since: number | null;
  /** Milliseconds that its steps took. */
  readonly ms: number;
  /** What moves within it (layers), in the order of appearance. */
  readonly transfers: readonly Transfer[];
  readonly notes: readonly string[];
  /** Why it failed or was skipped. */
  readonly why: string | null;
}

export interface Transfer {
  readonly item: string;
  readonly phase: string;
  readonly done: number;
  readonly total: number | null;
  /** Milliseconds since 1970 when this phase began, and what was done by then. */
  readonly since: number;
  readonly from: number;
}

type StepEvent = Extract<Stamped, { readonly step: number }>;

/** What all events so far come to: the state behind a live display. */
export class Board {
  readonly #rows = new Map<string, MutableRow>();
  readonly #keys = new Map<number, string>();
  readonly #steps = new Map<number, EventStep>();

  get rows(): readonly Row[] {
    return [...this.#rows.values()];
  }

  apply(event: Stamped): void {
    if (event.type === "plan.ready") for (const step of event.steps) this.#add(step);
    if ("step" in event) this.#change(event);
  }

  #change(event: StepEvent): void {
    const row = this.#rows.get(this.#keys.get(event.step) ?? "");
    const step = this.#steps.get(event.step);
    if (row === undefined || step === undefined) return;
    const at = Date.parse(event.at);
    switch (event.type) {
      case "step.started":
        row.status = "running";
        row.verb = WORDS[step.kind].doing;
        row.since ??= at;
        return;
      case "step.progress":
        row.moving.move(event, at);
        return;
      case "step.note":
        row.notes.push(event.message);
        return;
      case "step.done":
        row.left--;
        row.ms += event.ms;
        row.verb = doneWord(step);
        if (row.status !== "failed") row.status = row.left > 0 ? "waiting" : "done";
        return;
      case "step.failed":
        row.status = "failed";
        row.ms += event.ms;
        row.why = event.diagnostics[0]?.message ?? null;
        return;
      case "step.undone":
        row.ms += event.ms;
        row.notes.push(`taken back: ${doneWord(step)}`);
        return;
      case "step.skipped":
        if (row.status === "failed") return;
        row.status = "skipped";
        row.why = event.why ?? this.#reason(event.because);
        return;
    }
  }

  #add(step: EventStep): void {
    const noun = WORDS[step.kind].noun;
    const key = `${noun}/${spoken(step)}`;
    const row = this.#rows.get(key) ?? new MutableRow(noun, spoken(step));
    row.left++;
    if (row.status === "done") row.status = "waiting";
    this.#rows.set(key, row);
    this.#keys.set(step.id, key);
    this.#steps.set(step.id, step);
  }

  #reason(because: number | null): string {
    const step = because === null ? undefined : this.#steps.get(because);
    return step === undefined ? "interrupted" : `${spoken(step)} was not ${doneWord(step)}`;
  }
}

class MutableRow implements Row {
  readonly noun: string;
  readonly name: string;
  status: Row["status"] = "waiting";
  verb = "";
  since: number | null = null;
  ms = 0;
  readonly notes: string[] = [];
  why: string | null = null;
  /** Steps that have not ended well yet. */
  left = 0;
  readonly moving = new Transfers();

  constructor(noun: string, name: string) {
    this.noun = noun;
    this.name = name;
  }

  get transfers(): readonly Transfer[] {
    return this.moving.list;
  }
}
