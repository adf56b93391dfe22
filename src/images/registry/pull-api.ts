/** Reading from a registry: manifests and blobs of one repository, each verified against its digest. */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Failure } from "../../model/diagnostic.ts";
import { algorithmOf, type Digest, parseDigest } from "../../model/digest.ts";
import type { Descriptor } from "../manifest.ts";
import { ACCEPT } from "../media-types.ts";
import type { Registry } from "./client.ts";
import { garbage, unreachable } from "./problems.ts";
import { bodyOf, discard, readBody, TransportError } from "./transport.ts";

export interface Fetched {
  readonly bytes: Buffer;
  readonly digest: Digest;
  /** Without parameters; empty when the registry does not say. */
  readonly contentType: string;
}

export interface Repository {
  readonly registry: Registry;
  /** Below the registry: `library/nginx`. */
  readonly path: string;
}

/** Most bytes of a manifest or configuration. */
const DOCUMENT_LIMIT = 4 << 20;
/** Broken connections of one blob without a byte between them that are put up with. */
const RECONNECTS = 5;

/** The digest that a tag has now, or `null` when the registry does not say so without sending the manifest. */
export async function resolveTag(
  repository: Repository,
  tag: string,
  options: { readonly what: string; readonly signal: AbortSignal },
): Promise<Digest | null> {
  const { registry, path } = repository;
  const response = await registry.request({
    method: "HEAD",
    path: `/v2/${path}/manifests/${tag}`,
    headers: { accept: ACCEPT },
    scope: pullScope(path),
    expect: [200, 403, 404, 405], // a redirect may lead to storage that allows no HEAD: then the manifest itself is asked for
    ...options,
  });
  await discard(response);
  return response.statusCode === 200 ? saidDigest(response) : null;
}

/** A manifest or index by tag or digest. */
export async function fetchManifest(
  repository: Repository,
  tagOrDigest: string,
  options: { readonly what: string; readonly signal: AbortSignal },
): Promise<Fetched> {
  const { registry, path } = repository;
  const response = await registry.request({
    method: "GET",
    path: `/v2/${path}/manifests/${tagOrDigest}`,
    headers: { accept: ACCEPT, "accept-encoding": "identity" },
    scope: pullScope(path),
    expect: [200],
    ...options,
  });
  const bytes = await document(response, registry.host, options.what);
  const asked = parseDigest(tagOrDigest);
  const expected = typeof asked === "string" ? asked : saidDigest(response);
  const digest = digestOf(bytes, expected ?? undefined);
  if (expected !== null && digest !== expected) throw mismatch(options.what, { expected, got: digest, host: registry.host });
  const contentType = (response.headers["content-type"] ?? "").replace(/;.*$/, "").trim();
  return { bytes, digest, contentType };
}

