/** Images by name and id: what is here, under which names, and how it gets there. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ImageSummary } from "../../engine/images.ts";
import { Failure } from "../../model/diagnostic.ts";
import { type Digest, hexOf, parseDigest } from "../../model/digest.ts";
import { parseReference, partsOf, type Reference } from "../../model/reference.ts";
import { type Configuration, parseConfiguration } from "../manifest.ts";
import { putBlob, readDocument } from "./blobs.ts";
import { findLayer, syncContent } from "./layers.ts";
import type { Layout } from "./layout.ts";
import { locked } from "./lease.ts";
import { type ImageRecord, type LayerRecord, type NameRecord, readAll, readImageRecord, readNameRecord, writeRecord } from "./records.ts";

/** An image with all of it at hand. */
export interface Entry {
  readonly name: NameRecord | null;
  readonly image: ImageRecord;
  readonly configuration: Configuration;
  /** The lowest first. */
  readonly layers: readonly LayerRecord[];
}

/** The image that a name or id means; `null` when it is not here, or not whole. Throws where an id fits several. */
export async function findEntry(layout: Layout, nameOrId: string): Promise<Entry | null> {
  const found = await findImage(layout, nameOrId);
  return found === null ? null : entryOf(layout, found);
}

/** The records of what a name or id means, without looking whether all of it is there. */
export async function findImage(
  layout: Layout,
  nameOrId: string,
): Promise<{ readonly name: NameRecord | null; readonly image: ImageRecord } | null> {
  const reference = parseReference(nameOrId);
  const name = typeof reference === "string" ? await findName(layout, reference) : null;
  if (name !== null) {
    const image = await readImageRecord(layout.imageRecord(name.id));
    return image === null ? null : { name, image };
  }
  const image = await findById(layout, nameOrId);
  return image === null ? null : { name: null, image };
}

/** Every name of every image, and images without a name. */
export async function summaries(layout: Layout): Promise<readonly ImageSummary[]> {
  return (await wholeImages(layout))
    .flatMap(({ entry, names }) => (names.length === 0 ? [null] : names).map((name) => summaryOf(entry, name)))
    .sort((a, b) => compare(b.created ?? "", a.created ?? "") || compare(a.reference ?? "", b.reference ?? ""));
}

export interface WholeImage {
  readonly entry: Entry;
  readonly names: readonly NameRecord[];
}

/** Every image that is whole (or `damaged`, without the layers that are lost), with its names. Layers that many have are looked up once. */
export async function wholeImages(layout: Layout, { damaged = false } = {}): Promise<readonly WholeImage[]> {
  const names = new Map<Digest, NameRecord[]>();
  for (const name of await readAll(layout.names, readNameRecord)) names.set(name.id, [...(names.get(name.id) ?? []), name]);
  const known = new Map<Digest, Promise<LayerRecord | null>>();
  const find = (key: Digest): Promise<LayerRecord | null> => {
    const found = known.get(key) ?? findLayer(layout, key).then((layer) => layer ?? (damaged ? lost(key) : null));
    known.set(key, found);
    return found;
  };
  const images: WholeImage[] = [];
  for (const image of await readAll(layout.imageRecords, readImageRecord)) {
    const entry = await entryOf(layout, { name: null, image }, find);
    if (entry !== null) images.push({ entry, names: names.get(image.id) ?? [] });
  }
  return images;
}

/** Stands for a layer that is not there. */
function lost(key: Digest): LayerRecord {
  return { key, diffId: key, name: "", size: 0, unsyncedSince: null, implicit: [], opaque: [], lowerLinks: [] };
}

/** What a listing says of an image under one of its names. */
export function summaryOf(entry: Entry, name: NameRecord | null): ImageSummary {
  const { created, platform, config } = entry.configuration;
  return {
    reference: name?.reference ?? null,
    id: entry.image.id,
    digest: name?.digest ?? null,
    created,
    size: sizeOf(entry),
    platform,
    labels: config.Labels ?? {},
  };
}

/** Bytes of the files of its layers. */
export function sizeOf(entry: Entry): number {
  return entry.layers.reduce((sum, { size }) => sum + size, 0);
}

export async function namesOf(layout: Layout, id: Digest): Promise<readonly NameRecord[]> {
  return (await readAll(layout.names, readNameRecord)).filter((name) => name.id === id);
}

export interface NewImage {
  /** `null`: it gets no name. */
  readonly reference: Reference | null;
  readonly digest: Digest | null;
  readonly record: ImageRecord;
  readonly layers: readonly LayerRecord[];
  /** Its configuration, its manifest, the index it came from: by digest. */
  readonly documents: ReadonlyMap<Digest, Uint8Array>;
}

/**
 * Makes an image present: all that it is made of on disk for good by one sync, then its record, and last its name, which may move to it from
 * another. The caller has a lease that keeps all of it.
 */
