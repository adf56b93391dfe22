/** What images take on disk, each alone and all together. */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ImageUsage } from "../engine/images.ts";
import type { Digest } from "../model/digest.ts";
import { summaryOf, wholeImages } from "./store/catalog.ts";
import type { Layout } from "./store/layout.ts";
import { readAll, readLayerRecord } from "./store/records.ts";
import type { ImageUsers } from "./store/remove.ts";

export async function usageOf(layout: Layout, users: ImageUsers): Promise<ImageUsage> {
  const images = await wholeImages(layout);
  const owners = new Map<Digest, Set<Digest>>();
  for (const { entry } of images) for (const { key } of entry.layers) owners.set(key, (owners.get(key) ?? new Set()).add(entry.image.id));
  const layers = await readAll(layout.layerRecords, readLayerRecord);
  const needed = (key: Digest): boolean => [...(owners.get(key) ?? [])].some((id) => users.has(id));
  return {
    images: images.flatMap(({ entry, names }) => {
      const unique = new Map(entry.layers.map((layer) => [layer.key, layer]));
      const shared = [...unique.values()].filter(({ key }) => (owners.get(key)?.size ?? 0) > 1);
      const containers = users.get(entry.image.id)?.length ?? 0;
      return (names.length === 0 ? [null] : names).map((name) => ({ ...summaryOf(entry, name), shared: total(shared), containers }));
    }),
    layers: total(layers),
    content: await contentSize(layout),
    reclaimable: total(layers.filter(({ key }) => !needed(key))),
  };
}

async function contentSize(layout: Layout): Promise<number> {
  let sum = 0;
  for (const directory of layout.blobs)
    for (const name of await readdir(directory)) sum += (await lstat(join(directory, name)).catch(vanished))?.size ?? 0;
  return sum;
}

function vanished(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}

function total(layers: readonly { readonly size: number }[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}
