import { appendFileSync, renameSync, rmSync, statSync } from "node:fs";

/** Bytes of a log; then it becomes `….1`, which replaces the one before it. */
const LIMIT = 256 * 1024;

/** A supervisor's own log: what it did and what went wrong, for a person who asks why. Twice 256 KiB at most. */
export class Journal {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  write(line: string): void {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > LIMIT) renameSync(this.#path, `${this.#path}.1`);
    try {
      appendFileSync(this.#path, `${new Date().toISOString()} ${line}\n`, { mode: 0o600 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // somebody took the whole world away
    }
  }

  remove(): void {
    for (const path of [this.#path, `${this.#path}.1`]) rmSync(path, { force: true });
  }
}
