/** Entry of a worker thread: unpacks one layer after another, each from chunks that the pool sends. */
import { parentPort } from "node:worker_threads";
import { Failure, fullDisk } from "../model/diagnostic.ts";
import type { FromWorker, ToWorker } from "./unpack/protocol.ts";
import { unpackLayer } from "./unpack/unpack.ts";

const port = parentPort;
if (port === null) throw new Error("this file is the entry of a worker thread");

/** Chunks that arrived and are not unpacked yet; `null` ends the layer. */
let queue: (Uint8Array | null)[] = [];
let wake: (() => void) | null = null;

port.on("message", (message: ToWorker) => {
  if (message.kind === "begin") {
    queue = [];
    void unpackLayer(chunks(), message.options).then(
      (unpacked) => send({ kind: "done", unpacked }),
      (error: unknown) => send(failed(error)),
    );
    return;
  }
  queue.push(message.kind === "chunk" ? message.bytes : null);
  wake?.();
});

async function* chunks(): AsyncGenerator<Uint8Array> {
  const mine = queue;
  for (;;) {
    const chunk = mine.shift();
    if (chunk === null) return;
    if (chunk === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      continue;
    }
    send({ kind: "taken" });
    yield chunk;
  }
}

function failed(error: unknown): FromWorker {
  if (error instanceof Failure) return { kind: "failed", diagnostics: error.diagnostics, text: error.stack ?? error.message };
  const full = fullDisk(error);
  return {
    kind: "failed",
    diagnostics: full === null ? null : [full],
    text: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}

function send(message: FromWorker): void {
  port?.postMessage(message);
}
