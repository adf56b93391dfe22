import { type FileHandle, open, readdir, stat } from "node:fs/promises";
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
    for (let round = 0; readers.length > 0; round += 1) {
      // One that ended may be started again while others run.
      const ended = new Set(options.follow ? readers.filter((reader) => reader.hasEnded()) : readers);
      // A reader that had ended before this look has all its lines in it.
      const found = await Promise.all(
        readers.map((reader) => reader.read({ last: ended.has(reader), tail: round === 0 ? options.tail : null })),
      );
      const lines = found.flat().sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
      yield* lines;
      if (ended.size === readers.length || signal.aborted) return;
      if (lines.length === 0) await sleep(PAUSE, undefined, { signal }).catch(onlyAbort);
    }
  } finally {
    await Promise.all(readers.map((reader) => reader.close()));
  }
}

/** Text from bytes, whole lines only. */
function decoded<T extends { readonly text: string }>(line: T): T {
  return ASCII.test(line.text) ? line : { ...line, text: Buffer.from(line.text, "latin1").toString() };
}

const ASCII = /^[\0-\x7f]*$/;

class LogReader {
  readonly #layout: Layout;
  readonly #id: string;
  readonly #options: LogOptions;
  readonly #joiner = new LineJoiner();
  #file: FileHandle | null = null;
  #offset = 0;
  /** Older files that are still to be read. */
  #aside: string[] = [];
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
      if (whole !== null && this.#isWanted(whole.time)) lines.push({ container: this.#id, ...decoded(whole), complete: true });
      // Of a long log only the last lines are kept in memory.
      if (look.tail !== null && lines.length > 2 * look.tail + 1000) lines.splice(0, lines.length - look.tail);
    }
    if (look.last)
      for (const rest of this.#joiner.rest())
        if (this.#isWanted(rest.time)) lines.push({ container: this.#id, ...decoded(rest), complete: false });
    return look.tail === null ? lines : lines.slice(Math.max(0, lines.length - look.tail));
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  /** Records as latin1 text, a character a byte: a record may end in the middle of a character. */
  async *#newRecords(): AsyncIterable<string> {
    for (let file = await this.#current(); file !== null; file = await this.#next()) {
      const buffer = Buffer.alloc(CHUNK);
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, this.#offset);
        if (bytesRead === 0) break;
        this.#offset += bytesRead;
        const data = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]);
        let from = 0;
        for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, from)) {
          yield data.toString("latin1", from, end);
          from = end + 1;
        }
        this.#rest = Buffer.from(data.subarray(from));
      }
    }
  }

  /** The file that is read at the moment, once there is one: the oldest of those that were put aside when there are some. */
  async #current(): Promise<FileHandle | null> {
    if (this.#file !== null) return this.#file;
    const directory = containerDirectory(this.#layout, this.#id);
    this.#aside = await putAside(directory);
    const oldest = this.#aside.shift();
    this.#file = (oldest === undefined ? null : await openIfThere(oldest)) ?? (await openIfThere(join(directory, "log")));
    return this.#file;
  }

  /** After the end of a file the next one: `null` while it is the one that is written to. */
  async #next(): Promise<FileHandle | null> {
    const path = this.#aside.shift() ?? join(containerDirectory(this.#layout, this.#id), "log");
    const [now, there] = await Promise.all([this.#file?.stat(), stat(path).catch(onlyMissing)]);
    if (there === null || (now?.ino === there.ino && now.dev === there.dev)) return null;
    if (now !== undefined && this.#offset < now.size) return this.#file; // it was written to until it was put aside
    const next = await openIfThere(path);
    if (next === null) return null;
    await this.#file?.close();
    this.#file = next;
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
    return next;
  }

  #isWanted(time: string): boolean {
    const { since, until } = this.#options;
    if (since === null && until === null) return true;
    const at = Date.parse(time);
    return (since === null || at >= since) && (until === null || at < until);
  }
}

/** Files of a log that was put aside when it was long: `log.2` is older than `log.1`. The oldest first. */
async function putAside(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(onlyMissing);
  const numbers = (names ?? []).flatMap((name) => (/^log\.[1-9]\d{0,3}$/.test(name) ? [Number(name.slice(4))] : []));
  return numbers.sort((x, y) => y - x).map((number) => join(directory, `log.${number}`));
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  return open(path, "r").catch(onlyMissing);
}

function onlyMissing(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
  throw error;
}

function onlyAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === "AbortError")) throw error;
}
