import { setTimeout as sleep } from "node:timers/promises";
import { stopwatch } from "../lib/clock.ts";
import { exitStatus } from "../model/codes.ts";
import { type Diagnostic, Failure } from "../model/diagnostic.ts";
import type { Awaited } from "../model/event.ts";
import type { ObservedContainer } from "../model/observed.ts";
import type { Project } from "../model/project.ts";
import { withDependencies } from "../plan/order.ts";
import { plural } from "../ui/text.ts";
import { elapsed } from "../ui/units.ts";
import type { Session } from "./session.ts";
import { awaited, failureOf, goneFailure, type Look, lateness } from "./waiting.ts";

export interface WaitFlags {
  readonly wait: boolean;
  readonly "wait-timeout": number | undefined;
}

/** How long a command waits for others to get well, all its waits taken together. */
export interface Patience {
  readonly seconds: number | null;
  /** Aborts when the time is over, which begins with the first call. `null`: there is no end to it. */
  signal(): AbortSignal | null;
}

/** Throws E_USAGE for a time that is none. */
export function patienceOf(flags: WaitFlags): Patience {
  const seconds = flags["wait-timeout"] ?? 0; // 0 is for ever, as in Compose
  if (seconds < 0 || seconds > LONGEST_S)
    throw new Failure({ code: "E_USAGE", message: `--wait-timeout ${seconds}: give seconds from 0 (no end) to ${LONGEST_S}` });
  if (seconds === 0) return { seconds: null, signal: () => null };
  let signal: AbortSignal | null = null;
  return {
    seconds,
    signal: () => {
      signal ??= AbortSignal.timeout(seconds * 1000);
      return signal;
    },
  };
}

/** A month. */
const LONGEST_S = 2_592_000;
/** How often is looked, in milliseconds. */
const LOOK_MS = 100;
/** How many lines of the output of what is not well are told. */
const LAST_WORDS = 10;

export interface Whom {
  /** None: all of the project. */
  readonly services: readonly string[];
  /** Also what these depend on. */
  readonly dependencies: boolean;
}

/**
 * Waits until the containers of these services are healthy, or running where nobody looks at their health; one that ended
 * with 0 has done its work. Shows how each is meanwhile. Gives the exit status; what is not well is told of, with what it printed last.
 */
export async function waitWell(session: Session, whom: Whom, patience: Patience): Promise<number> {
  if (session.settings.dryRun) return 0;
  const began = stopwatch();
  const project = await session.project();
  const names = namesOf(project, whom);
  const shown = new Map<string, Awaited>();
  const restarts = new Map<string, number>();
  for (;;) {
    session.signal.throwIfAborted();
    const own = await session.containers(project.name);
    const all = own.filter(({ oneOff, service }) => !oneOff && service !== null && names.has(service));
    for (const { id, restarts: count = 0 } of all) if (!restarts.has(id)) restarts.set(id, count);
    await show(session, all, { shown, look: ({ id }) => ({ now: Date.now(), restarts: restarts.get(id) ?? 0 }) });
    const gone = [...shown.values()].filter(({ service }) => !all.some((one) => one.service === service)); // replaced is not gone
    if (gone.length > 0) return endWithout(session, gone, Math.round(stopwatch() - began));
    const of = (verdict: Awaited["verdict"]) => all.filter(({ id }) => shown.get(id)?.verdict === verdict);
    const [failed, open] = [of("failed"), of("open")];
    const isLate = patience.signal()?.aborted === true;
    const ms = Math.round(stopwatch() - began);
    if (failed.length > 0) return end(session, { failed, outcome: "failed", ms, say: failureOf });
    if (open.length === 0) return end(session, { failed, outcome: "ready", ms, say: failureOf, count: all.length });
    if (isLate) return end(session, { failed: open, outcome: "timeout", ms, say: (one) => lateness(one, patience.seconds ?? 0) });
    await sleep(LOOK_MS);
  }
}

/** Those of the spec: containers of services that it has no more, or that no profile asks for, are nobody's wait. */
function namesOf({ services }: Project, whom: Whom): ReadonlySet<string> {
  if (whom.services.length === 0) return new Set(services.map(({ name }) => name));
  return whom.dependencies ? withDependencies(services, whom.services) : new Set(whom.services);
}

/** Tells of what changed since the last look. */
async function show(
  session: Session,
  containers: readonly ObservedContainer[],
  { shown, look }: { readonly shown: Map<string, Awaited>; readonly look: (container: ObservedContainer) => Look },
): Promise<void> {
  const isFirst = shown.size === 0;
  for (const container of containers) {
    const before = shown.get(container.id);
    const after = awaited(container, before, look(container));
    shown.set(container.id, after);
    if (!isFirst && after.since !== before?.since) session.emit({ type: "wait.changed", container: after });
  }
  if (!isFirst) return;
  await session.show();
  session.emit({ type: "wait.started", containers: [...shown.values()] });
}

interface End {
  readonly failed: readonly ObservedContainer[];
  readonly outcome: "ready" | "failed" | "timeout";
  readonly ms: number;
  readonly say: (container: ObservedContainer) => Diagnostic;
  /** How many there are. */
  readonly count?: number;
}

async function end(session: Session, { failed, outcome, ms, say, count = 0 }: End): Promise<number> {
  session.emit({ type: "wait.finished", outcome, ms });
  if (outcome === "ready") {
    await session.endRun();
    if (ms > 2 * LOOK_MS) session.say(`${plural(count, "container")} ready after ${elapsed(ms)}`);
    return 0;
  }
  const diagnostics = await Promise.all(
    failed.map(async (container) => {
      const excerpt = await lastLines(session, container);
      return { ...say(container), ...(excerpt.length > 0 && { excerpt }) };
    }),
  );
  await session.tell(diagnostics);
  return exitStatus(diagnostics.map(({ code }) => code)) || 1;
}

/** Somebody has taken away what is waited for. */
async function endWithout(session: Session, gone: readonly Awaited[], ms: number): Promise<number> {
  session.emit({ type: "wait.finished", outcome: "failed", ms });
  const diagnostics = gone.map(({ name }) => goneFailure(name));
  await session.tell(diagnostics);
  return exitStatus(diagnostics.map(({ code }) => code));
}

/** What a container printed last. */
async function lastLines(session: Session, { id }: ObservedContainer): Promise<readonly string[]> {
  const lines: string[] = [];
  const options = { follow: false, tail: LAST_WORDS, since: null, until: null };
  for await (const { text } of (await session.engine()).logs([id], options, session.signal)) lines.push(text);
  return lines;
}
