/** When a request is worth another try, and how long to wait before it. */
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { refusal, retryAfter, unreachable } from "./problems.ts";
import { discard, TransportError } from "./transport.ts";

export interface Patience {
  /** Statuses that are an answer; any other becomes a failure. */
  readonly expect: readonly number[];
  /** The caller tries again itself, or asks somebody else. */
  readonly once?: boolean;
  /** What is asked for, for messages. */
  readonly what: string;
  readonly signal: AbortSignal;
}

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** Who wants to be left alone for longer than this is not waited for. */
const LONGEST_RETRY_AFTER_MS = 60_000;
const TRANSIENT: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Sends until there is an answer. `host` names who is asked, for messages. */
export async function patiently(
  send: () => Promise<IncomingMessage>,
  host: () => string,
  { expect, once = false, what, signal }: Patience,
): Promise<IncomingMessage> {
  for (let attempt = 1; ; attempt += 1) {
    const last = attempt === ATTEMPTS || once;
    let wanted = 0;
    try {
      const response = await send();
      const status = response.statusCode ?? 0;
      if (expect.includes(status)) return response;
      wanted = retryAfter(response);
      if (last || !TRANSIENT.has(status) || wanted > LONGEST_RETRY_AFTER_MS) throw await refusal(response, what, host());
      await discard(response);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      if (last || (error.problem !== "broken" && error.problem !== "timeout")) throw unreachable(error);
    }
    await pause(attempt, { atLeast: wanted, signal });
  }
}

/** Waits before the next attempt: longer each time, and never as long as others who failed at the same moment. */
export async function pause(
  attempt: number,
  { atLeast = 0, signal }: { readonly atLeast?: number; readonly signal: AbortSignal },
): Promise<void> {
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
  await sleep(atLeast + Math.random() * longest, undefined, { signal });
}
