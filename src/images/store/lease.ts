/** What keeps content from being collected while a process works on an image that is not in the records yet. */
import { randomUUID } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomic } from "../../lib/atomic-file.ts";
import { withLock } from "../../lib/file-lock.ts";
import { identify, isAlive, type ProcessIdentity } from "../../lib/process-identity.ts";
import type { Digest } from "../../model/digest.ts";
import { fields, parseJson, text, texts, WrongShape } from "../shape.ts";
import type { Layout } from "./layout.ts";

export interface Lease {
  readonly id: string;
  /** From now on this content stays, too, if it is there. */
  keep(digests: readonly Digest[]): Promise<void>;
  release(): Promise<void>;
}

/** How long the store's lock may be held by others: each holds it for moments. */
const LOCK_TIMEOUT_MS = 60_000;

/** Begins work. It waits for a collection in progress: what it finds afterwards is there to stay, and so is `content` if it is there. */
export async function takeLease(layout: Layout, content: readonly Digest[] = []): Promise<Lease> {
  const id = randomUUID();
  const path = join(layout.leases, `${id}.json`);
  const kept = new Set<Digest>(content);
  const write = (): Promise<void> => {
    const content = JSON.stringify({ ...ownIdentity(), keeps: [...kept] });
    return locked(layout, () => writeAtomic(path, content, { durable: false }));
  };
  const keep = async (digests: readonly Digest[]): Promise<void> => {
    const added = digests.filter((digest) => !kept.has(digest));
    for (const digest of added) kept.add(digest);
    if (added.length > 0) await write();
  };
  await write();
  return { id, keep, release: () => rm(path, { force: true }) };
}

/** Runs something while nobody collects, commits or begins. */
export function locked<T>(layout: Layout, work: () => Promise<T>): Promise<T> {
  return withLock(layout.storeLock, { purpose: "image store", timeoutMs: LOCK_TIMEOUT_MS }, work);
}

export interface LiveLeases {
  readonly ids: ReadonlySet<string>;
  readonly keeps: ReadonlySet<string>;
  /** What other processes than this one keep. */
  readonly others: ReadonlySet<string>;
}

/** The leases of live processes: their ids and what they keep. Those of dead ones are removed. To be called under the store's lock. */
export async function liveLeases(layout: Layout): Promise<LiveLeases> {
  const ids = new Set<string>();
  const keeps = new Set<string>();
  const others = new Set<string>();
  for (const file of (await readdir(layout.leases)).filter((name) => name.endsWith(".json"))) {
    const path = join(layout.leases, file);
    const lease = await readOwned(path);
    if (lease === null) continue;
    if (!isAlive(lease.owner)) {
      await rm(path, { force: true });
      continue;
    }
    ids.add(file.slice(0, -".json".length));
    for (const digest of lease.keeps) {
      keeps.add(digest);
      if (lease.owner.pid !== process.pid) others.add(digest);
    }
  }
  return { ids, keeps, others };
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
  try {
    const said = fields(parseJson(content, path), path);
    return {
      owner: { boot: text(said["boot"], "boot"), pid: Number(said["pid"]), start: text(said["start"], "start") },
      keeps: said["keeps"] === undefined ? [] : texts(said["keeps"], "keeps"),
    };
  } catch (error) {
    if (error instanceof WrongShape) return { owner: NOBODY, keeps: [] };
    throw error;
  }
}

/** Whose file it is that a power cut has emptied. */
const NOBODY: ProcessIdentity = { boot: "", pid: 0, start: "" };
