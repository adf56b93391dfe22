/** Reading small things from a registry or its mirrors: manifests and configurations, each verified against its digest. */
import type { IncomingMessage } from "node:http";
import { type Digest, parseDigest } from "../../model/digest.ts";
import { type Descriptor, refuseSchema1 } from "../manifest.ts";
import { ACCEPT } from "../media-types.ts";
import { fetchBlob } from "./blob.ts";
import { digestOf, mismatch, saidDigest } from "./digests.ts";
import { garbage } from "./problems.ts";
import { type Repository, readingFrom, type Source } from "./repository.ts";
import { discard, readBody } from "./transport.ts";

export interface Fetched {
  readonly bytes: Buffer;
  readonly digest: Digest;
  /** Without parameters; empty when the registry does not say. */
  readonly contentType: string;
  /** Who sent it. */
  readonly host: string;
}

export interface ReadOptions {
  /** The image that is read, for messages. */
  readonly what: string;
  readonly signal: AbortSignal;
}

/** Most bytes of a manifest or configuration. */
const DOCUMENT_LIMIT = 4 << 20;

/** The digest that a tag has now, or `null` when the registry does not say so without sending the manifest. */
export function resolveTag(repository: Repository, tag: string, options: ReadOptions): Promise<Digest | null> {
  return repository.read(async (source) => {
    const response = await source.registry.request({
      method: "HEAD",
      headers: { accept: ACCEPT },
      // A redirect may lead to storage that allows no HEAD: then the manifest itself is asked for. A mirror without the tag is left out.
      expect: source.mirrorOf === null ? [200, 403, 404, 405] : [200],
      warn: repository.warn,
      ...readingFrom(source, `manifests/${tag}`),
      ...options,
    });
    await discard(response);
    return response.statusCode === 200 ? saidDigest(response) : null;
  }, options.signal);
}

/** A manifest or index by tag or digest. */
export function fetchManifest(repository: Repository, tagOrDigest: string, options: ReadOptions): Promise<Fetched> {
  return repository.read((source) => manifestFrom(source, tagOrDigest, { ...options, warn: repository.warn }), options.signal);
}

/** A small blob, whole and verified. */
export async function fetchDocument(repository: Repository, descriptor: Descriptor, options: ReadOptions): Promise<Buffer> {
  const { host } = repository.registry;
  if (descriptor.size > DOCUMENT_LIMIT) throw garbage(host, `the configuration of ${options.what} has ${descriptor.size} bytes`);
  for (;;) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of fetchBlob(repository, descriptor, options)) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const digest = digestOf(bytes, descriptor.digest);
    if (digest === descriptor.digest) return bytes;
    if (!repository.distrustMirrors("it sent something else than was asked for"))
      throw mismatch(options.what, { expected: descriptor.digest, got: digest, host });
  }
}

async function manifestFrom(
  source: Source,
  tagOrDigest: string,
  { what, ...options }: ReadOptions & Pick<Repository, "warn">,
): Promise<Fetched> {
  const { host } = source.registry;
  const response = await source.registry.request({
    method: "GET",
    headers: { accept: ACCEPT, "accept-encoding": "identity" },
    expect: [200],
    what,
    ...readingFrom(source, `manifests/${tagOrDigest}`),
    ...options,
  });
  const contentType = (response.headers["content-type"] ?? "").replace(/;.*$/, "").trim();
  const encoding = response.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") {
    response.destroy();
    throw garbage(host, `it sends a manifest in the encoding ${encoding}, which was not asked for`);
  }
  const bytes = await document(response, host, what);
  refuseSchema1(contentType, what); // its digest is not that of its bytes
  const asked = parseDigest(tagOrDigest);
  const expected = typeof asked === "string" ? asked : saidDigest(response);
  const digest = digestOf(bytes, expected ?? undefined);
  if (expected !== null && digest !== expected) throw mismatch(what, { expected, got: digest, host });
  return { bytes, digest, contentType, host };
}

async function document(response: IncomingMessage, host: string, what: string): Promise<Buffer> {
  const bytes = await readBody(response, DOCUMENT_LIMIT);
  if (bytes === null) throw garbage(host, `the manifest of ${what} is longer than ${DOCUMENT_LIMIT} bytes`);
  return bytes;
}
