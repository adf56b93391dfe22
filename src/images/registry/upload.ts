/** Sending a blob: in pieces, and when a connection breaks, from where the registry got to. */
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { Code } from "../../model/codes.ts";
import { Failure } from "../../model/diagnostic.ts";
import type { Digest } from "../../model/digest.ts";
import { pause } from "./patience.ts";
import { garbage } from "./problems.ts";
import { hasBlob, locationOf, type PushOptions, write } from "./push-api.ts";
import type { Repository } from "./repository.ts";
import { discard } from "./transport.ts";

export interface Upload {
  readonly digest: Digest;
  readonly size: number;
  /** The bytes from an offset on. May be asked for again when a connection broke. */
  readonly open: (from: number, to: number) => Readable;
}

export type UploadOptions = PushOptions & {
  /** Told how many bytes the registry has. */
  readonly progress: (done: number) => void;
};

/** So many bytes go with one request: what is lost at most when a connection breaks. Smaller blobs go with the request that ends their upload. */
const PIECE = 64 << 20;
/** Broken pieces one after another that are put up with. */
const RETRIES = 4;
/** Failures after which the registry may still have what it got. Others would only come again. */
const PASSING: readonly Code[] = ["E_REGISTRY_UNREACHABLE", "E_REGISTRY_ANSWER", "E_REGISTRY_RATE_LIMIT"];

interface State {
  readonly offset: number;
  readonly location: URL;
  /** Bytes of a piece, unless it is the last. */
  readonly piece: number;
}

/** Sends a blob that the registry lacks. */
export async function uploadBlob(repository: Repository, upload: Upload, options: UploadOptions): Promise<void> {
  const { digest, size } = upload;
  const { progress, ...rest } = options;
  let state = await begin(repository, rest);
  for (let broken = 0; ; ) {
    try {
      if (size - state.offset <= state.piece) {
        await finish(repository, upload, { ...options, state });
        progress(size);
        return;
      }
      state = await sendPiece(repository, upload, { ...options, state });
      broken = 0;
    } catch (error) {
      rest.signal.throwIfAborted();
      broken += 1;
      if (broken > RETRIES || !(error instanceof Failure && PASSING.some((code) => error.has(code)))) throw error;
      await pause(broken, rest);
      const found = await stateOf(repository, state, rest);
      // An upload that is not known any more has ended well, or has to begin anew.
      if (found === null && (await hasBlob(repository, digest, rest))) return progress(size);
      state = found === null || found.offset > size ? await begin(repository, rest) : found;
    }
  }
}

async function begin(repository: Repository, options: PushOptions): Promise<State> {
  const response = await write(repository, {
    method: "POST",
    path: `/v2/${repository.path}/blobs/uploads/`,
    headers: { "content-length": 0 },
    expect: [202],
    ...options,
  });
  await discard(response);
  const least = Number(response.headers["oci-chunk-min-length"]) || 0;
  return { offset: 0, location: locationOf(response, repository), piece: Math.max(least, PIECE) };
}

type Step = UploadOptions & { readonly state: State };

async function sendPiece(repository: Repository, upload: Upload, { state, progress, ...options }: Step): Promise<State> {
  const to = state.offset + state.piece;
  const response = await send(repository, { method: "PATCH", path: state.location, from: state.offset, to }, { upload, progress, options });
  return { ...state, offset: to, location: locationOf(response, repository, state.location) };
}

/** Sends what is left, and says that it was all. */
async function finish(repository: Repository, upload: Upload, { state, progress, ...options }: Step): Promise<void> {
  const path = new URL(state.location);
  // Not through `searchParams`: that would spell what is there already in another way, and it may be signed.
  path.search += `${path.search === "" ? "?" : "&"}digest=${encodeURIComponent(upload.digest)}`;
  await send(repository, { method: "PUT", path, from: state.offset, to: upload.size }, { upload, progress, options });
}

async function send(
  repository: Repository,
  part: { readonly method: "PATCH" | "PUT"; readonly path: URL; readonly from: number; readonly to: number },
  { upload, progress, options }: { readonly upload: Upload; readonly options: PushOptions } & Pick<UploadOptions, "progress">,
): Promise<IncomingMessage> {
  const { method, path, from, to } = part;
  const whole = from === 0 && to === upload.size;
  const response = await write(repository, {
    method,
    path,
    headers: {
      "content-type": "application/octet-stream",
      "content-length": to - from,
      ...(whole || from === to ? {} : { "content-range": `${from}-${to - 1}` }),
    },
    ...(from < to ? { body: () => told(upload.open(from, to), from, progress) } : {}),
    expect: method === "PATCH" ? [202, 204] : [201, 204],
    once: true,
    ...options,
  });
  await discard(response);
  return response;
}

/** How far an upload is, and where it goes on; `null` when the registry does not know it. */
async function stateOf(repository: Repository, before: State, options: PushOptions): Promise<State | null> {
  const response = await write(repository, { method: "GET", path: before.location, expect: [204, 404], ...options });
  await discard(response);
  if (response.statusCode === 404) return null;
  const range = response.headers["range"];
  const [, last] = /^(?:bytes=)?0-(\d+)$/.exec(range ?? "0-0") ?? [];
  if (last === undefined) throw garbage(repository.registry.host, "it does not say how far an upload is");
  const offset = last === "0" ? 0 : Number(last) + 1; // also said of an upload that has nothing yet
  return { ...before, offset, location: locationOf(response, repository, before.location) };
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
