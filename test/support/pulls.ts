/** A store of its own for a test, and a registry to pull from. */

import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type ImageStore, openStore, type PullOptions, type StoredImage, type StoreOptions } from "../../src/images/images.ts";
import { reference } from "./build.ts";
import { type FakeRegistry, withFake } from "./fake-registry.ts";

export interface Pulls {
  readonly fake: FakeRegistry;
  readonly store: ImageStore;
  readonly directory: string;
  /** What was told of all pulls. */
  readonly notes: string[];
  /** Pulls `NAME` from the registry, asking whether it moved unless told otherwise. */
  pull(name: string, options?: Partial<PullOptions>): Promise<StoredImage>;
  /** Pushes `NAME` to the registry; gives what was told of each blob in the end. */
  push(name: string, signal?: AbortSignal): Promise<readonly string[]>;
}

export function withPulls(body: (pulls: Pulls) => Promise<void>, given: Partial<StoreOptions> = {}): () => Promise<void> {
  return withFake(async (fake) => {
    const directory = await mkdtemp(join(tmpdir(), "wharf-pulls-"));
    const store = openStore({ directory, env: {}, insecureRegistries: [], ...given });
    const notes: string[] = [];
    const full = (name: string) => reference(name.startsWith("127.") ? name : `${fake.host}/${name}`);
    const pull = (name: string, options: Partial<PullOptions> = {}): Promise<StoredImage> =>
      store.pull(full(name), {
        platform: null,
        policy: "always",
        progress: () => {},
        note: (message) => notes.push(message),
        signal: AbortSignal.timeout(30_000),
        ...options,
      });
    const push = async (name: string, signal = AbortSignal.timeout(30_000)): Promise<readonly string[]> => {
      const last = new Map<string, string>();
      await store.push(full(name), (item, phase) => last.set(item, phase), signal);
      return [...last.values()].sort();
    };
    try {
      await body({ fake, store, directory, notes, pull, push });
    } finally {
      await store.close();
      const leases = filesIn(directory, "leases");
      await rm(directory, { recursive: true, force: true });
      assert.equal(leases, [], "what a store held for its callers it lets go of when it is closed");
    }
  });
}

/** Files that a store holds for nobody: half-made layers, parts of blobs. Nothing after work that ended well. */
export function strays(directory: string): readonly string[] {
  return ["partials", "claims", "drafts", "trash", "locks"].flatMap((part) => filesIn(directory, part));
}

function filesIn(directory: string, part: string): readonly string[] {
  try {
    return readdirSync(join(directory, part)).map((name) => `${part}/${name}`);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
