import type { ProcessInfo } from "../engine/engine.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { type Column, table } from "../ui/table.ts";
import { containersOf } from "./selection.ts";
import type { Session } from "./session.ts";

export interface TopOptions {
  readonly names: readonly string[];
  readonly format: string;
}

/** Shows the processes of containers that run. */
export async function top(session: Session, { names, format }: TopOptions): Promise<number> {
  const engine = await session.engine();
  const running = (await containersOf(session, names)).filter(({ state }) => state === "running" || state === "paused");
  const shown = await Promise.all(
    running.map(async (container) => ({ container, processes: await engine.processes(container.id, session.signal) })),
  );
  const entries = shown.flatMap(({ container, processes }) => processes.map((one) => topEntry(container, one, Date.now())));
  if (format === "json") for (const entry of entries) session.out.line(JSON.stringify(entry));
  else {
    const rows = entries.map((entry) =>
      [entry.Service, entry.Number, entry.UID, entry.PID, entry.PPID, entry.C, ...texts(entry)].map(String),
    );
    for (const line of table(COLUMNS, rows, { width: session.out.columns })) session.out.line(line);
  }
  return 0;
}

/** One process as `top --format json` prints it; the keys are the titles of `ps -ef`. `now` in milliseconds since 1970. */
export function topEntry(container: ObservedContainer, one: ProcessInfo, now: number) {
  const began = Date.parse(one.startedAt);
  return {
    Name: container.name,
    Service: container.service ?? "",
    Number: container.number,
    UID: one.user,
    PID: one.pid,
    PPID: one.parent,
    C: Math.min(99, Math.floor((100 * one.cpuMs) / Math.max(1, now - began))),
    STIME: startText(new Date(began), now),
    TTY: one.tty ?? "?",
    TIME: clockText(one.cpuMs),
    CMD: one.command,
  };
}

const texts = ({ STIME, TTY, TIME, CMD }: ReturnType<typeof topEntry>): readonly string[] => [STIME, TTY, TIME, CMD];

const COLUMNS: readonly Column[] = [
  { title: "SERVICE" },
  { title: "#" },
  { title: "UID" },
  { title: "PID" },
  { title: "PPID", drop: 2 },
  { title: "C", drop: 3 },
  { title: "STIME", drop: 4 },
  { title: "TTY", drop: 5 },
  { title: "TIME", drop: 1 },
  { title: "CMD", shrinkTo: 20 },
];

const DAY_MS = 86_400_000;

/** The time of day for what began within a day, else the date, as `ps` has it. */
function startText(began: Date, now: number): string {
  if (now - began.getTime() < DAY_MS) return `${two(began.getHours())}:${two(began.getMinutes())}`;
  return `${began.toLocaleString("en", { month: "short" })}${two(began.getDate())}`;
}

/** `00:01:05`, with days in front of it where it is as much. */
function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(":");
  return days > 0 ? `${days}-${clock}` : clock;
}

const two = (number: number): string => String(number).padStart(2, "0");
