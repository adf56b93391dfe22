/** The C library, for the system calls that Node has no door to. koffi costs some ten milliseconds to load: nothing is loaded before the first. */
import { createRequire } from "node:module";

type Koffi = typeof import("koffi");

export interface LibC {
  /** A function of the library by its declaration in C. */
  readonly func: ReturnType<Koffi["load"]>["func"];
  /** Of the last call in this thread. */
  readonly errno: () => number;
}

/** Gives what `bind` makes of the library; it is made when first asked for, and kept. */
export function lazyLibc<T>(bind: (libc: LibC) => T): () => T {
  let bound: T | undefined;
  return () => {
    bound ??= bind(open());
    return bound;
  };
}

function open(): LibC {
  const koffi = createRequire(import.meta.url)("koffi") as Koffi;
  const library = koffi.load("libc.so.6");
  return { func: library.func.bind(library), errno: () => koffi.errno() };
}
