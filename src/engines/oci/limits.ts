/** What becomes of a service's limits on this machine: what it can keep, what it goes without, and what cannot be done at all. */
import { type BlockLimits, hasLimits, type Resources, type Ulimit } from "../../model/resources.ts";
import { type LimitFacts, numbersIn } from "./limit-facts.ts";

/** A limit that this machine does not keep as it is asked for. */
export interface LimitConcern {
  /** The spec's name of it. */
  readonly attribute: string;
  /** Nothing can be started with it. */
  readonly isFatal: boolean;
  /** A sentence's end behind `service web`: `wants …`. */
  readonly message: string;
  readonly hint?: string;
}

export interface Fit {
  /** What is asked for as far as it can be kept, with what goes without saying. */
  readonly resources: Resources;
  readonly concerns: readonly LimitConcern[];
}

/** Fits limits to a machine. Limits that nobody set stay as they are. */
export function fitted(asked: Resources, facts: LimitFacts): Fit {
  if (!hasLimits(asked)) return { resources: asked, concerns: [] };
  const concerns: LimitConcern[] = [];
  const warn = (attribute: string, message: string, hint?: string): null => {
    concerns.push({ attribute, isFatal: false, message, ...(hint === undefined ? {} : { hint }) });
    return null;
  };
  const refuse = (attribute: string, message: string, hint?: string): void => {
    concerns.push({ attribute, isFatal: true, message, ...(hint === undefined ? {} : { hint }) });
  };
  const voices = { warn, refuse };
  return {
    resources: {
      ...asked,
      ...memoryOf(asked, facts, voices),
      ...processorsOf(asked, facts, voices),
      oomScoreAdj: oomScore(asked, facts, voices),
      pids: asked.pids === null || facts.pids ? asked.pids : warn("pids_limit", `limits its processes, ${NO_CONTROLLER("pids")}`),
      blkio: blocksOf(asked.blkio, facts, voices),
      ulimits: asked.ulimits.map((limit) => ulimitOf(limit, facts, voices)),
    },
    concerns,
  };
}

interface Voices {
  readonly warn: (attribute: string, message: string, hint?: string) => null;
  readonly refuse: (attribute: string, message: string, hint?: string) => void;
}

const NO_CONTROLLER = (name: string): string =>
  `and this machine has no ${name} controller among its control groups: it runs without the limit`;

type Memory = Pick<Resources, "memory" | "memoryReservation" | "memorySwap" | "swappiness" | "oomKillDisable">;

function memoryOf(asked: Resources, facts: LimitFacts, { warn }: Voices): Memory {
  const { memory, memoryReservation, memorySwap, swappiness, oomKillDisable } = asked;
  const old = facts.cgroups === "v2" ? ", which control groups version 2 do not have" : ", which this kernel does not have";
  if (!facts.memory) {
    if (memory !== null || memoryReservation !== null)
      warn(
        memory === null ? "mem_reservation" : "mem_limit",
        `limits its memory, ${NO_CONTROLLER("memory")}`,
        "boot with cgroup_enable=memory, where the kernel has it switched off",
      );
    return { memory: null, memoryReservation: null, memorySwap: null, swappiness: null, oomKillDisable: false };
  }
  if (memorySwap !== null && !facts.swap)
    warn("memswap_limit", "limits its swap, which this kernel does not count: only its memory is limited", "boot with swapaccount=1");
  if (swappiness !== null && !facts.swappiness) warn("mem_swappiness", `has a swappiness of its own${old}: it runs without`);
  if (oomKillDisable && !facts.oomControl) warn("oom_kill_disable", `switches off the killing when memory runs out${old}: it runs without`);
  else if (oomKillDisable && memory === null)
    warn("oom_kill_disable", "is never killed when memory runs out and has no limit for it: this machine may run out of memory");
  // Twice as much where nothing is said of swap, as Docker has it: as much swap as memory.
  const swap = memorySwap ?? (memory === null ? null : memory * 2);
  return {
    memory,
    memoryReservation,
    memorySwap: facts.swap ? swap : null,
    swappiness: facts.swappiness ? swappiness : null,
    oomKillDisable: oomKillDisable && facts.oomControl,
  };
}

type Processors = Pick<Resources, "cpus" | "cpuShares" | "cpuQuota" | "cpuPeriod" | "cpuset">;

