/** Fetches a blob into the store while somebody else reads it: large ones in several parts at once, all of them from where they were broken off. */
import { createHash } from "node:crypto";
import { withLock } from "../lib/file-lock.ts";
import { Failure } from "../model/diagnostic.ts";
import { algorithmOf } from "../model/digest.ts";
import type { Descriptor } from "./manifest.ts";
import { fetchBlob } from "./registry/blob.ts";
import { mismatch } from "./registry/digests.ts";
import type { Repository } from "./registry/repository.ts";
import type { Layout } from "./store/layout.ts";
import { Partial, type Segment } from "./store/partial.ts";

/** Blobs below this come in one piece: more requests would cost more than they bring. */
const LARGE = 32 << 20;
const SEGMENT_SIZE = 8 << 20;
const SEGMENTS_AT_ONCE = 4;

export interface DownloadOptions {
  /** What the blob belongs to, for messages. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** Bytes that are here. */
  readonly progress: (done: number) => void;
}

export interface From {
  readonly layout: Layout;
  readonly repository: Repository;
  readonly descriptor: Descriptor;
}

export interface Use<T> {
  /** Makes something of the bytes; it reads them from the first to the last. */
  readonly consume: (bytes: AsyncIterable<Uint8Array>) => Promise<T>;
  /** Throws when what was made is not what was wanted. */
  readonly verify: (made: T) => void;
}

/**
 * Fetches a blob and hands its bytes on; what `consume` makes of them is given back once it and `verify` are content. Then the blob is in the
 * store. What earlier attempts left is used; where it turns out to be wrong, everything is fetched again.
 */
export async function download<T>(from: From, options: DownloadOptions, use: Use<T>): Promise<T> {
  const { layout, descriptor } = from;
  // Two images that say different things of one blob are two layers that come at once.
  const lock = { purpose: "download a blob", timeoutMs: Number.POSITIVE_INFINITY, signal: options.signal };
  return withLock(layout.partialLock(descriptor.digest), lock, () => downloadAlone(from, options, use));
}

/** Fetches a blob of which nothing is made. */
export async function fetchContent(from: From, options: DownloadOptions): Promise<void> {
  const { descriptor, repository } = from;
  const hash = createHash(algorithmOf(descriptor.digest));
  await download(from, options, {
    consume: async (bytes) => {
      for await (const chunk of bytes) hash.update(chunk);
      return `${algorithmOf(descriptor.digest)}:${hash.digest("hex")}`;
    },
    verify: (got) => {
      if (got !== descriptor.digest)
        throw mismatch(`a layer of ${options.what}`, { expected: descriptor.digest, got, host: repository.registry.host });
    },
  });
}

async function downloadAlone<T>(from: From, options: DownloadOptions, { consume, verify }: Use<T>): Promise<T> {
  const { layout, descriptor } = from;
  const segmentSize = descriptor.size < LARGE ? Math.max(1, descriptor.size) : SEGMENT_SIZE;
  const partial = await Partial.open(layout, descriptor.digest, { size: descriptor.size, segmentSize });
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const fetching = fetchAll(partial, from, { ...options, signal }).catch((error: unknown) => partial.fail(error));
  let made: T;
  try {
    made = await consume(partial.bytes());
    verify(made);
  } catch (error) {
    stop.abort();
    await fetching;
    if (!isContentProblem(error)) {
      await partial.note();
      await partial.close();
      throw error;
    }
    await partial.discard();
    throw partial.resumed ? new StaleDownload(error) : error;
  }
  await fetching;
  await partial.commit(layout.blob(descriptor.digest));
  return made;
}

/** What an earlier attempt left did not belong to the blob; it is gone now, and the next attempt begins anew. */
export class StaleDownload extends Error {
  constructor(cause: unknown) {
    super("what an earlier attempt left of a blob was damaged", { cause });
    this.name = "StaleDownload";
  }
}

/** Whether the bytes themselves are at fault, and not the way they came or the disk they went to. */
export function isContentProblem(error: unknown): boolean {
  if (!(error instanceof Failure)) return false;
  return error.diagnostics.some(({ code }) => CONTENT_PROBLEMS.has(code));
}

const CONTENT_PROBLEMS: ReadonlySet<string> = new Set([
  "E_DIGEST_MISMATCH",
  "E_LAYER_COMPRESSION",
  "E_LAYER_LIMIT",
  "E_LAYER_LINK",
  "E_LAYER_PATH",
  "E_LAYER_TAR",
]);

/**
 * The first segment comes alone until the registry has shown that it knows ranges; then several lanes take the others in their order. A lane
 * that fails is told to the partial, whose reader ends the others.
 */
async function fetchAll(
  partial: Partial,
  from: { readonly repository: Repository; readonly descriptor: Descriptor },
  options: DownloadOptions,
): Promise<void> {
  options.progress(partial.received);
  const waiting = partial.segments.filter(({ to, at }) => at < to);
  const first = waiting.shift();
  if (first === undefined) return;
  const lanes: Promise<void>[] = [];
  const lane = async (): Promise<void> => {
    for (let segment = waiting.shift(); segment !== undefined; segment = waiting.shift())
      await fetchSegment(partial, segment, { ...from, ...options });
  };
  const start = (): void => {
    lanes.push(lane().catch((error: unknown) => partial.fail(error)));
  };
  await fetchSegment(partial, first, {
    ...from,
    ...options,
    onAnswer: (whole) => {
      if (!whole) for (let more = Math.min(SEGMENTS_AT_ONCE - 1, waiting.length); more > 0; more -= 1) start();
      else {
        // Everything behind the first segment comes with it, also what was here already.
        waiting.length = 0;
        for (const segment of partial.segments.slice(partial.segments.indexOf(first) + 1)) segment.at = segment.from;
      }
    },
  }).catch((error: unknown) => partial.fail(error));
  start();
  await Promise.all(lanes);
}

async function fetchSegment(
  partial: Partial,
  segment: Segment,
  options: DownloadOptions & {
    readonly repository: Repository;
    readonly descriptor: Descriptor;
    readonly onAnswer?: (whole: boolean) => void;
  },
): Promise<void> {
  const { repository, descriptor, what, signal, onAnswer, progress } = options;
  const span = { from: segment.at, to: segment.to };
  let into = segment;
  for await (const chunk of fetchBlob(repository, descriptor, { what, signal, span, ...(onAnswer === undefined ? {} : { onAnswer }) })) {
    for (let rest = chunk; rest.length > 0; ) {
      if (into.at === into.to) into = after(into, partial); // a whole blob fills several
      const part = rest.subarray(0, into.to - into.at);
      await partial.write(into, part);
      rest = rest.subarray(part.length);
    }
    progress(partial.received);
  }
}

function after(segment: Segment, { segments }: Partial): Segment {
  const next = segments[segments.indexOf(segment) + 1];
  if (next === undefined) throw new Error("more of a blob came than was asked for");
  return next;
}
