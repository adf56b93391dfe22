import { setTimeout as sleep } from "node:timers/promises";
import type { ResourceUsage } from "../engine/engine.ts";
import { Failure } from "../model/diagnostic.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { type Column, table } from "../ui/table.ts";
import { binaryBytes, bytes } from "../ui/units.ts";
import { formatted } from "./formatted.ts";
import { containersOf } from "./selection.ts";
import type { Session } from "./session.ts";

export interface StatsOptions {
  readonly names: readonly string[];
  readonly all: boolean;
  readonly stream: boolean;
  readonly noTrunc: boolean;
  readonly format: string;
}

/** Shows what containers use: once, or again each second until it is interrupted or nobody reads any more. */
export async function stats(session: Session, options: StatsOptions): Promise<number> {
  let before = await look(session, options);
  do {
    await sleep(INTERVAL_MS, null, { signal: session.signal });
    const now = await look(session, options);
    const entries = now.map(({ container, usage }) => {
      const earlier = before.find((sample) => sample.container.id === container.id)?.usage ?? null;
      return statsEntry(container, { usage, earlier, whole: options.noTrunc });
    });
    show(session, entries, options);
    before = now;
  } while (options.stream && !session.out.gone);
  return 0;
}

/** A container as `stats --format json` prints it; the keys are Docker's. `usage`: `null` when it does not run. */
export function statsEntry(
  container: ObservedContainer,
  { usage, earlier, whole }: { readonly usage: ResourceUsage | null; readonly earlier: ResourceUsage | null; readonly whole: boolean },
) {
  const id = whole ? container.id : container.id.slice(0, 12);
  const { memory = 0, memoryLimit = 0, received = 0, sent = 0, blockRead = 0, blockWritten = 0, processes = 0 } = usage ?? {};
  return {
    Container: id,
    ID: id,
    Name: container.name,
    CPUPerc: percent(usage === null || earlier === null ? 0 : (usage.cpuMs - earlier.cpuMs) / Math.max(1, usage.at - earlier.at)),
    MemUsage: `${binaryBytes(memory)} / ${binaryBytes(memoryLimit)}`,
    MemPerc: percent(memoryLimit === 0 ? 0 : memory / memoryLimit),
    NetIO: `${bytes(received)} / ${bytes(sent)}`,
    BlockIO: `${bytes(blockRead)} / ${bytes(blockWritten)}`,
    PIDs: String(processes),
  };
}

/** Between two looks: what the processor did in that time is shown. */
const INTERVAL_MS = 1000;

const COLUMNS: readonly Column[] = [
  { title: "CONTAINER ID", drop: 3 },
  { title: "NAME" },
  { title: "CPU %" },
  { title: "MEM USAGE / LIMIT" },
  { title: "MEM %" },
  { title: "NET I/O", drop: 1 },
  { title: "BLOCK I/O", drop: 2 },
  { title: "PIDS" },
];

interface Sample {
  readonly container: ObservedContainer;
  readonly usage: ResourceUsage | null;
}

async function look(session: Session, { names, all }: StatsOptions): Promise<readonly Sample[]> {
  const engine = await session.engine();
  const containers = await containersOf(session, names);
  const samples = await Promise.all(
    containers.map(async (container) => {
      if (container.state !== "running" && container.state !== "paused") return { container, usage: null };
      return { container, usage: await engine.usage(container.id, session.signal).catch(nothingWhenGone) };
    }),
  );
  return samples.filter(({ usage }) => all || usage !== null);
}

/** It ended, or was removed, since it was listed. */
function nothingWhenGone(error: unknown): null {
  if (error instanceof Failure && error.diagnostics.every(({ code }) => code === "E_NOT_RUNNING" || code === "E_NO_SUCH_CONTAINER"))
    return null;
  throw error;
}

function show(session: Session, entries: readonly ReturnType<typeof statsEntry>[], { format, stream, noTrunc }: StatsOptions): void {
  if (format === "json") {
    for (const entry of entries) session.out.line(JSON.stringify(entry));
    return;
  }
  if (stream && session.out.terminal) session.out.write("\u001b[H\u001b[J"); // each look takes the place of the one before
  if (format !== "table") {
    for (const line of formatted(format, entries, STATS_FIELDS)) session.out.line(line);
    return;
  }
  const rows = entries.map((e) => [e.ID, e.Name, e.CPUPerc, e.MemUsage, e.MemPerc, e.NetIO, e.BlockIO, e.PIDs]);
  for (const line of table(COLUMNS, rows, { width: noTrunc ? null : session.out.columns })) session.out.line(line);
}

const STATS_FIELDS = "Name ID Container CPUPerc MemUsage MemPerc NetIO BlockIO PIDs".split(" ");

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