function processorsOf(asked: Resources, facts: LimitFacts, { warn, refuse }: Voices): Processors {
  const { cpus, cpuShares, cpuQuota, cpuPeriod, cpuset } = asked;
  const count = facts.processors.size;
  const has = count === 1 ? "this machine has one" : `this machine has ${count}`;
  if (cpus !== null && count > 0 && cpus > count) refuse("cpus", `wants ${cpus} processors, and ${has}`, `the most is ${count}`);
  const missing = [...numbersIn(cpuset ?? "")].filter((number) => !facts.processors.has(number));
  if (cpuset !== null && count > 0 && missing.length > 0)
    refuse("cpuset", `wants to run on the processors ${cpuset}, and containers here have ${listOf(facts.processors)}`);
  if ((asked.cpuRtRuntime !== null || asked.cpuRtPeriod !== null) && !facts.realTime)
    refuse(
      asked.cpuRtRuntime === null ? "cpu_rt_period" : "cpu_rt_runtime",
      `wants real-time processor time, which ${facts.cgroups === "v2" ? "control groups version 2 do" : "this kernel does"} not share out`,
      "leave it out, or use a kernel with CONFIG_RT_GROUP_SCHED and control groups version 1",
    );
  if (!facts.cpu && [cpus, cpuShares, cpuQuota, cpuPeriod].some((value) => value !== null))
    warn(cpus === null ? "cpu_shares" : "cpus", `limits its processor time, ${NO_CONTROLLER("cpu")}`);
  if (!facts.cpuset && cpuset !== null) warn("cpuset", `runs on some processors only, ${NO_CONTROLLER("cpuset")}`);
  return {
    cpuset: facts.cpuset ? cpuset : null,
    ...(facts.cpu ? { cpus, cpuShares, cpuQuota, cpuPeriod } : { cpus: null, cpuShares: null, cpuQuota: null, cpuPeriod: null }),
  };
}

function listOf(numbers: ReadonlySet<number>): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const [first = 0, last = first] = [sorted[0], sorted.at(-1)];
  return last - first + 1 === sorted.length && sorted.length > 1 ? `${first}-${last}` : sorted.join(",");
}

function oomScore({ oomScoreAdj }: Resources, { leastOomScore }: LimitFacts, { warn }: Voices): number | null {
  if (oomScoreAdj === null || oomScoreAdj >= leastOomScore) return oomScoreAdj;
  warn(
    "oom_score_adj",
    `wants the OOM score ${oomScoreAdj}, and this engine may give ${leastOomScore} at least: it gets that`,
    "wharf needs CAP_SYS_RESOURCE to give less",
  );
  return leastOomScore;
}

function blocksOf(asked: BlockLimits, facts: LimitFacts, { warn }: Voices): BlockLimits {
  const weighs = asked.weight !== null || asked.weightDevice.length > 0;
  const rates = [asked.readBps, asked.writeBps, asked.readIops, asked.writeIops];
  if (weighs && !(facts.blockWeight && (facts.blockWeightDevice || asked.weightDevice.length === 0)))
    warn(
      "blkio_config",
      "has a weight for disks, which this kernel does not know: it runs without",
      "the bfq scheduler has weights: modprobe bfq",
    );
  if (rates.some((rate) => rate.length > 0) && !facts.blockThrottle)
    warn("blkio_config", `limits its use of disks, ${NO_CONTROLLER(facts.cgroups === "v2" ? "io" : "blkio")}`);
  return {
    weight: facts.blockWeight ? asked.weight : null,
    weightDevice: facts.blockWeightDevice ? asked.weightDevice : [],
    readBps: facts.blockThrottle ? asked.readBps : [],
    writeBps: facts.blockThrottle ? asked.writeBps : [],
    readIops: facts.blockThrottle ? asked.readIops : [],
    writeIops: facts.blockThrottle ? asked.writeIops : [],
  };
}

function ulimitOf({ name, soft, hard }: Ulimit, { rlimits }: LimitFacts, { warn }: Voices): Ulimit {
  const most = rlimits[name] ?? -1;
  if (most === -1 || (hard !== -1 && hard <= most)) return { name, soft, hard };
  // "Without limit" is as much as there is; a number that cannot be kept is told of.
  if (hard !== -1)
    warn(
      `ulimits.${name}`,
      `wants ${hard} as its hard limit ${name}, and this engine may give ${most} at most: it gets that`,
      name === "nofile" ? "see fs.nr_open, and the hard limit that wharf was started with" : "wharf needs CAP_SYS_RESOURCE to give more",
    );
  return { name, soft: soft === -1 ? most : Math.min(soft, most), hard: most };
}
