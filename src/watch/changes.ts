/** How long changes are gathered before they count as one. */
export interface Pace {
  /** Milliseconds without a further change after which they are given out. */
  readonly quietMs: number;
  /** Milliseconds after the first change at which they are given out in any case. */
  readonly mostMs: number;
}

/** Saving one file, or a few together, is one batch; whatever writes without end is followed all the same. */
export const PACE: Pace = { quietMs: 100, mostMs: 1000 };

/** What changed since it was last asked for. What comes while nobody asks is kept. */
export class Changes {
  readonly #pace: Pace;
  readonly #paths = new Set<string>();
  #first = 0;
  #last = 0;
  #wake: () => void = () => {};

  constructor(pace: Pace = PACE) {
    this.#pace = pace;
  }

  note(path: string): void {
    this.#last = performance.now();
    if (this.#paths.size === 0) this.#first = this.#last;
    this.#paths.add(path);
    this.#wake();
  }

  /** All that is there now, in the order in which it came. */
  drain(): readonly string[] {
    const paths = [...this.#paths];
    this.#paths.clear();
    return paths;
  }

  /** The next batch, once there is one and its burst is over; empty when the signal aborts. */
  async take(signal: AbortSignal): Promise<readonly string[]> {
    while (!signal.aborted) {
      const left = this.#left();
      if (left !== null && left <= 0) return this.drain();
      await this.#pause(left, signal);
    }
    return [];
  }

  /** Milliseconds until what is there is given out; `null` when nothing is. */
  #left(): number | null {
    if (this.#paths.size === 0) return null;
    return Math.min(this.#last + this.#pace.quietMs, this.#first + this.#pace.mostMs) - performance.now();
  }

  /** Until the time is over, something comes, or the signal aborts. */
  #pause(ms: number | null, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", over);
        this.#wake = () => {};
        resolve();
      };
      const timer = ms === null ? undefined : setTimeout(over, ms);
      this.#wake = over;
      signal.addEventListener("abort", over, { once: true });
    });
  }
}
