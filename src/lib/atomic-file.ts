import { randomUUID } from "node:crypto";
import { link, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

export interface WriteOptions {
  /** Permission bits, 0600 unless given. */
  readonly mode?: number;
  /** `false`: skip the syncs, for files that need not outlive a power cut. */
  readonly durable?: boolean;
}

/** Writes a file so that readers see the old or the new content, never a part: temporary file beside it, sync, rename, sync of the directory. */
export async function writeAtomic(path: string, content: string | Uint8Array, options: WriteOptions = {}): Promise<void> {
  await place(path, content, options, (temporary) => rename(temporary, path));
}

/** As `writeAtomic`, but only where nothing is yet: gives `false` when the path exists. */
export async function createAtomic(path: string, content: string | Uint8Array, options: WriteOptions = {}): Promise<boolean> {
  let made = true;
  await place(path, content, options, async (temporary) => {
    try {
      await link(temporary, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      made = false;
    }
    await rm(temporary);
  });
  return made;
}

async function place(
  path: string,
  content: string | Uint8Array,
  options: WriteOptions,
  commit: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`; // same directory: rename is atomic only within one file system
  const durable = options.durable ?? true;
  try {
    const file = await open(temporary, "wx", options.mode ?? 0o600);
    try {
      await file.writeFile(content);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    await commit(temporary);
    if (durable) await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes a rename or a new name in a directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
