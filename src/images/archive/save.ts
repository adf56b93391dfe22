/**
 * Writes images as one archive. Both forms are an OCI image layout; Docker's has a `manifest.json` besides, as that of Docker itself since
 * version 25, so that each can be read by what knows either. Layers are written as they are kept, compressed.
 */
import { createHash } from "node:crypto";
import type { ArchiveFormat } from "../../engine/images.ts";
import { Failure } from "../../model/diagnostic.ts";
import { algorithmOf, type Digest, hexOf } from "../../model/digest.ts";
import { familiar, partsOf, type Reference } from "../../model/reference.ts";
import { type Manifest, parseManifest } from "../manifest.ts";
import { OCI_INDEX } from "../media-types.ts";
import { blobSize, readDocument, streamBlob } from "../store/blobs.ts";
import { findEntry, findImage } from "../store/catalog.ts";
import type { Layout } from "../store/layout.ts";
import { type Lease, takeLease } from "../store/lease.ts";
import type { ImageRecord } from "../store/records.ts";
import { directoryHeader, fileHeader, padding, TAR_END } from "./tar-writer.ts";

interface Saved {
  readonly image: ImageRecord;
  readonly manifest: Manifest;
  readonly references: readonly Reference[];
}

/** Throws what is wrong before the first byte; nothing of the images is collected until the last one. */
export async function saveImages(
  layout: Layout,
  namesOrIds: readonly string[],
  { format, signal }: { readonly format: ArchiveFormat; readonly signal: AbortSignal },
): Promise<AsyncIterable<Uint8Array>> {
  const lease = await takeLease(layout);
  try {
    const images = await gather(layout, namesOrIds);
    const blobs = await contentOf(layout, images, lease);
    return archive(layout, { lease, signal, blobs, documents: documentsOf(layout, images, format) });
  } catch (error) {
    await lease.release();
    throw error;
  }
}

/** The images, each once, with the names by which they were asked for. */
async function gather(layout: Layout, namesOrIds: readonly string[]): Promise<readonly Saved[]> {
  const images = new Map<Digest, Saved>();
  for (const nameOrId of namesOrIds) {
    const found = await findImage(layout, nameOrId);
    if (found === null)
      throw new Failure({
        code: "E_IMAGE_ABSENT",
        message: `there is no image ${nameOrId} in the store`,
        hint: "`wharf image ls` lists the images of the store",
      });
    if ((await findEntry(layout, nameOrId)) === null) throw damaged(nameOrId);
    const { image, name } = found;
    const bytes = readDocument(layout, image.manifest.digest);
    const manifest = bytes === null ? null : parseManifest(bytes, image.manifest.mediaType, nameOrId);
    if (manifest?.kind !== "manifest") throw damaged(nameOrId);
    const reference = name === null || partsOf(name.reference).tag === null ? [] : [name.reference];
    images.set(image.id, { image, manifest, references: [...new Set([...(images.get(image.id)?.references ?? []), ...reference])] });
  }
  return [...images.values()];
}

interface Blob {
  readonly digest: Digest;
  readonly size: number;
}

/** Every blob that the images need, once; from now on they stay. */
async function contentOf(layout: Layout, images: readonly Saved[], lease: Lease): Promise<readonly Blob[]> {
  const blobs = new Map<Digest, Blob>();
  for (const { image, manifest } of images) {
    const own = { digest: image.manifest.digest, size: (await blobSize(layout, image.manifest.digest)) ?? 0 };
    for (const { digest, size } of [own, manifest.config, ...manifest.layers]) blobs.set(digest, { digest, size });
  }
  await lease.keep([...blobs.keys()]);
  for (const { digest, size } of blobs.values())
    if ((await blobSize(layout, digest)) !== size)
      throw new Failure({
        code: "E_IMAGE_CONTENT_GONE",
        message: `the content of an image is not here any more: ${digest}`,
        hint: "wharf image verify --repair fetches it again",
      });
  return [...blobs.values()];
}

/** The small files of the archive, by name. */
function documentsOf(layout: Layout, images: readonly Saved[], format: ArchiveFormat): ReadonlyMap<string, Buffer> {
  const manifests = images.flatMap(({ image, references }) => {
    const { mediaType, digest } = image.manifest;
    const descriptor = { mediaType, digest, size: readDocument(layout, digest)?.length ?? 0 };
    if (references.length === 0) return [descriptor];
    return references.map((reference) => ({
      ...descriptor,
      annotations: { "io.containerd.image.name": reference, "org.opencontainers.image.ref.name": partsOf(reference).tag ?? "" },
    }));
  });
  const documents = new Map<string, Buffer>([
    ["oci-layout", json({ imageLayoutVersion: "1.0.0" })],
    ["index.json", json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })],
  ]);
  if (format === "docker-archive")
    documents.set(
      "manifest.json",
      json(
        images.map(({ image, manifest, references }) => ({
          Config: pathOf(image.id),
          RepoTags: references.length === 0 ? null : references.map(familiar),
          Layers: manifest.layers.map(({ digest }) => pathOf(digest)),
        })),
      ),
    );
  return documents;
}

async function* archive(
  layout: Layout,
  of: {
    readonly lease: Lease;
    readonly signal: AbortSignal;
    readonly blobs: readonly Blob[];
    readonly documents: ReadonlyMap<string, Buffer>;
  },
): AsyncGenerator<Uint8Array> {
  try {
    yield directoryHeader("blobs/");
    for (const algorithm of new Set(of.blobs.map(({ digest }) => algorithmOf(digest)))) yield directoryHeader(`blobs/${algorithm}/`);
    for (const blob of of.blobs) {
      yield fileHeader(pathOf(blob.digest), blob.size);
      yield* checked(layout, blob, of.signal);
      yield padding(blob.size);
    }
    for (const [name, bytes] of of.documents) yield Buffer.concat([fileHeader(name, bytes.length), bytes, padding(bytes.length)]);
    yield TAR_END;
  } finally {
    await of.lease.release();
  }
}

/** The bytes of a blob. An archive of damaged content is not brought to its end. */
async function* checked(layout: Layout, { digest, size }: Blob, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const hash = createHash(algorithmOf(digest));
  if (size > 0)
    for await (const chunk of streamBlob(layout, digest, { from: 0, to: size })) {
      signal.throwIfAborted();
      hash.update(chunk);
      yield chunk;
    }
  if (hash.digest("hex") !== hexOf(digest)) throw damaged(digest);
}

function pathOf(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function damaged(what: string): Failure {
  return new Failure({
    code: "E_IMAGE_DAMAGED",
    message: `${what} is damaged in the store`,
    hint: "wharf image verify --repair mends it, where it came from a registry",
  });
}
