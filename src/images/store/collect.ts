/** Removes what no image and no process at work needs: layers, blobs, and what processes left that died over their work. */
import { lstat, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { isTemporary, sweepTemporaries } from "../../lib/atomic-file.ts";
import { isAlive } from "../../lib/process-identity.ts";
import { Failure } from "../../model/diagnostic.ts";
import { leaseOfDraft } from "./blobs.ts";
import { emptyTrash, toTrash } from "./layers.ts";
import type { Layout } from "./layout.ts";
import { liveLeases, locked, readOwned } from "./lease.ts";
import { type LayerRecord, readEvery, readImageRecord, readLayerRecord, removeRecord } from "./records.ts";

const PARTIAL_MS = 24 * 3_600_000;

/** Collects. Images themselves are roots: they go only when a user removes them. Gives the bytes that came free. */
export async function collect(layout: Layout): Promise<number> {
  const freed = await locked(layout, () => mark(layout));
  await emptyTrash(layout);
  return freed;
}

/** As `collect`, for who holds the store's lock; the trash is then still to be emptied. */
export async function mark(layout: Layout): Promise<number> {
  const images = await readEvery(layout.imageRecords, readImageRecord);
  const [damaged] = images.damaged;
  if (damaged !== undefined)
    throw new Failure({
      code: "E_STORE_DAMAGED",
      message: `nothing is removed from the store while it cannot be known what ${damaged} needs: it is damaged`,
      hint: "wharf image verify --repair says what is lost and mends the rest",
    });
  const leases = await liveLeases(layout);
  const needed = new Set<string>(leases.keeps);
  for (const image of images.records) {
    needed.add(image.id).add(image.manifest.digest);
    for (const layer of image.layers) needed.add(layer.key).add(layer.blob.digest);
  }
  let freed = 0;
  // In this order a directory whose process is just done with it is seen with its claim, or else with its record.
  const directories = await readdir(layout.layers);
  const claimed = await liveClaims(layout);
  const records = await readEvery(layout.layerRecords, readLayerRecord);
  const recorded = new Set<string>();
  const going: LayerRecord[] = [];
  for (const record of records.records)
    if (needed.has(record.key)) recorded.add(record.name);
    else going.push(record);
  for (const name of directories) if (!claimed.has(name) && !recorded.has(name)) await toTrash(layout, layout.layer(name));
  for (const record of going) {
    freed += record.size;
    await removeRecord(layout.layerRecord(record.key));
  }
  for (const path of records.damaged) await removeRecord(path);
  freed += await removeBlobs(layout, needed);
  for (const directory of [layout.claims, layout.leases, layout.layerRecords, layout.imageRecords, layout.names])
    await sweepTemporaries(directory);
  await removePartials(layout);
  await removeDrafts(layout, leases.ids);
  return freed;
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

/** What dead processes were writing. */
export async function removeDrafts(layout: Layout, leases: ReadonlySet<string>): Promise<void> {
  for (const draft of await readdir(layout.drafts))
    if (!leases.has(leaseOfDraft(draft))) await rm(join(layout.drafts, draft), { force: true });
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

/** Gives the bytes that came free. */
async function removeBlobs(layout: Layout, needed: ReadonlySet<string>): Promise<number> {
  let freed = 0;
  for (const directory of layout.blobs) {
    await sweepTemporaries(directory);
    for (const hex of await readdir(directory)) {
      const path = join(directory, hex);
      if (isTemporary(hex) || needed.has(`${basename(directory)}:${hex}`)) continue;
      freed += (await lstat(path).catch(absent))?.size ?? 0;
      await rm(path, { force: true });
    }
  }
  return freed;
}
