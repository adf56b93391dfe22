/** An image store of its own for one test. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ImageStore, openStore } from "../../src/images/images.ts";
import { type Layout, layoutOf } from "../../src/images/store/layout.ts";
import { type ImageOfLayers, layoutArchive } from "./image-archive.ts";
import { type TarEntry, tar } from "./tar.ts";

export interface TestStore {
  readonly directory: string;
  readonly layout: Layout;
  readonly store: ImageStore;
  /** Loads images; gives nothing, since their ids are known before. */
  load(...images: readonly ImageOfLayers[]): Promise<void>;
  /** Another process's view of it. To be closed. */
  again(): ImageStore;
  dispose(): Promise<void>;
}

export const SIGNAL = new AbortController().signal;
export const NO_USERS = new Map();

export async function makeStore(): Promise<TestStore> {
  const directory = await mkdtemp(join(tmpdir(), "wharf-store-"));
  const again = (): ImageStore => openStore({ directory, env: { HOME: directory }, insecureRegistries: [] });
  const store = again();
  return {
    directory,
    layout: layoutOf(directory),
    store,
    load: async (...images) => {
      await store.load(chunksOf(layoutArchive(images)), () => {}, SIGNAL);
    },
    again,
    dispose: async () => {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A test's body that has a store to itself. */
export function inStore(body: (test: TestStore) => Promise<void>): () => Promise<void> {
  return async () => {
    const test = await makeStore();
    try {
      await body(test);
    } finally {
      await test.dispose();
    }
  };
}

/** A layer with these files. */
export function layer(files: Readonly<Record<string, string>>, more: readonly TarEntry[] = []): Buffer {
  return tar([...Object.entries(files).map(([path, content]): TarEntry => ({ path, content })), ...more]);
}

export async function* chunksOf(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** What work in progress has in a store, and layer directories that nothing names: nothing when nobody is at work. */
export async function unfinished(layout: Layout): Promise<readonly string[]> {
  const names = async (directory: string): Promise<readonly string[]> => readdir(directory).catch(() => []);
  const recorded = new Set<string>();
  for (const name of await names(layout.layerRecords)) {
    if (name.endsWith(".tmp")) continue;
    const record: { readonly name: string } = JSON.parse(await readFile(join(layout.layerRecords, name), "utf8"));
    recorded.add(record.name);
  }
  const orphans = (await names(layout.layers)).filter((name) => !recorded.has(name)).map((name) => `layers/${name}`);
  const work = await Promise.all(
    ["claims", "leases", "drafts", "trash", "locks", "partials"].map(async (kind) => {
      const found = await names(join(layout.layers, "..", kind));
      return found.map((name) => `${kind}/${name}`);
    }),
  );
  const directories = [layout.layerRecords, layout.imageRecords, layout.names, ...layout.blobs];
  const temporary = await Promise.all(
    directories.map(async (directory) => (await names(directory)).filter((name) => name.endsWith(".tmp"))),
  );
  return [...orphans, ...work.flat(), ...temporary.flat()];
}
