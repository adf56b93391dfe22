import { mkdirSync, readFileSync, unlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createAtomic, isTemporary, sweepTemporaries } from "./atomic-file.ts";
import { identify, isAlive, type ProcessIdentity } from "./process-identity.ts";
import { namesIn } from "./written.ts";

/** Who holds a lock. */
export interface Holder extends ProcessIdentity {
  /** Tells this hold from all others. */
  readonly token: string;
  /** What it does, for the one who waits: `up`. */
  readonly purpose: string;
  /** RFC 3339 UTC. */
  readonly since: string;
}

export interface Lock {
  /** That of its holder. */
  readonly token: string;
  release(): Promise<void>;
}

export interface LockOptions {
  readonly purpose: string;
  /** Milliseconds to wait for another holder; 0: do not wait. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called once when it has to wait. */
  readonly onWait?: (holder: Holder) => void;
  /** Called when the last holder died with the lock in its hands. */
  readonly onAbandoned?: (holder: Holder) => void;
}

/** Thrown when the wait ran out. */
export class LockHeld extends Error {
  readonly holder: Holder;

  constructor(path: string, holder: Holder) {
    super(`${path} is held by process ${holder.pid} (${holder.purpose}) since ${holder.since}`);
    this.name = "LockHeld";
    this.holder = holder;
  }
}

/**
 * Takes an exclusive lock between processes: a file that says who holds it, made by link(2) so that it is whole or not there.
 * A holder that died is known exactly (boot, pid, start time), without heartbeats. The directory must be on one file system.
 */
export async function acquire(path: string, options: LockOptions): Promise<Lock> {
  const leave = await takeTurn(path, options);
  try {
    const lock = await acquireBetweenProcesses(path, options);
    return { token: lock.token, release: () => lock.release().finally(leave) };
  } catch (error) {
    leave();
    throw error;
  }
}

/** Waiters of one process for each path: they queue here, in order and without polling, and only the first of them looks at the file. */
const queues = new Map<string, Promise<void>>();

/** A timer for longer ends at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

async function takeTurn(path: string, options: LockOptions): Promise<() => void> {
  const before = queues.get(path);
  let leave = (): void => undefined;
  const mine = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const tail = (before ?? Promise.resolve()).then(() => mine);
  queues.set(path, tail);
  void tail.then(() => {
    if (queues.get(path) === tail) queues.delete(path);
  });
  if (before === undefined) return leave;
  const patience = new AbortController();
  const given = AbortSignal.any([patience.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  // An abort is thrown below, once the turn is given up.
  const longest = Math.min(options.timeoutMs, LONGEST_TIMER_MS);
  const waited = await Promise.race([before.then(() => true), sleep(longest, false, { signal: given }).catch(() => false)]);
  patience.abort();
  if (waited && options.signal?.aborted !== true) return leave;
  leave();
  options.signal?.throwIfAborted();
  throw new LockHeld(
    path,
    (await readHolder(path)) ?? {
      boot: "",
      pid: process.pid,
      start: "",
      token: "",
      purpose: options.purpose,
      since: new Date().toISOString(),
    },
  );
}

/** Locks that this process has tried to take. */
let holds = 0;

async function acquireBetweenProcesses(path: string, options: LockOptions): Promise<Lock> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const me = identify(process.pid);
  if (me === null) throw new Error("this process is not in /proc");
  const asked = { purpose: options.purpose, since: new Date().toISOString() };
  const holder: Holder = { ...me, token: `${me.boot.slice(0, 8)}-${me.pid}-${me.start}-${++holds}`, ...asked };
  const deadline = Date.now() + options.timeoutMs;
  let told = false;
  for (let pause = 2; ; pause = Math.min(pause * 2, 100)) {
    options.signal?.throwIfAborted();
    if (await createAtomic(path, JSON.stringify(holder), { durable: false }))
      return { token: holder.token, release: async () => unlinkSync(path) };
    const other = await readHolder(path);
    if (other === null) continue; // let go between our two looks
    if (!isAlive(other)) {
      if ((await clearStale(path, other)) && other !== TORN) options.onAbandoned?.(other);
      continue;
    }
    if (Date.now() >= deadline) throw new LockHeld(path, other);
    if (!told) options.onWait?.(other);
    told = true;
    await sleep(pause, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}

/** Runs something under a lock. */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const lock = await acquire(path, options);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** Who holds a lock now, or `null`. */
export async function holderOf(path: string): Promise<Holder | null> {
  const holder = await readHolder(path);
  return holder !== null && isAlive(holder) ? holder : null;
}

/**
 * Removes the locks of a directory whose holders died, and what such were writing. Others would do it when they want the same lock; this is for
 * locks that nobody may want again. Gives whether there were any.
 */
export async function sweepLocks(directory: string): Promise<boolean> {
  let found = false;
  const names = await namesIn(directory);
  for (const name of names.filter((one) => !isTemporary(one))) {
    const path = join(directory, name);
    const holder = await readHolder(path);
    if (holder === null || isAlive(holder)) continue;
    found = true;
    await clearStale(path, holder);
  }
  if (names.some(isTemporary)) await sweepTemporaries(directory);
  return found;
}

/** What a power cut makes of a lock's file: it was whole when it got its name, and empty after. */
const TORN: Holder = { boot: "", pid: 0, start: "", token: "torn", purpose: "", since: "" };

async function readHolder(path: string): Promise<Holder | null> {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder; // a few bytes: sooner read than a thread is asked to
  } catch (error) {
    if (error instanceof SyntaxError) return TORN;
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/**
 * Removes the file of a dead holder. Two that see it at once must not both remove it: the second would take away the lock that the first
 * has made since. So the right to remove is itself a lock, named after the dead holder's token, which never comes again.
 * Gives whether it was this one that removed it.
 */
async function clearStale(path: string, dead: Holder): Promise<boolean> {
  return withLock(`${path}.${dead.token}`, { purpose: "clear a stale lock", timeoutMs: 10_000 }, async () => {
    if ((await readHolder(path))?.token !== dead.token) return false;
    await rm(path);
    return true;
  });
}
