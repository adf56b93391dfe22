/** What a container uses, from its control groups (either version) and its own list of network interfaces. */

import { readlinkSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import type { ResourceUsage } from "../../engine/engine.ts";
import { stopwatch } from "../../lib/clock.ts";
import { cgroupDirectories } from "./cgroups.ts";
import type { Context } from "./context.ts";
import { pidsOf, readIfThere } from "./processes.ts";
import { type Container, runOf } from "./records.ts";

/** Throws E_NOT_RUNNING. */
export async function usageOf({ layout }: Context, container: Container): Promise<ResourceUsage> {
  const { process } = runOf(layout, container);
  const { id } = container.record;
  const directories = await cgroupDirectories(layout, id);
  // A file is in one hierarchy only, by a name that no other has: whichever group has it is the right one.
  const read = (file: string): string | null => {
    for (const directory of directories) {
      const text = readIfThere(join(directory, file));
      if (text !== null) return text;
    }
    return null;
  };
  // In this machine's own network its counts are those of everybody.
  const isHost = namespaceOf(process.pid) === namespaceOf("self");
  const device = isHost ? "" : (readIfThere(`/proc/${process.pid}/net/dev`) ?? "");
  return {
    at: stopwatch(),
    processes: numberIn(read("pids.current")) ?? (await pidsOf(layout, id)).length,
    ...usageIn(read, totalmem()),
    ...trafficIn(device),
  };
}

function namespaceOf(pid: number | "self"): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Of the files of control groups; `read` gives `null` for one that there is not. `machine`: bytes of memory of all. */
export function usageIn(
  read: (file: string) => string | null,
  machine: number,
): Pick<ResourceUsage, "cpuMs" | "memory" | "memoryLimit" | "blockRead" | "blockWritten"> {
  const nanoseconds = numberIn(read("cpuacct.usage"));
  const cpuMs = nanoseconds === null ? countOf(read("cpu.stat"), "usage_usec") / 1e3 : nanoseconds / 1e6;
  const held = numberIn(read("memory.current")) ?? numberIn(read("memory.usage_in_bytes")) ?? 0;
  const counts = read("memory.stat");
  const idle = countOf(counts, "total_inactive_file") || countOf(counts, "inactive_file");
  const limit = numberIn(read("memory.max")) ?? numberIn(read("memory.limit_in_bytes")) ?? machine;
  return { cpuMs, memory: Math.max(0, held - idle), memoryLimit: Math.min(limit, machine), ...blocksIn(read) };
}

/** Bytes of every interface but the loopback one, of /proc/PID/net/dev. */
export function trafficIn(devices: string): Pick<ResourceUsage, "received" | "sent"> {
  const counts = [...devices.matchAll(/^\s*([^\s:]+):\s*(.*)$/gm)].flatMap(([, name, rest = ""]) =>
    name === "lo" ? [] : [rest.trim().split(/\s+/).map(Number)],
  );
  return { received: sum(counts.map((fields) => fields[0] ?? 0)), sent: sum(counts.map((fields) => fields[8] ?? 0)) };
}

function blocksIn(read: (file: string) => string | null): Pick<ResourceUsage, "blockRead" | "blockWritten"> {
  const unified = read("io.stat");
  const old = read("blkio.throttle.io_service_bytes_recursive") ?? read("blkio.throttle.io_service_bytes") ?? "";
  const total = (pattern: RegExp): number => sum([...(unified ?? old).matchAll(pattern)].map(([, count]) => Number(count)));
  return unified === null
    ? { blockRead: total(/^\d+:\d+ Read (\d+)$/gm), blockWritten: total(/^\d+:\d+ Write (\d+)$/gm) }
    : { blockRead: total(/\brbytes=(\d+)/g), blockWritten: total(/\bwbytes=(\d+)/g) };
}

/** `null` for `max`, and for nothing. */
function numberIn(text: string | null): number | null {
  return text !== null && /^\d+\s*$/.test(text) ? Number(text) : null;
}

function countOf(table: string | null, key: string): number {
  const line = (table ?? "").split("\n").find((candidate) => candidate.startsWith(`${key} `));
  return Number(line?.slice(key.length + 1) ?? 0);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
