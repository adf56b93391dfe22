import { writeFileSync } from "node:fs";
import type { Writable } from "node:stream";
import { destinationOf } from "../lib/standard-streams.ts";

type Stream = Writable & { readonly columns?: number; readonly rows?: number };

/**
 * Standard output (1) or standard error (2). A reader that went away (`| head`) is no error: what follows is dropped. A file is written to as it
 * is; a stream for it would cost a short command more than all that it writes.
 */
export class Output {
  readonly #fd: 1 | 2;
  readonly #destination: ReturnType<typeof destinationOf>;
  #opened: Stream | null = null;
  #gone = false;

  constructor(fd: 1 | 2) {
    this.#fd = fd;
    this.#destination = destinationOf(fd);
  }

  get terminal(): boolean {
    return this.#destination === "terminal";
  }

  /** Columns of the terminal, or `null` when it is none. */
  get columns(): number | null {
    return this.terminal ? (this.stream.columns ?? 80) : null;
  }

  get rows(): number {
    return this.terminal ? (this.stream.rows ?? 24) : 24;
  }

  /** Whether its reader went away: there is nobody to write for. */
  get gone(): boolean {
    return this.#gone;
  }

  /** For what writes bytes by itself. */
  get stream(): Stream {
    if (this.#opened !== null) return this.#opened;
    const stream: Stream = this.#fd === 1 ? process.stdout : process.stderr;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      this.#gone = true;
    });
    this.#opened = stream;
    return stream;
  }

  write(text: string): void {
    if (this.#destination === "file") writeFileSync(this.#fd, text);
    else if (!this.#gone) this.stream.write(text);
  }

  /** Writes, and waits while the reader is slow. */
  async pour(text: string): Promise<void> {
    if (this.#destination === "file") return this.write(text);
    if (this.#gone || this.stream.write(text)) return;
    await new Promise<void>((resolve) => {
      for (const event of ["drain", "error", "close"]) this.stream.once(event, () => resolve());
    });
  }

  line(text: string): void {
    this.write(`${text}\n`);
  }

  /** Resolves when all that was written has left the process. */
  flush(): Promise<void> {
    const stream = this.#opened;
    return new Promise((resolve) => {
      if (this.#gone || stream === null || stream.writableLength === 0) resolve();
      else stream.write("", () => resolve());
    });
  }
}
