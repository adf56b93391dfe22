import type { Operation } from "../plan/plan.ts";
import { operate as run } from "../reconcile/reconcile.ts";
import { conclude, outcomeOf } from "./outcome.ts";
import { containersOf, targets } from "./selection.ts";
import type { Session } from "./session.ts";

/** Does one thing to the containers that names mean, whatever their project; no names: to all of this project's. */
export async function operate(session: Session, operation: Operation, names: readonly string[]): Promise<number> {
  let worst = 0;
  for (const target of await targets(session, names)) {
    const began = performance.now();
    const result = await run(await session.world(), target.project, operation, target.names);
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
  if (!force && process.stdin.isTTY === true && session.err.terminal) {
    const containers = (await containersOf(session, names)).filter(({ state }) => stop || names.length > 0 || state !== "running");
    if (containers.length === 0) {
      session.say("nothing to remove");
      return 0;
    }
    if (!(await session.confirm(`Remove ${containers.map(({ name }) => name).join(", ")}?`, false))) return 1;
  }
  return operate(session, { kind: "remove", force, stop, volumes }, names);
}