/** A small blob, whole and verified. */
export async function fetchDocument(
  repository: Repository,
  descriptor: Descriptor,
  options: { readonly what: string; readonly signal: AbortSignal },
): Promise<Buffer> {
  const { registry } = repository;
  if (descriptor.size > DOCUMENT_LIMIT) throw garbage(registry.host, `the configuration of ${options.what} has ${descriptor.size} bytes`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of fetchBlob(repository, descriptor, options)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const digest = digestOf(bytes, descriptor.digest);
  if (digest !== descriptor.digest) throw mismatch(options.what, { expected: descriptor.digest, got: digest, host: registry.host });
  return bytes;
}

export interface Span {
  /** The first byte wanted, and the one behind the last. */
  readonly from: number;
  readonly to: number;
}

/**
 * The bytes of a part of a blob as they come. A connection that breaks is taken up again where it broke. Gives exactly the bytes of the span
 * or throws; whether they are the right ones is for the caller to see, who hashes them anyway. `onAnswer` is called before the first byte: a
 * registry that knows no ranges sends all of the blob, and the span then goes to the blob's end.
 */
export async function* fetchBlob(
  repository: Repository,
  descriptor: Descriptor,
  options: { readonly what: string; readonly signal: AbortSignal; readonly span?: Span; readonly onAnswer?: (whole: boolean) => void },
): AsyncGenerator<Uint8Array> {
  const { registry, path } = repository;
  const { what, signal, span = { from: 0, to: descriptor.size } } = options;
  let offset = span.from;
  let to = span.to;
  for (let broken = 0; ; ) {
    const before = offset;
    const response = await registry.request({
      method: "GET",
      path: `/v2/${path}/blobs/${descriptor.digest}`,
      headers: {
        accept: `${descriptor.mediaType}, */*`,
        "accept-encoding": "identity",
        ...(to < descriptor.size ? { range: `bytes=${offset}-${to - 1}` } : offset > 0 ? { range: `bytes=${offset}-` } : {}),
      },
      scope: pullScope(path),
      expect: [200, 206],
      what,
      signal,
    });
    let skip = startsAt(response, offset, registry.host);
    const whole = response.statusCode === 200 && to < descriptor.size;
    if (whole) to = descriptor.size;
    options.onAnswer?.(whole);
    try {
      for await (const chunk of bodyOf(response)) {
        const fresh = chunk.subarray(skip);
        skip -= chunk.length - fresh.length;
        offset += fresh.length;
        if (offset > to) throw tooLong(what, { descriptor, host: registry.host });
        if (fresh.length > 0) yield fresh;
      }
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      broken = offset > before ? 1 : broken + 1;
      if (broken > RECONNECTS) throw unreachable(error);
      continue;
    }
    if (offset === to) return;
    broken = offset > before ? 1 : broken + 1;
    if (broken > RECONNECTS) throw garbage(registry.host, `a blob of ${what} ends after ${offset} of ${descriptor.size} bytes`);
  }
}

export function pullScope(path: string): string {
  return `repository:${path}:pull`;
}

export function digestOf(bytes: Uint8Array, like?: Digest): Digest {
  const algorithm = like === undefined ? "sha256" : algorithmOf(like);
  const digest = parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`);
  if (typeof digest !== "string") throw new Error(digest.problem);
  return digest;
}

export function mismatch(
  what: string,
  { expected, got, host }: { readonly expected: string; readonly got: string; readonly host: string },
): Failure {
  return new Failure({
    code: "E_DIGEST_MISMATCH",
    message: `${host} sent something else than was asked for: ${what} should have the digest ${expected} and has ${got}`,
    hint: "try again; if it stays, the registry or a proxy before it is broken",
  });
}

/** How many bytes of an answer are to be left out, so that what follows goes on at `offset`. */
function startsAt(response: IncomingMessage, offset: number, host: string): number {
  const encoding = response.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") throw garbage(host, `it sends a blob in the encoding ${encoding}, which was not asked for`);
  if (response.statusCode === 200) return offset; // it does not know ranges and begins again
  const range = /^bytes (\d+)-/.exec(response.headers["content-range"] ?? "");
  if (Number(range?.[1]) !== offset) throw garbage(host, "it sends another part of a blob than was asked for");
  return 0;
}

async function document(response: IncomingMessage, host: string, what: string): Promise<Buffer> {
  const bytes = await readBody(response, DOCUMENT_LIMIT);
  if (bytes === null) throw garbage(host, `the manifest of ${what} is longer than ${DOCUMENT_LIMIT} bytes`);
  return bytes;
}

function saidDigest(response: IncomingMessage): Digest | null {
  const said = response.headers["docker-content-digest"];
  const digest = parseDigest(typeof said === "string" ? said : "");
  return typeof digest === "string" ? digest : null;
}

function tooLong(what: string, { descriptor, host }: { readonly descriptor: Descriptor; readonly host: string }): Failure {
  return new Failure({
    code: "E_DIGEST_MISMATCH",
    message: `${host} sent more for ${descriptor.digest} of ${what} than the ${descriptor.size} bytes that it should have`,
  });
}
