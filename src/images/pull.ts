/** From a name to an image in the store: resolve it, choose the platform, fetch and unpack what is missing, and only then let it count. */
import { arch } from "node:os";
import { together } from "../lib/together.ts";
import { Failure } from "../model/diagnostic.ts";
import { algorithmOf, type Digest, shortDigest } from "../model/digest.ts";
import { formatPlatform, normalPlatform, type Platform, parsePlatform, runnable } from "../model/platform.ts";
import { familiar, partsOf, type Reference } from "../model/reference.ts";
import { chainOf, completeLayer } from "./complete.ts";
import { download, fetchContent, isContentProblem, StaleDownload } from "./download.ts";
import type { PullOptions } from "./images.ts";
import {
  type Configuration,
  choose,
  type Descriptor,
  type Manifest,
  parseConfiguration,
  parseManifest,
  platformsOf,
  shaped,
} from "./manifest.ts";
import { fromBlob } from "./refill.ts";
import type { Registries } from "./registries.ts";
import { mismatch } from "./registry/digests.ts";
import { type Fetched, fetchDocument, fetchManifest, resolveTag } from "./registry/pull-api.ts";
import type { Repository } from "./registry/repository.ts";
import { WrongShape } from "./shape.ts";
import { blobSize, readDocument } from "./store/blobs.ts";
import { commitImage, type Entry, findEntry } from "./store/catalog.ts";
import { flush, obtainLayer } from "./store/layers.ts";
import type { Layout } from "./store/layout.ts";
import { type Lease, takeLease } from "./store/lease.ts";
import type { LayerRecord } from "./store/records.ts";
import type { UnpackPool } from "./unpack/pool.ts";

export interface PullContext {
  readonly layout: Layout;
  readonly registries: Registries;
  readonly pool: UnpackPool;
  /** Leases that outlive their work: what was pulled stays for the command that wants to use it. */
  readonly held: Lease[];
  /** To be called before the store is changed for the first time: it clears away what was left by processes that died at work. */
  changing(): Promise<void>;
}

/** Layers of one image that are fetched at once. */
const DOWNLOADS = 6;
/** Bytes of a layer that take the disk a while. */
const LARGE = 16 << 20;
/** Indexes in indexes: more than this nobody makes. */
const INDEX_DEPTH = 4;
/** Indexes beside each other that do not say what they are for: so many are looked into. */
const MOST_INDEXES = 4;

export async function pullImage(context: PullContext, reference: Reference, options: PullOptions): Promise<Entry> {
  const { layout } = context;
  const wanted = wantedPlatform(options.platform);
  const here = await findEntry(layout, reference);
  const usable = here !== null && (options.platform === null || runsOn(here.configuration.platform, wanted)) ? here : null;
  if (usable !== null && options.policy === "missing") return usable;
  const repository = context.registries.repository(reference, options.note);
  const { tag, digest } = partsOf(reference);
  const named = tag ?? digest ?? "latest";
  if (usable?.name != null) {
    // What a digest names never changes; what a tag names is asked for with one request.
    const current = tag === null ? usable.name.digest : await resolveTag(repository, tag, { what: reference, signal: options.signal });
    if (current !== null && current === usable.name.digest) {
      options.note(`${familiar(reference)} is up to date (${current})`);
      return usable;
    }
  }
  await context.changing();
  const lease = await takeLease(layout);
  try {
    const entry = await fetchImage({ ...context, lease, repository }, { reference, named, wanted }, options);
    context.held.push(lease);
    return entry;
  } catch (error) {
    await lease.release();
    throw error;
  }
}

/** The platform to pull for: as asked, else this machine's. */
export function wantedPlatform(asked: string | null): Platform {
  if (asked === null) return normalPlatform({ os: "linux", architecture: arch(), variant: null });
  const parsed = parsePlatform(asked);
  if ("problem" in parsed) throw new Failure({ code: "E_IMAGE_PLATFORM", message: parsed.problem });
  return parsed;
}

interface Wanted {
  readonly reference: Reference;
  /** A tag or a digest. */
  readonly named: string;
  readonly wanted: Platform;
}

type Work = PullContext & { readonly lease: Lease; readonly repository: Repository };

