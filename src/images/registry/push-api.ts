/** Writing to a registry: blobs and manifests of one repository. What is there already is not sent. */
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { type Digest, parseDigest } from "../../model/digest.ts";
import { garbage } from "./problems.ts";
import type { Repository } from "./pull-api.ts";
import { discard } from "./transport.ts";

export interface PushOptions {
  /** What is pushed, for messages. */
  readonly what: string;
  readonly signal: AbortSignal;
}

export interface Upload {
  readonly digest: Digest;
  readonly size: number;
  /** The bytes from an offset on. May be asked for again when a connection broke. */
  readonly open: (from: number, to: number) => Readable;
}

/** So many bytes go with one request: what is lost at most when a connection breaks. Smaller blobs go with the request that ends their upload. */
const PIECE = 64 << 20;
/** Broken pieces one after another that are put up with. */
const RETRIES = 4;

/** Whether the repository has a blob. */
export async function hasBlob({ registry, path }: Repository, digest: Digest, options: PushOptions): Promise<boolean> {
  const response = await registry.request({
    method: "HEAD",
    path: `/v2/${path}/blobs/${digest}`,
    scope: pushScope(path),
    expect: [200, 404],
    ...options,
  });
  await discard(response);
  return response.statusCode === 200;
}

/** Asks the registry to take a blob from another of its repositories. Gives whether it did. */
export async function mountBlob(
  { registry, path }: Repository,
  { digest, from }: { readonly digest: Digest; readonly from: string },
  options: PushOptions,
): Promise<boolean> {
  const response = await registry.request({
    method: "POST",
    path: `/v2/${path}/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`,
    headers: { "content-length": 0 },
    scope: pushScope(path),
    scopes: [`repository:${from}:pull`],
    expect: [201, 202, 401, 403, 404, 405],
    ...options,
  });
  await discard(response);
  if (response.statusCode === 202) await cancel({ registry, path }, locationOf(response, registry), options);
  return response.statusCode === 201;
}

/** Sends a blob; `progress` is told how many of its bytes the registry has. A connection that breaks is taken up where the registry got to. */
export async function uploadBlob(
  repository: Repository,
  { digest, size, open }: Upload,
  { progress, ...options }: PushOptions & { readonly progress: (done: number) => void },
): Promise<void> {
  const { registry, path } = repository;
  const scope = pushScope(path);
  const begun = await registry.request({
    method: "POST",
    path: `/v2/${path}/blobs/uploads/`,
    headers: { "content-length": 0 },
    scope,
    expect: [202],
    ...options,
  });
  await discard(begun);
  let location = locationOf(begun, registry);
  let offset = 0;
  for (let broken = 0; size - offset > PIECE; ) {
    const to = offset + PIECE;
    const from = offset;
    try {
      const response = await registry.request({
        method: "PATCH",
        path: location,
        headers: {
          "content-type": "application/octet-stream",
          "content-length": to - from,
          "content-range": `${from}-${to - 1}`,
        },
        body: () => told(open(from, to), from, progress),
        scope,
        expect: [202, 204],
        once: true,
        ...options,
      });
      await discard(response);
      location = locationOf(response, registry);
      offset = to;
      broken = 0;
    } catch (error) {
      broken += 1;
      if (broken > RETRIES || options.signal.aborted) throw error;
      const state = await uploadState(repository, location, options);
      if (state.offset > size) throw garbage(registry.host, "it has more of an upload than was sent");
      offset = state.offset;
      location = state.location;
    }
  }
  const rest = offset;
  location.searchParams.set("digest", digest);
  const ended = await registry.request({
    method: "PUT",
    path: location,
    headers: {
      "content-type": "application/octet-stream",
      "content-length": size - rest,
      ...(rest > 0 && rest < size ? { "content-range": `${rest}-${size - 1}` } : {}),
    },
    ...(rest < size ? { body: () => told(open(rest, size), rest, progress) } : {}),
    scope,
    expect: [201, 204],
    ...options,
  });
  await discard(ended);
  progress(size);
}

/** Puts a manifest under a tag or digest; gives its digest as the registry sees it, or `null` when it does not say. */
export async function putManifest(
  { registry, path }: Repository,
  { named, mediaType, bytes }: { readonly named: string; readonly mediaType: string; readonly bytes: Uint8Array },
  options: PushOptions,
): Promise<Digest | null> {
  const response = await registry.request({
    method: "PUT",
    path: `/v2/${path}/manifests/${named}`,
    headers: { "content-type": mediaType, "content-length": bytes.length },
    body: bytes,
    scope: pushScope(path),
    expect: [201, 202],
    ...options,
  });
  await discard(response);
  const said = response.headers["docker-content-digest"];
  const digest = parseDigest(typeof said === "string" ? said : "");
  return typeof digest === "string" ? digest : null;
}

export function pushScope(path: string): string {
  return `repository:${path}:pull,push`;
}

/** How far an upload is, and where it goes on. */
async function uploadState(
  { registry, path }: Repository,
  location: URL,
  options: PushOptions,
): Promise<{ readonly offset: number; readonly location: URL }> {
  const response = await registry.request({ method: "GET", path: location, scope: pushScope(path), expect: [204], ...options });
  await discard(response);
  const [, last] = /^(?:bytes=)?0-(\d+)$/.exec(response.headers["range"] ?? "") ?? [];
  return { offset: last === undefined || last === "0" ? 0 : Number(last) + 1, location: locationOf(response, registry, location) };
}

/** An upload that the registry began although it was asked to mount: it is not gone on with. */
async function cancel({ registry, path }: Repository, location: URL, options: PushOptions): Promise<void> {
  const response = await registry.request({
    method: "DELETE",
    path: location,
    scope: pushScope(path),
    expect: [200, 202, 204, 404, 405],
    ...options,
  });
  await discard(response);
}

function locationOf(response: IncomingMessage, registry: Repository["registry"], before?: URL): URL {
  const { location } = response.headers;
  if (location === undefined && before !== undefined) return before;
  if (location === undefined || !URL.canParse(location, registry.base.href))
    throw garbage(registry.host, "it does not say where an upload goes");
  return new URL(location, registry.base);
}

/** Tells of the bytes that leave. */
function told(stream: Readable, from: number, progress: (done: number) => void): Readable {
  const passing = async function* (): AsyncGenerator<Buffer> {
    let done = from;
    for await (const chunk of stream) {
      yield chunk;
      done += chunk.length;
      progress(done);
    }
  };
  return Readable.from(passing(), { objectMode: false });
}
