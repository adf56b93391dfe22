/**
 * Commands on one project take turns: each makes a plan and carries it out, and no other one does meanwhile. While the one whose turn it is only
 * waits (for health, for a pull), it lends the project's lock to commands that end something, and goes on when they are done: not with what they
 * ended, though. Theirs is the later word.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ALONE, type Turn as Carrying } from "../execute/execute.ts";
import type { Holder, Lock } from "../lib/file-lock.ts";
import type { Action, ActionKind } from "../model/action.ts";
import { type Diagnostic, Failure } from "../model/diagnostic.ts";
import { finalName } from "../model/names.ts";
import type { Plan } from "../model/plan.ts";
import { type ProjectLockOptions, takeProjectLock, tryTurn, turnHolder } from "./project-lock.ts";
import { clearWords, leaveWord, takeBackWord, type Word, wordsFor } from "./words.ts";

export interface Turn extends Carrying {
  /** Says what the plan is about to those who wait meanwhile. `whole`: all of the project. */
  announce(plan: Plan, whole: boolean): Promise<void>;
  /** Makes sure that nobody else changes the project until the next wait. */
  hold(): Promise<void>;
}

/** Steps that change nothing of the project's containers: others may. */
const WAITS: ReadonlySet<ActionKind> = new Set(["image.pull", "container.wait", "container.prove", "container.drain"]);

/** How long a wait has to take before the lock is lent, in milliseconds: most are over sooner. */
const LEND_AFTER_MS = 100;
/** How often is looked for a word of others meanwhile. */
const LISTEN_MS = 100;

/** Does something that has a plan while nobody else carries out one. */
export async function inTurn<T>(options: ProjectLockOptions, work: (turn: Turn) => Promise<T>): Promise<T> {
  const quiet = sayingOnce(options);
  const mine = await takeProjectLock("turn", quiet);
  const held = new HeldTurn(quiet, mine.token);
  try {
    await held.hold();
    clearWords(quiet); // they were said before this plan
    return await work(held);
  } finally {
    try {
      await held.end();
    } finally {
      clearWords(quiet);
      await mine.release();
    }
  }
}

/** Does something that ends things, ahead of one who only waits. */
export async function aheadOf<T>(options: ProjectLockOptions, work: (turn: Turn) => Promise<T>): Promise<T> {
  const quiet = sayingOnce(options);
  const lock = await takeProjectLock("lock", quiet);
  try {
    const turn = await tryTurn(quiet);
    if (!("release" in turn)) return await goAhead(quiet, turn, { work, isWord: () => true });
    try {
      return await work(alone);
    } finally {
      clearWords(quiet); // of a kill, which need not be heard
      await turn.release();
    }
  } finally {
    await lock.release();
  }
}

/** Does something that waits for nobody. */
export async function besides<T>(options: ProjectLockOptions, work: (turn: Turn) => Promise<T>): Promise<T> {
  const holder = await turnHolder(options);
  const isEnd = ({ changes }: Plan): boolean => changes.some(({ kind }) => kind === "stop"); // not every signal is meant to end something
  return holder === null ? work(alone) : goAhead(options, holder, { work, isWord: isEnd });
}

/** Nobody else is there. */
export const alone: Turn = { ...ALONE, announce: async () => {}, hold: async () => {} };

async function goAhead<T>(
  options: ProjectLockOptions,
  of: Holder,
  { work, isWord }: { readonly work: (turn: Turn) => Promise<T>; readonly isWord: (plan: Plan) => boolean },
): Promise<T> {
  const said: string[] = [];
  const announce = async (plan: Plan, whole: boolean): Promise<void> => {
    if (!isWord(plan)) return;
    options.warn({
      code: "W_WENT_AHEAD",
      message: `\`wharf ${of.purpose}\` on project ${options.project} (process ${of.pid}) is not done yet: this command goes ahead of it`,
    });
    const containers = whole ? null : plan.changes.flatMap(({ address }) => /^container\/(.+)$/.exec(address)?.[1] ?? []);
    said.push(await leaveWord(options, { turn: of.token, pid: process.pid, purpose: options.purpose, containers }));
  };
  try {
    return await work({ ...alone, announce });
  } finally {
    // Who was to hear it may have ended without.
    if (said.length > 0 && (await turnHolder(options))?.token !== of.token) takeBackWord(options, said);
  }
}

