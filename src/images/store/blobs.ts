/** Content by its digest: small documents, and compressed layers of images that were made on this machine. */
import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createAtomic, writeAtomic } from "../../lib/atomic-file.ts";
import { algorithmOf, type Digest, hexOf } from "../../model/digest.ts";
import type { Layout } from "./layout.ts";
import type { Lease } from "./lease.ts";

/**
 * Puts verified bytes under their digest; they are on disk for good with the next sync. What is there already stays, unless it is something
 * else: then it was damaged.
 */
export async function putBlob(layout: Layout, digest: Digest, bytes: Uint8Array): Promise<void> {
  const path = layout.blob(digest);
  const made = await createAtomic(path, bytes, { durable: false });
  if (!made && readDocument(layout, digest) === null) await writeAtomic(path, bytes);
}

/** A small blob that is what its digest says; `null` where it is missing or damaged. */
export function readDocument(layout: Layout, digest: Digest): Buffer | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(layout.blob(digest)); // at once, as records are read
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  return createHash(algorithmOf(digest)).update(bytes).digest("hex") === hexOf(digest) ? bytes : null;
}

export async function readBlob(layout: Layout, digest: Digest): Promise<Buffer> {
  return readFile(layout.blob(digest));
}

export async function blobSize(layout: Layout, digest: Digest): Promise<number | null> {
  try {
    return (await stat(layout.blob(digest))).size;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** The bytes from an offset to before another. */
export function streamBlob(layout: Layout, digest: Digest, { from, to }: { readonly from: number; readonly to: number }): Readable {
  return createReadStream(layout.blob(digest), { start: from, end: to - 1, highWaterMark: 1 << 18 });
}

/** Makes a file of the store's own, whose content was verified, a blob. */
export async function adoptBlob(layout: Layout, digest: Digest, path: string): Promise<void> {
  await rename(path, layout.blob(digest));
}

/** A blob in the making. */
export interface Draft {
  readonly path: string;
  write(chunk: Uint8Array): Promise<void>;
  /** Puts it under its digest. */
  commit(digest: Digest): Promise<void>;
  discard(): Promise<void>;
}

/** Begins a blob under a lease: when its process dies, what it wrote is swept. */
export async function openDraft(layout: Layout, lease: Lease): Promise<Draft> {
  const path = draftPath(layout, lease);
  const file = await open(path, "wx", 0o600);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await file.close();
    isOpen = false;
  };
  return {
    path,
    write: (chunk) => file.writeFile(chunk),
    commit: async (digest) => {
      await close();
      await rename(path, layout.blob(digest));
    },
    discard: async () => {
      await close();
      await rm(path, { force: true });
    },
  };
}

/** A file of its own for a process at work; it starts with the lease's id, by which the sweeper knows whose it is. */
export function draftPath(layout: Layout, lease: Lease): string {
  drafts += 1;
  return join(layout.drafts, `${lease.id}.${drafts}`);
}

/** The id of the lease that a draft belongs to. */
export function leaseOfDraft(name: string): string {
  return name.slice(0, name.indexOf("."));
}

let drafts = 0;
