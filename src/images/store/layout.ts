/**
 * Where the store keeps what; no other file knows these names. All below one directory, open to its owner alone:
 *
 *   layers/<name>/               an unpacked layer; names are short, so that many fit into one mount
 *   records/layers/<hex>.json    what a layer directory holds, by diffID (or chainID, see fix-up); without it the directory means nothing
 *   records/images/<hex>.json    an image by its id, the digest of its configuration
 *   records/names/<hash>.json    which image a reference means
 *   blobs/<algorithm>/<hex>      configurations, manifests and compressed layers
 *   partials/<hex>[.json]        a blob on its way from a registry, and which parts of it have come: it is taken up again there
 *   claims/<name>.json           the process that fills a layer directory now
 *   leases/<uuid>.json           a process at work, and the content that must stay for it
 *   locks/…                      see `lib/file-lock`
 *   drafts/<lease>.<number>      a blob that is being written, a file of an archive that is being read
 *   trash/<uuid>                 on its way out
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { algorithmOf, type Digest, hexOf } from "../../model/digest.ts";
import type { Reference } from "../../model/reference.ts";

export interface Layout {
  readonly layers: string;
  readonly layerRecords: string;
  readonly imageRecords: string;
  readonly names: string;
  readonly claims: string;
  readonly leases: string;
  readonly drafts: string;
  readonly trash: string;
  readonly partials: string;
  /** One directory for each hash algorithm. */
  readonly blobs: readonly string[];
  /** Taken for moments: to begin work under a lease, and to collect. */
  readonly storeLock: string;
  readonly locks: string;
  layer(name: string): string;
  layerRecord(key: Digest): string;
  /** Held by who fills a layer. */
  layerLock(key: Digest): string;
  imageRecord(id: Digest): string;
  name(reference: Reference): string;
  claim(name: string): string;
  blob(digest: Digest): string;
  partial(digest: Digest): string;
}

export function layoutOf(directory: string): Layout {
  const at = (...parts: readonly string[]): string => join(directory, ...parts);
  return {
    layers: at("layers"),
    layerRecords: at("records", "layers"),
    imageRecords: at("records", "images"),
    names: at("records", "names"),
    claims: at("claims"),
    leases: at("leases"),
    drafts: at("drafts"),
    trash: at("trash"),
    partials: at("partials"),
    blobs: [at("blobs", "sha256"), at("blobs", "sha512")],
    storeLock: at("locks", "store"),
    locks: at("locks"),
    layer: (name) => at("layers", name),
    layerRecord: (key) => at("records", "layers", `${hexOf(key)}.json`),
    layerLock: (key) => at("locks", `layer-${hexOf(key)}`),
    imageRecord: (id) => at("records", "images", `${hexOf(id)}.json`),
    name: (reference) => at("records", "names", `${createHash("sha256").update(reference).digest("hex")}.json`),
    claim: (name) => at("claims", `${name}.json`),
    blob: (digest) => at("blobs", algorithmOf(digest), hexOf(digest)),
    partial: (digest) => at("partials", hexOf(digest)),
  };
}

/** Makes the store's directories. The one that is made last tells whether all are there. */
export async function prepare(layout: Layout): Promise<void> {
  const { layers, layerRecords, imageRecords, names, claims, leases, drafts, trash, blobs, partials } = layout;
  if (existsSync(partials)) return;
  for (const path of [layers, layerRecords, imageRecords, names, claims, leases, drafts, trash, ...blobs, partials])
    await mkdir(path, { recursive: true, mode: 0o700 });
}
