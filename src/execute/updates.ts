import type { Step, WayBack } from "../model/plan.ts";

interface State {
  failed: number;
  /** The step with which too many had failed. */
  brokenBy: number | null;
  /** There is no way back any more. */
  isSealed: boolean;
}

/** How the updates of services fare: each stops when more of its replacements failed than may. */
export class Updates {
  readonly #states = new Map<string, State>();

  /** The step because of which this one is not begun; `null`: it may be. */
  barrier({ update, service }: Step): number | null {
    return update === undefined || update.role === "proves" ? null : this.#of(service).brokenBy;
  }

  /** The step with which too many had failed in the service of this one. */
  brokenBy({ service }: Step): number | null {
    return this.#of(service).brokenBy;
  }

  begin({ update, service }: Step): void {
    if (update?.role === "seals") this.#of(service).isSealed = true;
  }

  /** Whether too many have failed now that this step is not done. */
  fail({ id, update, service }: Step): boolean {
    if (update?.role !== "proves") return false;
    const state = this.#of(service);
    state.failed += 1;
    if (state.brokenBy !== null || state.failed <= update.tolerated) return false;
    state.brokenBy = id;
    return true;
  }

  /** Whether what was done for the whole service has to be taken back, and can be. */
  isTakenBack({ update, service }: Step): boolean {
    return update?.rollback === true && !this.#of(service).isSealed;
  }

  /** What has come of it, in words. */
  words({ update, service }: Step): string {
    const { failed } = this.#of(service);
    const most = update?.tolerated === 0 ? "none" : `${update?.tolerated ?? 0} at most`;
    return `the update of ${service} is ${update?.rollback === true ? "rolled back" : "paused"}: ${failed} failed, and ${most} may`;
  }

  #of(service: string | null): State {
    const key = service ?? "";
    const state = this.#states.get(key) ?? { failed: 0, brokenBy: null, isSealed: false };
    this.#states.set(key, state);
    return state;
  }
}

/** Takes items back lot by lot. Gives how many failed when more did than may, after which none is begun; `null`: no more than may. */
export async function inLots<T>(
  items: readonly T[],
  { parallelism, delayMs, tolerated }: WayBack,
  { back, pause }: { readonly back: (item: T) => Promise<boolean>; readonly pause: (ms: number) => Promise<void> },
): Promise<number | null> {
  const size = parallelism > 0 ? parallelism : items.length;
  let failed = 0;
  for (let at = 0; at < items.length; at += size) {
    if (at > 0) await pause(delayMs);
    const ends = await Promise.all(items.slice(at, at + size).map(back));
    failed += ends.filter((isBack) => !isBack).length;
    if (failed > tolerated) return failed;
  }
  return null;
}

/** Resolves when so long has passed, or what is left has to be done at once. */
export function passed(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
