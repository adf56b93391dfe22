import type { ApplyContext, Engine } from "../engine/engine.ts";
import { stopwatch } from "../lib/clock.ts";
import { slots } from "../lib/slots.ts";
import { type Action, subject } from "../model/action.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { diagnosticsOf } from "../model/diagnostic.ts";
import type { Emit, Outcome, Summary } from "../model/event.ts";
import type { Step, WayBack } from "../model/plan.ts";
import { inLots, passed, Updates } from "./updates.ts";

/** Whose turn it is to change a project. Others may go ahead while nothing is done but to wait. */
export interface Turn {
  /** Aborts when nothing more is to be begun: somebody who went ahead has ended it all. */
  readonly signal: AbortSignal;
  /** Does the work of an action when nobody is in between. `signal`: ends the wait for that; without it that of the run. */
  carryOut(action: Action, work: () => Promise<void>, signal?: AbortSignal): Promise<void>;
  /** Why an action is to be left: somebody who went ahead had the later word on its container. `null`: nobody had. */
  overtaken(action: Action): Diagnostic | null;
}

/** Nobody is there to go ahead. */
export const ALONE: Turn = { signal: new AbortController().signal, carryOut: (_, work) => work(), overtaken: () => null };

export interface ExecuteOptions {
  readonly emit: Emit;
  /** Once aborted no step begins; those in hand end as the engine ends them. */
  readonly signal: AbortSignal;
  /** Most steps at once; without it all that can run do. */
  readonly limit?: number;
  /** Aborts when waits for health and ends have taken too long; asked for when the first one begins. `null`: never. */
  readonly patience?: () => AbortSignal | null;
  /** Absent: nobody is there to go ahead. */
  readonly turn?: Turn;
}

export interface Execution {
  readonly outcome: Outcome;
  readonly summary: Summary;
  /** What went wrong, in the order it happened. */
  readonly diagnostics: readonly Diagnostic[];
}

/** An attempt under way. */
interface Undoing {
  /** Steps that are done, in that order. */
  readonly done: Step[];
  readonly begun: Set<Promise<End>>;
  /** The taking back, once it began. */
  over: Promise<boolean> | null;
}

/** How replacements are taken back where nothing is said of that. */
const AT_ONCE: WayBack = { parallelism: 0, delayMs: 0, monitorMs: 0, tolerated: Number.POSITIVE_INFINITY };

/** How many lines of a failed replacement's output are told. */
const LAST_WORDS = 10;

type End = { readonly status: "done" | "failed" } | { readonly status: "skipped"; readonly because: number | null };

/**
 * Carries out steps, each as soon as all it comes after are done. A step behind one that is not done is skipped and says because of which.
 * Decides nothing and never throws: what happened is in the events and in the result. Every step ends in exactly one event.
 */
