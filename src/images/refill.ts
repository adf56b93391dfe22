/** Makes unpacked layers again from what is kept of them. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { algorithmOf, type Digest } from "../model/digest.ts";
import { isContentProblem } from "./download.ts";
import type { Descriptor } from "./manifest.ts";
import { blobSize, streamBlob } from "./store/blobs.ts";
import type { Layout } from "./store/layout.ts";
import type { UnpackPool } from "./unpack/pool.ts";
import type { Unpacked } from "./unpack/unpack.ts";

/**
 * Unpacks a layer from its blob into an empty directory. `null` where no whole blob is kept: the directory is empty then as before, and a blob that
 * turned out to be damaged is gone.
 */
export async function fromBlob(
  { layout, pool }: { readonly layout: Layout; readonly pool: UnpackPool },
  { diffId, descriptor }: { readonly diffId: Digest; readonly descriptor: Descriptor },
  { directory }: { readonly directory: string },
): Promise<Unpacked | null> {
  const { digest, size } = descriptor;
  const kept = await blobSize(layout, digest);
  if (kept === null) return null;
  try {
    const made = await pool.run({
      chunks: streamBlob(layout, digest, { from: 0, to: kept }),
      size: kept,
      options: { directory, standalone: false, algorithm: algorithmOf(digest) },
    });
    if (made.digest === digest && made.diffId === diffId && kept === size) return made;
  } catch (error) {
    if (!isContentProblem(error)) throw error;
  }
  await rm(layout.blob(digest), { force: true });
  for (const name of await readdir(directory, { encoding: "buffer" }))
    await rm(Buffer.concat([Buffer.from(join(directory, "/")), name]), { recursive: true, force: true });
  return null;
}
