import { diagnosticsOf, Failure } from "../model/diagnostic.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { type AttachChoice, isShown, isWanted, watchEnd } from "./attach.ts";
import { pourLogs } from "./logs.ts";
import { sorted } from "./selection.ts";
import type { Session } from "./session.ts";
import { isAbort } from "./signals.ts";

/** The logs of a project whose containers come and go. */
export class LogTail {
  readonly #session: Session;
  readonly #choice: AttachChoice;
  readonly #over = new AbortController();
  /** Runs of containers that are followed already. */
  readonly #followed = new Set<string>();
  readonly #tasks: Promise<void>[] = [];

  constructor(session: Session, choice: AttachChoice) {
    this.#session = session;
    this.#choice = choice;
  }

  /** Also shows what those containers write that were not there before, from a time on (milliseconds since 1970). */
  async follow(project: string, { services, since }: { readonly services: readonly string[]; readonly since: number }): Promise<void> {
    const all = sorted(await this.#session.containers(project)).filter((c) => !c.oneOff && isWanted(c, services, []));
    const added = all.filter((container) => !this.#followed.has(runOf(container)));
    for (const container of added) this.#followed.add(runOf(container));
    const spec = await this.#session.project();
    const shown = added.filter((container) => isShown(container, this.#choice, spec));
    if (shown.length > 0) {
      const options = { ...this.#choice, follow: true, tail: null, since, until: null };
      this.#begin(pourLogs(this.#session, shown, options, this.#over.signal));
    }
    const engine = await this.#session.engine();
    for (const container of added) this.#begin(watchEnd(this.#session, engine, container, this.#over.signal));
  }

  /** Ends the show when all containers have ended, or after a moment. */
  async end(): Promise<void> {
    const clock = setTimeout(() => this.#over.abort(), GRACE_MS);
    await Promise.all(this.#tasks);
    clearTimeout(clock);
  }

  #begin(task: Promise<unknown>): void {
    const told = async (): Promise<void> => {
      try {
        await task;
      } catch (error) {
        if (this.#over.signal.aborted && isAbort(error)) return;
        if (!(error instanceof Failure)) throw error;
        await this.#session.tell(diagnosticsOf(error));
      }
    };
    this.#tasks.push(told());
  }
}

/** How long lines that are on their way may take, in milliseconds. */
const GRACE_MS = 1000;

/** A container that is started again has another one. */
function runOf({ id, startedAt }: ObservedContainer): string {
  return `${id} ${startedAt}`;
}