async function fetchImage(work: Work, wanted: Wanted, options: PullOptions): Promise<Entry> {
  const { layout, lease, repository } = work;
  const { reference } = wanted;
  const { top, bottom, manifest } = await resolve(repository, wanted, options.signal);
  const [configuration, bytes] = await fetchConfiguration(work, manifest.config, { reference, signal: options.signal });
  const layers = pairs(manifest, configuration, reference);
  checkPlatform(configuration.platform, wanted, options);
  await lease.keep([
    bottom.digest,
    manifest.config.digest,
    ...layers.flatMap(({ diffId, descriptor }) => [diffId, descriptor.digest]),
    ...chainOf(configuration.diffIds),
  ]);
  const records = await completed(layout, await fetchLayers(work, layers, { reference, options }), {
    diffIds: configuration.diffIds,
    signal: options.signal,
  });
  const { domain, path } = partsOf(reference);
  const entry = await commitImage(layout, {
    reference,
    digest: top.digest,
    layers: records,
    documents: new Map([
      [bottom.digest, bottom.bytes],
      [manifest.config.digest, bytes],
    ]),
    record: {
      id: manifest.config.digest,
      manifest: { mediaType: bottom.mediaType, digest: bottom.digest },
      layers: layers.map(({ diffId, descriptor }, i) => ({ key: records[i]?.key ?? diffId, diffId, blob: descriptor })),
      origins: [`${domain}/${path}`],
    },
  });
  options.note(`digest: ${top.digest} (from ${top.host})`);
  return entry;
}

interface Resolved {
  /** What the name leads to: an index, or the manifest itself. */
  readonly top: Fetched;
  readonly bottom: Fetched & { readonly mediaType: string };
  readonly manifest: Manifest;
}

/** Follows indexes down to the manifest for the platform. */
async function resolve(repository: Repository, { reference, named, wanted }: Wanted, signal: AbortSignal): Promise<Resolved> {
  const top = await fetchManifest(repository, named, { what: reference, signal });
  const available = new Set<string>();
  const below = async (fetched: Fetched, depth: number): Promise<Omit<Resolved, "top"> | null> => {
    const parsed = parseManifest(fetched.bytes, fetched.contentType, reference);
    if (parsed.kind === "manifest") return { bottom: { ...fetched, mediaType: parsed.mediaType }, manifest: parsed };
    if (depth === INDEX_DEPTH)
      throw new Failure({
        code: "E_IMAGE_MANIFEST",
        message: `${reference} is not an image that can be used: its indexes lead to indexes more than ${INDEX_DEPTH} times`,
      });
    for (const { platform } of platformsOf(parsed)) available.add(formatPlatform(platform));
    for (const { digest } of choose(parsed, wanted).slice(0, MOST_INDEXES)) {
      const found = await below(await fetchManifest(repository, digest, { what: reference, signal }), depth + 1);
      if (found !== null) return found;
    }
    return null;
  };
  const found = await below(top, 0);
  if (found !== null) return { top, ...found };
  throw new Failure({
    code: "E_IMAGE_PLATFORM",
    message: `${reference} has no image for ${formatPlatform(wanted)}; it has ${[...available].join(", ") || "none at all"}`,
    hint: "choose one of those with `platform`, or an image that is built for this machine",
  });
}

async function fetchConfiguration(
  { layout, repository }: Work,
  descriptor: Descriptor,
  { reference, signal }: { readonly reference: Reference; readonly signal: AbortSignal },
): Promise<readonly [Configuration, Buffer]> {
  const bytes = readDocument(layout, descriptor.digest) ?? (await fetchDocument(repository, descriptor, { what: reference, signal }));
  return [parseConfiguration(bytes, reference), bytes];
}

interface LayerPair {
  readonly diffId: Digest;
  readonly descriptor: Descriptor;
}

function pairs({ layers }: Manifest, { diffIds }: Configuration, reference: Reference): readonly LayerPair[] {
  return shaped(reference, () => {
    if (layers.length !== diffIds.length)
      throw new WrongShape(`its list of ${layers.length} layers, with ${diffIds.length} in its configuration,`, "consistent");
    return layers.map((descriptor, i) => {
      const diffId = diffIds[i];
      if (diffId === undefined || algorithmOf(diffId) !== "sha256") throw new WrongShape(`rootfs.diff_ids[${i}]`, "a sha256 digest");
      return { diffId, descriptor };
    });
  });
}

/** An image that this machine cannot run is refused when the platform was asked for, and told of when it is all there is. */
function checkPlatform(platform: Platform, { reference, wanted }: Wanted, { platform: asked, note }: PullOptions): void {
  if (runsOn(platform, wanted)) return;
  const message = `${reference} is for ${formatPlatform(platform)}, not for ${formatPlatform(wanted)}`;
  if (asked !== null) throw new Failure({ code: "E_IMAGE_PLATFORM", message, hint: "choose another `platform`, or another image" });
  note(`${message}: it may not run here`);
}

