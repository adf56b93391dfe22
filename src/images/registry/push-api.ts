/** Writing to a registry: blobs and manifests of one repository. What is there already is not sent. */
import type { IncomingMessage } from "node:http";
import { Failure } from "../../model/diagnostic.ts";
import type { Digest } from "../../model/digest.ts";
import type { Ask } from "./client.ts";
import { mismatch, saidDigest } from "./digests.ts";
import { garbage } from "./problems.ts";
import { wasRedirected } from "./redirects.ts";
import { pullScope, type Repository } from "./repository.ts";
import { discard } from "./transport.ts";

export interface PushOptions {
  /** What is pushed, for messages. */
  readonly what: string;
  readonly signal: AbortSignal;
}

/** Whether the repository has a blob. */
export async function hasBlob(repository: Repository, digest: Digest, options: PushOptions): Promise<boolean> {
  const path = `/v2/${repository.path}/blobs/${digest}`;
  const response = await write(repository, { method: "HEAD", path, expect: [200, 403, 404, 405], ...options });
  await discard(response);
  if (response.statusCode === 200) return true;
  if (response.statusCode === 404 && !wasRedirected(response)) return false;
  // Storage that a redirect leads to may allow no HEAD, and whoever forbids it says why only to a GET.
  const read = await write(repository, { method: "GET", path, expect: [200, 404], ...options });
  read.destroy();
  return read.statusCode === 200;
}

/** Asks the registry to take a blob from another of its repositories. Gives whether it did. */
export async function mountBlob(
  repository: Repository,
  { digest, from }: { readonly digest: Digest; readonly from: string },
  options: PushOptions,
): Promise<boolean> {
  try {
    const response = await write(repository, {
      method: "POST",
      path: `/v2/${repository.path}/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`,
      headers: { "content-length": 0 },
      scopes: [pullScope(from)],
      expect: [201, 202, 400, 404, 405],
      ...options,
    });
    await discard(response);
    if (response.statusCode === 202) await cancel(repository, locationOf(response, repository), options);
    return response.statusCode === 201;
  } catch (error) {
    // Who may not read there has to send it himself.
    if (error instanceof Failure && error.has("E_REGISTRY_AUTH")) return false;
    throw error;
  }
}

/** Puts a manifest under a tag or digest. */
export async function putManifest(
  repository: Repository,
  manifest: { readonly named: string; readonly digest: Digest; readonly mediaType: string; readonly bytes: Uint8Array },
  options: PushOptions,
): Promise<void> {
  const { named, digest, mediaType, bytes } = manifest;
  const response = await write(repository, {
    method: "PUT",
    path: `/v2/${repository.path}/manifests/${named}`,
    headers: { "content-type": mediaType, "content-length": bytes.length },
    body: bytes,
    expect: [201, 202],
    ...options,
  });
  await discard(response);
  const got = saidDigest(response);
  if (got !== null && got !== digest) throw mismatch(options.what, { expected: digest, got, host: repository.registry.host });
}

/** A request with the right to write. */
export function write({ registry, path, warn }: Repository, ask: Omit<Ask, "scope" | "warn">): Promise<IncomingMessage> {
  return registry.request({ ...ask, scope: `repository:${path}:pull,push`, warn });
}

/** Where an upload goes on: absolute, or relative to the registry. */
export function locationOf(response: IncomingMessage, { registry }: Repository, before?: URL): URL {
  const { location } = response.headers;
  if (location === undefined && before !== undefined) return before;
  if (location === undefined || !URL.canParse(location, registry.base.href))
    throw garbage(registry.host, "it does not say where an upload goes");
  return new URL(location, registry.base);
}

/** An upload that the registry began although it was asked to mount: it is not gone on with. It would expire, too. */
async function cancel(repository: Repository, location: URL, options: PushOptions): Promise<void> {
  try {
    const response = await write(repository, {
      method: "DELETE",
      path: location,
      expect: [200, 202, 204, 404, 405],
      once: true,
      ...options,
    });
    await discard(response);
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
  }
}
