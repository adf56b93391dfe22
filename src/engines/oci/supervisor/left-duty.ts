/** Takes containers away that go when they have ended, where their command no longer does. */
import { LockHeld } from "../../../lib/file-lock.ts";
import { isLeft, removeLeft } from "../left.ts";
import type { Duty, DutyTools, View } from "./duty.ts";

/** How often is looked whether the command of one that has ended still lives, in milliseconds: its end tells nobody. */
const LOOK_MS = 300;

export class LeftDuty implements Duty {
  readonly name = "removals";
  readonly #tools: DutyTools;
  #clock: NodeJS.Timeout | undefined;

  constructor(tools: DutyTools) {
    this.#tools = tools;
  }

  async look({ layout, containers }: View): Promise<void> {
    clearTimeout(this.#clock);
    const { context, log, wake } = this.#tools;
    const over = containers.filter(({ record, status }) => record.owner !== undefined && status.state === "exited");
    if (over.length > 0) this.#clock = setTimeout(wake, LOOK_MS);
    for (const container of containers) {
      if (!isLeft(layout, container)) continue;
      const { id, name } = container.record;
      try {
        await removeLeft(context, id);
        log(`${name} is removed: it has ended`);
      } catch (error) {
        if (!(error instanceof LockHeld)) throw error;
      }
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#clock);
  }
}
