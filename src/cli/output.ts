import type { Writable } from "node:stream";

/** One of the process's output streams. A reader that went away (`| head`) is no error: what follows is dropped. */
export class Output {
  readonly #stream: Writable & { readonly columns?: number; readonly rows?: number; readonly isTTY?: boolean };
  #gone = false;

  constructor(stream: Writable & { readonly columns?: number; readonly rows?: number; readonly isTTY?: boolean }) {
    this.#stream = stream;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      this.#gone = true;
    });
  }

  get terminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Columns of the terminal, or `null` when it is none. */
  get columns(): number | null {
    return this.terminal ? (this.#stream.columns ?? 80) : null;
  }

  get rows(): number {
    return this.#stream.rows ?? 24;
  }

  /** Whether its reader went away: there is nobody to write for. */
  get gone(): boolean {
    return this.#gone;
  }

  write(text: string): void {
    if (!this.#gone) this.#stream.write(text);
  }

  /** Writes, and waits while the reader is slow. */
  async pour(text: string): Promise<void> {
    if (this.#gone || this.#stream.write(text)) return;
    await new Promise<void>((resolve) => {
      for (const event of ["drain", "error", "close"]) this.#stream.once(event, () => resolve());
    });
  }

  line(text: string): void {
    this.write(`${text}\n`);
  }

  /** Resolves when all that was written has left the process. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#gone || this.#stream.writableLength === 0) resolve();
      else this.#stream.write("", () => resolve());
    });
  }
}
