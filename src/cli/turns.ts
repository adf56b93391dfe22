import { stopwatch } from "../lib/clock.ts";
import { shown } from "../lib/path.ts";
import { type Diagnostic, Failure } from "../model/diagnostic.ts";
import type { Emit } from "../model/event.ts";
import type { Project } from "../model/project.ts";
import type { PlanOptions } from "../plan/plan.ts";
import { type RunResult, reconcile, type World } from "../reconcile/reconcile.ts";
import type { Loaded } from "../spec/load.ts";
import { styleOf } from "../ui/style.ts";
import { plural } from "../ui/text.ts";
import { batchLine } from "../ui/watch.ts";
import type { Keeper, Sight } from "../watch/keep.ts";
import { type AttachChoice, stopAll } from "./attach.ts";
import { refuseJobs, refuseSchedules } from "./jobs.ts";
import { LogTail } from "./log-tail.ts";
import { News } from "./news.ts";
import { conclude, outcomeOf, summarise, tally } from "./outcome.ts";
import type { Session } from "./session.ts";
import { namedBy, planOptions, refuseUnknown, type Selection } from "./up.ts";

export interface WatchOptions {
  readonly selection: Selection;
  readonly assumeYes: boolean;
  readonly quietPull: boolean;
  /** `false`: nothing is done before the first change. */
  readonly up: boolean;
  /** Stay with the containers: show their logs, and stop them in the end. `null`: leave them to themselves. */
  readonly attach: AttachChoice | null;
}

/** How a turn left things; `broken`: the spec cannot be read. */
type State = "kept" | "failed" | "broken";

/** The turns of a watch, one after the other: what each one does and says. */
export class Turns implements Keeper<Loaded | Failure> {
  readonly #session: Session;
  readonly #options: WatchOptions;
  readonly #first: PlanOptions;
  readonly #logs: LogTail | null;
  readonly #news = new News();
  /** The last one whose spec was fine. */
  #project: Project | null = null;
  #state: State = "kept";

  /** Throws `Failure` for options that mean nothing. */
  constructor(session: Session, options: WatchOptions) {
    this.#session = session;
    this.#options = options;
    this.#first = planOptions(session, options.selection);
    this.#logs = options.attach === null ? null : new LogTail(session, options.attach);
  }

  async look(): Promise<Sight<Loaded | Failure>> {
    const { loaded, paths } = await this.#session.reload();
    return { seen: loaded, paths };
  }

