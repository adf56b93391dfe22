/** Fetches a blob into the store while somebody else reads it: large ones in several parts at once, all of them from where they were broken off. */
import { Failure } from "../model/diagnostic.ts";
import type { Descriptor } from "./manifest.ts";
import { fetchBlob, type Repository } from "./registry/pull-api.ts";
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

/** What a download makes of the bytes; it reads them from the first to the last. */
export type Consume<T> = (bytes: AsyncIterable<Uint8Array>) => Promise<T>;

/**
 * Fetches a blob and hands its bytes on; what `consume` makes of them is given back once it and `verify` are content. Then the blob is in the
 * store. What earlier attempts left is used; where it turns out to be wrong, everything is fetched again.
 */
export async function download<T>(
  from: { readonly layout: Layout; readonly repository: Repository; readonly descriptor: Descriptor },
  options: DownloadOptions,
  { consume, verify }: { readonly consume: Consume<T>; readonly verify: (made: T) => void },
): Promise<T> {
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

/** The first segment comes alone until the registry has shown that it knows ranges; then several lanes take the others in their order. */
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
  await fetchSegment(partial, first, {
    ...from,
    ...options,
    onAnswer: (whole) => {
      if (!whole) while (lanes.length < Math.min(SEGMENTS_AT_ONCE - 1, waiting.length)) lanes.push(lane());
      // Everything behind the first segment comes with it, also what was here already.
      else for (const segment of partial.segments.slice(partial.segments.indexOf(first) + 1)) segment.at = segment.from;
    },
  });
  if (partial.segments.some(({ to, at }) => at < to)) lanes.push(lane());
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
      if (into.at === into.to) into = partial.segments[partial.segments.indexOf(into) + 1] ?? into; // a whole blob fills several
      const part = rest.subarray(0, into.to - into.at);
      await partial.write(into, part);
      rest = rest.subarray(part.length);
    }
    progress(partial.received);
  }
}
