/** From an image in the store to a registry: what the registry lacks is sent, then the manifest, which makes the image whole there. */
import { Readable } from "node:stream";
import type { ImageProgress } from "../engine/images.ts";
import { slots } from "../lib/slots.ts";
import { Failure } from "../model/diagnostic.ts";
import { type Digest, shortDigest } from "../model/digest.ts";
import { familiar, parseReference, partsOf, type Reference } from "../model/reference.ts";
import { parseManifest } from "./manifest.ts";
import type { PullContext } from "./pull.ts";
import { fetchBlob, type Repository } from "./registry/pull-api.ts";
import { hasBlob, mountBlob, type PushOptions, putManifest, uploadBlob } from "./registry/push-api.ts";
import { blobSize, readBlob, streamBlob } from "./store/blobs.ts";
import { type Entry, findEntry, setDigest } from "./store/catalog.ts";
import { takeLease } from "./store/lease.ts";

interface Blob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** Blobs that are sent at once. */
const UPLOADS = 4;

export async function pushImage(
  context: PullContext,
  reference: Reference,
  { progress, signal }: { readonly progress: ImageProgress; readonly signal: AbortSignal },
): Promise<{ readonly digest: string; readonly size: number }> {
  const { layout } = context;
  const { tag } = partsOf(reference);
  if (tag === null)
    throw new Failure({
      code: "E_PUSH_DIGEST",
      message: `${familiar(reference)} cannot be pushed: it names content, not where to put it`,
      hint: "push a name with a tag",
    });
  const lease = await takeLease(layout); // nothing of it is collected meanwhile
  try {
    const entry = await findEntry(layout, reference);
    if (entry === null)
      throw new Failure({
        code: "E_IMAGE_ABSENT",
        message: `there is no image ${familiar(reference)} in the store`,
        hint: "`wharf image ls` lists what can be pushed; `wharf image import` makes an image",
      });
    const { image } = entry;
    const bytes = await readBlob(layout, image.manifest.digest);
    const manifest = parseManifest(bytes, image.manifest.mediaType, reference);
    if (manifest.kind !== "manifest") throw new Error(`${image.manifest.digest} is the manifest of ${reference} and an index`);
    await lease.keep([image.id, image.manifest.digest, ...manifest.layers.map(({ digest }) => digest)]);
    const repository = context.registries.repository(reference, () => {});
    const options = { what: reference, signal };
    const slot = slots(UPLOADS);
    const unique = [...new Map([...manifest.layers, manifest.config].map((blob) => [blob.digest, blob])).values()];
    await Promise.all(unique.map((blob) => slot(() => pushBlob({ ...context, repository, entry }, blob, { ...options, progress }))));
    await putManifest(repository, { named: tag, mediaType: image.manifest.mediaType, bytes }, options);
    if (entry.name !== null) await setDigest(layout, entry.name, image.manifest.digest);
    return { digest: image.manifest.digest, size: bytes.length };
  } finally {
    await lease.release();
  }
}

type Source = PullContext & { readonly repository: Repository; readonly entry: Entry };

async function pushBlob(source: Source, blob: Blob, options: PushOptions & { readonly progress: ImageProgress }): Promise<void> {
  const { layout, repository } = source;
  const { progress, ...rest } = options;
  const item = shortDigest(blob.digest);
  const told = (phase: string, done: number): void => progress(item, phase, done, blob.size);
  if (await hasBlob(repository, blob.digest, rest)) return told("there already", blob.size);
  for (const from of mountable(source))
    if (await mountBlob(repository, { digest: blob.digest, from }, rest)) return told("mounted", blob.size);
  const kept = (await blobSize(layout, blob.digest)) === blob.size;
  const open = (from: number, to: number): Readable =>
    kept ? streamBlob(layout, blob.digest, { from, to }) : Readable.from(refetched(source, blob, { from, to, options: rest }));
  await uploadBlob(repository, { digest: blob.digest, size: blob.size, open }, { ...rest, progress: (done) => told("upload", done) });
  told("uploaded", blob.size);
}

/** Repositories of the same registry that had the image's layers. */
function mountable({ repository, entry }: Source): readonly string[] {
  const domain = entry.name === null ? "" : partsOf(entry.name.reference).domain;
  return entry.image.origins.flatMap((origin) => {
    const path = origin.slice(origin.indexOf("/") + 1);
    return origin === `${domain}/${path}` && path !== repository.path ? [path] : [];
  });
}

/** A blob that the store does not hold, from where the image came from. */
async function* refetched(
  { registries, entry }: Source,
  blob: Blob,
  { from, to, options }: { readonly from: number; readonly to: number; readonly options: PushOptions },
): AsyncGenerator<Uint8Array> {
  const gone = new Failure({
    code: "E_IMAGE_CONTENT_GONE",
    message: `the content of ${options.what} is not here any more: ${blob.digest}`,
    hint: "pull or import the image again, then push it",
  });
  const [origin] = entry.image.origins;
  const reference = origin === undefined ? null : parseReference(origin);
  if (typeof reference !== "string") throw gone;
  try {
    yield* fetchBlob(
      registries.repository(reference, () => {}),
      blob,
      { ...options, span: { from, to } },
    );
  } catch (error) {
    if (error instanceof Failure && error.has("E_IMAGE_NOT_FOUND")) throw new Failure(gone.diagnostics, { cause: error });
    throw error;
  }
}