class HeldTurn implements Turn {
  readonly #options: ProjectLockOptions;
  readonly #token: string;
  readonly #over = new AbortController();
  readonly #heard = new Map<string, Word>();
  #lock: Lock | null = null;
  #taking: Promise<void> | null = null;
  /** The lock was taken once. */
  #isBegun = false;
  /** Steps in hand that change something, and that do not. */
  #changing = 0;
  #waiting = 0;
  #listening = false;
  /** Why the lock could not be lent. */
  #failure: { readonly error: unknown } | null = null;

  constructor(options: ProjectLockOptions, token: string) {
    this.#options = options;
    this.#token = token;
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  async carryOut(action: Action, work: () => Promise<void>, signal = this.#options.signal): Promise<void> {
    if (!WAITS.has(action.kind)) return this.#change(action, work, signal);
    this.#waiting += 1;
    this.#lendSoon();
    try {
      await work();
    } finally {
      this.#waiting -= 1;
      this.#listen();
    }
  }

  overtaken(action: Action): Diagnostic | null {
    this.#listen();
    const { project } = this.#options;
    const hint = "run the command again to go on";
    for (const { pid, purpose, containers } of this.#heard.values()) {
      const by = `\`wharf ${purpose}\` (process ${pid})`;
      if (containers === null) return { code: "E_GAVE_WAY", message: `project ${project} is left as ${by} leaves it`, hint };
      const names = "container" in action ? [action.container, finalName(action.container)] : []; // also one that was not there yet
      const left = names.find((name) => containers.includes(name));
      if (left !== undefined) return { code: "E_GAVE_WAY", message: `container ${left} is left as ${by} left it`, hint };
    }
    return null;
  }

  async announce(): Promise<void> {}

  hold(): Promise<void> {
    return this.#take(this.#options.signal);
  }

  async end(): Promise<void> {
    this.#changing += 1; // nothing is lent any more
    await Promise.allSettled([this.#taking]); // whoever asked for it has heard what came of it
    await this.#release();
    if (this.#failure !== null) throw this.#failure.error;
  }

  async #change(action: Action, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    this.#changing += 1;
    try {
      await this.#take(signal);
      const overtaken = this.overtaken(action); // by the one that was waited for just now
      if (overtaken !== null) throw new Failure([overtaken]);
      await work();
    } finally {
      this.#changing -= 1;
      this.#lendSoon();
    }
  }

  async #take(signal: AbortSignal): Promise<void> {
    if (this.#lock !== null) return;
    const timeoutMs = this.#isBegun ? Number.POSITIVE_INFINITY : this.#options.timeoutMs; // what is begun is not given up for a stop that takes long
    this.#taking ??= takeProjectLock("lock", { ...this.#options, signal, timeoutMs })
      .then((lock) => {
        this.#lock = lock;
        this.#isBegun = true;
      })
      .finally(() => {
        this.#taking = null;
      });
    await this.#taking;
    this.#listen();
  }

  /** Lends the lock when nothing is in hand but waits, for a while. */
  #lendSoon(): void {
    if (!this.#isIdle() || this.#listening) return;
    this.#listening = true;
    void (async () => {
      await sleep(LEND_AFTER_MS, undefined, { ref: false });
      while (this.#isIdle()) {
        await this.#release();
        this.#listen();
        await sleep(LISTEN_MS, undefined, { ref: false });
      }
      this.#listening = false;
    })().catch((error: unknown) => {
      this.#failure = { error };
      this.#over.abort();
    });
  }

  #isIdle(): boolean {
    return this.#changing === 0 && this.#waiting > 0;
  }

  async #release(): Promise<void> {
    const lock = this.#lock;
    this.#lock = null;
    await lock?.release();
  }

  /** Hears what others have said, and says so. */
  #listen(): void {
    const { warn, project } = this.#options;
    for (const [name, word] of wordsFor(this.#options, this.#token)) {
      if (this.#heard.has(name)) continue;
      this.#heard.set(name, word);
      const { pid, purpose, containers } = word;
      const left = containers === null ? "nothing more is begun here" : `what it ends is left to it (${containers.join(", ")})`;
      warn({ code: "W_WENT_AHEAD", message: `\`wharf ${purpose}\` (process ${pid}) goes ahead on project ${project}: ${left}` });
      if (containers === null) this.#over.abort();
    }
  }
}

/** Says nothing twice: a command that was killed has left both of its locks. */
function sayingOnce(options: ProjectLockOptions): ProjectLockOptions {
  const said = new Set<string>();
  const warn = (diagnostic: Diagnostic): void => {
    const key = diagnostic.message.replace(/, begun \S+/, "");
    if (said.has(key)) return;
    said.add(key);
    options.warn(diagnostic);
  };
  return { ...options, warn };
}
