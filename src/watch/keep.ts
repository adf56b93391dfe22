import type { Changes } from "./changes.ts";

/** What was seen, and the files that decided it, absolute, there or not. */
export interface Sight<T> {
  readonly seen: T;
  readonly paths: readonly string[];
}

export interface Keeper<T> {
  /** Sees what is wanted now. */
  look(): Promise<Sight<T>>;
  /** Makes it so, and reports its own failures. `changed`: what made it look again; `null` the first time. */
  act(seen: T, changed: readonly string[] | null): Promise<void>;
}

export interface Ears {
  readonly changes: Changes;
  /** From now on, changes of these paths are noted and no others. Gives whether it heard less of them until now. */
  follow(paths: readonly string[]): Promise<boolean>;
}

/**
 * Looks and acts again each time that something changed, until the signal aborts. Level driven: a change says only that there is something to see,
 * never what. Nothing slips through: what was seen before somebody listened is looked at once more, and what changes meanwhile is kept for the
 * next turn. One turn at a time.
 */
export async function keep<T>(keeper: Keeper<T>, ears: Ears, signal: AbortSignal): Promise<void> {
  let changed: readonly string[] | null = null;
  while (!signal.aborted) {
    let { seen, paths } = await keeper.look();
    while (!signal.aborted && (await ears.follow(paths))) {
      const meanwhile = ears.changes.drain(); // about to be seen
      if (changed !== null) changed = [...new Set([...changed, ...meanwhile])];
      ({ seen, paths } = await keeper.look());
    }
    if (signal.aborted) return;
    await keeper.act(seen, changed);
    changed = await ears.changes.take(signal);
  }
}
