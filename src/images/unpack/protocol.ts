/** What the pool and its worker threads say to each other. A worker has one layer at a time. */
import type { Diagnostic } from "../../model/diagnostic.ts";
import type { Unpacked, UnpackOptions } from "./unpack.ts";

export type ToWorker =
  | { readonly kind: "begin"; readonly options: UnpackOptions }
  | { readonly kind: "chunk"; readonly bytes: Uint8Array }
  | { readonly kind: "end" };

export type FromWorker =
  /** It took a chunk from its queue: there is room for another. */
  | { readonly kind: "taken" }
  | { readonly kind: "done"; readonly unpacked: Unpacked }
  /** `diagnostics` when it is a failure of ours, and in any case what a developer needs. */
  | { readonly kind: "failed"; readonly diagnostics: readonly Diagnostic[] | null; readonly text: string };
