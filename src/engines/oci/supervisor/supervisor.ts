import { type FSWatcher, mkdirSync, watch } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { stopwatch } from "../../../lib/clock.ts";
import { acquire, holderOf, type Lock, LockHeld } from "../../../lib/file-lock.ts";
import { isAlive } from "../../../lib/process-identity.ts";
import type { Context } from "../context.ts";
import { duties } from "./duties.ts";
import type { Duty, View } from "./duty.ts";
import { Journal } from "./journal.ts";
import { purpose, supervisorFiles } from "./launch.ts";
import { needsSupervisor } from "./need.ts";
import { Viewer } from "./view.ts";

/** How often it asks whether what runs still does, in milliseconds: a killed monitor tells nobody of an end. */
const POLL_MS = 2000;
/** How often it looks at everything when nothing was said, in milliseconds: neither does a killed command tell what it began. */
const LOOK_MS = 6000;
/** How long it stays when nothing needs it but there are containers still, or none yet: a restart stops one before it starts it again. */
const LINGER_MS = 400;
/** Looks come at least this far apart, and no more than a third of the time is spent on them. */
const GAP_MS = 5;

/**
 * Looks after one project until no container of it needs that, and gives its lock back. Returns at once where another one does it already.
 * It keeps nothing that is not on disk: it may be killed at any time, and the next one goes on from there.
 */
export async function supervise(context: Context, project: string, signal: AbortSignal): Promise<void> {
  const files = supervisorFiles(context.layout, project);
  const journal = new Journal(files.log);
  for (;;) {
    const lock = await lockOrNull(files.lock);
    if (lock === null) return;
    const supervisor = new Supervisor(context, project, journal);
    try {
      await supervisor.run(signal);
    } finally {
      await supervisor.close();
      await lock.release();
    }
    // A command that saw the lock held has marked its start before: it is seen here, or it sees that the lock is free.
    const view = new Viewer(context.layout, project).read();
    if (signal.aborted || !isNeeded(view)) {
      if (view.containers.length === 0) journal.remove();
      return;
    }
  }
}

class Supervisor {
  readonly #viewer: Viewer;
  readonly #duties: readonly Duty[];
  readonly #watcher: FSWatcher;
  readonly #journal: Journal;
  #wake: () => void = () => {};
  #woken = true;

  constructor(context: Context, project: string, journal: Journal) {
    const { layout } = context;
    this.#journal = journal;
    this.#viewer = new Viewer(layout, project);
    mkdirSync(layout.exits, { recursive: true, mode: 0o700 });
    this.#watcher = watch(layout.exits, () => this.#knock());
    this.#watcher.on("error", (error) => journal.write(`watch: ${error.message}`)); // the slow look is left
    this.#duties = duties({ context, project, wake: () => this.#knock(), log: (line) => journal.write(line) });
  }

  /** Looks whenever something may have changed, until nothing needs it. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#knock();
    signal.addEventListener("abort", stop);
    try {
      let hasSeen = false;
      for (let idleSince: number | null = null; !signal.aborted; ) {
        const began = stopwatch();
        this.#woken = false;
        const view = this.#viewer.read();
        if (isNeeded(view)) idleSince = null;
        else idleSince ??= began;
        const isEmpty = view.containers.length === 0;
        hasSeen ||= !isEmpty;
        if (idleSince !== null && ((isEmpty && hasSeen) || began - idleSince >= LINGER_MS)) return;
        for (const duty of this.#duties) await this.#letLook(duty, view);
        await sleep(Math.max(GAP_MS, 2 * (stopwatch() - began)));
        await this.#rest(view, idleSince === null ? LOOK_MS : LINGER_MS);
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  async close(): Promise<void> {
    this.#watcher.close();
    for (const duty of this.#duties) {
      try {
        await duty.close();
      } catch (error) {
        this.#journal.write(`${duty.name}: ${wordsOf(error)}`);
      }
    }
  }

  /** A duty that fails keeps no other from its work; it is asked again at the next look. */
  async #letLook(duty: Duty, view: View): Promise<void> {
    try {
      await duty.look(view);
    } catch (error) {
      this.#journal.write(`${duty.name}: ${wordsOf(error)}`);
    }
  }

  #knock(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Waits until there is something to look at, or the time is over. */
  async #rest({ live }: View, forMs: number): Promise<void> {
    for (const until = stopwatch() + forMs; !this.#woken; ) {
      const left = until - stopwatch();
      if (left <= 0 || live.some(({ status }) => status.state === "running" && !isAlive(status.run.process))) return;
      await this.#knocked(Math.min(left, POLL_MS));
    }
  }

  /** Waits until somebody knocked since the last look began, or the time is over. */
  #knocked(withinMs: number): Promise<void> {
    if (this.#woken) return Promise.resolve();
    return new Promise((resolve) => {
      const clock = setTimeout(resolve, withinMs);
      this.#wake = () => {
        clearTimeout(clock);
        resolve();
      };
    });
  }
}

function isNeeded({ layout, containers }: View): boolean {
  return containers.some((container) => needsSupervisor(layout, container));
}

/** One of another version was told to end, and lets go of the lock soon. */
async function lockOrNull(path: string): Promise<Lock | null> {
  const holder = await holderOf(path);
  const timeoutMs = holder === null || holder.purpose === purpose() ? 0 : TAKEOVER_LIMIT_MS;
  try {
    return await acquire(path, { purpose: purpose(), timeoutMs });
  } catch (error) {
    if (error instanceof LockHeld) return null;
    throw error;
  }
}

const TAKEOVER_LIMIT_MS = 30_000;

/** Why something failed, with where, as far as it is known. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
