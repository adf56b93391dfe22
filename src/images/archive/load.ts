/** Takes the images of an archive into the store: Docker's form, with a `manifest.json`, or an OCI image layout. */
import { createReadStream } from "node:fs";
import type { ImageProgress, LoadedImage } from "../../engine/images.ts";
import { algorithmOf, type Digest, hexOf, parseDigest, shortDigest } from "../../model/digest.ts";
import { parseReference, type Reference } from "../../model/reference.ts";
import { chainOf } from "../complete.ts";
import { document, importLayer } from "../import.ts";
import { type Configuration, choose, type Descriptor, type Manifest, parseConfiguration, parseManifest, shaped } from "../manifest.ts";
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, OCI_MANIFEST } from "../media-types.ts";
import { completed, type PullContext, wantedPlatform } from "../pull.ts";
import { digestOf } from "../registry/pull-api.ts";
import { type Fields, fields, list, optional, parseJson, text, texts } from "../shape.ts";
import { adoptBlob, blobSize, streamBlob } from "../store/blobs.ts";
import { commitImage } from "../store/catalog.ts";
import { collect } from "../store/collect.ts";
import { findLayer, obtainLayer } from "../store/layers.ts";
import type { Layout } from "../store/layout.ts";
import { type Lease, takeLease } from "../store/lease.ts";
import { type ImageLayer, type LayerRecord, readAll, readImageRecord } from "../store/records.ts";
import { detectCompression } from "../unpack/decompress.ts";
import { badArchive, fileDigest, Spool, type SpooledFile } from "./spool.ts";

export interface LoadOptions {
  readonly progress: ImageProgress;
  readonly signal: AbortSignal;
}

type Work = PullContext & LoadOptions & { readonly spool: Spool; readonly lease: Lease };

/** An image as an archive describes it. */
interface Described {
  readonly references: readonly Reference[];
  readonly configuration: Configuration;
  readonly configBytes: Buffer;
  readonly layers: readonly { readonly file: SpooledFile; readonly descriptor: Descriptor | null }[];
  /** `null` where the archive has none: it is made then. */
  readonly manifest: { readonly digest: Digest; readonly mediaType: string; readonly bytes: Buffer } | null;
}

const WHERE = "the archive";
const INDEX_DEPTH = 4;

export async function loadImages(
  context: PullContext,
  archive: AsyncIterable<Uint8Array>,
  options: LoadOptions,
): Promise<readonly LoadedImage[]> {
  const { layout } = context;
  const lease = await takeLease(layout);
  try {
    const spool = await Spool.read(archive, { layout, lease, signal: options.signal });
    try {
      const work = { ...context, ...options, spool, lease };
      const described = await (spool.find("index.json") !== null && spool.find("oci-layout") !== null
        ? describeLayout(spool)
        : describeDocker(spool));
      const wanted = described.map(givenLayers);
      await lease.keep(described.flatMap(({ configuration: { diffIds } }) => [...diffIds, ...chainOf(diffIds)]));
      // All at once, a layer that several images have only once. Who fails does so when all are done: they share the files of the archive.
      const taking = new Map<string, Promise<Taken>>();
      for (const given of wanted.flat()) if (!taking.has(keyOf(given))) taking.set(keyOf(given), takeLayer(work, given));
      await Promise.allSettled(taking.values());
      const loaded: LoadedImage[] = [];
      for (const [i, image] of described.entries()) {
        const own = (wanted[i] ?? []).map(async (given) => taking.get(keyOf(given)) ?? takeLayer(work, given));
        loaded.push(await takeIn(work, image, await Promise.all(own)));
      }
      return merged(loaded);
    } finally {
      await spool.remove();
    }
  } catch (error) {
    await lease.release();
    await collect(layout); // what was taken in before it failed
    throw error;
  } finally {
    await lease.release();
  }
}

/** Docker's form: configurations, layers and names are listed in one file. */
async function describeDocker(spool: Spool): Promise<readonly Described[]> {
  if (spool.find("manifest.json") === null) throw badArchive("it has neither a manifest.json nor an index.json");
  return shaped(WHERE, () =>
    list(parseJson(spool.document("manifest.json"), "manifest.json"), "manifest.json").map((item, index) => {
      const entry = fields(item, `manifest.json[${index}]`);
      const configBytes = spool.document(text(entry["Config"], "Config"));
      const configuration = parseConfiguration(configBytes, WHERE);
      const layers = texts(entry["Layers"] ?? [], "Layers").map((name) => ({ file: found(spool, name), descriptor: null }));
      const references = (optional(entry["RepoTags"], "RepoTags", texts) ?? []).map(referenceFrom);
      return { references, configuration, configBytes, layers, manifest: null };
    }),
  );
}

