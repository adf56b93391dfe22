/** What a service says of processors, memory, processes and disks, in its own attributes and under `deploy.resources`. */
import { parseBytes } from "../../model/quantity.ts";
import { type BlockLimits, type BlockRate, NO_LIMITS, type Resources, ULIMITS, type Ulimit } from "../../model/resources.ts";
import { suggestion } from "../../model/suggest.ts";
import { booleanOf, child, type Entry, entriesOf, itemsOf, type Node, textOf } from "../node.ts";
import { step } from "../path.ts";
import { listing, quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

/** What is no number or size has been refused before: it counts as not given here. */
export function readResources(service: Node, scope: Scope): Resources {
  if (service.kind !== "mapping" || !ATTRIBUTES.some((key) => service.entries.has(key))) return NO_LIMITS;
  const own = new Reader(service, scope.path, scope);
  const deploy = child(child(service, "deploy"), "resources");
  const limits = new Reader(child(deploy, "limits"), `${scope.path}.deploy.resources.limits`, scope);
  const reservations = new Reader(child(deploy, "reservations"), `${scope.path}.deploy.resources.reservations`, scope);
  const pids = limits.whole("pids") ?? own.whole("pids_limit");
  const found: Resources = {
    cpus: limits.number("cpus", LEAST_CPUS) ?? own.number("cpus", LEAST_CPUS),
    cpuShares: own.whole("cpu_shares", { least: 0 }),
    cpuQuota: limited(own.whole("cpu_quota", { least: 1000, free: -1, why: "it must be at least 1000, a millisecond" })),
    cpuPeriod: own.whole("cpu_period", { least: 1000, most: 1_000_000, why: "it is 1 millisecond to 1 second, in microseconds" }),
    cpuRtRuntime: own.whole("cpu_rt_runtime", { least: 0 }),
    cpuRtPeriod: own.whole("cpu_rt_period", { least: 0 }),
    cpuset: readCpuset(child(service, "cpuset"), scope),
    memory: limited(limits.bytes("memory", LEAST_MEMORY) ?? own.bytes("mem_limit", LEAST_MEMORY)),
    memoryReservation: limited(reservations.bytes("memory", LEAST_MEMORY) ?? own.bytes("mem_reservation", LEAST_MEMORY)),
    memorySwap: own.bytes("memswap_limit", { least: 1, free: -1 }),
    swappiness: limited(own.whole("mem_swappiness", { least: 0, most: 100, zero: true, free: -1 })),
    oomKillDisable: booleanOf(child(service, "oom_kill_disable")) ?? false,
    oomScoreAdj: own.whole("oom_score_adj", { least: -1000, most: 1000 }),
    pids: pids !== null && pids > 0 ? pids : null,
    blkio: readBlkio(child(service, "blkio_config"), scope),
    ulimits: readUlimits(child(service, "ulimits"), scope),
    shmSize: own.bytes("shm_size", { least: 1 }),
  };
  checkTogether(found, own);
  return found;
}

/** Attributes that this reader looks at. */
const ATTRIBUTES = [
  "blkio_config",
  "cpu_period",
  "cpu_quota",
  "cpu_rt_period",
  "cpu_rt_runtime",
  "cpu_shares",
  "cpus",
  "cpuset",
  "deploy",
  "mem_limit",
  "mem_reservation",
  "mem_swappiness",
  "memswap_limit",
  "oom_kill_disable",
  "oom_score_adj",
  "pids_limit",
  "shm_size",
  "ulimits",
];

interface Bounds {
  readonly least?: number;
  readonly most?: number;
  /** A value outside of them that means "without limit". */
  readonly free?: number;
  /** 0 is a value, and not the absence of one. */
  readonly zero?: boolean;
  /** The rule in words. */
  readonly why?: string;
}

/** As Docker: less than that no container can begin with. */
const LEAST_MEMORY: Bounds = { least: 6 * 1024 * 1024, free: -1, why: "it must be at least 6 MiB" };
const LEAST_CPUS: Bounds = { least: 0.01, why: "it must be at least 0.01" };

class Reader {
  readonly #node: Node | undefined;
  readonly #path: string;
  readonly #scope: Scope;

  constructor(node: Node | undefined, path: string, scope: Scope) {
    this.#node = node;
    this.#path = path;
    this.#scope = scope;
  }

  at(key: string): Node | undefined {
    return child(this.#node, key);
  }

  number(key: string, bounds: Bounds): number | null {
    return this.#read(key, bounds, numberIn);
  }

  whole(key: string, bounds: Bounds = {}): number | null {
    return this.#read(key, bounds, (text) => {
      const value = numberIn(text);
      return value === null ? null : Math.trunc(value);
    });
  }

  bytes(key: string, bounds: Bounds): number | null {
    return this.#read(key, bounds, bytesIn);
  }

  refuse(key: string, message: string, hint?: string): void {
    const node = this.at(key) ?? this.#node;
    if (node !== undefined)
      refuse(this.#scope, { place: node.place, message: `\`${this.#path}.${key}\` ${message}`, ...(hint === undefined ? {} : { hint }) });
  }

  #read(key: string, bounds: Bounds, parse: (text: string) => number | null): number | null {
    const text = textOf(this.at(key));
    const value = text === null ? null : parse(text);
    if (text === null || value === null || (value === 0 && bounds.zero !== true)) return null;
    if (value === bounds.free) return value;
    const { least = Number.NEGATIVE_INFINITY, most = Number.MAX_SAFE_INTEGER } = bounds;
    if (value >= least && value <= most) return value;
    const range = bounds.most === undefined ? `it must be ${least} or more` : `it must be ${least} to ${most}`;
    this.refuse(key, `is ${quote(text)}: ${bounds.why ?? range}`);
    return null;
  }
}

