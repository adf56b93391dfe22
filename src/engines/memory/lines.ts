import { setTimeout as sleep } from "node:timers/promises";
import type { LogLine, LogOptions } from "../../engine/engine.ts";
import type { Store, World } from "./world.ts";

/** How long one who waits for a change waits before it looks again, in milliseconds. */
export const PAUSE = 20;

/** Writes down what a container prints, line by line. `flush` ends the last one where it is. */
export function scribe(store: Store, id: string): { print(stream: LogLine["stream"], text: string): void; flush(): void } {
  const begun = { stdout: "", stderr: "" };
  const note = (stream: LogLine["stream"], texts: readonly string[], complete: boolean): void => {
    const time = new Date().toISOString();
    const lines = texts.map((text) => ({ container: id, stream, time, text, complete }));
    const world = store.read();
    store.write({ ...world, lines: [...world.lines, ...lines] });
  };
  return {
    print: (stream, text) => {
      const [last = "", ...whole] = `${begun[stream]}${text}`.split("\n").reverse();
      begun[stream] = last;
      if (whole.length > 0) note(stream, whole.reverse(), true);
    },
    flush: () => {
      for (const stream of ["stdout", "stderr"] as const) if (begun[stream] !== "") note(stream, [begun[stream]], false);
    },
  };
}

/** What containers printed, and with `follow` what they print until all of them have ended, are gone, or the signal aborts. */
export async function* readLines(
  store: Store,
  ids: readonly string[],
  { options, signal }: { readonly options: LogOptions; readonly signal: AbortSignal },
): AsyncIterable<LogLine> {
  const told = new Map<string, number>();
  for (let { tail } = options; ; tail = null) {
    const world = store.read();
    const over = !options.follow || ids.every((id) => hasEnded(world, id)); // what had ended before this look has all its lines in it
    const fresh = ids.flatMap((id) => {
      const lines = world.lines.filter(({ container }) => container === id);
      const news = lines.slice(told.get(id) ?? 0).filter((line) => isWanted(line, options));
      told.set(id, lines.length);
      return tail === null ? news : news.slice(Math.max(0, news.length - tail));
    });
    yield* fresh.sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
    if (over || signal.aborted) return;
    await sleep(PAUSE, null, { signal }).catch(() => null); // an abort is seen above
  }
}

function hasEnded({ observed }: World, id: string): boolean {
  const container = observed.containers.find((candidate) => candidate.id === id);
  return container === undefined || container.state === "exited" || container.state === "dead";
}

function isWanted({ time }: LogLine, { since, until }: LogOptions): boolean {
  const at = Date.parse(time);
  return (since === null || at >= since) && (until === null || at < until);
}
