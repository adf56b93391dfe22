/** Clears away what processes left that died at work. A command that changes the store begins with it, so it must cost next to nothing. */
import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { sweepTemporaries } from "../../lib/atomic-file.ts";
import { sweepLocks } from "../../lib/file-lock.ts";
import { isAlive } from "../../lib/process-identity.ts";
import { removeDrafts } from "./collect.ts";
import { emptyTrash, toTrash } from "./layers.ts";
import type { Layout } from "./layout.ts";
import { liveLeases, locked, readOwned } from "./lease.ts";
import { readAll, readLayerRecord } from "./records.ts";

/**
 * Who works on the store has a lease, fills directories under claims, or holds a lock. Where none of these belongs to a dead process there is
 * nothing to clear away. What it had fetched of a blob stays: the next pull goes on from there.
 */
export async function sweepDead(layout: Layout): Promise<void> {
  const locks = await sweepLocks(layout.locks);
  for (const directory of [layout.leases, layout.claims]) await sweepTemporaries(directory);
  const owners = [...(await deadOwners(layout.leases)), ...(await deadOwners(layout.claims))];
  if (locks || owners.length > 0) await locked(layout, () => clear(layout));
  await emptyTrash(layout);
}

async function clear(layout: Layout): Promise<void> {
  const leases = await liveLeases(layout);
  await removeDrafts(layout, leases.ids);
  const claims = await deadOwners(layout.claims);
  const recorded = claims.length === 0 ? new Set() : new Set((await readAll(layout.layerRecords, readLayerRecord)).map(({ name }) => name));
  for (const claim of claims) {
    const name = basename(claim, ".json");
    if (!recorded.has(name)) await toTrash(layout, layout.layer(name));
    await rm(claim, { force: true });
  }
  const { layerRecords, imageRecords, names, blobs } = layout;
  for (const directory of [layerRecords, imageRecords, names, ...blobs]) await sweepTemporaries(directory);
}

/** The files of a directory whose owners are dead. */
async function deadOwners(directory: string): Promise<readonly string[]> {
  const dead: string[] = [];
  for (const name of (await readdir(directory)).filter((file) => file.endsWith(".json"))) {
    const path = join(directory, name);
    const owned = await readOwned(path);
    if (owned !== null && !isAlive(owned.owner)) dead.push(path);
  }
  return dead;
}
