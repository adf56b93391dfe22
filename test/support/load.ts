/** Asks servers for their page without a pause, and counts what was answered and what was not. */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface Pressure {
  /** Askers that make a new connection for each request. */
  readonly fresh: number;
  /** Askers that keep theirs for as long as the server does. */
  readonly kept: number;
  /** Milliseconds between an answer and the next request of the same asker. */
  readonly pauseMs: number;
}

export interface Answers {
  readonly answered: number;
  /** What went wrong with each request that was not answered with 200. */
  readonly failed: readonly string[];
  /** Longest time without an answer, in milliseconds. */
  readonly longestGapMs: number;
  /** From the first request to the end, in milliseconds. */
  readonly ms: number;
}

/** A request that takes longer has failed. */
const PATIENCE_MS = 10_000;
const AFTER_FAILURE_MS = 10;

export class Load {
  readonly #urls: readonly string[];
  readonly #failed: string[] = [];
  readonly #workers: readonly Promise<void>[];
  readonly #pauseMs: number;
  readonly #began = performance.now();
  #answered = 0;
  #last = performance.now();
  #longestGapMs = 0;
  #over = false;

  /** Askers take turns with the addresses. */
  constructor(urls: readonly string[], { fresh = 2, kept = 0, pauseMs = 10 }: Partial<Pressure> = {}) {
    this.#urls = urls;
    this.#pauseMs = pauseMs;
    this.#workers = Array.from({ length: fresh + kept }, (_, i) => this.#work(i, i < kept));
  }

  /** What has failed up to now. */
  get failed(): readonly string[] {
    return this.#failed;
  }

  async end(): Promise<Answers> {
    this.#over = true;
    await Promise.all(this.#workers);
    const ms = performance.now() - this.#began;
    return { answered: this.#answered, failed: this.#failed, longestGapMs: this.#longestGapMs, ms };
  }

  async #work(number: number, keeps: boolean): Promise<void> {
    const agent = keeps ? new Agent({ keepAlive: true, maxSockets: 1 }) : false;
    for (let turn = number; !this.#over; turn++) {
      const url = this.#urls[turn % this.#urls.length] ?? "";
      const began = performance.now();
      const failed = await ask(url, agent).then(
        () => {
          this.#note();
          return false;
        },
        (error: Error) => {
          const at = Math.round(began - this.#began);
          this.#failed.push(`${url}: ${error.message} (asked at ${at} ms, failed after ${Math.round(performance.now() - began)} ms)`);
          return true;
        },
      );
      // One that nobody answers does not ask in a circle: that would only keep the machine from what it has to do.
      if (failed) await sleep(AFTER_FAILURE_MS);
      else if (this.#pauseMs > 0) await sleep(this.#pauseMs);
    }
    if (agent !== false) agent.destroy();
  }

  #note(): void {
    const now = performance.now();
    this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#last);
    this.#last = now;
    this.#answered++;
  }
}

function ask(url: string, agent: Agent | false): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, timeout: PATIENCE_MS }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.on("error", reject).on("end", resolve).resume();
    });
    asked.on("timeout", () => asked.destroy(new Error(`no answer within ${PATIENCE_MS / 1000} s`)));
    asked.on("error", reject).end();
  });
}