export async function commitImage(layout: Layout, { reference, digest, record, layers, documents }: NewImage): Promise<Entry> {
  for (const [key, bytes] of documents) await putBlob(layout, key, bytes);
  await syncContent(layout, layers);
  return locked(layout, async () => {
    const before = await readImageRecord(layout.imageRecord(record.id));
    const origins = [...new Set([...record.origins, ...(before?.origins ?? [])])];
    const image = { ...record, origins };
    await writeRecord(layout.imageRecord(record.id), image, { durable: true });
    const name = reference === null ? null : { reference, id: record.id, digest };
    if (name !== null) await giveName(layout, name);
    const entry = await entryOf(layout, { name, image });
    if (entry === null) throw new Error(`${reference ?? record.id} is not whole after it was stored`);
    return entry;
  });
}

/** Gives an image a further name. `null` when there is no such image. */
export async function tagImage(layout: Layout, nameOrId: string, target: Reference): Promise<NameRecord | null> {
  return locked(layout, async () => {
    const found = await findImage(layout, nameOrId);
    if (found === null) return null;
    const [wanted, names] = [repositoryOf(target), await namesOf(layout, found.image.id)];
    const digest = names.find((name) => repositoryOf(name.reference) === wanted && name.digest !== null)?.digest ?? null;
    const name = { reference: target, id: found.image.id, digest };
    await giveName(layout, name);
    return name;
  });
}

/**
 * An image that loses its tag to another keeps the name that its digest gives it, unless that is the other's too: of an index one platform at a
 * time has the name. To be called under the store's lock.
 */
async function giveName(layout: Layout, name: NameRecord): Promise<void> {
  const before = await readNameRecord(layout.name(name.reference));
  if (before !== null && before.id !== name.id && before.digest !== null && before.digest !== name.digest) {
    const kept = parseReference(`${repositoryOf(before.reference)}@${before.digest}`);
    if (typeof kept === "string" && kept !== name.reference)
      await writeRecord(layout.name(kept), { ...before, reference: kept }, { durable: true });
  }
  await writeRecord(layout.name(name.reference), name, { durable: true });
}

/** `docker.io/library/nginx` */
export function repositoryOf(reference: Reference): string {
  const { domain, path } = partsOf(reference);
  return `${domain}/${path}`;
}

/** Notes the digest under which a registry now has a name. */
export async function setDigest(layout: Layout, name: NameRecord, digest: Digest): Promise<void> {
  if (name.digest !== digest) await writeRecord(layout.name(name.reference), { ...name, digest }, { durable: true });
}

/** The records with what they lead to; `null` where a part of that is missing or is not what its digest says. */
export async function entryOf(
  layout: Layout,
  { name, image }: { readonly name: NameRecord | null; readonly image: ImageRecord },
  find: (key: Digest) => Promise<LayerRecord | null> = (key) => findLayer(layout, key),
): Promise<Entry | null> {
  const layers: LayerRecord[] = [];
  for (const { key } of image.layers) {
    const layer = await find(key);
    if (layer === null) return null;
    layers.push(layer);
  }
  const bytes = readDocument(layout, image.id);
  return bytes === null ? null : { name, image, layers, configuration: parseConfiguration(bytes, image.id) };
}

/** A name as it is, or for a digest any name of the repository that has it. */
async function findName(layout: Layout, reference: Reference): Promise<NameRecord | null> {
  const exact = await readNameRecord(layout.name(reference));
  const { domain, path, digest } = partsOf(reference);
  if (exact !== null || digest === null) return exact;
  const names = await readAll(layout.names, readNameRecord);
  const other = names.find((name) => {
    const parts = partsOf(name.reference);
    return name.digest === digest && parts.domain === domain && parts.path === path;
  });
  return other === undefined ? null : { ...other, reference };
}

async function findById(layout: Layout, text: string): Promise<ImageRecord | null> {
  const hex = text.startsWith("sha256:") ? text.slice("sha256:".length) : text;
  if (!/^[0-9a-f]{4,64}$/.test(hex)) return null;
  const whole = parseDigest(`sha256:${hex}`);
  if (typeof whole === "string") return readImageRecord(layout.imageRecord(whole));
  const files = (await readdir(layout.imageRecords)).filter((name) => name.startsWith(hex) && name.endsWith(".json"));
  const read = await Promise.all(files.map((name) => readImageRecord(join(layout.imageRecords, name))));
  const found = read.filter((image) => image !== null);
  if (found.length > 1)
    throw new Failure({
      code: "E_IMAGE_AMBIGUOUS",
      message: `the id ${hex} fits ${found.length} images: ${found.map(({ id }) => hexOf(id).slice(0, 12)).join(", ")}`,
      hint: "use more digits of the id",
    });
  return found[0] ?? null;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
