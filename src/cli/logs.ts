import { Failure } from "../model/diagnostic.ts";
import { finalName } from "../model/names.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { parseDuration } from "../model/quantity.ts";
import { logFormatter } from "../ui/logs.ts";
import { styleOf } from "../ui/style.ts";
import { followLogs } from "./follow-logs.ts";
import { containerOf, containersOf } from "./selection.ts";
import type { Session } from "./session.ts";

export interface LogChoice {
  readonly follow: boolean;
  /** A number of lines, or `all`. */
  readonly tail: string;
  /** A time or an age: `2026-01-02T03:04:05Z`, `10m`, seconds since 1970. */
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly index: number | undefined;
  readonly prefix: boolean;
  readonly timestamps: boolean;
  readonly colour: boolean;
}

/** Prints what containers wrote. */
export async function logs(session: Session, names: readonly string[], choice: LogChoice): Promise<number> {
  const now = Date.now();
  const options = {
    ...choice,
    tail: parseTail(choice.tail),
    since: choice.since === undefined ? null : parseTime("since", choice.since, now),
    until: choice.until === undefined ? null : parseTime("until", choice.until, now),
  };
  const select = async (): Promise<readonly ObservedContainer[]> => {
    const [first] = names;
    return choice.index === undefined || first === undefined
      ? containersOf(session, names)
      : [await containerOf(session, first, choice.index)];
  };
  const containers = await select();
  if (choice.follow && options.until === null) await followLogs(session, { first: containers, select, options });
  else if (containers.length > 0) await pourLogs(session, containers, options, session.signal);
  return 0;
}

export interface PourOptions {
  readonly follow: boolean;
  readonly tail: number | null;
  readonly since: number | null;
  readonly until: number | null;
  readonly prefix: boolean;
  readonly timestamps: boolean;
  /** `false`: no colour, whatever the settings say. */
  readonly colour: boolean;
  /** Containers whose names have to fit into the same column. */
  readonly beside?: readonly ObservedContainer[];
  /** Time of the last line of each container, kept up to date; lines up to what is here at the beginning have been printed before. */
  readonly last?: Map<string, string>;
}

/** Prints log lines as they come, each on the stream that it was written to, until they end or the signal aborts. */
export async function pourLogs(
  session: Session,
  containers: readonly ObservedContainer[],
  options: PourOptions,
  signal: AbortSignal,
): Promise<void> {
  const style = styleOf(options.colour && session.settings.colour.stdout);
  const terminal = session.out.terminal;
  const format = logFormatter({
    style,
    names: labels(options.beside ?? containers),
    prefix: options.prefix,
    timestamps: options.timestamps,
    terminal,
  });
  const engine = await session.engine();
  const { follow, tail, since, until } = options;
  const ids = containers.map(({ id }) => id);
  const printed = new Map(options.last);
  for await (const line of engine.logs(ids, { follow, tail, since, until }, signal)) {
    if (session.out.gone) return;
    if (line.time <= (printed.get(line.container) ?? "")) continue;
    options.last?.set(line.container, line.time);
    await (line.stream === "stdout" ? session.out : session.err).pour(format(line));
  }
}

/** What logs call containers, by id: their names without the project's. */
export function labels(containers: readonly ObservedContainer[]): ReadonlyMap<string, string> {
  return new Map(
    containers.map(({ id, name, project }) => {
      const final = finalName(name);
      return [
        id,
        project !== null && /^[-_]/.test(final.slice(project.length)) && final.startsWith(project)
          ? final.slice(project.length + 1)
          : final,
      ];
    }),
  );
}

/** Milliseconds since 1970 of a time or an age. Exported for its tests. */
export function parseTime(flag: string, text: string, now: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const duration = parseDuration(text);
  if (typeof duration === "number") return now - duration;
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new Failure({
    code: "E_USAGE",
    message: `--${flag} ${text} is neither a time nor a duration`,
    hint: "such as 10m, 1h30m, 2026-01-02T03:04:05Z or seconds since 1970",
  });
}

function parseTail(text: string): number | null {
  if (text === "all" || text === "-1") return null;
  if (/^\d+$/.test(text)) return Number(text);
  throw new Failure({ code: "E_USAGE", message: `--tail ${text}: give a number of lines, or all` });
}
