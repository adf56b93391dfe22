import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../model/diagnostic.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { type PourOptions, pourLogs } from "./logs.ts";
import type { Session } from "./session.ts";

export interface Following {
  readonly first: readonly ObservedContainer[];
  /** The containers that are meant, as they are now. */
  readonly select: () => Promise<readonly ObservedContainer[]>;
  readonly options: PourOptions;
}

/** How long it waits before it looks for containers that came, in milliseconds. */
const LOOK_MS = 250;

/**
 * Prints what containers write while they run, those too that are started again or made meanwhile. It ends when all of them have ended and no
 * command is at work on their projects that may start one.
 */
export async function followLogs(session: Session, { first, select, options }: Following): Promise<void> {
  const { signal } = session;
  const followed = new Set<string>();
  /** What is shown now, with the containers that it shows: those may end and be started again while others of them run. */
  const tasks = new Map<Promise<void>, ReadonlySet<string>>();
  const failures: unknown[] = [];
  /** One that comes back by itself is shown on over its restarts: what was printed then is not printed again. */
  const last = new Map<string, string>();
  const follow = (containers: readonly ObservedContainer[], more: PourOptions): void => {
    for (const container of containers) followed.add(runOf(container));
    const task = pourLogs(session, containers, { ...more, last }, signal)
      .catch((error: unknown) => void failures.push(error))
      .then(() => void tasks.delete(task));
    tasks.set(task, new Set(containers.map(({ id }) => id)));
  };
  if (first.length > 0) follow(first, options);
  for (let known = first; !signal.aborted && failures.length === 0; ) {
    await Promise.race([Promise.all(tasks.keys()), sleep(LOOK_MS, undefined, { signal }).catch(() => {})]);
    const idle = tasks.size === 0 && !(await isBusy(session, known));
    const now = await present(select);
    const gone = known.filter(({ id }) => now.every((container) => container.id !== id));
    known = [...now, ...gone];
    for (const container of now) {
      if (followed.has(runOf(container)) || container.startedAt === null) continue;
      if ([...tasks.values()].some((ids) => ids.has(container.id))) continue;
      const again = [...followed].some((run) => run.startsWith(container.id));
      const since = again ? Date.parse(container.startedAt) : null;
      follow([container], { ...options, tail: null, since, beside: known });
    }
    if (idle && tasks.size === 0) break;
  }
  await Promise.all(tasks.keys());
  for (const error of failures) throw error;
}

async function isBusy(session: Session, containers: readonly ObservedContainer[]): Promise<boolean> {
  const projects = new Set(containers.flatMap(({ project }) => (project === null ? [] : [project])));
  for (const project of projects) if (await session.isHeld(project)) return true;
  return false;
}

/** What is there of it now: one that was named and removed is not. */
async function present(select: Following["select"]): Promise<readonly ObservedContainer[]> {
  try {
    return await select();
  } catch (error) {
    if (error instanceof Failure && error.has("E_NO_SUCH_CONTAINER")) return [];
    throw error;
  }
}

/** A container that is started again has another one. */
function runOf({ id, startedAt }: ObservedContainer): string {
  return `${id} ${startedAt}`;
}