export async function execute(steps: readonly Step[], engine: Engine, options: ExecuteOptions): Promise<Execution> {
  const { emit, turn = ALONE } = options;
  const signal = AbortSignal.any([options.signal, turn.signal]);
  const diagnostics: Diagnostic[] = [];
  const slot = slots(options.limit ?? Number.POSITIVE_INFINITY);
  const ends = new Map<number, Promise<End>>();
  const attempts = new Map<string, Undoing>();
  const updates = new Updates();
  for (const { attempt } of steps) if (attempt !== undefined) attempts.set(attempt.name, { done: [], begun: new Set(), over: null });
  for (const step of steps) ends.set(step.id, run(step)); // a step comes after its predecessors in the list, so theirs are there
  const counts = { done: 0, failed: 0, skipped: 0 };
  for (const end of await Promise.all(ends.values())) counts[end.status]++;
  // An interruption leaves no attempt half-way either.
  for (const step of steps) {
    if ((await ends.get(step.id))?.status === "done") continue;
    await takeBack(step);
    if (signal.aborted && updates.isTakenBack(step)) await takeBackAll(step);
  }
  const outcome = options.signal.aborted && counts.done < steps.length ? "cancelled" : counts.done < steps.length ? "failed" : "converged";
  return { outcome, summary: counts, diagnostics };

  async function run(step: Step): Promise<End> {
    for (const id of step.after) {
      const end = await ends.get(id);
      if (end?.status === "done") continue;
      const skipped = skip(step, end?.status === "skipped" && end.because === null ? null : id);
      await giveUp(step);
      return skipped;
    }
    for (const id of step.afterAnyway ?? []) await ends.get(id);
    const barrier = updates.barrier(step);
    if (barrier !== null) return skip(step, barrier);
    return slot(() => (signal.aborted ? skip(step, null) : apply(step)));
  }

  /** What follows from a step that is not done: for the attempt that it belongs to, and for the update that this is a part of. */
  async function giveUp(step: Step): Promise<void> {
    await takeBack(step);
    if (signal.aborted || !updates.fail(step)) return;
    emit({ type: "step.note", step: step.id, message: updates.words(step) });
    if (updates.isTakenBack(step)) await takeBackAll(step);
  }

  /** Undoes what was done of all attempts of a service, lot by lot as its way back says; after an interruption at once. */
  async function takeBackAll({ id, service, update }: Step): Promise<void> {
    const all = steps.filter((other) => other.service === service);
    const found = all.flatMap(({ attempt }) => (attempt === undefined || attempts.get(attempt.name)?.over !== null ? [] : [attempt.name]));
    const names = [...new Set(found)];
    const way = signal.aborted ? undefined : update?.wayBack;
    const back = async (name: string): Promise<boolean> => {
      const [first] = all.filter(({ attempt }) => attempt?.name === name);
      return first === undefined || ((await takeBack(first)) && (way === undefined || (await isSteady(name, way.monitorMs))));
    };
    const pause = async (delayMs: number): Promise<void> => {
      const wait = { kind: "container.prove", container: names[0] ?? "", monitorMs: 0, delayMs } as const;
      const work = () => passed(delayMs, signal);
      await turn.carryOut(wait, work); // others may go ahead meanwhile
    };
    const failed = await inLots(names, way ?? AT_ONCE, { back, pause });
    if (failed !== null)
      emit({
        type: "step.note",
        step: id,
        message: `the rollback of ${service} is paused: ${failed} failed, and ${way?.tolerated || "none"} may`,
      });
  }

  /** Whether what runs again stays up for so long. */
  async function isSteady(name: string, monitorMs: number): Promise<boolean> {
    const done = attempts.get(name)?.done.find(({ attempt }) => attempt?.undo?.kind === "container.start");
    const action = done?.attempt?.undo;
    if (done === undefined || action?.kind !== "container.start" || monitorMs === 0 || signal.aborted) return true;
    return onTheWayBack(done, { kind: "container.prove", container: action.container, monitorMs, delayMs: 0 });
  }

  function skip(step: Step, because: number | null): End {
    emit({ type: "step.skipped", step: step.id, because });
    return { status: "skipped", because };
  }

  /** Undoes what was done of the attempt that a step belongs to, the last step first. Once for each attempt. Gives whether all could be. */
  async function takeBack({ attempt }: Step): Promise<boolean> {
    const undoing = attempt === undefined ? undefined : attempts.get(attempt.name);
    if (undoing === undefined) return true;
    undoing.over ??= (async () => {
      await Promise.allSettled(undoing.begun);
      let isUndone = true;
      for (const done of [...undoing.done].reverse()) isUndone = (await undo(done)) && isUndone;
      return isUndone;
    })();
    return undoing.over;
  }

  async function undo(step: Step): Promise<boolean> {
    const action = step.attempt?.undo ?? null;
    if (action === null || isOvertaken(action)) return true;
    const began = stopwatch();
    const isDone = await onTheWayBack(step, action);
    if (isDone) emit({ type: "step.undone", step: step.id, ms: Math.round(stopwatch() - began) });
    return isDone;
  }

  async function onTheWayBack({ id }: Step, action: Action): Promise<boolean> {
    try {
      // What is done is not done with the run's signal: that may have been what broke the attempt off.
      const own = action.kind === "container.prove" ? signal : new AbortController().signal;
      const work = () => engine.apply(action, { ...contextOf({ id }, options), signal: own });
      await turn.carryOut(action, work, own);
      return true;
    } catch (error) {
      if (action.kind === "container.prove" && isAbort(error) && signal.aborted) return true; // nobody watches any longer
      const found = diagnosticsOf(error);
      diagnostics.push(...found);
      const what = action.kind === "container.prove" ? "is back, and not steady" : "could not be taken back";
      emit({ type: "step.note", step: id, message: `${what}: ${found.map(({ message }) => message).join("; ")}` });
      return false;
    }
  }

  /** What the container of a failed attempt, or one that others wait for, printed last. */
  async function lastWords({ action, attempt }: Step): Promise<readonly string[]> {
    if ((attempt === undefined && action.kind !== "container.wait") || !("container" in action)) return [];
    const found = (await engine.containers(signal)).find(({ name }) => name === action.container);
    const lines: string[] = [];
    if (found === undefined) return lines;
    for await (const { text } of engine.logs([found.id], { follow: false, tail: LAST_WORDS, since: null, until: null }, signal))
      lines.push(text);
    return lines;
  }

  async function apply(step: Step): Promise<End> {
    const undoing = step.attempt === undefined ? undefined : attempts.get(step.attempt.name);
    if (undoing !== undefined && undoing.over !== null) return skip(step, updates.brokenBy(step));
    if (isOvertaken(step.action)) {
      await giveUp(step);
      return skip(step, null);
    }
    updates.begin(step);
    const work = carryOut(step);
    undoing?.begun.add(work);
    const end = await work;
    undoing?.begun.delete(work);
    if (end.status === "done") undoing?.done.push(step);
    else await giveUp(step);
    return end;
  }

  /** Whether somebody else had the later word on what an action is about. Tells of that. */
  function isOvertaken(action: Action): boolean {
    const why = turn.overtaken(action);
    if (why !== null) tell([why]);
    return why !== null;
  }

  function tell(found: readonly Diagnostic[]): void {
    diagnostics.push(
      ...found.filter(({ code, message }) => code !== "E_GAVE_WAY" || diagnostics.every((told) => told.message !== message)),
    );
  }

  function explained(error: unknown, action: Action): readonly Diagnostic[] {
    const overtaken = turn.overtaken(action);
    if (overtaken !== null) return [overtaken];
    if (!isAbort(error)) return diagnosticsOf(error);
    if (signal.aborted) return [cancelled(action)];
    return action.kind === "container.wait" ? [late(action)] : diagnosticsOf(error);
  }

  async function carryOut(step: Step): Promise<End> {
    const began = stopwatch();
    const took = () => Math.round(stopwatch() - began);
    const { action } = step;
    const work = () => engine.apply(action, contextOf(step, { ...options, signal }));
    emit({ type: "step.started", step: step.id });
    try {
      await turn.carryOut(action, work, signal);
      emit({ type: "step.done", step: step.id, ms: took() });
      return { status: "done" };
    } catch (error) {
      const plain = explained(error, action);
      const excerpt = signal.aborted || plain.some(({ code }) => code === "E_GAVE_WAY") ? [] : await lastWords(step).catch(() => []); // the failure itself is told all the same
      const found = excerpt.length === 0 ? plain : plain.map((diagnostic) => ({ ...diagnostic, excerpt }));
      tell(found);
      emit({ type: "step.failed", step: step.id, ms: took(), diagnostics: found });
      return { status: "failed" };
    }
  }
}

