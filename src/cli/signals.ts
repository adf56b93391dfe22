/** Where signals come from: node's `process`, or something like it in tests. */
export interface SignalSource {
  on(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  exit(status: number): void;
}

/** What waits under a signal throws when that goes off: no error of its own. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === "AbortError" || ("code" in error && error.code === "ABORT_ERR"));
}

/** How a command is interrupted: the first signal asks it to end, the second ends it at once. */
export class Interrupts {
  readonly #source: SignalSource;
  readonly #first = new AbortController();
  readonly #listeners: readonly (readonly ["SIGINT" | "SIGTERM", () => void])[];
  #second: (() => void) | null = null;
  #relay: ((signal: "SIGINT" | "SIGTERM") => void) | null = null;
  #count = 0;
  #status: 130 | 143 | null = null;

  constructor(source: SignalSource) {
    this.#source = source;
    this.#listeners = [
      ["SIGINT", () => this.#take(130)],
      ["SIGTERM", () => this.#take(143)],
    ];
    for (const [signal, listener] of this.#listeners) source.on(signal, listener);
  }

  /** Aborts at the first signal. */
  get signal(): AbortSignal {
    return this.#first.signal;
  }

  /** The exit status that the first signal asks for, or `null` when none came. */
  get status(): 130 | 143 | null {
    return this.#status;
  }

  /** What the second signal does instead of ending the process; the third ends it in any case. */
  onSecond(act: () => void): void {
    this.#second = act;
  }

  /** Hands each signal on instead of being interrupted by it. `null`: no longer. */
  relay(act: ((signal: "SIGINT" | "SIGTERM") => void) | null): void {
    this.#relay = act;
  }

  dispose(): void {
    for (const [signal, listener] of this.#listeners) this.#source.off(signal, listener);
  }

  #take(status: 130 | 143): void {
    if (this.#relay !== null) {
      this.#relay(status === 130 ? "SIGINT" : "SIGTERM");
      return;
    }
    this.#count++;
    this.#status ??= status;
    if (this.#count === 1) this.#first.abort();
    else if (this.#count === 2 && this.#second !== null) this.#second();
    else this.#source.exit(this.#status);
  }
}
