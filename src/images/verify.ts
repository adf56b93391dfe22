/** Holds what the store has against its digests and records, and makes again what is damaged. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { Damage, VerifyOptions } from "../engine/images.ts";
import { Failure } from "../model/diagnostic.ts";
import { algorithmOf, type Digest, hexOf, shortDigest } from "../model/digest.ts";
import { familiar } from "../model/reference.ts";
import { compareTrees, type Difference, tellDifferences } from "./compare-trees.ts";
import { isContentProblem } from "./download.ts";
import type { PullContext } from "./pull.ts";
import { repairImage } from "./repair.ts";
import { blobSize, readDocument, streamBlob } from "./store/blobs.ts";
import { findImage, namesOf } from "./store/catalog.ts";
import { claimDirectory, findLayer } from "./store/layers.ts";
import type { Layout } from "./store/layout.ts";
import {
  type ImageLayer,
  type ImageRecord,
  readEvery,
  readImageRecord,
  readLayerRecord,
  readNameRecord,
  removeRecord,
} from "./store/records.ts";
import type { ImageUsers } from "./store/remove.ts";
import { treeSize } from "./tree-size.ts";
import type { UnpackPool } from "./unpack/pool.ts";

export interface Checked {
  readonly layout: Layout;
  readonly pool: UnpackPool;
  readonly signal: AbortSignal;
}

/** A part of an image that is not what it should be. */
export type Fault =
  | { readonly kind: "manifest" | "configuration"; readonly digest: Digest; readonly problem: string }
  | { readonly kind: "content" | "layer"; readonly layer: ImageLayer; readonly problem: string };

export async function verifyImages(
  context: PullContext,
  wanted: readonly string[],
  options: VerifyOptions & { readonly users: ImageUsers; readonly signal: AbortSignal },
): Promise<readonly Damage[]> {
  const { layout, pool } = context;
  const { signal } = options;
  const damages: Damage[] = wanted.length === 0 ? [...(await checkRecords(layout, options.repair))] : [];
  const seen = new Set<string>();
  for (const image of await imagesOf(layout, wanted)) {
    const [name] = await namesOf(layout, image.id);
    const label = name === undefined ? hexOf(image.id).slice(0, 12) : familiar(name.reference);
    const faults: Fault[] = [];
    for await (const fault of faultsOf({ layout, pool, signal }, image, seen)) faults.push(fault);
    const done =
      faults.length > 0 && options.repair
        ? await repairImage(context, { image, faults }, { ...options, what: label })
        : new Map<Fault, string | null>();
    for (const fault of faults)
      damages.push({
        image: label,
        part: partOf(fault),
        problem: fault.problem,
        repaired: done.has(fault) && done.get(fault) === null,
        why: done.get(fault) ?? null,
      });
  }
  return damages;
}

function partOf(fault: Fault): string {
  if (fault.kind === "layer") return `layer ${shortDigest(fault.layer.diffId)}`;
  return fault.kind === "content" ? `content ${shortDigest(fault.layer.blob.digest)}` : fault.kind;
}

async function imagesOf(layout: Layout, wanted: readonly string[]): Promise<readonly ImageRecord[]> {
  if (wanted.length === 0) return (await readEvery(layout.imageRecords, readImageRecord)).records;
  const images = new Map<Digest, ImageRecord>();
  for (const name of wanted) {
    const found = await findImage(layout, name);
    if (found === null) throw new Failure({ code: "E_IMAGE_ABSENT", message: `there is no image ${name} in the store` });
    images.set(found.image.id, found.image);
  }
  return [...images.values()];
}

