/** What runs in a container, from its control groups and /proc. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessInfo } from "../../engine/engine.ts";
import { cgroupDirectories } from "./cgroups.ts";
import type { Context } from "./context.ts";
import { noteEvent } from "./events.ts";
import type { Layout } from "./layout.ts";
import { type Container, runOf } from "./records.ts";
import { readInside } from "./rootfs-path.ts";
import { USER_FILE_LIMIT } from "./user.ts";

/** Every process of a container, also those in control groups that it made itself. Throws E_NOT_RUNNING. */
export async function processesOf({ layout }: Context, container: Container): Promise<readonly ProcessInfo[]> {
  const { process } = runOf(layout, container);
  noteEvent(layout, { record: container.record, action: "top" });
  const pids = await pidsOf(layout, container.record.id);
  const root = `/proc/${process.pid}/root`;
  const names = userNames(readInside(root, "/etc/passwd", { limit: USER_FILE_LIMIT }));
  const booted = bootTime(readFileSync("/proc/stat", "latin1"));
  return pids.flatMap((pid) => {
    const [stat, status, cmdline] = ["stat", "status", "cmdline"].map((file) => readIfThere(`/proc/${pid}/${file}`));
    return stat == null || status == null ? [] : parseProcess({ stat, status, cmdline: cmdline ?? "" }, { booted, names });
  });
}

/** Numbers of a container's processes, ascending. */
export async function pidsOf(layout: Layout, id: string): Promise<readonly number[]> {
  const found = new Set<number>();
  for (const directory of await cgroupDirectories(layout, id)) for (const pid of pidsBelow(directory)) found.add(pid);
  return [...found].sort((a, b) => a - b);
}

/** The kernel's texts about one process. */
export interface ProcessTexts {
  readonly stat: string;
  readonly status: string;
  readonly cmdline: string;
}

export interface ProcessContext {
  /** When the machine began, in milliseconds since 1970. */
  readonly booted: number;
  readonly names: ReadonlyMap<number, string>;
}

export function parseProcess({ stat, status, cmdline }: ProcessTexts, { booted, names }: ProcessContext): ProcessInfo {
  const open = stat.indexOf("(");
  const close = stat.lastIndexOf(")"); // a program's name may hold brackets and spaces
  const fields = stat.slice(close + 2).split(" ");
  const field = (number: number): number => Number(fields[number - 3] ?? 0); // as proc(5) counts them
  const uid = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? 0);
  return {
    user: names.get(uid) ?? String(uid),
    pid: Number.parseInt(stat, 10),
    parent: field(4),
    startedAt: new Date(booted + field(22) * TICK_MS).toISOString(),
    tty: terminalName(field(7)),
    cpuMs: (field(14) + field(15)) * TICK_MS,
    command: cmdline.replace(/\0+$/, "").replaceAll("\0", " ") || `[${stat.slice(open + 1, close)}]`,
  };
}

/** Names of users by their numbers, the first line of each. */
export function userNames(passwd: string | null): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const line of (passwd ?? "").split("\n")) {
    const [name = "", , uid = ""] = line.split(":");
    if (name !== "" && /^\d+$/.test(uid) && !names.has(Number(uid))) names.set(Number(uid), name);
  }
  return names;
}

/** The kernel counts in hundredths of a second for whoever reads /proc, on every architecture that node runs on. */
const TICK_MS = 10;

function bootTime(stat: string): number {
  return Number(/^btime (\d+)$/m.exec(stat)?.[1] ?? 0) * 1000;
}

/** Major numbers of devices, as in the kernel's devices.txt. */
const FIRST_PTS = 136;
const LAST_PTS = 143;
const CONSOLES = 4;

function terminalName(device: number): string | null {
  if (device === 0) return null;
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (major >= FIRST_PTS && major <= LAST_PTS) return `pts/${(major - FIRST_PTS) * 256 + minor}`;
  return major === CONSOLES ? `tty${minor}` : null;
}

function pidsBelow(directory: string): readonly number[] {
  const own = (readIfThere(join(directory, "cgroup.procs")) ?? "").split("\n").filter(Boolean).map(Number);
  const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...own, ...below.flatMap(({ name }) => pidsBelow(join(directory, name)))];
}

/** `null`: the process or the group has gone meanwhile, or the group's members are threads, which their process's group lists. */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH" || code === "ENODEV" || code === "EOPNOTSUPP" || code === "ENOTSUP") return null;
    throw error;
  }
}
