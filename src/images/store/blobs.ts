/** Content by its digest: small documents, and compressed layers of images that were made on this machine. */
import { createReadStream } from "node:fs";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createAtomic } from "../../lib/atomic-file.ts";
import type { Digest } from "../../model/digest.ts";
import type { Layout } from "./layout.ts";
import type { Lease } from "./lease.ts";

/** Puts verified bytes under their digest. What is there already stays. */
export async function putBlob(layout: Layout, digest: Digest, bytes: Uint8Array): Promise<void> {
  await createAtomic(layout.blob(digest), bytes);
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

/** A blob in the making. */
export interface Draft {
  write(chunk: Uint8Array): Promise<void>;
  /** Synced and under its digest. */
  commit(digest: Digest): Promise<void>;
  discard(): Promise<void>;
}

/** Begins a blob under a lease: when its process dies, what it wrote is swept. */
export async function openDraft(layout: Layout, lease: Lease): Promise<Draft> {
  const path = join(layout.drafts, lease.id);
  const file = await open(path, "wx", 0o600);
  return {
    write: (chunk) => file.writeFile(chunk),
    commit: async (digest) => {
      await file.sync();
      await file.close();
      await rename(path, layout.blob(digest));
    },
    discard: async () => {
      await file.close();
      await rm(path, { force: true });
    },
  };
}
