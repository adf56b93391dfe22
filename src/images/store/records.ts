/**
 * The store's records: what is in each file, and how it is read and written. A file of another shape is as good as none: it is never half
 * believed, what it held is fetched again, and `verify` tells of it.
 */
import { existsSync, readFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomic } from "../../lib/atomic-file.ts";
import { type Digest, parseDigest } from "../../model/digest.ts";
import { parseReference, type Reference } from "../../model/reference.ts";
import { count, fields, list, optional, parseJson, text, texts, WrongShape } from "../shape.ts";

export interface LayerRecord {
  /** What finds it: its diffID, or the chainID of a layer that was completed from those below it. */
  readonly key: Digest;
  readonly diffId: Digest;
  /** Directory name. */
  readonly name: string;
  /** Bytes of its files. */
  readonly size: number;
  /** The boot of the machine since which its files may not be on disk yet; `null`: they are. After a power cut such a layer is worth nothing. */
  readonly unsyncedSince: string | null;
  /** Latin1 paths, as everywhere where they come from archives. */
  readonly implicit: readonly string[];
  readonly opaque: readonly string[];
  readonly lowerLinks: readonly { readonly path: string; readonly target: string }[];
}

export interface ImageLayer {
  /** The record that holds it unpacked. */
  readonly key: Digest;
  readonly diffId: Digest;
  /** As its manifest names it. */
  readonly blob: { readonly mediaType: string; readonly digest: Digest; readonly size: number };
}

export interface ImageRecord {
  /** Digest of the configuration, which is among the blobs; so is the manifest. */
  readonly id: Digest;
  readonly manifest: { readonly mediaType: string; readonly digest: Digest };
  /** The lowest first. */
  readonly layers: readonly ImageLayer[];
  /** Repositories that have its layers' blobs: `domain/path`. */
  readonly origins: readonly string[];
}

export interface NameRecord {
  readonly reference: Reference;
  readonly id: Digest;
  /** Digest of the manifest or index that the registry has under the name; `null` when it never was in one. */
  readonly digest: Digest | null;
}

export async function readLayerRecord(path: string): Promise<LayerRecord | null> {
  return read(path, (value) => {
    const record = fields(value, "layer record");
    return {
      key: digestOf(record["key"], "key"),
      diffId: digestOf(record["diffId"], "diffId"),
      name: directoryName(record["name"]),
      size: count(record["size"], "size"),
      unsyncedSince: optional(record["unsyncedSince"], "unsyncedSince", text),
      implicit: texts(record["implicit"], "implicit"),
      opaque: texts(record["opaque"], "opaque"),
      lowerLinks: list(record["lowerLinks"], "lowerLinks").map((item) => {
        const link = fields(item, "link");
        return { path: text(link["path"], "path"), target: text(link["target"], "target") };
      }),
    };
  });
}

export async function readImageRecord(path: string): Promise<ImageRecord | null> {
  return read(path, (value) => {
    const record = fields(value, "image record");
    const manifest = fields(record["manifest"], "manifest");
    return {
      id: digestOf(record["id"], "id"),
      manifest: { mediaType: text(manifest["mediaType"], "mediaType"), digest: digestOf(manifest["digest"], "digest") },
      layers: list(record["layers"], "layers").map((item) => {
        const layer = fields(item, "layer");
        const blob = fields(layer["blob"], "blob");
        return {
          key: digestOf(layer["key"], "key"),
          diffId: digestOf(layer["diffId"], "diffId"),
          blob: {
            mediaType: text(blob["mediaType"], "mediaType"),
            digest: digestOf(blob["digest"], "digest"),
            size: count(blob["size"], "size"),
          },
        };
      }),
      origins: texts(record["origins"], "origins"),
    };
  });
}

export async function readNameRecord(path: string): Promise<NameRecord | null> {
  return read(path, (value) => {
    const record = fields(value, "name record");
    const reference = parseReference(text(record["reference"], "reference"));
    if (typeof reference !== "string") throw new WrongShape("reference", `a reference: ${reference.problem}`);
    return { reference, id: digestOf(record["id"], "id"), digest: optional(record["digest"], "digest", digestOf) };
  });
}

/** Every record of a directory that can be read; those that vanish meanwhile are left out. */
export async function readAll<T>(directory: string, readOne: (path: string) => Promise<T | null>): Promise<readonly T[]> {
  return (await readEvery(directory, readOne)).records;
}

/** Every record of a directory, and the paths of those that cannot be read. */
export async function readEvery<T>(
  directory: string,
  readOne: (path: string) => Promise<T | null>,
): Promise<{ readonly records: readonly T[]; readonly damaged: readonly string[] }> {
  const records: T[] = [];
  const damaged: string[] = [];
  for (const name of await readdir(directory)) {
    if (!name.endsWith(".json")) continue;
    const path = join(directory, name);
    const record = await readOne(path);
    if (record !== null) records.push(record);
    else if (existsSync(path)) damaged.push(path);
  }
  return { records, damaged };
}

/** Not synced: the writer decides when a set of records has to be on disk. */
export async function writeRecord(
  path: string,
  record: LayerRecord | ImageRecord | NameRecord,
  options: { readonly durable: boolean },
): Promise<void> {
  await writeAtomic(path, `${JSON.stringify(record)}\n`, options);
}

export async function removeRecord(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** Records are small: for thousands of them a read here and now takes a fraction of what a way through other threads does. */
async function read<T>(path: string, parse: (value: unknown) => T): Promise<T | null> {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  try {
    return parse(parseJson(content, "the record"));
  } catch (error) {
    if (error instanceof WrongShape) return null;
    throw error;
  }
}

function digestOf(value: unknown, where: string): Digest {
  const digest = parseDigest(text(value, where));
  if (typeof digest !== "string") throw new WrongShape(where, digest.problem);
  return digest;
}

function directoryName(value: unknown): string {
  const name = text(value, "name");
  if (!/^[0-9a-z]{1,6}$/.test(name)) throw new WrongShape("name", "a layer directory's");
  return name;
}
