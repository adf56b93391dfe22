/** Unpacks archives into directories that are gone after the test. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "uvu";
import { type Unpacked, type UnpackOptions, unpackLayer } from "../../src/images/unpack/unpack.ts";
import { Failure } from "../../src/model/diagnostic.ts";
import { readTree, type Tree } from "./tree.ts";

export interface Layer {
  readonly directory: string;
  readonly unpacked: Unpacked;
  readonly tree: Tree;
}

export interface Options extends Partial<Omit<UnpackOptions, "directory">> {
  /** Bytes of each chunk; all at once unless given. */
  readonly split?: number;
}

/** Owners, devices and most attributes can only be set by root. */
export function asRoot(it: Test): (name: string, test: () => void | Promise<void>) => void {
  return process.geteuid?.() === 0 ? it : (name, test) => it.skip(`${name} (needs root)`, test);
}

/** Runs the work with a directory of its own. In memory where there is such a place: file systems on disk are slow after removals. */
export async function withDirectory<T>(work: (directory: string) => T | Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wharf-test-"));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export async function withLayer(archive: Buffer, work: (layer: Layer) => void | Promise<void>, options: Options = {}): Promise<void> {
  await withDirectory(async (directory) => {
    const { split, ...others } = options;
    const unpacked = await unpackLayer(chunks(archive, split), { directory, standalone: false, ...others });
    await work({ directory, unpacked, tree: readTree(directory) });
  });
}

/** The codes and the message of the failure that an archive ends in. */
export async function refusal(archive: Buffer, options: Options = {}): Promise<string> {
  try {
    await withLayer(archive, () => {}, options);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.diagnostics.map(({ code, message }) => `${code} ${message}`).join("\n");
  }
  throw new Error("the archive was unpacked");
}

export async function* chunks(archive: Buffer, split = archive.length): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < archive.length; at += Math.max(1, split)) yield archive.subarray(at, at + Math.max(1, split));
}

/** Kind, mode and owner of each path, without what is beside the point in most tests. */
export function outline({ tree }: Layer): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...tree].filter(([path]) => path !== ".").map(([path, line]) => [path, line.split(" ").slice(0, 3).join(" ")]),
  );
}
