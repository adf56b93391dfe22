import type { Diagnostic } from "../model/diagnostic.ts";

/** Tells warnings that come up in one run after the other from those that are new. */
export class News {
  #known: ReadonlySet<string> = new Set();
  #seen = new Set<string>();

  /** A further run begins: what came up in the last one is known. */
  turn(): void {
    this.#known = this.#seen;
    this.#seen = new Set();
  }

  /** Whether this is the first time, in this run and the last. Places do not count: they move with every edit. */
  isNew({ code, message }: Diagnostic): boolean {
    const key = `${code} ${message}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return !this.#known.has(key);
  }
}
