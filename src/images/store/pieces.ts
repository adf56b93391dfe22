/**
 * Memory for the pieces in which a blob is written: aligned, so that they can go to the disk without a copy in the page cache. Only WebAssembly
 * gives memory whose address is known to be aligned.
 */

/** Bytes of a piece: large enough for the disk, small enough for so many at once. */
export const PIECE_SIZE = 512 * 1024;
const MOST_PIECES = 32;
const WASM_PAGE = 64 * 1024;

export interface Piece {
  readonly bytes: Uint8Array;
  readonly aligned: boolean;
}

/** TypeScript has it with a browser's types only. */
declare const WebAssembly: {
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => { readonly buffer: ArrayBuffer };
};

let memory: ArrayBuffer | null | undefined;
const free: Piece[] = [];

/** A piece that nobody else has. */
export function takePiece(): Piece {
  if (memory === undefined) {
    memory = reserve();
    for (let i = 0; memory !== null && i < MOST_PIECES; i += 1)
      free.push({ bytes: new Uint8Array(memory, i * PIECE_SIZE, PIECE_SIZE), aligned: true });
    free.reverse(); // those that are used again and again are few
  }
  return free.pop() ?? { bytes: new Uint8Array(PIECE_SIZE), aligned: false };
}

export function giveBack(piece: Piece): void {
  if (piece.aligned) free.push(piece);
}

/** It takes no room before it is used; `null` where the address space is limited. */
function reserve(): ArrayBuffer | null {
  const pages = (MOST_PIECES * PIECE_SIZE) / WASM_PAGE;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
