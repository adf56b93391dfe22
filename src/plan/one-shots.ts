/** Services that do something and end. */
import type { ObservedContainer } from "../model/observed.ts";
import type { Service } from "../model/service.ts";
import { sourceOf } from "./change.ts";
import { type Planning, placed } from "./planning.ts";

/** Whether a container that is as the spec says stays ended: it did what it is to do once. */
export function hasDoneItsWork(service: Service, container: ObservedContainer): boolean {
  return service.run === "once" && endedWell(container);
}

/** Tells that a container is started although it had done its work, where nobody has said what is wanted. */
export function sayRunsAgain(p: Planning, service: Service, container: ObservedContainer): void {
  if (service.run !== undefined || service.restart.name !== "no" || !endedWell(container)) return;
  p.notices.push({
    code: "W_RUNS_AGAIN",
    message: `service ${service.name} ended with 0, and runs again`,
    hint: "`x-wharf: { run: once }` leaves it alone until its spec changes; `run: always` ends this warning",
    ...placed(sourceOf(p.desired, `services.${service.name}`)),
  });
}

/** By itself: a program that was told to stop may end with 0 in the middle of its work. */
function endedWell({ state, exitCode, stopped }: ObservedContainer): boolean {
  return state === "exited" && exitCode === 0 && stopped !== true;
}
