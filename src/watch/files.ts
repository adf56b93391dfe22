import { once } from "node:events";
import { basename, join } from "node:path";
import { type FSWatcher, watch } from "chokidar";
import type { Changes } from "./changes.ts";
import { type Spots, sameSpots, spotsOf, stampOf } from "./spots.ts";

/**
 * Notes changes of files, whether they are there or not. It listens to the directories that hold them: editors put a new file in the place of
 * the old one, and a watch on a file stays with the old one. Since the kernel does not tell of everything (changes made by another machine on a
 * shared disk, a directory far above that was moved, anything once its limits are reached), it also looks every now and then.
 */
export class FileWatcher {
  readonly #changes: Changes;
  readonly #lookMs: number;
  #spots: Spots | null = null;
  /** By entry; what was told of is up to date in it. */
  #stamps = new Map<string, string>();
  #ear: FSWatcher | null = null;
  #clock: NodeJS.Timeout | undefined;

  constructor(changes: Changes, lookMs: number = LOOK_MS) {
    this.#changes = changes;
    this.#lookMs = lookMs;
  }

  /** Notes changes of these paths, absolute, and of no others. Gives whether it heard less of them until now. */
  async follow(paths: readonly string[]): Promise<boolean> {
    const spots = await spotsOf(paths);
    if (this.#spots !== null && sameSpots(spots, this.#spots)) return false;
    this.close();
    this.#spots = spots;
    const entries = new Set([...spots.values()].flatMap((spot) => [...spot.entries]));
    await this.#listen([...spots.keys()], entries);
    await Promise.all([...entries].map((entry) => this.#refresh(entry)));
    this.#clock = setInterval(() => void this.#look(), this.#lookMs);
    return true;
  }

  close(): void {
    clearInterval(this.#clock);
    void this.#ear?.close();
    this.#ear = null;
    this.#stamps = new Map();
    this.#spots = null;
  }

  async #listen(directories: string[], entries: ReadonlySet<string>): Promise<void> {
    // Of the files chokidar would watch each one by itself; what the directories tell, as it comes (`raw`), is enough and never stale.
    const ear = watch(directories, { depth: 0, ignoreInitial: true, ignored: (path) => !directories.includes(path) });
    this.#ear = ear;
    ear.on("raw", (_event, name: string | null, details) => {
      const watchedPath = watchedPathOf(details);
      const path = join(watchedPath, name ?? "");
      if (entries.has(path)) {
        this.#changes.note(path);
        void this.#refresh(path);
      }
      // A directory that was moved or removed says its own name, as a file in it with that name would.
      if (name === null || name === basename(watchedPath)) void this.#look();
    });
    ear.on("error", () => void this.#look()); // gone by now, not ours to read, or too many: looking must do
    await once(ear, "ready");
  }

  /** Notes what changed without a word. */
  async #look(): Promise<void> {
    const stamps = this.#stamps;
    for (const [path, before] of [...stamps]) {
      const now = await this.#refresh(path);
      if (stamps !== this.#stamps) return; // others are followed by now
      if (now !== before) this.#changes.note(path);
    }
  }

  async #refresh(path: string): Promise<string> {
    const stamps = this.#stamps;
    const now = await stampOf(path);
    stamps.set(path, now);
    return now;
  }
}

/** The directory that an event of chokidar's is about. */
function watchedPathOf(details: unknown): string {
  if (typeof details === "object" && details !== null && "watchedPath" in details) return String(details.watchedPath);
  throw new Error("chokidar does not say any more which directory an event is about");
}

/** How often a look is taken, in milliseconds. */
const LOOK_MS = 2000;
