import { join } from "node:path";
import { stopwatch } from "../../../lib/clock.ts";
import { withLock } from "../../../lib/file-lock.ts";
import type { Layout } from "../layout.ts";
import { passForeign } from "../network/foreign.ts";
import { filterGeneration } from "../network/generation.ts";
import { lostRules } from "../network/lost-rules.ts";
import { isPresent } from "../network/networks.ts";
import type { Duty, DutyTools, View } from "./duty.ts";

/** Whether somebody changed the packet filter is asked this often at most, in milliseconds. */
const LOOK_MS = 1500;
/** Tables of iptables that are no part of nftables change without a word: they are looked at this often. */
const FOREIGN_MS = 60_000;
/** A container that has ended is nobody's command at first: whoever ended it brings the rules in line, and this duty for all others. */
const SETTLE_MS = 500;

/** Keeps the packet filter as it should be: others flush it, change it, restart, and containers end by themselves. */
export class FilterDuty implements Duty {
  readonly name = "packet filter";
  readonly #tools: DutyTools;
  #generation: number | null = null;
  #looked = Number.NEGATIVE_INFINITY;
  #foreign = Number.NEGATIVE_INFINITY;
  #bridges = "";
  /** What was missing still when the rules had been put back: that it is missing is no news. */
  #hopeless: string | null = null;
  #live: ReadonlySet<string> = new Set();
  #settling: NodeJS.Timeout | undefined;
  #working: Promise<void> | null = null;

  constructor(tools: DutyTools) {
    this.#tools = tools;
  }

  async look(view: View): Promise<void> {
    this.#noticeEnds(view);
    const networks = view.networks.filter(isPresent);
    const bridges = networks.map(({ bridge }) => bridge);
    const now = stopwatch();
    const isNew = bridges.join() !== this.#bridges;
    if (this.#working !== null || networks.length === 0 || (now - this.#looked < LOOK_MS && !isNew)) return;
    this.#looked = now;
    this.#bridges = bridges.join();
    const generation = filterGeneration();
    const changed = generation !== this.#generation;
    if (!changed && !isNew && now - this.#foreign < FOREIGN_MS) return;
    this.#generation = generation;
    this.#foreign = now;
    this.#work(() => this.#mend(view, bridges));
  }

  async close(): Promise<void> {
    clearTimeout(this.#settling);
    await this.#working;
  }

  /** Goes on beside the looks. What fails is tried again when something changes. */
  #work(act: () => Promise<void>): void {
    this.#working = act()
      .catch((error: unknown) => this.#tools.log(`${this.name}: ${error instanceof Error ? error.message : error}`))
      .finally(() => {
        this.#working = null;
      });
  }

  #noticeEnds({ live }: View): void {
    const ids = new Set(live.map(({ record }) => record.id));
    const ended = [...this.#live].some((id) => !ids.has(id));
    this.#live = ids;
    if (!ended) return;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      if (this.#working === null) this.#work(() => this.#tools.context.syncNetwork());
    }, SETTLE_MS).unref();
  }

  async #mend({ layout }: View, bridges: readonly string[]): Promise<void> {
    await this.#putBack(layout);
    // As the rules themselves: with the command that takes a network away one of the two comes first, and the other one sees it.
    const done = await withLock(join(layout.locks, "wiring.lock"), { purpose: "pass other firewalls", timeoutMs: 60_000 }, () =>
      passForeign(layout, bridges.filter(isThere)),
    );
    for (const line of done) this.#tools.log(`${this.name}: ${line}`);
  }

  async #putBack(layout: Layout): Promise<void> {
    const lost = await lostRules(layout);
    if (lost === null || lost === this.#hopeless) return;
    this.#tools.log(`${this.name}: ${lost} was taken away by somebody, and the rules are put back`);
    await this.#tools.context.syncNetwork();
    this.#hopeless = await lostRules(layout);
    if (this.#hopeless !== null) this.#tools.log(`${this.name}: ${this.#hopeless} is missing still`);
  }
}

const isThere = (bridge: string): boolean => isPresent({ bridge });