/** Records that cannot be read, and names that lead nowhere. A repair takes them away: nothing tells what they said. */
async function checkRecords(layout: Layout, repair: boolean): Promise<readonly Damage[]> {
  const images = await readEvery(layout.imageRecords, readImageRecord);
  const names = await readEvery(layout.names, readNameRecord);
  const layers = await readEvery(layout.layerRecords, readLayerRecord);
  const ids = new Set(images.records.map(({ id }) => id));
  const lost: Damage[] = [...images.damaged, ...names.damaged].map((path) => ({
    image: basename(path),
    part: "record",
    problem: "cannot be read",
    repaired: false,
    why: repair ? "what it said is lost, and it was removed: pull, load or import the image again" : null,
  }));
  const loose = names.records.filter(({ id }) => !ids.has(id));
  const nowhere = loose.map(
    ({ reference }): Damage => ({
      image: familiar(reference),
      part: "name",
      problem: "is that of an image that is not here",
      repaired: false,
      why: repair ? "the name was removed: pull, load or import the image again" : null,
    }),
  );
  // What a layer's record said is found out again with the layer.
  for (const path of repair ? [...images.damaged, ...names.damaged, ...layers.damaged] : []) await removeRecord(path);
  for (const { reference } of repair ? loose : []) await removeRecord(layout.name(reference));
  return [...lost, ...nowhere];
}

/** What is wrong with an image. What was `seen` with another image is not told again. */
async function* faultsOf(checked: Checked, image: ImageRecord, seen: Set<string>): AsyncGenerator<Fault> {
  const { layout } = checked;
  for (const [kind, digest] of [
    ["manifest", image.manifest.digest],
    ["configuration", image.id],
  ] as const)
    if (first(seen, digest) && readDocument(layout, digest) === null)
      yield { kind, digest, problem: await documentProblem(layout, digest) };
  for (const layer of image.layers) {
    checked.signal.throwIfAborted();
    const content = first(seen, `blob ${layer.blob.digest}`) ? await blobProblem(checked, layer.blob) : null;
    if (content !== null) yield { kind: "content", layer, problem: content };
    const tree = first(seen, `layer ${layer.key}`) ? await layerProblem(checked, layer, content === null) : null;
    if (tree !== null) yield { kind: "layer", layer, problem: tree };
  }
}

function first(seen: Set<string>, key: string): boolean {
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

async function documentProblem(layout: Layout, digest: Digest): Promise<string> {
  return (await blobSize(layout, digest)) === null ? "is missing" : "is not what its digest says";
}

async function blobProblem({ layout, signal }: Checked, { digest, size }: ImageLayer["blob"]): Promise<string | null> {
  const kept = await blobSize(layout, digest);
  if (kept === null) return "is missing";
  if (kept !== size) return `has ${kept} bytes of ${size}`;
  const hash = createHash(algorithmOf(digest));
  for await (const chunk of streamBlob(layout, digest, { from: 0, to: size })) {
    signal.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest("hex") === hexOf(digest) ? null : "is not what its digest says";
}

/**
 * What is wrong with an unpacked layer. Where its blob is whole (`hasBlob`) each of its files is held against it; one that was completed from the
 * layers below it (see `complete.ts`) is no longer what its blob says, and is weighed as a whole.
 */
async function layerProblem({ layout, pool, signal }: Checked, layer: ImageLayer, hasBlob: boolean): Promise<string | null> {
  const record = await findLayer(layout, layer.key);
  if (record === null) return "is missing";
  const directory = layout.layer(record.name);
  const differences = hasBlob && layer.key === layer.diffId ? await differencesOf(directory, layer, { layout, pool, signal }) : null;
  if (differences !== null) return tellDifferences(differences);
  const size = await treeSize(directory);
  return size === record.size ? null : `has files of ${size} bytes, not of ${record.size}`;
}

/** File systems take the time from a clock that is this coarse at most. */
const CLOCK_TICK_MS = 100;

/** Unpacks a blob once more, without the content of files, and compares. `null` where the blob cannot be unpacked as that layer. */
async function differencesOf(
  directory: string,
  { diffId, blob }: ImageLayer,
  { layout, pool, signal }: Checked,
): Promise<readonly Difference[] | null> {
  const claim = await claimDirectory(layout);
  try {
    const since = Date.now() - CLOCK_TICK_MS;
    const made = await pool.run({
      chunks: streamBlob(layout, blob.digest, { from: 0, to: blob.size }),
      size: blob.size,
      options: { directory: claim.path, standalone: false, algorithm: algorithmOf(blob.digest), hollow: true },
    });
    if (made.diffId !== diffId) return null;
    return await compareTrees(directory, { expected: claim.path, since, signal });
  } catch (error) {
    if (!isContentProblem(error)) throw error;
    return null;
  } finally {
    await claim.discard();
  }
}
