import { stopwatch } from "../lib/clock.ts";
import type { Operation } from "../plan/plan.ts";
import { operate as run } from "../reconcile/reconcile.ts";
import { refuseJobs } from "./jobs.ts";
import { conclude, outcomeOf } from "./outcome.ts";
import { containersOf, targets } from "./selection.ts";
import type { Session } from "./session.ts";
import type { Patience } from "./wait-well.ts";

/** Does one thing to the containers that names mean, whatever their project; no names: to all of this project's. `patience`: with waits. */
export async function operate(session: Session, operation: Operation, names: readonly string[], patience?: Patience): Promise<number> {
  let worst = 0;
  for (const target of await targets(session, names)) {
    refuseJobs(target.project, names);
    const began = stopwatch();
    const result = await run(await session.world({ patience }), target.project, operation, target.names);
    worst = Math.max(worst, await conclude(session, outcomeOf(result), began));
  }
  return worst;
}

export interface RemoveOptions {
  readonly names: readonly string[];
  readonly force: boolean;
  readonly stop: boolean;
  readonly volumes: boolean;
}

/** Removes containers. Asks first where somebody is there to answer. */
export async function remove(session: Session, { names, force, stop, volumes }: RemoveOptions): Promise<number> {
  if (!force && !session.settings.dryRun && process.stdin.isTTY === true && session.err.terminal) {
    const containers = (await containersOf(session, names)).filter(({ state }) => stop || names.length > 0 || state !== "running");
    if (containers.length === 0) {
      session.say("nothing to remove");
      return 0;
    }
    if (!(await session.confirm(`Remove ${containers.map(({ name }) => name).join(", ")}?`, false))) return 1;
  }
  return operate(session, { kind: "remove", force, stop, volumes }, names);
}

/** A signal's whole name from what Docker's users write: `hup`, `HUP`, `SIGHUP`; a number stays one. */
export function signalNamed(text: string): string {
  const upper = text.toUpperCase();
  return /^\d+$/.test(upper) || upper.startsWith("SIG") ? upper : `SIG${upper}`;
}

/** Sends containers a signal; orphans go when that is asked for. */
export async function kill(
  session: Session,
  { signal, removeOrphans, names }: { readonly signal: string; readonly removeOrphans: boolean; readonly names: readonly string[] },
): Promise<number> {
  const status = await operate(session, { kind: "kill", signal }, names);
  if (!removeOrphans || status !== 0) return status;
  const project = await session.project();
  const known = new Set([...project.services.map(({ name }) => name), ...project.disabled]);
  const orphans = (await session.containers(project.name)).filter((c) => !c.oneOff && (c.service === null || !known.has(c.service)));
  if (orphans.length === 0) return status;
  return operate(
    session,
    { kind: "remove", force: true, stop: false, volumes: false },
    orphans.map(({ name }) => name),
  );
}
