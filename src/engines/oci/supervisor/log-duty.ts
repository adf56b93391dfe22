import { rotate } from "../log-files.ts";
import type { ContainerRecord } from "../records.ts";
import type { Duty, DutyTools, View } from "./duty.ts";

/** How often sizes are looked at, in milliseconds: between two looks a file may grow beyond its limit. */
const LOOK_MS = 500;

/** Keeps the output of containers within the limits of their `logging`. */
export class LogDuty implements Duty {
  readonly name = "logs";
  readonly #tools: DutyTools;
  #limited: readonly ContainerRecord[] = [];
  #clock: NodeJS.Timeout | undefined;

  constructor(tools: DutyTools) {
    this.#tools = tools;
  }

  async look({ containers }: View): Promise<void> {
    this.#limited = containers.flatMap(({ record, status }) =>
      status.state === "running" && typeof record.spec.service.logging?.maxSize === "number" ? [record] : [],
    );
    if (this.#limited.length > 0) this.#clock ??= setInterval(() => this.#rotate(), LOOK_MS);
    else await this.close();
  }

  async close(): Promise<void> {
    clearInterval(this.#clock);
    this.#clock = undefined;
  }

  #rotate(): void {
    const { context, log } = this.#tools;
    for (const { id, name, spec } of this.#limited) {
      const { maxSize = null, maxFile = 1 } = spec.service.logging ?? {};
      try {
        if (maxSize !== null) rotate(context.layout, id, { maxSize, maxFile });
      } catch (error) {
        log(`the log of ${name} was not put aside: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
}
