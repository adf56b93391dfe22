// <lockDirectory>/<project>.turn   whose plan for the project is under way, as lib/file-lock writes it
// <lockDirectory>/<project>.lock   who changes the project now, likewise
import { join } from "node:path";
import { acquire, type Holder, holderOf, type Lock, LockHeld, type LockOptions } from "../lib/file-lock.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { Failure } from "../model/diagnostic.ts";

export interface ProjectLockOptions {
  readonly directory: string;
  readonly project: string;
  /** The command, for those who wait. */
  readonly purpose: string;
  /** Milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly warn: (diagnostic: Diagnostic) => void;
}

/** Takes one of a project's locks. Throws `E_LOCKED` when the wait for it runs out. */
export async function takeProjectLock(kind: "turn" | "lock", options: ProjectLockOptions): Promise<Lock> {
  const { project } = options;
  try {
    return await acquire(pathOf(kind, options), lockOptions(options));
  } catch (error) {
    if (!(error instanceof LockHeld)) throw error;
    const { pid, purpose: what, since } = error.holder;
    throw new Failure(
      {
        code: "E_LOCKED",
        message: `project ${project} is held by \`wharf ${what}\` (process ${pid}) since ${since}`,
        hint: "wait until it is done, or end that process",
      },
      { cause: error },
    );
  }
}

/** Takes the turn where nobody has it; gives who has it otherwise. */
export async function tryTurn(options: ProjectLockOptions): Promise<Lock | Holder> {
  try {
    return await acquire(pathOf("turn", options), { ...lockOptions(options), timeoutMs: 0, onWait: () => {} });
  } catch (error) {
    if (!(error instanceof LockHeld)) throw error;
    return error.holder;
  }
}

/** Whose turn it is now, or `null`. */
export function turnHolder(of: Pick<ProjectLockOptions, "directory" | "project">): Promise<Holder | null> {
  return holderOf(pathOf("turn", of));
}

/** Whether a command is at work on a project: it changes it, or waits for something before it goes on to. */
export async function isProjectHeld(of: Pick<ProjectLockOptions, "directory" | "project">): Promise<boolean> {
  return (await turnHolder(of)) !== null || (await holderOf(pathOf("lock", of))) !== null;
}

/** Does something to a project while no other command changes it. */
export async function withProjectLock<T>(options: ProjectLockOptions, work: () => Promise<T>): Promise<T> {
  const lock = await takeProjectLock("lock", options);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

function lockOptions({ project, purpose, timeoutMs, signal, warn }: ProjectLockOptions): LockOptions {
  return {
    purpose,
    timeoutMs,
    signal,
    onWait: ({ pid, purpose: what }) =>
      warn({ code: "W_WAITING", message: `waiting for \`wharf ${what}\` on project ${project} (process ${pid}) to end` }),
    onAbandoned: ({ pid, purpose: what, since }) =>
      warn({
        code: "W_BROKEN_OFF",
        message: `the last \`wharf ${what}\` on project ${project} (process ${pid}, begun ${since}) did not live to its end`,
        hint: "what it left is looked at now, and whatever this command is about goes on from there",
      }),
  };
}

const pathOf = (kind: "turn" | "lock", { directory, project }: Pick<ProjectLockOptions, "directory" | "project">): string =>
  join(directory, `${project}.${kind}`);
