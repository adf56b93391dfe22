/** Removes what no image and no process at work needs: layers, blobs, and what processes left that died over their work. */
import { lstat, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isAlive } from "../../lib/process-identity.ts";
import { isLost, toTrash } from "./layers.ts";
import type { Layout } from "./layout.ts";
import { liveLeases, locked, readOwned } from "./lease.ts";
import { readAll, readImageRecord, readLayerRecord, removeRecord } from "./records.ts";

const TEMPORARY_MS = 10 * 60_000;
const PARTIAL_MS = 24 * 3_600_000;

/** Collects. Images themselves are roots: they go only when a user removes them. */
export async function collect(layout: Layout): Promise<void> {
  await locked(layout, () => mark(layout));
  await emptyTrash(layout);
}

/** As `collect`, for who holds the store's lock; the trash is then still to be emptied. */
export async function mark(layout: Layout): Promise<void> {
  const leases = await liveLeases(layout);
  const needed = new Set<string>(leases.keeps);
  for (const image of await readAll(layout.imageRecords, readImageRecord)) {
    needed.add(image.id).add(image.manifest.digest);
    for (const layer of image.layers) needed.add(layer.key).add(layer.blob.digest);
  }
  // In this order a directory whose process is just done with it is seen with its claim, or else with its record.
  const directories = await readdir(layout.layers);
  const claimed = await liveClaims(layout);
  const recorded = new Set<string>();
  for (const record of await readAll(layout.layerRecords, readLayerRecord)) {
    if (needed.has(record.key) && !isLost(record)) recorded.add(record.name);
    else await removeRecord(layout.layerRecord(record.key));
  }
  for (const name of directories) if (!claimed.has(name) && !recorded.has(name)) await toTrash(layout, layout.layer(name));
  await removeBlobs(layout, needed);
  await removeTemporary([layout.claims, layout.leases, layout.layerRecords, layout.imageRecords, layout.names]);
  await removePartials(layout);
  for (const draft of await readdir(layout.drafts)) if (!leases.ids.has(draft)) await rm(join(layout.drafts, draft), { force: true });
}

export async function emptyTrash(layout: Layout): Promise<void> {
  for (const name of await readdir(layout.trash)) await rm(join(layout.trash, name), { recursive: true, force: true });
}

/** Names of directories that live processes fill; claims of dead ones are removed. */
async function liveClaims(layout: Layout): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const file of (await readdir(layout.claims)).filter((name) => name.endsWith(".json"))) {
    const path = join(layout.claims, file);
    const claim = await readOwned(path);
    if (claim !== null && !isAlive(claim.owner)) await rm(path, { force: true });
    else names.add(basename(file, ".json")); // one that vanished meanwhile has its record by now
  }
  return names;
}

/** Files that an atomic write was to rename when its process died: those in use are younger. */
async function removeTemporary(directories: readonly string[]): Promise<void> {
  for (const directory of directories)
    for (const name of (await readdir(directory)).filter((file) => file.endsWith(".tmp"))) {
      const path = join(directory, name);
      const found = await lstat(path).catch(absent);
      if (found !== null && Date.now() - found.mtimeMs > TEMPORARY_MS) await rm(path, { force: true });
    }
}

/** What killed pulls left: kept for a while, so that the next pull goes on from there. */
async function removePartials(layout: Layout): Promise<void> {
  for (const name of await readdir(layout.partials)) {
    const path = join(layout.partials, name);
    const found = await lstat(path).catch(absent);
    if (found !== null && Date.now() - found.mtimeMs > PARTIAL_MS) await rm(path, { force: true });
  }
}

function absent(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}

async function removeBlobs(layout: Layout, needed: ReadonlySet<string>): Promise<void> {
  for (const directory of layout.blobs)
    for (const hex of await readdir(directory)) {
      const path = join(directory, hex);
      const digest = `${basename(dirname(path))}:${hex}`;
      if (!needed.has(digest)) await rm(path, { force: true });
    }
}
