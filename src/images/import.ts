/** Makes an image from a root file system's archive: one layer, kept unpacked to run and compressed to push. */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import type { ImportOptions } from "../engine/images.ts";
import { type Digest, parseDigest } from "../model/digest.ts";
import { normalPlatform } from "../model/platform.ts";
import type { Reference } from "../model/reference.ts";
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, OCI_MANIFEST } from "./media-types.ts";
import { type PullContext, wantedPlatform } from "./pull.ts";
import { digestOf } from "./registry/digests.ts";
import { type Draft, openDraft } from "./store/blobs.ts";
import { commitImage } from "./store/catalog.ts";
import { adoptLayer, claimDirectory } from "./store/layers.ts";
import { type Lease, takeLease } from "./store/lease.ts";
import type { ImageRecord, LayerRecord } from "./store/records.ts";
import { type Compression, detectCompression } from "./unpack/decompress.ts";

/** Gives the image's id. */
export async function importImage(
  { layout, pool }: PullContext,
  tar: AsyncIterable<Uint8Array>,
  { reference, platform, config, signal }: ImportOptions & { readonly signal: AbortSignal },
): Promise<Digest> {
  const lease = await takeLease(layout);
  try {
    const { record, blob } = await importLayer({ layout, pool, lease }, tar, { signal, standalone: true });
    const target = platform === null ? wantedPlatform(null) : normalPlatform(platform);
    const configuration = document({
      created: new Date().toISOString(),
      architecture: target.architecture,
      os: target.os,
      ...(target.variant === null ? {} : { variant: target.variant }),
      config,
      rootfs: { type: "layers", diff_ids: [record.diffId] },
      history: [{ created: new Date().toISOString(), created_by: "wharf image import" }],
    });
    const own = { key: record.key, diffId: record.diffId, blob };
    return await recordImage({ layout, lease }, { reference, configuration, layers: [own], records: [record], origins: [] });
  } finally {
    await lease.release();
  }
}

interface Document {
  readonly bytes: Buffer;
  readonly digest: Digest;
}

interface Blob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** An image that was made here, as the store is to keep it. */
interface MadeImage {
  readonly reference: Reference | null;
  readonly configuration: Document;
  /** The lowest first, and what the store has of each. */
  readonly layers: ImageRecord["layers"];
  readonly records: readonly LayerRecord[];
  readonly origins: ImageRecord["origins"];
}

/** Writes a manifest of OCI's form for it and has it count. Gives the image's id. */
export async function recordImage(
  { layout, lease }: Pick<PullContext, "layout"> & { readonly lease: Lease },
  { reference, configuration, layers, records, origins }: MadeImage,
): Promise<Digest> {
  const manifest = document({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: configuration.digest, size: configuration.bytes.length },
    layers: layers.map(({ blob }) => blob),
  });
  await lease.keep([configuration.digest, manifest.digest]);
  await commitImage(layout, {
    reference,
    digest: null,
    layers: records,
    documents: new Map([
      [configuration.digest, configuration.bytes],
      [manifest.digest, manifest.bytes],
    ]),
    record: { id: configuration.digest, manifest: { mediaType: OCI_MANIFEST, digest: manifest.digest }, layers, origins },
  });
  return configuration.digest;
}

/** One pass over the archive: it is unpacked, and what a registry would hold of it is written beside. */
export async function importLayer(
  { layout, pool, lease }: Pick<PullContext, "layout" | "pool"> & { readonly lease: Lease },
  tar: AsyncIterable<Uint8Array>,
  { signal, standalone }: { readonly signal: AbortSignal; readonly standalone: boolean },
): Promise<{ readonly record: LayerRecord; readonly blob: Blob }> {
  const claim = await claimDirectory(layout);
  const draft = await openDraft(layout, lease);
  try {
    const source = await detectCompression(stoppable(tar, signal));
    const copy = new Copy(draft, source.compression);
    const unpacked = await pool.run({
      chunks: copy.through(source.chunks),
      size: Number.POSITIVE_INFINITY,
      options: { directory: claim.path, standalone },
    });
    const blob = await copy.end();
    await lease.keep([unpacked.diffId, blob.digest]);
    await draft.commit(blob.digest);
    // The same content may be here already, or be on its way in another process.
    return { record: await adoptLayer(layout, unpacked.diffId, { claim, filled: unpacked, signal }), blob };
  } catch (error) {
    await draft.discard();
    await claim.discard();
    throw error;
  }
}

/** Writes what passes into a draft: as it is when it is compressed, else through gzip. */
class Copy {
  readonly #draft: Draft;
  readonly #mediaType: string;
  readonly #gzip: ReturnType<typeof createGzip> | null;
  readonly #hash = createHash("sha256");
  readonly #writing: Promise<void>;
  #size = 0;

  constructor(draft: Draft, compression: Compression) {
    this.#draft = draft;
    this.#mediaType = compression === "zstd" ? OCI_LAYER_ZSTD : OCI_LAYER_GZIP;
    this.#gzip = compression === "none" ? createGzip({ chunkSize: 1 << 18 }) : null;
    this.#writing = this.#gzip === null ? Promise.resolve() : this.#drain(this.#gzip);
    this.#writing.catch(() => {}); // `end` tells of it
  }

  async *through(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      if (this.#gzip === null) await this.#write(chunk);
      else if (!this.#gzip.write(chunk)) await new Promise((resolve) => this.#gzip?.once("drain", resolve));
      yield chunk;
    }
  }

  async end(): Promise<Blob> {
    this.#gzip?.end();
    await this.#writing;
    const digest = parseDigest(`sha256:${this.#hash.digest("hex")}`);
    if (typeof digest !== "string") throw new Error(digest.problem);
    return { mediaType: this.#mediaType, digest, size: this.#size };
  }

  async #drain(gzip: Readable): Promise<void> {
    for await (const chunk of gzip) await this.#write(chunk);
  }

  async #write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    await this.#draft.write(chunk);
  }
}

async function* stoppable(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    yield chunk;
  }
}

export function document(value: object): Document {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, digest: digestOf(bytes) };
}
