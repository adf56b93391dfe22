import type { Style } from "./style.ts";
import { clean } from "./text.ts";
import { elapsed } from "./units.ts";

/** What came of one batch of changes. */
export interface Batch {
  readonly at: Date;
  /** As shown to people, the first to change first. */
  readonly files: readonly string[];
  readonly what: string;
  /** How long it took, in milliseconds; `null` where nothing was begun. */
  readonly ms: number | null;
}

/** One line for a batch: `12:03:04 wharf.yaml (+1) -> 1 replaced in 0.8 s`. */
export function batchLine({ at, files: [first = "", ...others], what, ms }: Batch, style: Style): string {
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
  const more = others.length === 0 ? "" : ` (+${others.length})`;
  return `${style.dim(time)} ${style.cyan(clean(first))}${more} -> ${clean(what)}${ms === null ? "" : ` in ${elapsed(ms)}`}`;
}
