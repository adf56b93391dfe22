/** Images by name and id: what is here, under which names, and how it gets there. */
import type { ImageSummary } from "../../engine/images.ts";
import { Failure } from "../../model/diagnostic.ts";
import { type Digest, hexOf, parseDigest } from "../../model/digest.ts";
import { parseReference, partsOf, type Reference } from "../../model/reference.ts";
import { type Configuration, parseConfiguration } from "../manifest.ts";
import { putBlob, readBlob } from "./blobs.ts";
import { findLayer, syncLayers } from "./layers.ts";
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
  const names = await readAll(layout.names, readNameRecord);
  const rows = await Promise.all(
    (await readAll(layout.imageRecords, readImageRecord)).map(async (image) => {
      const entry = await entryOf(layout, { name: null, image });
      if (entry === null) return [];
      const own = names.filter(({ id }) => id === image.id);
      const of = (name: NameRecord | null): ImageSummary => ({
        reference: name?.reference ?? null,
        id: image.id,
        digest: name?.digest ?? null,
        created: entry.configuration.created,
        size: sizeOf(entry),
        platform: entry.configuration.platform,
      });
      return own.length === 0 ? [of(null)] : own.map(of);
    }),
  );
  return rows.flat().sort((a, b) => compare(b.created ?? "", a.created ?? "") || compare(a.reference ?? "", b.reference ?? ""));
}

/** Bytes of the files of its layers. */
export function sizeOf(entry: Entry): number {
  return entry.layers.reduce((sum, { size }) => sum + size, 0);
}

export async function namesOf(layout: Layout, id: Digest): Promise<readonly NameRecord[]> {
  return (await readAll(layout.names, readNameRecord)).filter((name) => name.id === id);
}

export interface NewImage {
  readonly reference: Reference;
  readonly digest: Digest | null;
  readonly record: ImageRecord;
  readonly layers: readonly LayerRecord[];
  /** Its configuration, its manifest, the index it came from: by digest. */
  readonly documents: ReadonlyMap<Digest, Uint8Array>;
}

/** Makes an image present: its layers on disk for good, then its documents, its record, and last its name, which may move to it from another. */
export async function commitImage(layout: Layout, { reference, digest, record, layers, documents }: NewImage): Promise<Entry> {
  await syncLayers(layout, layers);
  return locked(layout, async () => {
    for (const [key, bytes] of documents) await putBlob(layout, key, bytes);
    const before = await readImageRecord(layout.imageRecord(record.id));
    const origins = [...new Set([...record.origins, ...(before?.origins ?? [])])];
    const image = { ...record, origins };
    await writeRecord(layout.imageRecord(record.id), image, { durable: true });
    const name = { reference, id: record.id, digest };
    await writeRecord(layout.name(reference), name, { durable: true });
    const entry = await entryOf(layout, { name, image });
    if (entry === null) throw new Error(`${reference} is not whole after it was stored`);
    return entry;
  });
}

/** Notes the digest under which a registry now has a name. */
export async function setDigest(layout: Layout, name: NameRecord, digest: Digest): Promise<void> {
  if (name.digest !== digest) await writeRecord(layout.name(name.reference), { ...name, digest }, { durable: true });
}

async function entryOf(
  layout: Layout,
  { name, image }: { readonly name: NameRecord | null; readonly image: ImageRecord },
): Promise<Entry | null> {
  const found = await Promise.all(image.layers.map(({ key }) => findLayer(layout, key)));
  const layers = found.filter((layer) => layer !== null);
  if (layers.length < found.length) return null;
  return { name, image, layers, configuration: parseConfiguration(await readBlob(layout, image.id), image.id) };
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
  const found = (await readAll(layout.imageRecords, readImageRecord)).filter(({ id }) => hexOf(id).startsWith(hex));
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