/** An OCI image layout: the index leads to manifests, these to everything else, all by digest. */
async function describeLayout(spool: Spool): Promise<readonly Described[]> {
  const items = shaped(WHERE, () => {
    const index = fields(parseJson(spool.document("index.json"), "index.json"), "index.json");
    return list(index["manifests"], "manifests").map((item, i) => {
      const entry = fields(item, `manifests[${i}]`);
      return { name: nameOf(entry), digest: text(entry["digest"], "digest"), mediaType: text(entry["mediaType"], "mediaType") };
    });
  });
  const images: Described[] = [];
  for (const { name, digest, mediaType } of items) {
    const { manifest, ...found } = await manifestOf(spool, { digest, mediaType });
    const configBytes = spool.document((await blob(spool, manifest.config.digest)).name);
    images.push({
      references: name === null ? [] : [name],
      configuration: parseConfiguration(configBytes, WHERE),
      configBytes,
      layers: await Promise.all(
        manifest.layers.map(async (descriptor) => ({ file: (await blob(spool, descriptor.digest)).file, descriptor })),
      ),
      manifest: { digest: found.digest, mediaType: manifest.mediaType, bytes: found.bytes },
    });
  }
  return images;
}

/** Follows indexes to the manifest for this machine. */
async function manifestOf(
  spool: Spool,
  from: { readonly digest: string; readonly mediaType: string },
): Promise<{ readonly digest: Digest; readonly bytes: Buffer; readonly manifest: Manifest }> {
  let { digest, mediaType } = from;
  for (let depth = 0; depth < INDEX_DEPTH; depth += 1) {
    const { name, digest: checked } = await blob(spool, digest);
    const bytes = spool.document(name);
    const parsed = parseManifest(bytes, mediaType, WHERE);
    if (parsed.kind === "manifest") return { digest: checked, bytes, manifest: parsed };
    const chosen = choose(parsed, wantedPlatform(null), WHERE);
    ({ digest, mediaType } = chosen);
  }
  throw badArchive(`its indexes lead to indexes more than ${INDEX_DEPTH} times`);
}

/** The file of a blob, which is what its digest says. */
async function blob(spool: Spool, digest: string): Promise<{ readonly name: string; readonly digest: Digest; readonly file: SpooledFile }> {
  const checked = parseDigest(digest);
  if (typeof checked !== "string") throw badArchive(checked.problem);
  const name = `blobs/${algorithmOf(checked)}/${hexOf(checked)}`;
  const file = found(spool, name);
  const actual = algorithmOf(checked) === "sha256" ? file.digest : await fileDigest(file.path, algorithmOf(checked));
  if (actual !== checked) throw badArchive(`${name} is not what its name says, but ${actual}`);
  return { name, digest: checked, file };
}

function found(spool: Spool, name: string): SpooledFile {
  const file = spool.find(name);
  if (file === null) throw badArchive(`it has no ${JSON.stringify(name.slice(0, 200))}`);
  return file;
}

/** The layers of an image, each with the diffID that its configuration says. */
function givenLayers({ layers, configuration: { diffIds } }: Described): readonly Given[] {
  if (layers.length !== diffIds.length)
    throw badArchive(`an image has ${layers.length} layers, and ${diffIds.length} in its configuration`);
  return layers.map((layer, i) => {
    const diffId = diffIds[i];
    if (diffId === undefined || algorithmOf(diffId) !== "sha256") throw badArchive("a layer has no sha256 digest in its configuration");
    return { ...layer, diffId };
  });
}

/** Makes an image of the archive one of the store. */
async function takeIn(work: Work, image: Described, taken: readonly Taken[]): Promise<LoadedImage> {
  const { layout, lease, signal } = work;
  const { configuration, configBytes, references } = image;
  const records = await completed(
    layout,
    taken.map(({ record }) => record),
    { diffIds: configuration.diffIds, signal },
  );
  const config = { bytes: configBytes, digest: digestOf(configBytes) };
  const manifest =
    image.manifest ??
    ({
      mediaType: OCI_MANIFEST,
      ...document({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: { mediaType: OCI_CONFIG, digest: config.digest, size: config.bytes.length },
        layers: taken.map(({ blob }) => blob),
      }),
    } as const);
  await lease.keep([config.digest, manifest.digest]);
  const layers = taken.map(({ record, blob }, i): ImageLayer => ({ key: records[i]?.key ?? record.key, diffId: record.diffId, blob }));
  for (const reference of references.length === 0 ? [null] : references)
    await commitImage(layout, {
      reference,
      digest: null,
      layers: records,
      documents: new Map<Digest, Uint8Array>([
        [config.digest, config.bytes],
        [manifest.digest, manifest.bytes],
      ]),
      record: { id: config.digest, manifest: { mediaType: manifest.mediaType, digest: manifest.digest }, layers, origins: [] },
    });
  return { id: config.digest, references };
}

