import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LogLine, LogOptions } from "../../engine/engine.ts";
import { containerDirectory, type Layout } from "./layout.ts";
import { LineJoiner, parseRecord } from "./log-lines.ts";
import { findContainer } from "./records.ts";
import { comesBack } from "./restarts.ts";

/** How long a follower waits before it looks again, in milliseconds. */
const PAUSE = 40;
const CHUNK = 256 * 1024;

/**
 * Lines of several containers. What is there already comes merged by time; after that, with `follow`, lines come as they are written,
 * until every container has ended. A container that never wrote has no file and counts as empty.
 */
export async function* readLogs(
  layout: Layout,
  ids: readonly string[],
  request: { readonly options: LogOptions; readonly signal: AbortSignal },
): AsyncIterable<LogLine> {
  const { options, signal } = request;
  const readers = ids.map((id) => new LogReader(layout, id, options));
  try {
    let live = readers;
    for (let round = 0; live.length > 0; round += 1) {
      const ended = new Set(options.follow ? live.filter((reader) => reader.hasEnded()) : live);
      // A reader that had ended before this look has all its lines in it.
      const found = await Promise.all(
        live.map((reader) => reader.read({ last: ended.has(reader), tail: round === 0 ? options.tail : null })),
      );
      const lines = found.flat().sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
      yield* lines;
      live = live.filter((reader) => !ended.has(reader));
      if (live.length === 0 || signal.aborted) return;
      if (lines.length === 0) await sleep(PAUSE, undefined, { signal }).catch(onlyAbort);
    }
  } finally {
    await Promise.all(readers.map((reader) => reader.close()));
  }
}

class LogReader {
  readonly #layout: Layout;
  readonly #id: string;
  readonly #options: LogOptions;
  readonly #joiner = new LineJoiner();
  #file: FileHandle | null = null;
  #offset = 0;
  /** Bytes after the last newline. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(layout: Layout, id: string, options: LogOptions) {
    this.#layout = layout;
    this.#id = id;
    this.#options = options;
  }

  /** What was removed prints no more either; what comes back by itself does. */
  hasEnded(): boolean {
    const container = findContainer(this.#layout, this.#id);
    return container === null || (container.status.state === "exited" && !comesBack(this.#layout, container));
  }

  /** What came since the last look. `last`: nothing will come after it, so an unfinished line counts. */
  async read(look: { readonly last: boolean; readonly tail: number | null }): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for await (const text of this.#newRecords()) {
      const record = parseRecord(text);
      const whole = record === null ? null : this.#joiner.add(record);
      if (whole !== null && this.#isWanted(whole.time)) lines.push({ container: this.#id, ...whole, complete: true });
      // Of a long log only the last lines are kept in memory.
      if (look.tail !== null && lines.length > 2 * look.tail + 1000) lines.splice(0, lines.length - look.tail);
    }
    if (look.last)
      for (const rest of this.#joiner.rest()) if (this.#isWanted(rest.time)) lines.push({ container: this.#id, ...rest, complete: false });
    return look.tail === null ? lines : lines.slice(Math.max(0, lines.length - look.tail));
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  async *#newRecords(): AsyncIterable<string> {
    const file = await this.#current();
    if (file === null) return;
    const buffer = Buffer.alloc(CHUNK);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, this.#offset);
      if (bytesRead === 0) return;
      this.#offset += bytesRead;
      const data = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]);
      let from = 0;
      for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, from)) {
        yield data.toString("utf8", from, end);
        from = end + 1;
      }
      this.#rest = Buffer.from(data.subarray(from));
    }
  }

  /** The log file, once there is one. */
  async #current(): Promise<FileHandle | null> {
    const path = join(containerDirectory(this.#layout, this.#id), "log");
    if (this.#file !== null) return this.#file;
    try {
      this.#file = await open(path, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
    return this.#file;
  }

  #isWanted(time: string): boolean {
    const { since, until } = this.#options;
    if (since === null && until === null) return true;
    const at = Date.parse(time);
    return (since === null || at >= since) && (until === null || at < until);
  }
}

function onlyAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === "AbortError")) throw error;
}