/** Progress comes in the thousands; what a person cannot see is left out, the last word on an item never. */
const PROGRESS_INTERVAL_MS = 50;

function contextOf(
  { id: step, action }: Pick<Step, "id"> & { readonly action?: Action },
  { emit, signal, patience }: ExecuteOptions,
): ApplyContext {
  const told = new Map<string, number>();
  const end = action?.kind === "container.wait" ? (patience?.() ?? null) : null;
  return {
    signal: end === null ? signal : AbortSignal.any([signal, end]),
    progress(item, phase, done, total) {
      const key = `${item} ${phase}`;
      const now = stopwatch();
      const last = told.get(key);
      if (last !== undefined && done !== total && now - last < PROGRESS_INTERVAL_MS) return;
      told.set(key, now);
      emit({ type: "step.progress", step, item, phase, done, total });
    },
    note(message) {
      emit({ type: "step.note", step, message });
    },
  };
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError");
}

function cancelled(action: Action): Diagnostic {
  return {
    code: "E_CANCELLED",
    message: `${subject(action)} is not done: the command was interrupted`,
    hint: "run the command again to go on",
  };
}

function late({ container, until }: Extract<Action, { kind: "container.wait" }>): Diagnostic {
  const message = `timeout waiting for dependencies: ${container} is not ${until} in the time that there is for waiting`;
  return { code: "E_WAIT_TIMEOUT", message, hint: "others depend on that; --wait-timeout gives more time" };
}
