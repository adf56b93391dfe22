/** What comes of a container that `--wait` waits for. */
import type { Diagnostic } from "../model/diagnostic.ts";
import type { Awaited } from "../model/event.ts";
import { GOOD_RUN_MS, RESTARTS_ALLOWED } from "../model/health.ts";
import type { ObservedContainer } from "../model/observed.ts";

export interface Look {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How often its policy had restarted it by the first look. */
  readonly restarts: number;
}

export function judge(container: ObservedContainer, look: Look): Awaited["verdict"] {
  const { state, health, exitCode, restarts = 0, startedAt, stopped = false } = container;
  if (state === "dead" || health === "unhealthy" || (state === "exited" && stopped)) return "failed";
  if (state === "exited") return exitCode === 0 ? "done" : "failed";
  if (state === "restarting") return restarts >= Math.max(RESTARTS_ALLOWED, look.restarts + 1) ? "failed" : "open";
  if (state !== "running") return "open";
  if (health !== null) return health === "healthy" ? "ready" : "open";
  // One that its policy brought back may be about to end as it did before.
  return restarts === 0 || look.now - Date.parse(startedAt ?? "") >= GOOD_RUN_MS ? "ready" : "open";
}

/** How a container is, for the show. `before`: how it was at the look before this one. */
export function awaited(container: ObservedContainer, before: Awaited | undefined, look: Look): Awaited {
  const { service, name, state, exitCode, health, startedAt, finishedAt, createdAt } = container;
  const verdict = judge(container, look);
  const isSame = before?.state === state && before.health === health && before.verdict === verdict;
  const began = before === undefined ? (state === "exited" ? finishedAt : startedAt) : new Date(look.now).toISOString();
  return { service, name, state, exitCode, health, since: isSame ? before.since : (began ?? createdAt), verdict };
}

/** Why there is no use in waiting for it any longer. */
export function failureOf({ name, service, state, health, exitCode, restarts = 0, stopped = false }: ObservedContainer): Diagnostic {
  if (state === "exited" && stopped) return leftAlone(`${name} was stopped`);
  const hint = `wharf logs ${service ?? name} shows what it printed`;
  if (health === "unhealthy")
    return { code: "E_UNHEALTHY", message: `${name} is unhealthy`, hint: `${hint}, wharf inspect ${name} what its check said` };
  const last = exitCode === null ? "" : `, its last end was with ${exitCode}`;
  const message =
    state === "restarting"
      ? `${name} ends again and again: its policy has started it ${restarts} times${last}`
      : `${name} ended with ${exitCode ?? "an error"}`;
  return { code: "E_UNHEALTHY", message, hint };
}

/** Why there is no use in waiting for one that is there no more. */
export function goneFailure(name: string): Diagnostic {
  return leftAlone(`${name} was removed`);
}

function leftAlone(what: string): Diagnostic {
  return { code: "E_GAVE_WAY", message: `${what} while this command waited for it`, hint: "run the command again to go on" };
}

/** That it is not there yet, though the time is over. */
export function lateness({ name, service, state, health, exitCode }: ObservedContainer, seconds: number): Diagnostic {
  const how = state === "running" ? (health ?? state) : exitCode === null ? state : `${state} (its last end was with ${exitCode})`;
  const message = `application not healthy after ${seconds}s: ${name} is still ${how}`;
  return { code: "E_WAIT_TIMEOUT", message, hint: `wharf logs ${service ?? name} shows what it printed` };
}
