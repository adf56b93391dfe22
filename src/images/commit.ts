/** Makes an image of another one and one more layer. */
import type { ImageConfig } from "../engine/images.ts";
import { Failure } from "../model/diagnostic.ts";
import type { Digest } from "../model/digest.ts";
import type { Reference } from "../model/reference.ts";
import { document, importLayer, recordImage } from "./import.ts";
import { OCI_LAYER_GZIP } from "./media-types.ts";
import type { PullContext } from "./pull.ts";
import { fields, list, optional, parseJson } from "./shape.ts";
import { readBlob } from "./store/blobs.ts";
import { findEntry } from "./store/catalog.ts";
import { takeLease } from "./store/lease.ts";

export interface LayerOver {
  /** Name or id of the image below. */
  readonly base: string;
  readonly reference: Reference | null;
  /** All of the new image's. */
  readonly config: ImageConfig;
  readonly author: string;
  readonly comment: string;
  /** The program whose work the layer is. */
  readonly createdBy: string;
}

/** Gives the new image's id. `tar`: a layer as registries hold it, not compressed. Throws E_IMAGE_ABSENT. */
export async function addLayer(
  { layout, pool }: PullContext,
  tar: AsyncIterable<Uint8Array>,
  { base, reference, config, author, comment, createdBy, signal }: LayerOver & { readonly signal: AbortSignal },
): Promise<Digest> {
  const lease = await takeLease(layout);
  try {
    const below = await findEntry(layout, base);
    if (below === null)
      throw new Failure({
        code: "E_IMAGE_ABSENT",
        message: `the image ${base} is no longer whole`,
        hint: "`wharf image verify --repair` mends it",
      });
    await lease.keep([below.image.id]);
    const { record, blob } = await importLayer({ layout, pool, lease }, tar, { signal, standalone: false });
    const before = fields(parseJson(await readBlob(layout, below.image.id), "the configuration"), "the configuration");
    const rootfs = fields(before["rootfs"], "rootfs");
    const created = new Date().toISOString();
    const { container_config: _, docker_version: __, container: ___, ...kept } = before;
    const step = { created, ...(author === "" ? {} : { author }), created_by: createdBy, ...(comment === "" ? {} : { comment }) };
    const configuration = document({
      ...kept,
      created,
      ...(author === "" ? {} : { author }),
      config,
      rootfs: { ...rootfs, diff_ids: [...list(rootfs["diff_ids"], "diff_ids"), record.diffId] },
      history: [...(optional(before["history"], "history", list) ?? []), step],
    });
    const lower = below.image.layers.map((layer) => ({ ...layer, blob: { ...layer.blob, mediaType: ociType(layer.blob.mediaType) } }));
    return await recordImage(
      { layout, lease },
      {
        reference,
        configuration,
        layers: [...lower, { key: record.key, diffId: record.diffId, blob }],
        records: [...below.layers, record],
        origins: below.image.origins,
      },
    );
  } finally {
    await lease.release();
  }
}

/** A manifest of OCI's form names layers by OCI's words; the bytes are the same. */
function ociType(mediaType: string): string {
  return mediaType === "application/vnd.docker.image.rootfs.diff.tar.gzip" ? OCI_LAYER_GZIP : mediaType;
}