function numberIn(text: string): number | null {
  return /^[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/.test(text) ? Number(text) : null;
}

function bytesIn(text: string): number | null {
  if (text === "-1") return -1;
  const bytes = parseBytes(text);
  return typeof bytes === "number" ? bytes : null;
}

/** -1 is how "without limit" is written. */
const limited = (value: number | null): number | null => (value === -1 ? null : value);

/** What only makes sense, or none at all, beside something else: Docker's own rules. */
function checkTogether(found: Resources, own: Reader): void {
  const { memory, memorySwap, memoryReservation, cpus, cpuQuota, cpuPeriod, cpuRtRuntime, cpuRtPeriod } = found;
  if (memorySwap !== null && memorySwap > 0 && memory === null)
    own.refuse("memswap_limit", "is given without a limit for memory", "it is memory and swap together: set `mem_limit` as well");
  if (memorySwap !== null && memorySwap > 0 && memory !== null && memorySwap < memory)
    own.refuse("memswap_limit", `is less than the limit for memory, ${memory} bytes`, "it is memory and swap together");
  if (memory !== null && memoryReservation !== null && memory < memoryReservation)
    own.refuse("mem_reservation", `is more than the limit for memory, ${memory} bytes`);
  if (cpus !== null && (cpuQuota !== null || cpuPeriod !== null))
    own.refuse(
      cpuQuota === null ? "cpu_period" : "cpu_quota",
      "stands beside `cpus`, which says the same thing",
      "keep `cpus`, or `cpu_quota` with `cpu_period`",
    );
  if (cpuRtRuntime !== null && cpuRtPeriod !== null && cpuRtRuntime > cpuRtPeriod)
    own.refuse("cpu_rt_runtime", `is more than \`cpu_rt_period\`, ${cpuRtPeriod}`);
}

/** Most processors that a kernel can be built for. */
const MOST_PROCESSORS = 8192;

function readCpuset(node: Node | undefined, scope: Scope): string | null {
  const text = textOf(node)?.replaceAll(" ", "");
  if (node === undefined || text === undefined || text === "") return null;
  const ranges = text.split(",").map((part) => /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(part));
  const isGood = ranges.every((range) => {
    const [, from = "", to = from] = range ?? [];
    return range !== null && Number(from) <= Number(to) && Number(to) < MOST_PROCESSORS;
  });
  if (isGood) return text;
  return refuse(scope, {
    place: node.place,
    message: `\`${scope.path}.cpuset\` is ${quote(text)}: it must be numbers and ranges of processors`,
    hint: "such as 0-3 or 0,2",
  });
}

function readBlkio(node: Node | undefined, scope: Scope): BlockLimits {
  const path = `${scope.path}.blkio_config`;
  const list = (key: string, value: "rate" | "weight"): readonly BlockRate[] =>
    itemsOf(child(node, key)).flatMap((item, index) => {
      const reader = new Reader(item, step(`${path}.${key}`, index), scope);
      const device = textOf(reader.at("path")) ?? "";
      const rate = value === "rate" ? reader.bytes("rate", { least: 1 }) : reader.whole("weight", WEIGHT);
      if (!device.startsWith("/"))
        reader.refuse("path", `is ${quote(device)}: it must be the absolute path of a device`, "such as /dev/sda");
      return device.startsWith("/") && rate !== null ? [{ path: device, rate }] : [];
    });
  return {
    weight: new Reader(node, path, scope).whole("weight", WEIGHT),
    weightDevice: list("weight_device", "weight"),
    readBps: list("device_read_bps", "rate"),
    writeBps: list("device_write_bps", "rate"),
    readIops: list("device_read_iops", "rate"),
    writeIops: list("device_write_iops", "rate"),
  };
}

const WEIGHT: Bounds = { least: 10, most: 1000 };

function readUlimits(node: Node | undefined, scope: Scope): readonly Ulimit[] {
  const found = [...entriesOf(node)].flatMap(([key, entry]) => readUlimit(key, entry, scope) ?? []);
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readUlimit(key: string, { value, place }: Entry, scope: Scope): Ulimit | null {
  const path = `${scope.path}.ulimits.${key}`;
  const name = ULIMITS.find((known) => known === key);
  if (name === undefined)
    return refuse(scope, {
      place,
      message: `\`${path}\` is no limit that the kernel knows`,
      ...suggestion(key, ULIMITS, `they are ${listing(ULIMITS, "and")}`),
    });
  const single = limitIn(value);
  const soft = value.kind === "mapping" ? limitIn(child(value, "soft")) : single;
  const hard = value.kind === "mapping" ? limitIn(child(value, "hard")) : single;
  if (soft === null || hard === null) return null;
  if (soft < -1 || hard < -1)
    return refuse(scope, {
      place: value.place,
      message: `\`${path}\` is ${Math.min(soft, hard)}: it must be 0 or more`,
      hint: "-1 is without limit",
    });
  if (hard === -1 || (soft !== -1 && soft <= hard)) return { name, soft, hard };
  return refuse(scope, {
    place: value.place,
    message: `\`${path}\` has the soft limit ${soft} and the hard limit ${hard}: the soft one cannot be more`,
  });
}

function limitIn(node: Node | undefined): number | null {
  const text = textOf(node);
  const value = text === null ? null : numberIn(text);
  return value === null ? null : Math.min(Math.trunc(value), Number.MAX_SAFE_INTEGER);
}
