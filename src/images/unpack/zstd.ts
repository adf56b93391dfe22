/** zstd for versions of Node that lack it, in WebAssembly. Loaded with the first layer that needs it. */
import { ZSTDDecoder } from "zstddec/stream";
import { unreadable } from "./decompress.ts";

/** A frame that holds nothing. The decoder keeps back what does not fit its buffer until more input comes: this is more. */
const EMPTY_FRAME = Uint8Array.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
/** The decoder copies its input: more at once would only take memory. */
const INPUT_SIZE = 256 * 1024;

/** Frame after frame, to the last byte. Throws `E_LAYER_COMPRESSION` where the data is damaged, cut off, or wants a window over 128 MiB. */
export async function* decodeZstd(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  const source = pieces(chunks);
  // The decoder takes its input when it wants to, and cannot wait: the next piece lies ready before it is asked for anything.
  let ready: Uint8Array | null = null;
  let ended = false;
  let fruitless = 0;
  const output = decoder.decodeStreaming(
    (function* () {
      for (; ready !== null; fruitless = 0) {
        const piece = ready;
        ready = null;
        yield piece;
      }
    })(),
  );
  for (;;) {
    if (ready === null && !ended) {
      const next = await source.next();
      if (next.done === true) ended = true;
      else ready = next.value;
    }
    const piece = decoded(output);
    if (piece === null) return;
    if (piece.length > 0) {
      fruitless = 0;
      yield piece;
    } else {
      // It does not tell of errors, but then takes nothing and gives nothing, for ever.
      fruitless += 1;
      if (fruitless > 2) throw damaged();
    }
  }
}

function decoded(output: Generator<Uint8Array>): Uint8Array | null {
  try {
    const { done, value } = output.next();
    return done === true ? null : value;
  } catch (error) {
    throw damaged(error);
  }
}

async function* pieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) for (let at = 0; at < chunk.length; at += INPUT_SIZE) yield chunk.subarray(at, at + INPUT_SIZE);
  yield EMPTY_FRAME;
}

function damaged(cause?: unknown): Error {
  return unreadable("its zstd data is damaged or cut off, or wants more memory than it gets", { cause });
}
