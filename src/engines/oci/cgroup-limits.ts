/** Limits of a container that runs: the files of its control groups, for all that the runtime would write as it makes it. */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../model/diagnostic.ts";
import type { Resources } from "../../model/resources.ts";
import type { OciCpu, OciMemory } from "./oci-spec.ts";
import { type DeviceNumbers, ociResources } from "./resources.ts";

/** The control group of a container. */
export interface Group {
  readonly version: 1 | 2;
  /** Its directory in the hierarchy of a controller; of version 2 there is one for all. */
  readonly directory: (controller: string) => string;
}

/** A file of a control group, and what it is to say. */
interface LimitFile {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
  /** The attribute of the spec that it stands for. */
  readonly attribute: string;
}

/**
 * Brings a group to these limits, also to the absence of those that it had. `resources`: as they fit this machine. Throws E_LIMIT where the kernel
 * refuses one: those before it are in force then, and `applyLimits` with the old ones takes them back.
 */
export async function applyLimits(group: Group, name: string, resources: Resources): Promise<void> {
  for (const limit of limitFiles(group, resources)) {
    const path = join(group.directory(limit.controller), limit.file);
    const now = readIfThere(path);
    if (now === null || says(now, limit.value)) continue; // what is not there is not limited here, and nothing asks for it
    if (limit.file === "memory.max") await makeRoom(group, name, limit.value);
    try {
      writeFileSync(path, limit.value);
    } catch (error) {
      throw refused(error, { name, path, limit });
    }
  }
}

/** In an order in which the kernel takes them. Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst of Linux say what the files mean. */
function limitFiles(group: Group, resources: Resources): readonly LimitFile[] {
  const { cpu = {}, memory = {}, pids } = ociResources({ resources, blocks: NO_BLOCKS, devices: [] });
  const most = pids === undefined || pids.limit <= 0 ? "max" : String(pids.limit);
  const processes = { controller: "pids", file: "pids.max", value: most, attribute: "pids_limit" };
  return group.version === 1
    ? [...firstCpu(group, cpu), ...firstMemory(group, memory), processes]
    : [...secondCpu(cpu), ...secondMemory(memory), processes];
}

const NO_BLOCKS: ReadonlyMap<string, DeviceNumbers> = new Map();
const SHARES = 1024;
const PERIOD = 100_000;
const UNLIMITED = -1;
/** As the kernel writes "without limit" for memory: the highest number of whole pages. */
const ENDLESS = 2 ** 62;

function firstCpu(group: Group, { shares = SHARES, quota = UNLIMITED, period = PERIOD, cpus }: OciCpu): readonly LimitFile[] {
  const file = (name: string, value: number, attribute: string): LimitFile => {
    return { controller: "cpu", file: name, value: String(value), attribute };
  };
  const now = (name: string): string => readIfThere(join(group.directory("cpu"), name)) ?? "";
  const isSo = says(now("cpu.cfs_quota_us"), String(quota)) && says(now("cpu.cfs_period_us"), String(period));
  const cpuset = group.directory("cpuset");
  return [
    file("cpu.shares", shares, "cpu_shares"),
    // Half-way the two may be more than a group above allows: without a quota they never are.
    ...(isSo
      ? []
      : [
          file("cpu.cfs_quota_us", UNLIMITED, "cpus"),
          file("cpu.cfs_period_us", period, "cpu_period"),
          file("cpu.cfs_quota_us", quota, "cpus"),
        ]),
    {
      controller: "cpuset",
      file: "cpuset.cpus",
      value: cpus ?? readIfThere(join(dirname(cpuset), "cpuset.cpus"))?.trim() ?? "",
      attribute: "cpuset",
    },
  ];
}

function firstMemory(group: Group, { limit = UNLIMITED, swap = UNLIMITED, reservation, swappiness, disableOOMKiller }: OciMemory) {
  const directory = group.directory("memory");
  const file = (name: string, value: number, attribute: string): LimitFile => {
    return { controller: "memory", file: name, value: String(value), attribute };
  };
  const memory = file("memory.limit_in_bytes", limit, "mem_limit");
  const both = file("memory.memsw.limit_in_bytes", swap, "memswap_limit");
  const now = Number(readIfThere(join(directory, both.file)) ?? ENDLESS);
  const rises = limit === UNLIMITED || limit > now; // memory is never to have more than memory and swap together
  const usual = Number(readIfThere(join(dirname(directory), "memory.swappiness")) ?? 60);
  return [
    ...(rises ? [both, memory] : [memory, both]),
    file("memory.soft_limit_in_bytes", reservation ?? UNLIMITED, "mem_reservation"),
    file("memory.swappiness", swappiness ?? usual, "mem_swappiness"),
    file("memory.oom_control", disableOOMKiller === true ? 1 : 0, "oom_kill_disable"),
  ];
}

