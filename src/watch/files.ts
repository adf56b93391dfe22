import { type FSWatcher, watch } from "node:fs";
import { basename, join } from "node:path";
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
  #ears: readonly FSWatcher[] = [];
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
    this.#ears = [...spots].flatMap(([directory, { entries }]) => this.#listen(directory, entries));
    const entries = [...spots.values()].flatMap((spot) => [...spot.entries]);
    await Promise.all(entries.map((entry) => this.#refresh(entry)));
    this.#clock = setInterval(() => void this.#look(), this.#lookMs);
    return true;
  }

  close(): void {
    clearInterval(this.#clock);
    for (const ear of this.#ears) ear.close();
    this.#ears = [];
    this.#stamps = new Map();
    this.#spots = null;
  }

  #listen(directory: string, entries: ReadonlySet<string>): readonly FSWatcher[] {
    try {
      const ear = watch(directory, (_event, name) => {
        const path = join(directory, name ?? "");
        if (entries.has(path)) {
          this.#changes.note(path);
          void this.#refresh(path);
        }
        // A directory that was moved or removed says its own name, as a file in it with that name would.
        if (name === null || name === basename(directory)) void this.#look();
      });
      ear.on("error", () => ear.close()); // looking goes on
      return [ear];
    } catch (error) {
      if (error instanceof Error && "code" in error) return []; // gone by now, not ours to read, or too many: looking must do
      throw error;
    }
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

/** How often a look is taken, in milliseconds. */
const LOOK_MS = 2000;
