// <lockDirectory>/<project>.lock   who changes the project now, as lib/file-lock writes it
import { join } from "node:path";
import { LockHeld, withLock } from "../lib/file-lock.ts";
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

/** Does something to a project while no other command does. Throws `E_LOCKED` when the wait for it runs out. */
export async function withProjectLock<T>(options: ProjectLockOptions, work: () => Promise<T>): Promise<T> {
  const { project, purpose, timeoutMs, signal } = options;
  try {
    return await withLock(
      join(options.directory, `${project}.lock`),
      {
        purpose,
        timeoutMs,
        signal,
        onWait: ({ pid, purpose: what }) =>
          options.warn({ code: "W_WAITING", message: `waiting for \`wharf ${what}\` on project ${project} (process ${pid}) to end` }),
        onAbandoned: ({ pid, purpose: what, since }) =>
          options.warn({
            code: "W_BROKEN_OFF",
            message: `the last \`wharf ${what}\` on project ${project} (process ${pid}, begun ${since}) did not live to its end`,
            hint: "what it left is looked at now, and whatever this command is about goes on from there",
          }),
      },
      work,
    );
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
