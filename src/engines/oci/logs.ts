import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { LogLine, LogOptions } from "../../engine/engine.ts";
import type { Layout } from "./layout.ts";
import { logFiles } from "./log-files.ts";
import { LineJoiner, parseRecord } from "./log-lines.ts";
import { findContainer } from "./records.ts";
import { comesBack, isBeingRestarted } from "./restarts.ts";

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
  /** The file that is being read, and how far. */
  #file: FileHandle | null = null;
  #inode = 0;
  #offset = 0;
  /** Bytes after the last newline. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(layout: Layout, id: string, options: LogOptions) {
    this.#layout = layout;
    this.#id = id;
    this.#options = options;
  }

  /** What was removed prints no more either; what comes back does. */
  hasEnded(): boolean {
    const container = findContainer(this.#layout, this.#id);
    if (container === null) return true;
    return container.status.state === "exited" && !comesBack(this.#layout, container) && !isBeingRestarted(this.#layout, this.#id);
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

  /**
   * Records as latin1 text, a character a byte: a record may end in the middle of a character. To the end of the newest file; one that was put
   * aside is read to its end once there is a newer one, for nothing comes into it any more then.
   */
  async *#newRecords(): AsyncIterable<string> {
    if (this.#file === null && !(await this.#goOn())) return;
    do {
      yield* this.#rests();
      if (!this.#isPutAside()) return;
      yield* this.#rests();
    } while (await this.#goOn());
  }

  async *#rests(): AsyncIterable<string> {
    const file = this.#file;
    if (file === null) return;
    const buffer = Buffer.alloc(CHUNK);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, this.#offset);
      if (bytesRead === 0) return;
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

  /** Whether the monitor writes another file than the one that is being read. */
  #isPutAside(): boolean {
    const newest = logFiles(this.#layout, this.#id).at(-1);
    return newest !== undefined && newest.inode !== this.#inode;
  }

  /** Opens the file after the one that is being read, else the oldest. `false`: there is none. */
  async #goOn(): Promise<boolean> {
    for (;;) {
      const files = logFiles(this.#layout, this.#id);
      const next = files[this.#file === null ? 0 : files.findIndex(({ inode }) => inode === this.#inode) + 1];
      if (next === undefined) return false;
      const opened = await openIfThere(next.path);
      if (opened !== null && (await opened.stat()).ino === next.inode) {
        await this.#file?.close();
        this.#file = opened;
        this.#inode = next.inode;
        this.#offset = 0;
        this.#rest = Buffer.alloc(0);
        return true;
      }
      await opened?.close(); // it got another name meanwhile
    }
  }

  #isWanted(time: string): boolean {
    const { since, until } = this.#options;
    if (since === null && until === null) return true;
    const at = Date.parse(time);
    return (since === null || at >= since) && (until === null || at < until);
  }
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
