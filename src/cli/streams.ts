import type { Writable } from "node:stream";

/** Writes chunks as fast as they are taken. A reader that goes away early ends the work, too. */
export async function pour(chunks: AsyncIterable<Uint8Array>, to: Writable): Promise<void> {
  for await (const chunk of chunks) {
    if (to.destroyed) return;
    if (!to.write(chunk)) await drained(to);
  }
}

/** Waits until a stream takes more, or takes no more at all. */
function drained(stream: Writable): Promise<void> {
  const events = ["drain", "error", "close"] as const;
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}
