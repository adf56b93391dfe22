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
    await fetching; // what was read may not be in the file yet
    partial.finish();
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
 * Segments come one after another until the registry has shown that it knows ranges and the reader that it waits for bytes: then more lanes take
 * them, one at a time up to the limit, until the reader has enough again. A lane that fails is told to the partial, whose reader ends the others.
 */
async function fetchAll(
  partial: Partial,
  from: { readonly repository: Repository; readonly descriptor: Descriptor },
  options: DownloadOptions,
): Promise<void> {
  options.progress(partial.received);
  const waiting = partial.segments.filter(({ to, got }) => got < to);
  const lanes: Promise<void>[] = [];
  let running = 0;
  let wanted = 1;
  let ranges = false;
  const lane = async (): Promise<void> => {
    for (let segment = waiting.shift(); segment !== undefined; segment = waiting.shift()) {
      await fetchSegment(partial, segment, { ...from, ...options, ...(ranges ? {} : { onAnswer }) });
      if (running > 1 && partial.ahead > SEGMENT_SIZE) break;
    }
  };
  const start = (): void => {
    running += 1;
    partial.crowded = running > 1;
    const ended = lane()
      .catch((error: unknown) => partial.fail(error))
      .then(() => {
        running -= 1;
        wanted = Math.max(1, running);
        partial.crowded = running > 1;
      });
    lanes.push(ended);
  };
  const more = (): void => {
    while (ranges && running < wanted && waiting.length > 0) start();
  };
  const onAnswer = (segment: Segment, whole: boolean): void => {
    ranges = !whole;
    if (whole) {
      // Everything behind the segment comes with it, also what was here already.
      waiting.length = 0;
      for (const later of partial.segments.slice(partial.segments.indexOf(segment) + 1)) partial.restart(later);
    } else more();
  };
  partial.hungry = () => {
    wanted = Math.min(wanted + 1, SEGMENTS_AT_ONCE);
    more();
  };
  start();
  // Others may begin while these are waited for.
  for (let known = 0; known < lanes.length; ) {
    known = lanes.length;
    await Promise.all(lanes);
  }
}

async function fetchSegment(
  partial: Partial,
  segment: Segment,
  options: DownloadOptions & {
    readonly repository: Repository;
    readonly descriptor: Descriptor;
    /** For the first request, which shows whether the registry knows ranges. */
    readonly onAnswer?: (segment: Segment, whole: boolean) => void;
  },
): Promise<void> {
  const { repository, descriptor, what, signal, onAnswer, progress } = options;
  const span = { from: segment.got, to: segment.to };
  let into = segment;
  const told = onAnswer === undefined ? {} : { onAnswer: (whole: boolean): void => onAnswer(segment, whole) };
  for await (const chunk of fetchBlob(repository, descriptor, { what, signal, span, ...told })) {
    for (let rest = chunk; rest.length > 0; ) {
      if (into.got === into.to) into = after(into, partial); // a whole blob fills several
      const part = rest.subarray(0, into.to - into.got);
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
