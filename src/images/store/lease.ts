/** What keeps content from being collected while a process works on an image that is not in the records yet. */
import { randomUUID } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomic } from "../../lib/atomic-file.ts";
import { withLock } from "../../lib/file-lock.ts";
import { identify, isAlive, type ProcessIdentity } from "../../lib/process-identity.ts";
import type { Digest } from "../../model/digest.ts";
import { fields, parseJson, text, texts } from "../shape.ts";
import type { Layout } from "./layout.ts";

export interface Lease {
  readonly id: string;
  /** From now on this content stays, too, if it is there. */
  keep(digests: readonly Digest[]): Promise<void>;
  release(): Promise<void>;
}

/** How long the store's lock may be held by others: each holds it for moments. */
const LOCK_TIMEOUT_MS = 60_000;

/** Begins work. It waits for a collection in progress: what it finds afterwards is there to stay. */
export async function takeLease(layout: Layout): Promise<Lease> {
  const id = randomUUID();
  const path = join(layout.leases, `${id}.json`);
  const kept = new Set<Digest>();
  const keep = async (digests: readonly Digest[]): Promise<void> => {
    for (const digest of digests) kept.add(digest);
    const content = JSON.stringify({ ...ownIdentity(), keeps: [...kept] });
    await locked(layout, () => writeAtomic(path, content, { durable: false }));
  };
  await keep([]);
  return { id, keep, release: () => rm(path, { force: true }) };
}

/** Runs something while nobody collects, commits or begins. */
export function locked<T>(layout: Layout, work: () => Promise<T>): Promise<T> {
  return withLock(layout.storeLock, { purpose: "image store", timeoutMs: LOCK_TIMEOUT_MS }, work);
}

/** The leases of live processes: their ids and what they keep. Those of dead ones are removed. To be called under the store's lock. */
export async function liveLeases(layout: Layout): Promise<{ readonly ids: ReadonlySet<string>; readonly keeps: ReadonlySet<string> }> {
  const ids = new Set<string>();
  const keeps = new Set<string>();
  for (const file of (await readdir(layout.leases)).filter((name) => name.endsWith(".json"))) {
    const path = join(layout.leases, file);
    const lease = await readOwned(path);
    if (lease === null) continue;
    if (isAlive(lease.owner)) {
      ids.add(file.slice(0, -".json".length));
      for (const digest of lease.keeps) keeps.add(digest);
    } else await rm(path, { force: true });
  }
  return { ids, keeps };
}

export function ownIdentity(): ProcessIdentity {
  const identity = identify(process.pid);
  if (identity === null) throw new Error("this process is not in /proc");
  return identity;
}

/** A file that says which process it belongs to; `null` when it is gone. */
export async function readOwned(path: string): Promise<{ readonly owner: ProcessIdentity; readonly keeps: readonly string[] } | null> {
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  const said = fields(parseJson(content, path), path);
  const pid = Number(said["pid"]);
  return {
    owner: { boot: text(said["boot"], "boot"), pid, start: text(said["start"], "start") },
    keeps: said["keeps"] === undefined ? [] : texts(said["keeps"], "keeps"),
  };
}
