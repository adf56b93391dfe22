/** Reading blobs, which may be large and take long: broken connections are taken up where they broke. */
import type { IncomingMessage } from "node:http";
import { Failure } from "../../model/diagnostic.ts";
import type { Descriptor } from "../manifest.ts";
import { pause } from "./patience.ts";
import { garbage, unreachable } from "./problems.ts";
import { type Repository, readingFrom, type Source } from "./repository.ts";
import { bodyOf, TransportError } from "./transport.ts";

export interface Span {
  /** The first byte wanted, and the one behind the last. */
  readonly from: number;
  readonly to: number;
}

export interface BlobOptions {
  /** What the blob belongs to, for messages. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** All of it unless given. */
  readonly span?: Span;
  /**
   * Called once, before the first byte. A registry that knows no ranges sends all of the blob (`whole`): with this, the span then goes to the
   * blob's end; without, what lies outside of it is thrown away.
   */
  readonly onAnswer?: (whole: boolean) => void;
}

/** Broken connections of one span, one after another with little between them, that are put up with. */
const RECONNECTS = 5;
/** So many bytes make up for a broken connection. */
const PROGRESS = 1 << 20;

/**
 * The bytes of a part of a blob as they come. Gives exactly the bytes of the span or throws; whether they are the right ones is for the caller
 * to see, who hashes them anyway.
 */
export async function* fetchBlob(repository: Repository, descriptor: Descriptor, options: BlobOptions): AsyncGenerator<Uint8Array> {
  const { what, signal, span = { from: 0, to: descriptor.size } } = options;
  let offset = span.from;
  let to = span.to;
  let broken = 0;
  let counted = offset;
  for (let answers = 0; offset < to || answers === 0; answers += 1) {
    const part = { descriptor, span: { from: offset, to }, what, signal, warn: repository.warn };
    const { response, source, skip } = await repository.read((from) => answerOf(from, part), signal);
    const whole = response.statusCode === 200 && to < descriptor.size;
    if (answers === 0) options.onAnswer?.(whole);
    if (answers === 0 && whole && options.onAnswer !== undefined) to = descriptor.size;
    const most = whole && to < descriptor.size ? to - offset : Number.POSITIVE_INFINITY;
    let problem: TransportError | null = null;
    try {
      for await (const chunk of within(bodyOf(response), skip, most)) {
        offset += chunk.length;
        if (offset > to) throw tooLong(what, { descriptor, host: source.registry.host });
        yield chunk;
      }
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      problem = error;
    }
    if (offset === to) return;
    if (source.mirrorOf !== null) {
      repository.leaveAside(source, problem?.message ?? "it sent less of a blob than there is");
      continue;
    }
    broken = offset - counted < PROGRESS ? broken + 1 : 1;
    if (broken === 1) counted = offset;
    if (broken > RECONNECTS) {
      if (problem !== null) throw unreachable(problem);
      throw garbage(source.registry.host, `a blob of ${what} ends after ${offset} of ${descriptor.size} bytes`);
    }
    if (broken > 1) await pause(broken - 1, { signal });
  }
}

interface Answer {
  readonly response: IncomingMessage;
  readonly source: Source;
  /** Bytes of it that are here already. */
  readonly skip: number;
}

type Part = Required<Pick<BlobOptions, "what" | "signal" | "span">> & Pick<Repository, "warn"> & { readonly descriptor: Descriptor };

/** An answer whose bytes, after those to skip, are the span's. */
async function answerOf(source: Source, { descriptor, span, ...options }: Part): Promise<Answer> {
  const { from, to } = span;
  const range = to < descriptor.size ? `bytes=${from}-${to - 1}` : from > 0 ? `bytes=${from}-` : null;
  const response = await source.registry.request({
    method: "GET",
    headers: {
      accept: `${descriptor.mediaType}, */*`,
      "accept-encoding": "identity",
      ...(range === null ? {} : { range }),
    },
    expect: [200, 206],
    ...readingFrom(source, `blobs/${descriptor.digest}`),
    ...options,
  });
  try {
    return { response, source, skip: startsAt(response, { from, size: descriptor.size, host: source.registry.host }) };
  } catch (error) {
    response.destroy();
    throw error;
  }
}

/** How many bytes of an answer are to be left out, so that what follows goes on at `from`. */
function startsAt(
  { headers, statusCode }: IncomingMessage,
  { from, size, host }: { readonly from: number; readonly size: number; readonly host: string },
): number {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") throw garbage(host, `it sends a blob in the encoding ${encoding}, which was not asked for`);
  if (statusCode === 200) {
    const length = headers["content-length"];
    if (length !== undefined && Number(length) !== size) throw garbage(host, `it has ${length} bytes of a blob that should have ${size}`);
    return from; // it does not know ranges and begins again
  }
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers["content-range"] ?? "") ?? [];
  if (Number(first) !== from) throw garbage(host, "it sends another part of a blob than was asked for");
  if (total !== "*" && Number(total) !== size) throw garbage(host, `it has ${total} bytes of a blob that should have ${size}`);
  return 0;
}

/** All but the first bytes, and not more than so many. */
async function* within(bytes: AsyncIterable<Buffer>, skip: number, most: number): AsyncGenerator<Buffer> {
  let left = most;
  let before = skip;
  for await (const chunk of bytes) {
    const fresh = chunk.subarray(before);
    before -= chunk.length - fresh.length;
    const part = fresh.subarray(0, Math.min(left, fresh.length));
    left -= part.length;
    if (part.length > 0) yield part;
    if (left === 0) return;
  }
}

function tooLong(what: string, { descriptor, host }: { readonly descriptor: Descriptor; readonly host: string }): Failure {
  return new Failure({
    code: "E_DIGEST_MISMATCH",
    message: `${host} sent more for ${descriptor.digest} of ${what} than the ${descriptor.size} bytes that it should have`,
  });
}
