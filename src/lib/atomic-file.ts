import { linkSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { open, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { identify } from "./process-identity.ts";

export interface WriteOptions {
  /** Permission bits, 0600 unless given. */
  readonly mode?: number;
  /** `false`: skip the syncs, for files that need not outlive a power cut. */
  readonly durable?: boolean;
}

/** Writes a file so that readers see the old or the new content, never a part: temporary file beside it, sync, rename, sync of the directory. */
export async function writeAtomic(path: string, content: string | Uint8Array, options: WriteOptions = {}): Promise<void> {
  await place(path, content, options, (temporary) => renameSync(temporary, path));
}

/** As `writeAtomic`, but only where nothing is yet: gives `false` when the path exists. */
export async function createAtomic(path: string, content: string | Uint8Array, options: WriteOptions = {}): Promise<boolean> {
  let made = true;
  await place(path, content, options, (temporary) => {
    try {
      linkSync(temporary, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      made = false;
    }
    unlinkSync(temporary);
  });
  return made;
}

async function place(
  path: string,
  content: string | Uint8Array,
  options: WriteOptions,
  commit: (temporary: string) => void,
): Promise<void> {
  const temporary = `${path}${temporarySuffix()}`; // same directory: rename is atomic only within one file system
  const durable = options.durable ?? true;
  try {
    const mode = options.mode ?? 0o600;
    if (durable) await writeSynced(temporary, content, mode);
    else writeFileSync(temporary, content, { flag: "wx", mode }); // sooner done than given to a thread
    commit(temporary);
    if (durable) await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** JSON of a file that was not waited for (`durable: false`); `null` for what a power cut leaves of one: its name, and nothing or not all of its text. */
export function parseWritten<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

async function writeSynced(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Removes temporary files that writers left in a directory when they were killed. Those of live writers stay. */
export async function sweepTemporaries(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const [, pid, start] = TEMPORARY.exec(name) ?? [];
    if (pid !== undefined && identify(Number(pid))?.start !== start) await rm(join(directory, name), { force: true });
  }
}

/** Whether a file name is one of a temporary file of ours. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
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

const TEMPORARY = /\.(\d+)-(\d+)-\d+\.tmp$/;

let count = 0;
let writer: string | undefined;

/** Names its writer, so that a leftover can be told from a file that is being written. */
function temporarySuffix(): string {
  writer ??= `${process.pid}-${identify(process.pid)?.start ?? 0}`;
  count += 1;
  return `.${writer}-${count}.tmp`;
}
