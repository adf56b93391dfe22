/** Worker threads that unpack layers: as many at once as the machine has cores for, started when first needed. */
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { Failure } from "../../model/diagnostic.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import { type Unpacked, type UnpackOptions, unpackLayer } from "./unpack.ts";

export interface UnpackJob {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes that `chunks` will give, as far as is known. */
  readonly size: number;
  /** What `chunks` gives is the job's: its memory may be handed on to a thread. */
  readonly handsOver?: boolean;
  readonly options: UnpackOptions;
}

const MOST_WORKERS = 8;
/** Layers below this are unpacked here and now: a worker's start costs more. */
const SMALL = 1 << 20;
/** Chunks are let go of with the small objects of their time: the sooner those are collected, the less memory is in use. */
const LIMITS = { maxYoungGenerationSizeMb: 4 };
/** Bytes of one message to a worker, and how many may wait there. */
const MESSAGE_SIZE = 512 * 1024;
const QUEUE_LENGTH = 4;

export class UnpackPool {
  readonly #most = Math.max(2, Math.min(availableParallelism(), MOST_WORKERS));
  readonly #idle: Worker[] = [];
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  /** Unpacks a layer; waits for its turn first. Nothing is read from `chunks` before. */
  async run(job: UnpackJob): Promise<Unpacked> {
    await this.#enter();
    try {
      return job.size < SMALL ? await unpackLayer(job.chunks, job.options) : await this.#inWorker(job);
    } finally {
      this.#busy -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** Ends the worker threads. To be called when no job runs. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((worker) => worker.terminate()));
  }

  async #enter(): Promise<void> {
    while (this.#busy >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy += 1;
  }

  async #inWorker(job: UnpackJob): Promise<Unpacked> {
    const worker = this.#idle.pop() ?? startWorker();
    worker.ref();
    let unpacked: Unpacked;
    try {
      unpacked = await converse(worker, job);
    } catch (error) {
      await worker.terminate(); // it may be anywhere in the layer
      throw error;
    }
    worker.unref(); // an idle worker keeps no process alive
    this.#idle.push(worker);
    return unpacked;
  }
}

/** Starts a worker from the file that a build puts beside the bundle, or straight from the sources. */
function startWorker(): Worker {
  if (!import.meta.url.endsWith(".ts")) return new Worker(new URL("./unpack-worker.cjs", import.meta.url), { resourceLimits: LIMITS });
  const loader = createRequire(import.meta.url).resolve("tsx/cjs"); // threads do not inherit what reads TypeScript
  const source = fileURLToPath(new URL("../unpack-worker.ts", import.meta.url));
  return new Worker(`require(${JSON.stringify(loader)}); require(${JSON.stringify(source)});`, { eval: true, resourceLimits: LIMITS });
}

/** Sends a layer to a worker, never more than it can take, until it answers. */
async function converse(worker: Worker, job: UnpackJob): Promise<Unpacked> {
  const send = (message: ToWorker, transfer: ArrayBuffer[] = []): void => worker.postMessage(message, transfer);
  let room = QUEUE_LENGTH;
  let answered = false;
  let wake: () => void = () => {};
  const listeners: (() => void)[] = [];
  const listen = <T>(event: string, listener: (value: T) => void): void => {
    worker.on(event, listener);
    listeners.push(() => worker.off(event, listener));
  };
  const answer = new Promise<Unpacked>((resolve, reject) => {
    listen("message", (message: FromWorker) => {
      if (message.kind === "taken") room += 1;
      else if (message.kind === "done") resolve(message.unpacked);
      else reject(message.diagnostics === null ? new Error(message.text) : new Failure(message.diagnostics, { cause: message.text }));
      if (message.kind !== "taken") answered = true;
      wake();
    });
    const broken = (error: unknown): void => {
      answered = true;
      reject(error);
      wake();
    };
    listen("error", broken);
    listen("exit", () => broken(new Error("an unpacking thread ended early")));
  });
  answer.catch(() => {}); // whoever awaits it below hears of it; until then it is no unhandled rejection
  try {
    send({ kind: "begin", options: job.options });
    for await (const bytes of gathered(job)) {
      while (room === 0 && !answered)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      if (answered) break;
      room -= 1;
      send({ kind: "chunk", bytes }, [bytes.buffer]);
    }
    if (!answered) send({ kind: "end" });
    return await answer;
  } finally {
    for (const remove of listeners) remove();
  }
}

/** The same bytes in larger pieces, each with memory of its own that can be handed over. */
async function* gathered({ chunks, handsOver = false }: UnpackJob): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let piece = new Uint8Array(MESSAGE_SIZE);
  let filled = 0;
  for await (const chunk of chunks) {
    if (handsOver && filled === 0 && chunk.length >= MESSAGE_SIZE && ownsMemory(chunk)) {
      yield chunk;
      continue;
    }
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + MESSAGE_SIZE - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < MESSAGE_SIZE) continue;
      yield piece;
      piece = new Uint8Array(MESSAGE_SIZE);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

function ownsMemory(chunk: Uint8Array): chunk is Uint8Array<ArrayBuffer> {
  return chunk.buffer instanceof ArrayBuffer && chunk.length === chunk.buffer.byteLength;
}
