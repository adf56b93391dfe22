/** Layer directories: filled by one process while others that want the same layer wait for it, and trusted only once a record names them. */
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createAtomic } from "../../lib/atomic-file.ts";
import { withLock } from "../../lib/file-lock.ts";
import { runOk } from "../../lib/process.ts";
import { bootId } from "../../lib/process-identity.ts";
import type { Digest } from "../../model/digest.ts";
import type { Layout } from "./layout.ts";
import { ownIdentity } from "./lease.ts";
import { type LayerRecord, readLayerRecord, writeRecord } from "./records.ts";

/** What a filled directory is. */
export type Filled = Pick<LayerRecord, "diffId" | "size" | "implicit" | "opaque" | "lowerLinks">;

export interface Claim {
  readonly name: string;
  readonly path: string;
  /** The directory has its record, or is gone. */
  release(): Promise<void>;
  /** Removes the directory as well. */
  discard(): Promise<void>;
}

/** A layer that can be used, or `null`. */
export async function findLayer(layout: Layout, key: Digest): Promise<LayerRecord | null> {
  const record = await readLayerRecord(layout.layerRecord(key));
  return record === null || isLost(record) || !existsSync(layout.layer(record.name)) ? null : record;
}

/**
 * The names of layers as overlayfs takes them, the highest first. It takes none twice: a layer counts where it is highest, as what it says below
 * is said again there. And it heeds no mark at the root: what lies below a layer that hides everything is left out.
 */
export function overlayOf(layers: readonly LayerRecord[]): readonly string[] {
  const hiding = layers.findLastIndex(({ opaque }) => opaque.includes(""));
  const seen = layers.slice(Math.max(0, hiding)).reverse();
  return [...new Set(seen.map(({ name }) => name))];
}

/** Whether the machine went down before the layer's files were on disk: some may be empty now. */
export function isLost(record: LayerRecord): boolean {
  return record.unsyncedSince !== null && record.unsyncedSince !== bootId();
}

/**
 * A layer from the store, or else filled now. While another process fills it, this one waits and then finds it there. The caller has a
 * lease that keeps `key`.
 */
export async function obtainLayer(
  layout: Layout,
  key: Digest,
  options: { readonly fill: (directory: string) => Promise<Filled>; readonly signal: AbortSignal },
): Promise<LayerRecord> {
  return (
    (await findLayer(layout, key)) ??
    (await asOnlyOne(layout, key, {
      signal: options.signal,
      make: async (name) => {
        const claim = await claimDirectory(layout);
        try {
          const filled = await options.fill(claim.path);
          return await recordLayer(layout, key, { claim, filled, name: name ?? claim.name });
        } catch (error) {
          await claim.discard();
          throw error;
        }
      },
    }))
  );
}

/** As `obtainLayer`, with a directory that is filled already: it goes where the store has the layer. */
export async function adoptLayer(
  layout: Layout,
  key: Digest,
  { claim, filled, signal }: { readonly claim: Claim; readonly filled: Filled; readonly signal: AbortSignal },
): Promise<LayerRecord> {
  const record = await asOnlyOne(layout, key, {
    signal,
    make: (name) => recordLayer(layout, key, { claim, filled, name: name ?? claim.name }),
  });
  if (!existsSync(claim.path) || record.name === claim.name) return record;
  await claim.discard();
  return record;
}

/** Makes a layer where it is missing, with no other process at it. `make` gets the directory name that a lost one had. */
async function asOnlyOne(
  layout: Layout,
  key: Digest,
  { signal, make }: { readonly signal: AbortSignal; readonly make: (name: string | null) => Promise<LayerRecord> },
): Promise<LayerRecord> {
  const lock = { purpose: "fill a layer", timeoutMs: Number.POSITIVE_INFINITY, signal };
  return withLock(layout.layerLock(key), lock, async () => {
    const meanwhile = await findLayer(layout, key);
    if (meanwhile !== null) return meanwhile;
    const lost = await readLayerRecord(layout.layerRecord(key));
    if (lost === null) return make(null);
    await toTrash(layout, layout.layer(lost.name));
    const made = await make(lost.name);
    await emptyTrash(layout);
    return made;
  });
}

/**
 * Gives a filled directory its record. From here on it counts, though not beyond a power cut. A layer that is made again takes the name that it
 * had, by which containers know it: the record comes first, and means nothing until the directory is there.
 */
export async function recordLayer(
  layout: Layout,
  key: Digest,
  { claim, filled, name = claim.name }: { readonly claim: Claim; readonly filled: Filled; readonly name?: string },
): Promise<LayerRecord> {
  const { diffId, size, implicit, opaque, lowerLinks } = filled;
  const record: LayerRecord = { key, diffId, name, size, unsyncedSince: bootId(), implicit, opaque, lowerLinks };
  await writeRecord(layout.layerRecord(key), record, { durable: false });
  if (name !== claim.name) await rename(claim.path, layout.layer(name));
  await claim.release();
  return record;
}

/** An empty directory with a short name that no other process uses. */
export async function claimDirectory(layout: Layout): Promise<Claim> {
  for (;;) {
    const name = shortName();
    const claim = layout.claim(name);
    if (!(await createAtomic(claim, JSON.stringify(ownIdentity()), { durable: false }))) continue;
    const path = layout.layer(name);
    const release = (): Promise<void> => rm(claim, { force: true });
    if (await makeDirectory(path))
      return {
        name,
        path,
        release,
        discard: async () => {
          await rm(path, { recursive: true, force: true });
          await release();
        },
      };
    await release();
  }
}

/** Waits until everything written to the store is on disk, and says so in the records of these layers. */
export async function syncContent(layout: Layout, records: readonly LayerRecord[]): Promise<void> {
  await flush(layout);
  for (const record of records)
    if (record.unsyncedSince !== null)
      await writeRecord(layout.layerRecord(record.key), { ...record, unsyncedSince: null }, { durable: false });
}

/** Waits until all that was written so far is on disk. */
export async function flush(layout: Layout): Promise<void> {
  await runOk("sync", ["-f", layout.layers]);
}

/** Takes the directory of a damaged layer away. Its record stays and leads nowhere, so that what is made again takes its name. */
export async function loseLayer(layout: Layout, key: Digest): Promise<void> {
  const record = await readLayerRecord(layout.layerRecord(key));
  if (record !== null) await toTrash(layout, layout.layer(record.name));
}

/** Moves a directory out of the way at once; who empties the trash removes it. */
export async function toTrash(layout: Layout, path: string): Promise<void> {
  try {
    await rename(path, join(layout.trash, randomUUID()));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

export async function emptyTrash(layout: Layout): Promise<void> {
  for (const name of await readdir(layout.trash)) await rm(join(layout.trash, name), { recursive: true, force: true });
}

async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Four base-36 digits: 500 of them with their separators fit into the options of one mount. */
function shortName(): string {
  return (randomBytes(4).readUInt32BE() % 36 ** 4).toString(36).padStart(4, "0");
}