interface Taken {
  readonly record: LayerRecord;
  readonly blob: Descriptor;
}

interface Given {
  readonly file: SpooledFile;
  readonly descriptor: Descriptor | null;
  readonly diffId: Digest;
}

/** The same layer may come in several compressed forms, and each manifest needs its own. */
function keyOf({ diffId, descriptor }: Given): string {
  return `${diffId} ${descriptor?.digest ?? ""}`;
}

async function takeLayer(work: Work, given: Given): Promise<Taken> {
  const { layout, progress } = work;
  const { file, diffId } = given;
  const item = shortDigest(given.descriptor?.digest ?? file.digest);
  const told = (phase: string): void => progress(item, phase, file.size, file.size);
  const [record, blob] = await Promise.all([findLayer(layout, diffId), keptBlob(layout, given)]);
  if (record !== null && blob !== null) {
    told("here already");
    return { record, blob };
  }
  const taken = await unpackGiven(work, given);
  told("unpacked");
  return taken;
}

/** A compressed layer becomes a blob as it is; one that is not is compressed first, as a registry would want it. */
async function unpackGiven(work: Work, { file, descriptor, diffId }: Given): Promise<Taken> {
  const { layout, lease, pool, signal } = work;
  const blob = descriptor ?? (await compressedAs(file));
  if (blob === null) {
    const imported = await importLayer({ layout, pool, lease }, createReadStream(file.path), { signal, standalone: false });
    if (imported.record.diffId !== diffId) throw otherLayer(diffId, imported.record.diffId);
    return imported;
  }
  await lease.keep([blob.digest]);
  if ((await blobSize(layout, blob.digest)) !== blob.size) await adoptBlob(layout, blob.digest, file.path);
  const fill = async (directory: string) => {
    const chunks = streamBlob(layout, blob.digest, { from: 0, to: blob.size });
    const made = await pool.run({
      chunks,
      size: blob.size,
      options: { directory, standalone: false, algorithm: algorithmOf(blob.digest) },
    });
    if (made.digest !== blob.digest) throw otherLayer(blob.digest, made.digest);
    if (made.diffId !== diffId) throw otherLayer(diffId, made.diffId);
    return made;
  };
  return { record: await obtainLayer(layout, diffId, { fill, signal }), blob };
}

/** The blob under which the layer is kept already. */
async function keptBlob(layout: Layout, { descriptor, diffId }: Given): Promise<Descriptor | null> {
  const candidates =
    descriptor === null
      ? (await readAll(layout.imageRecords, readImageRecord)).flatMap(({ layers }) => layers.filter((layer) => layer.diffId === diffId))
      : [{ blob: descriptor }];
  for (const { blob } of candidates) if ((await blobSize(layout, blob.digest)) === blob.size) return blob;
  return null;
}

/** How a registry would name a file that is a compressed layer; `null` for one that is not compressed. */
async function compressedAs(file: SpooledFile): Promise<Descriptor | null> {
  const head = createReadStream(file.path, { end: 15 });
  const { compression } = await detectCompression(head);
  head.destroy();
  if (compression === "none") return null;
  return { mediaType: compression === "zstd" ? OCI_LAYER_ZSTD : OCI_LAYER_GZIP, digest: file.digest, size: file.size };
}

function otherLayer(wanted: Digest, got: Digest): Error {
  return badArchive(`a layer is ${got}, not ${wanted} as it says`);
}

/** One entry for each image, with all names that it got. */
function merged(loaded: readonly LoadedImage[]): readonly LoadedImage[] {
  const images = new Map<string, LoadedImage>();
  for (const { id, references } of loaded)
    images.set(id, { id, references: [...new Set([...(images.get(id)?.references ?? []), ...references])] });
  return [...images.values()];
}

/** The name that an index gives to an image: a whole one, which others write too where the specification wants a tag alone. */
function nameOf(entry: Fields): Reference | null {
  const annotations = optional(entry["annotations"], "annotations", fields) ?? {};
  const [whole, tag] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"].map((key) =>
    optional(annotations[key], key, text),
  );
  if (whole !== null && whole !== undefined) return referenceFrom(whole);
  return tag !== null && tag !== undefined && /[:/]/.test(tag) ? referenceFrom(tag) : null;
}

function referenceFrom(name: string): Reference {
  const reference = parseReference(name);
  if (typeof reference !== "string") throw badArchive(reference.problem);
  return reference;
}