  async act(seen: Loaded | Failure, changed: readonly string[] | null): Promise<void> {
    this.#state = await (changed === null ? this.#begin(seen) : this.#follow(seen, changed));
    if (this.#session.signal.aborted) return;
    await this.#session.show({ brief: true });
    this.#session.emit({ type: "watch.waiting", state: this.#state });
    await this.#session.endRun();
  }

  /** Leaves what runs as it is; where it stayed with it, and was interrupted, stops it. */
  async end(): Promise<void> {
    const session = this.#session;
    const project = this.#project;
    if (this.#logs === null) {
      if (project !== null) session.say("no longer watching; what runs goes on");
      return;
    }
    if (project !== null && session.signal.aborted) {
      const containers = await (await session.engine()).containers(new AbortController().signal);
      session.say("stopping … (Ctrl-C again to kill)");
      await stopAll(session, project, { containers: containers.filter((container) => container.project === project.name), names: null });
    }
    await this.#logs.end();
  }

  /** The first turn is an `up` like any other. What no change of a file could mend is thrown. */
  async #begin(seen: Loaded | Failure): Promise<State> {
    const session = this.#session;
    const { files, cwd } = session.settings;
    if (seen instanceof Failure) {
      if (session.lacksSpec(seen) || files?.every((file) => file === "-") === true) throw seen;
      await session.tell(seen.diagnostics);
      session.say("watching; nothing is done before this is mended");
      return "broken";
    }
    const { selection, up } = this.#options;
    refuseJobs(seen.project, selection.services);
    refuseUnknown(seen.project, [...selection.services, ...namedBy(this.#options.attach)]);
    const state = await (up ? this.#up(seen) : this.#adopt(seen));
    if (!session.signal.aborted) session.say(`watching ${seen.project.inputs.map((path) => shown(path, cwd)).join(", ")}`);
    return state;
  }

  async #up(loaded: Loaded): Promise<State> {
    const began = stopwatch();
    const result = await this.#run(loaded, this.#first);
    if (result instanceof Failure) {
      await this.#session.tell(result.diagnostics);
      return "failed";
    }
    return (await conclude(this.#session, outcomeOf(result), began)) === 0 ? "kept" : "failed";
  }

  /** Takes a project as it is. */
  async #adopt({ project, warnings }: Loaded): Promise<State> {
    await this.#session.show();
    this.#warn(warnings, (event) => this.#session.emit(event));
    await this.#session.endRun();
    this.#project = project;
    return "kept";
  }

  /** A further turn is one line, below what went wrong. */
  async #follow(seen: Loaded | Failure, changed: readonly string[]): Promise<State> {
    const began = stopwatch();
    const session = this.#session;
    const { settings } = session;
    // A live picture and logs cannot share a screen.
    const renderer = this.#logs !== null && settings.progress === "tty" ? "plain" : settings.progress;
    await session.show({ brief: true, renderer });
    session.emit({ type: "watch.changed", files: changed });
    const { state, what } = await (seen instanceof Failure ? this.#refuse(seen) : this.#make(seen));
    await session.endRun();
    const files = changed.map((path) => shown(path, settings.cwd));
    const mended = this.#state === "broken" && state !== "broken" ? "fine again: " : "";
    const batch = { at: new Date(), files, what: `${mended}${what}`, ms: state === "broken" ? null : stopwatch() - began };
    session.say(batchLine(batch, styleOf(settings.colour.stderr)));
    return state;
  }

  async #refuse({ diagnostics }: Failure): Promise<{ readonly state: State; readonly what: string }> {
    await this.#session.tell(diagnostics);
    return { state: "broken", what: `${plural(diagnostics.length, "problem")}, what runs is left as it is` };
  }

  async #make(loaded: Loaded): Promise<{ readonly state: State; readonly what: string }> {
    const result = await this.#run(loaded, followUp(this.#first));
    if (result instanceof Failure) {
      await this.#session.tell(result.diagnostics);
      return { state: "failed", what: "failed, nothing was done" };
    }
    const { outcome, plan, summary, diagnostics } = result;
    if (outcome === "converged") return { state: "kept", what: plan.steps.length === 0 ? "nothing to do" : summarise(plan) };
    // With JSON the problems were in the events already.
    if (this.#session.settings.progress !== "json") await this.#session.tell(diagnostics);
    return { state: "failed", what: `${outcome === "failed" ? "failed" : "left off"}: ${tally(summary)}` };
  }

  /** Makes what runs equal to a project. What kept it from beginning is given back. */
  async #run({ project, warnings }: Loaded, options: PlanOptions): Promise<RunResult | Failure> {
    const since = Date.now();
    const { assumeYes, quietPull, selection } = this.#options;
    const world = await this.#session.world({ assumeYes, quietTransfers: quietPull });
    this.#news.turn();
    this.#warn([...this.#renamed(project), ...warnings], world.emit);
    this.#project = project;
    try {
      refuseSchedules(project);
      const result = await reconcile(this.#sayingNews(world), project, options);
      if (!this.#session.signal.aborted) await this.#logs?.follow(project.name, { services: selection.services, since });
      return result;
    } catch (error) {
      if (error instanceof Failure) return error;
      throw error;
    }
  }

  /** What runs under the project's former name is left as it is: to take it down is for people to decide. */
  #renamed({ name }: Project): readonly Diagnostic[] {
    const former = this.#project?.name ?? name;
    if (former === name) return [];
    const message = `the project is called ${name} now: what runs of ${former} is left as it is`;
    return [{ code: "W_PROJECT_RENAMED", message, hint: `wharf -p ${former} down removes it` }];
  }

  #warn(warnings: readonly Diagnostic[], emit: Emit): void {
    for (const diagnostic of warnings) if (this.#news.isNew(diagnostic)) emit({ type: "notice", diagnostic });
  }

  #sayingNews(world: World): World {
    const emit: Emit = (event) => {
      if (event.type !== "notice" || this.#news.isNew(event.diagnostic)) world.emit(event);
    };
    return { ...world, emit };
  }
}

/** What was asked for whether needed or not is done once, not at every change. */
function followUp(options: PlanOptions): PlanOptions {
  return {
    ...options,
    recreate: options.recreate === "always" ? "changed" : options.recreate,
    pull: options.pull === "always" ? null : options.pull,
  };
}
