/** Makes damaged parts of an image again: from what is kept of it, else from where it came from. */
import { rm } from "node:fs/promises";
import type { ImageProgress } from "../engine/images.ts";
import { Failure } from "../model/diagnostic.ts";
import { type Digest, shortDigest } from "../model/digest.ts";
import { parseReference } from "../model/reference.ts";
import { chainOf } from "./complete.ts";
import { fetchContent } from "./download.ts";
import { type Descriptor, parseManifest } from "./manifest.ts";
import { completed, type PullContext } from "./pull.ts";
import { fromBlob } from "./refill.ts";
import { fetchDocument, fetchManifest } from "./registry/pull-api.ts";
import type { Repository } from "./registry/repository.ts";
import { putBlob, readDocument } from "./store/blobs.ts";
import { loseLayer, obtainLayer, syncContent } from "./store/layers.ts";
import { takeLease } from "./store/lease.ts";
import { type ImageLayer, type ImageRecord, type LayerRecord, readAll, readImageRecord } from "./store/records.ts";
import type { ImageUsers } from "./store/remove.ts";
import type { Fault } from "./verify.ts";

export interface RepairOptions {
  /** The image, for messages. */
  readonly what: string;
  readonly users: ImageUsers;
  readonly progress: ImageProgress;
  readonly signal: AbortSignal;
}

interface Damaged {
  readonly image: ImageRecord;
  readonly faults: readonly Fault[];
}

/** Gives for each fault why it could not be mended, or `null`. One that cannot be does not keep others from it. */
export async function repairImage(
  context: PullContext,
  damaged: Damaged,
  options: RepairOptions,
): Promise<ReadonlyMap<Fault, string | null>> {
  const { image, faults } = damaged;
  const outcome = new Map<Fault, string | null>();
  const mend = async (those: readonly Fault[], how: () => Promise<void>): Promise<void> => {
    if (those.length === 0) return;
    const why = await how().then(
      () => null,
      (error: unknown) => reason(error),
    );
    for (const fault of those) outcome.set(fault, why);
  };
  const lease = await takeLease(context.layout);
  try {
    const layers = image.layers.flatMap(({ key, diffId, blob }) => [key, diffId, blob.digest]);
    await lease.keep([image.id, image.manifest.digest, ...layers, ...chainOf(image.layers.map(({ diffId }) => diffId))]);
    for (const kind of ["manifest", "configuration"] as const)
      await mend(
        faults.filter((fault) => fault.kind === kind),
        () => mendDocument(context, image, { kind, options }),
      );
    for (const fault of faults)
      if (fault.kind === "content") await mend([fault], () => mendContent(context, { image, layer: fault.layer }, options));
    await mend(
      faults.filter((fault) => fault.kind === "layer"),
      () => mendLayers(context, damaged, options),
    );
    await syncContent(context.layout, []);
  } finally {
    await lease.release();
  }
  return outcome;
}

async function mendDocument(
  context: PullContext,
  image: ImageRecord,
  { kind, options }: { readonly kind: "manifest" | "configuration"; readonly options: RepairOptions },
): Promise<void> {
  const { layout } = context;
  const { what, signal } = options;
  const repository = origin(context, image, what);
  if (kind === "manifest") {
    const { bytes } = await fetchManifest(repository, image.manifest.digest, { what, signal });
    return putBlob(layout, image.manifest.digest, bytes);
  }
  const bytes = readDocument(layout, image.manifest.digest);
  const manifest = bytes === null ? null : parseManifest(bytes, image.manifest.mediaType, what);
  if (manifest?.kind !== "manifest") throw gone(what, image.manifest.digest);
  await putBlob(layout, image.id, await fetchDocument(repository, manifest.config, { what, signal }));
}

/** Fetches a layer as its registry has it; what is unpacked of it is left alone. */
async function mendContent(
  context: PullContext,
  { image, layer }: { readonly image: ImageRecord; readonly layer: ImageLayer },
  { what, signal, progress }: RepairOptions,
): Promise<void> {
  const { layout } = context;
  const descriptor: Descriptor = layer.blob;
  const repository = origin(context, image, what);
  const item = shortDigest(descriptor.digest);
  await rm(layout.blob(descriptor.digest), { force: true });
  const told = (done: number): void => progress(item, "download", done, descriptor.size);
  await fetchContent({ layout, repository, descriptor }, { what, signal, progress: told });
  progress(item, "downloaded", descriptor.size, descriptor.size);
}

/** Unpacks the damaged layers of an image again, each under the name that it had. */
async function mendLayers(context: PullContext, { image, faults }: Damaged, options: RepairOptions): Promise<void> {
  const { layout, pool } = context;
  const { signal, what } = options;
  const keys = new Set(faults.flatMap((fault) => (fault.kind === "layer" ? [fault.layer.key] : [])));
  const having = (await readAll(layout.imageRecords, readImageRecord)).filter(({ layers }) => layers.some(({ key }) => keys.has(key)));
  const running = having.flatMap(({ id }) => (options.users.get(id) ?? []).flatMap((user) => (user.running ? [user.name] : [])));
  if (running.length > 0) throw new Failure({ code: "E_IMAGE_IN_USE", message: `${running.join(", ")} runs on it: stop it first` });
  for (const key of keys) await loseLayer(layout, key);
  const records: LayerRecord[] = [];
  for (const layer of image.layers) {
    const { diffId, blob: descriptor } = layer;
    const fill = async (directory: string) => {
      const kept = await fromBlob({ layout, pool }, { diffId, descriptor }, { directory });
      if (kept !== null) return kept;
      await mendContent(context, { image, layer }, options);
      const fetched = await fromBlob({ layout, pool }, { diffId, descriptor }, { directory });
      if (fetched === null) throw gone(what, descriptor.digest);
      return fetched;
    };
    records.push(await obtainLayer(layout, diffId, { fill, signal }));
  }
  const whole = await completed(layout, records, { diffIds: image.layers.map(({ diffId }) => diffId), signal });
  await syncContent(layout, whole);
}

/** The repository that had the image. */
function origin({ registries }: PullContext, { origins, id }: ImageRecord, what: string): Repository {
  const [first] = origins;
  const reference = first === undefined ? null : parseReference(first);
  if (typeof reference !== "string") throw gone(what, id);
  return registries.repository(reference, () => {});
}

function gone(what: string, digest: Digest): Failure {
  return new Failure({
    code: "E_IMAGE_CONTENT_GONE",
    message: `no registry is known that has ${digest}`,
    hint: `load or import ${what} again`,
  });
}

function reason(error: unknown): string {
  if (error instanceof Failure) return error.message;
  throw error;
}
