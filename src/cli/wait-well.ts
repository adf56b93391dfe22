import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../model/diagnostic.ts";
import type { ObservedContainer } from "../model/observed.ts";
import type { Session } from "./session.ts";

export interface WaitFlags {
  readonly wait: boolean;
  readonly "wait-timeout": number | undefined;
}

/** How often is looked, in milliseconds. */
const LOOK_MS = 100;

/**
 * Waits until the containers of the named services (none named: of all) are healthy, or running where nobody looks at their health; one that ended
 * with 0 has done its work. Gives 0. Throws E_UNHEALTHY for the first that does not come to that, or that is not there in time.
 */
export async function waitWell(session: Session, services: readonly string[], flags: WaitFlags): Promise<number> {
  if (session.settings.dryRun) return 0;
  const seconds = flags["wait-timeout"];
  const deadline = seconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + seconds * 1000;
  const { name } = await session.project();
  for (;;) {
    session.signal.throwIfAborted();
    const all = (await session.containers(name)).filter(({ oneOff, service }) => !oneOff && isNamed(service, services));
    const problem = all.map(problemOf).find((found) => found !== null);
    if (problem !== undefined && problem !== null) throw problem;
    const open = all.find((container) => !isWell(container));
    if (open === undefined) return 0;
    if (Date.now() >= deadline) throw late(open, seconds ?? 0);
    await sleep(Math.min(LOOK_MS, Math.max(1, deadline - Date.now())));
  }
}

function isNamed(service: string | null, services: readonly string[]): boolean {
  return services.length === 0 || (service !== null && services.includes(service));
}

function isWell({ state, health, exitCode }: ObservedContainer): boolean {
  if (state === "exited") return exitCode === 0;
  return state === "running" && (health === null || health === "healthy");
}

function problemOf(container: ObservedContainer): Failure | null {
  const { name, state, health, exitCode, service } = container;
  const hint = `wharf logs ${service ?? name} shows what it printed`;
  if (health === "unhealthy")
    return new Failure({
      code: "E_UNHEALTHY",
      message: `${name} is unhealthy`,
      hint: `${hint}, wharf inspect ${name} what its check said`,
    });
  const ended = state === "dead" || (state === "exited" && exitCode !== 0);
  return ended ? new Failure({ code: "E_UNHEALTHY", message: `${name} ended with ${exitCode ?? "an error"}`, hint }) : null;
}

function late({ name, state, health, service }: ObservedContainer, seconds: number): Failure {
  const message = `${name} is still ${state === "running" ? (health ?? state) : state} after ${seconds} ${seconds === 1 ? "second" : "seconds"}`;
  return new Failure({ code: "E_UNHEALTHY", message, hint: `wharf logs ${service ?? name} shows what it printed` });
}