function secondCpu({ shares, quota = UNLIMITED, period = PERIOD, cpus = "" }: OciCpu): readonly LimitFile[] {
  // From 2..262144 to 1..10000, as the runtimes map it.
  const weight = shares === undefined ? 100 : 1 + Math.floor(((shares - 2) * 9999) / 262_142);
  return [
    { controller: "cpu", file: "cpu.weight", value: String(weight), attribute: "cpu_shares" },
    { controller: "cpu", file: "cpu.max", value: `${quota > 0 ? quota : "max"} ${period}`, attribute: "cpus" },
    { controller: "cpuset", file: "cpuset.cpus", value: cpus, attribute: "cpuset" },
  ];
}

/** Swap is counted by itself there. */
function secondMemory({ limit = UNLIMITED, swap = UNLIMITED, reservation = 0 }: OciMemory): readonly LimitFile[] {
  const most = (value: number): string => (value < 0 ? "max" : String(value));
  return [
    {
      controller: "memory",
      file: "memory.swap.max",
      value: swap < 0 || limit < 0 ? "max" : String(Math.max(0, swap - limit)),
      attribute: "memswap_limit",
    },
    { controller: "memory", file: "memory.max", value: most(limit), attribute: "mem_limit" },
    // Nothing asks for it but `makeRoom`, which may have been killed.
    { controller: "memory", file: "memory.high", value: "max", attribute: "mem_limit" },
    { controller: "memory", file: "memory.low", value: String(reservation), attribute: "mem_reservation" },
  ];
}

/** How long the kernel may take to take memory back, in milliseconds. */
const ROOM_MS = 2000;

/** Version 2 kills what has more than a new limit: what is in use must fit before. Throws E_LIMIT. */
async function makeRoom(group: Group, name: string, value: string): Promise<void> {
  const directory = group.directory("memory");
  const used = (): number => Number(readIfThere(join(directory, "memory.current")) ?? 0);
  if (value === "max" || used() <= Number(value)) return;
  const high = join(directory, "memory.high");
  try {
    writeFileSync(high, value); // the kernel takes back what it can while this is exceeded
    for (const deadline = Date.now() + ROOM_MS; used() > Number(value) && Date.now() < deadline; ) await sleep(20);
  } finally {
    writeFileSync(high, "max");
  }
  if (used() > Number(value)) throw inUse(name, { used: used(), value });
}

/** Whether a file says what is wanted, in the kernel's own way of writing it. */
function says(text: string, wanted: string): boolean {
  const [first = ""] = text.trim().split("\n");
  if (first === wanted) return true;
  if (first.startsWith("oom_kill_disable ")) return first === `oom_kill_disable ${wanted}`;
  return wanted === String(UNLIMITED) && Number(first) >= ENDLESS;
}

interface Refusal {
  readonly name: string;
  readonly path: string;
  readonly limit: LimitFile;
}

function refused(error: unknown, { name, path, limit }: Refusal): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  if (code === "EBUSY" && limit.controller === "memory") {
    const used = Number(readIfThere(join(dirname(path), "memory.usage_in_bytes")) ?? 0);
    return inUse(name, { used, value: limit.value });
  }
  return new Failure({
    code: "E_LIMIT",
    message: `\`${limit.attribute}\` of container ${name} cannot become ${limit.value} while it runs: the kernel answers ${code}`,
    hint: "nothing of it was changed; `wharf up --force-recreate` makes a new container with it",
  });
}

function inUse(name: string, { used, value }: { readonly used: number; readonly value: string }): Failure {
  return new Failure({
    code: "E_LIMIT",
    message: `container ${name} uses ${used} bytes of memory, which do not fit into the ${value} that it shall have`,
    hint: "nothing of it was changed; `wharf up --force-recreate` makes a new container with that limit",
  });
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EOPNOTSUPP") return null;
    throw error;
  }
}