function runsOn(platform: Platform, machine: Platform): boolean {
  return runnable(machine).some((acceptable) => formatPlatform(acceptable) === formatPlatform(platform));
}

/** All layers, in the order of the image. The largest begin first: they take longest. */
async function fetchLayers(
  work: Work,
  layers: readonly LayerPair[],
  { reference, options }: { readonly reference: Reference; readonly options: PullOptions },
): Promise<readonly LayerRecord[]> {
  const unique = [...new Map(layers.map((layer) => [layer.diffId, layer])).values()];
  for (const { descriptor } of unique) options.progress(shortDigest(descriptor.digest), "waiting", 0, descriptor.size);
  const records = new Map<Digest, LayerRecord>();
  const largestFirst = unique.toSorted((a, b) => b.descriptor.size - a.descriptor.size);
  const flushes: Promise<void>[] = [];
  await together(largestFirst, { limit: DOWNLOADS, signal: options.signal }, async (layer, signal) => {
    records.set(layer.diffId, await obtain(work, layer, { what: reference, options: { ...options, signal } }));
    // The disk gets to work on it while others are unpacked: what the image waits for in the end is then little.
    if (layer.descriptor.size >= LARGE && records.size < unique.length) flushes.push(flush(work.layout));
  });
  await Promise.all(flushes);
  return layers.map(({ diffId }) => {
    const record = records.get(diffId);
    if (record === undefined) throw new Error(`no layer ${diffId} after all were fetched`);
    return record;
  });
}

async function obtain(
  { layout, repository, pool }: Work,
  { diffId, descriptor }: LayerPair,
  { what, options }: { readonly what: string; readonly options: PullOptions },
): Promise<LayerRecord> {
  const { signal, progress } = options;
  const { size } = descriptor;
  const item = shortDigest(descriptor.digest);
  let fetched = false;
  let arrived = 0;
  const fill = async (directory: string) => {
    fetched = true;
    const kept = await fromBlob({ layout, pool }, { diffId, descriptor }, { directory });
    if (kept !== null) return kept;
    const source = { layout, repository, descriptor };
    const unpacked = await download(
      source,
      {
        what,
        signal,
        progress: (done) => {
          arrived = done;
          progress(item, "download", done, size);
        },
      },
      {
        consume: (bytes) =>
          pool.run({
            chunks: counted(bytes, (done) => {
              if (arrived === size) progress(item, "unpack", done, size);
            }),
            size,
            handsOver: true,
            options: { directory, standalone: false, algorithm: algorithmOf(descriptor.digest) },
          }),
        verify: (made) => {
          const { host } = repository.registry;
          if (made.digest !== descriptor.digest)
            throw mismatch(`a layer of ${what}`, { expected: descriptor.digest, got: made.digest, host });
          if (made.diffId !== diffId) throw mismatch(`the unpacked layer ${item} of ${what}`, { expected: diffId, got: made.diffId, host });
        },
      },
    );
    return unpacked;
  };
  const attempt = (): Promise<LayerRecord> =>
    obtainLayer(layout, diffId, { fill, signal }).catch((error: unknown) => {
      if (error instanceof StaleDownload) return attempt(); // what it began with is gone: it happens once
      if (isContentProblem(error) && repository.distrustMirrors("it sent something else than was asked for")) return attempt();
      throw error;
    });
  const record = await attempt();
  if (!fetched && (await blobSize(layout, descriptor.digest)) !== size) {
    // The layer is here from an image that had it compressed in another way: what a push of this one sends is kept as well.
    fetched = true;
    const told = (done: number): void => progress(item, "download", done, size);
    await fetchContent({ layout, repository, descriptor }, { what, signal, progress: told });
  }
  progress(item, fetched ? "unpacked" : "here already", size, size);
  return record;
}

/** Each layer as it has to be in its place. */
export async function completed(
  layout: Layout,
  records: readonly LayerRecord[],
  { diffIds, signal }: { readonly diffIds: readonly Digest[]; readonly signal: AbortSignal },
): Promise<readonly LayerRecord[]> {
  const chain = chainOf(diffIds);
  const whole: LayerRecord[] = [];
  for (const [i, record] of records.entries()) {
    const key = chain[i];
    whole.push(key === undefined ? record : await completeLayer(layout, key, { record, lower: [...whole] }, signal));
  }
  return whole;
}

async function* counted(bytes: AsyncIterable<Uint8Array>, tell: (done: number) => void): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of bytes) {
    done += chunk.length; // its memory may be handed on
    yield chunk;
    tell(done);
  }
}
