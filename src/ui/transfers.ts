import type { Transfer } from "./board.ts";
import { bytes, elapsed } from "./units.ts";

/** What moves within a step, and how far it is: each thing by itself, and all of them together. */
export class Transfers {
  readonly #items = new Map<string, Transfer>();

  get list(): readonly Transfer[] {
    return [...this.#items.values()];
  }

  /** `at`: milliseconds since 1970. */
  move({ item, phase, done, total }: Pick<Transfer, "item" | "phase" | "done" | "total">, at: number): void {
    const before = this.#items.get(item);
    const begin = before?.phase === phase ? before : { since: at, from: done };
    this.#items.set(item, { item, phase, done, total, since: begin.since, from: begin.from });
  }
}

/** Whether nothing more will come of it. */
export function isOver({ phase }: Transfer): boolean {
  return !MOVING.has(phase) && phase !== "unpack";
}

/** How far transfers are together: `3MB/8MB 1.2MB/s 4 s left`. What is unpacked has all come. */
export function sumOf(
  transfers: readonly Transfer[],
  now: number,
): { readonly done: number; readonly total: number | null; readonly text: string } {
  const done = transfers.reduce((sum, t) => sum + moved(t), 0);
  const total = transfers.every((t) => t.total !== null) ? transfers.reduce((sum, t) => sum + (t.total ?? 0), 0) : null;
  const rate = transfers.reduce((sum, t) => sum + rateOf(t, now), 0);
  const left = total === null || rate === 0 || done >= total ? "" : `${elapsed(((total - done) / rate) * 1000)} left`;
  const parts = [total === null ? bytes(done) : `${bytes(done)}/${bytes(total)}`, rate === 0 ? "" : `${bytes(rate)}/s`, left];
  return { done, total, text: parts.filter((part) => part !== "").join(" ") };
}

/** Phases in which bytes come or go. */
const MOVING: ReadonlySet<string> = new Set(["waiting", "download", "upload"]);

function moved(transfer: Transfer): number {
  return MOVING.has(transfer.phase) ? transfer.done : (transfer.total ?? transfer.done);
}

/** Bytes a second since the transfer began. What was there before does not count. */
function rateOf(transfer: Transfer, now: number): number {
  const { phase, done, from, since, total } = transfer;
  if (!MOVING.has(phase) || now <= since || (total !== null && done >= total)) return 0;
  return ((done - from) * 1000) / (now - since);
}
