/** Brings containers back that ended, as their policies say. */
import { LockHeld } from "../../../lib/file-lock.ts";
import { forgetIntent, isBrokenOff } from "../intents.ts";
import { type Container, type ContainerRecord, findContainer } from "../records.ts";
import { afterEnd, alone, hasPolicy, readRestart, returnOf, writeRestart } from "../restarts.ts";
import { startContainer } from "../start.ts";
import { endNow } from "../stop.ts";
import type { Duty, DutyTools, View } from "./duty.ts";

export class RestartDuty implements Duty {
  readonly name = "restarts";
  readonly #tools: DutyTools;
  /** Restarts under way, by container. */
  readonly #working = new Map<string, Promise<void>>();
  #clock: NodeJS.Timeout | undefined;

  constructor(tools: DutyTools) {
    this.#tools = tools;
  }

  async look({ containers }: View): Promise<void> {
    clearTimeout(this.#clock);
    let next = Number.POSITIVE_INFINITY;
    for (const container of containers) {
      if (!hasPolicy(container.record) || container.status.state === "running" || this.#working.has(container.record.id)) continue;
      const dueAt = await this.#dueAt(container);
      if (dueAt === null) continue;
      if (dueAt <= Date.now()) this.#begin(container.record);
      else next = Math.min(next, dueAt);
    }
    if (next !== Number.POSITIVE_INFINITY) this.#clock = setTimeout(this.#tools.wake, Math.max(0, next - Date.now()));
  }

  async close(): Promise<void> {
    clearTimeout(this.#clock);
    await Promise.all(this.#working.values());
  }

  /** When it comes back, written down before anything is done; `null`: it does not. */
  async #dueAt(container: Container): Promise<number | null> {
    const { record, status } = container;
    const { layout } = this.#tools.context;
    if (isBrokenOff(layout, container, "restarting")) {
      this.#tools.log(`${record.name} was to be restarted, and the command that was at it was killed: it comes back`);
      const before = readRestart(layout, record.id);
      const judged = status.state === "exited" ? status.run.startedAt : before.judged; // how it ended says nothing: it was told to
      await writeRestart(layout, record.id, { ...before, stopped: false, dueAt: Date.now(), judged });
      await forgetIntent(layout, record.id, "restarting");
    }
    const state = readRestart(layout, container.record.id);
    const next = returnOf(container, state, Date.now());
    if (next === null || next === state) return next?.dueAt ?? null;
    await writeRestart(layout, record.id, next);
    const how = status.state === "exited" ? ` with ${status.exitCode}` : "";
    this.#tools.log(`${record.name} ended${how}: it comes back in ${next.delayMs} ms`);
    return next.dueAt;
  }

  /** Goes on beside the looks. */
  #begin(record: ContainerRecord): void {
    const { wake, log } = this.#tools;
    const work = this.#restart(record)
      .catch((error: unknown) => {
        // A command has it in hand: what comes of that is seen at the next look.
        if (!(error instanceof LockHeld)) log(`${record.name}: ${error instanceof Error ? error.stack : error}`);
      })
      .finally(() => {
        this.#working.delete(record.id);
        setTimeout(wake, AFTER_MS);
      });
    this.#working.set(record.id, work);
  }

  async #restart({ id, name, spec }: ContainerRecord): Promise<void> {
    const { context, log } = this.#tools;
    const { layout } = context;
    const work = async (record: ContainerRecord): Promise<void> => {
      const container = findContainer(layout, id);
      const state = readRestart(layout, id);
      if (container === null || container.status.state === "running" || state.stopped || state.dueAt === null) return;
      const counted = { ...state, count: state.count + 1, error: null };
      await writeRestart(layout, id, counted);
      try {
        // One that stands beside the container that it is to replace has no ports and names until it takes over.
        const last = container.status.state === "exited" ? container.status.run : null;
        const beside = last?.beside === true && last.ports.length === 0;
        await startContainer(context, container, { beside });
      } catch (error) {
        // A failed start is a run of no length: it is tried again, ever more seldom.
        const next = afterEnd(spec.service.restart, counted, { exitCode: START_FAILED, lastedMs: 0 });
        const words = error instanceof Error ? error.message : String(error);
        if (findContainer(layout, id) === null) return; // it went away meanwhile
        await writeRestart(layout, id, {
          ...(next ?? counted),
          error: words,
          dueAt: next === null ? null : Date.now() + next.delayMs,
        });
        log(`${name} did not come back: ${words}`);
        return;
      }
      const after = readRestart(layout, id);
      await writeRestart(layout, id, { ...after, dueAt: null });
      if (after.stopped)
        await endNow(context, record.id); // by a kill that came while it was being started
      else log(`${name} is back`);
    };
    const found = findContainer(layout, id);
    if (found === null) return;
    await alone(layout, found.record, { purpose: `restart ${name}`, timeoutMs: 0, work: () => work(found.record) });
  }
}

/** As Docker: the status of what could not be started. */
const START_FAILED = 128;

/** Before it looks again at a container that a command has in hand, in milliseconds. */
const AFTER_MS = 50;
