/** Looks at the health of containers, each on its own clock. */
import { LockHeld } from "../../../lib/file-lock.ts";
import { noteEvent } from "../events.ts";
import { isFrozen } from "../freezer.ts";
import { afterProbe, graceOf, type HealthPlan, type HealthState, healthPlan, readHealth, writeHealth } from "../health.ts";
import { type ContainerRecord, findContainer, type RunState } from "../records.ts";
import { alone, readRestart, writeRestart } from "../restarts.ts";
import { stopContainer } from "../stop.ts";
import type { Duty, DutyTools, View } from "./duty.ts";
import { probe } from "./probe.ts";

export class HealthDuty implements Duty {
  readonly name = "health";
  readonly #tools: DutyTools;
  readonly #patients = new Map<string, Patient>();

  constructor(tools: DutyTools) {
    this.#tools = tools;
  }

  async look({ containers }: View): Promise<void> {
    const seen = new Set<string>();
    for (const { record, status } of containers) {
      const plan = status.state === "running" ? healthPlan(record) : null;
      if (status.state !== "running" || plan === null) continue;
      const key = `${record.id} ${status.run.startedAt} ${JSON.stringify(plan)}`; // another plan is another patient
      seen.add(key);
      if (this.#patients.has(key)) continue;
      const patient = new Patient(this.#tools, { record, plan, run: status.run });
      this.#patients.set(key, patient);
      patient.begin();
    }
    for (const [key, patient] of this.#patients) {
      if (seen.has(key)) continue;
      patient.end();
      this.#patients.delete(key);
    }
  }

  async close(): Promise<void> {
    for (const patient of this.#patients.values()) patient.end();
    this.#patients.clear();
  }
}

interface Case {
  readonly record: ContainerRecord;
  readonly plan: HealthPlan;
  readonly run: RunState;
}

/** The first waits between looks at one that is starting, in milliseconds: twice as long each time, up to the second. */
const FIRST_WAIT_MS = 50;
const LONGEST_EARLY_WAIT_MS = 1000;
/** Looks at one that is starting take this part of the time at most. */
const EARLY_SHARE = 4;
/** While it is paused. */
const PAUSED_WAIT_MS = 500;

/** One run of one container. */
class Patient {
  readonly #tools: DutyTools;
  readonly #case: Case;
  #clock: NodeJS.Timeout | undefined;
  #over = false;
  #earlyMs = FIRST_WAIT_MS;
  /** When a failure was counted last, in milliseconds since 1970. */
  #countedAt = 0;

  constructor(tools: DutyTools, of: Case) {
    this.#tools = tools;
    this.#case = of;
  }

  /** At once; where somebody looked at this run before, when the next look is due. */
  begin(): void {
    const { record, plan, run } = this.#case;
    const { status, log } = readHealth(this.#tools.context.layout, record, run.startedAt);
    const last = log.at(-1);
    const due = last === undefined || status === "starting" ? 0 : Date.parse(last.End) + plan.intervalMs - Date.now();
    this.#after(Math.min(Math.max(0, due), plan.intervalMs));
  }

  end(): void {
    this.#over = true;
    clearTimeout(this.#clock);
  }

  #after(ms: number): void {
    if (this.#over) return;
    this.#clock = setTimeout(() => {
      this.#look().catch((error: unknown) => {
        this.#tools.log(`${this.#case.record.name}: ${error instanceof Error ? error.stack : error}`);
        this.#after(this.#case.plan.intervalMs);
      });
    }, ms);
  }

  async #look(): Promise<void> {
    const { context, log } = this.#tools;
    const { record, plan, run } = this.#case;
    if (isFrozen(context.layout, record.id)) {
      this.#after(PAUSED_WAIT_MS);
      return;
    }
    const began = Date.now();
    const verdict = await probe(context, record, plan);
    const ended = Date.now();
    if (this.#over || findContainer(context.layout, record.id) === null) return; // what came of it is about nothing
    if (verdict.status !== 0 && isFrozen(context.layout, record.id)) {
      this.#after(PAUSED_WAIT_MS); // it was paused meanwhile, and a held program answers nobody
      return;
    }
    const before = readHealth(context.layout, record, run.startedAt);
    const counts = this.#counts(before, began);
    if (counts) this.#countedAt = began;
    const entry = { Start: iso(began), End: iso(ended), ExitCode: verdict.status, Output: verdict.output };
    const after = afterProbe(before, entry, { retries: plan.retries, counts });
    await writeHealth(context.layout, record.id, after);
    if (after.status !== before.status) {
      log(`${record.name} is ${after.status}`);
      noteEvent(context.layout, { record, action: `health_status: ${after.status}` });
    }
    if (after.status === "unhealthy" && plan.restart && (await this.#restart())) return;
    this.#after(this.#wait(after, ended - began));
  }

  /** Quick looks at one that is starting are extra: failures count as seldom as Docker would have looked. */
  #counts(before: HealthState, began: number): boolean {
    const { plan, run } = this.#case;
    if (before.status !== "starting") return true;
    return began - Date.parse(run.startedAt) >= graceOf(plan) && began - this.#countedAt >= plan.intervalMs;
  }

  #wait({ status }: HealthState, tookMs: number): number {
    const { plan, run } = this.#case;
    if (status !== "starting") return plan.intervalMs;
    const early = Math.max(this.#earlyMs, EARLY_SHARE * tookMs);
    this.#earlyMs = Math.min(2 * this.#earlyMs, LONGEST_EARLY_WAIT_MS);
    const late = Date.now() - Date.parse(run.startedAt) >= graceOf(plan);
    return Math.min(plan.intervalMs, late ? Math.max(early, plan.startIntervalMs) : early);
  }

  /** Ends it so that it comes back, which is written down first. `false`: a command has it in hand, or it is to stay down. */
  async #restart(): Promise<boolean> {
    const { context, log, wake } = this.#tools;
    const { record, run } = this.#case;
    const { layout } = context;
    const work = async (): Promise<boolean> => {
      const container = findContainer(layout, record.id);
      const state = readRestart(layout, record.id);
      if (container?.status.state !== "running" || container.status.run.startedAt !== run.startedAt) return false;
      log(`${record.name} is unhealthy: it is started anew`);
      await writeRestart(layout, record.id, { ...state, judged: run.startedAt, dueAt: Date.now() });
      await stopContainer(context, container, { graceMs: null, signal: new AbortController().signal });
      wake();
      return true;
    };
    try {
      return await alone(layout, record, { purpose: `restart ${record.name}`, timeoutMs: 0, work });
    } catch (error) {
      if (error instanceof LockHeld) return false;
      throw error;
    }
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();
