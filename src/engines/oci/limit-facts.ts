import type { UlimitName } from "../../model/resources.ts";
import type { CgroupMode } from "./kernel-facts.ts";

/** What this machine and the engine's own process can do about limits. Plain data, so that what becomes of a limit is a pure function of it. */
export interface LimitFacts {
  readonly cgroups: CgroupMode;
  readonly memory: boolean;
  /** Swap is counted. */
  readonly swap: boolean;
  readonly swappiness: boolean;
  readonly oomControl: boolean;
  readonly cpu: boolean;
  readonly realTime: boolean;
  readonly cpuset: boolean;
  readonly pids: boolean;
  readonly blockWeight: boolean;
  readonly blockWeightDevice: boolean;
  readonly blockThrottle: boolean;
  /** Numbers of the processors that containers may run on. */
  readonly processors: ReadonlySet<number>;
  /** Hard limits of the engine's own process, which it cannot raise; -1 is without limit. What is not in it has no bound. */
  readonly rlimits: Readonly<Partial<Record<UlimitName, number>>>;
  /** The lowest `oom_score_adj` that the engine may give. */
  readonly leastOomScore: number;
}

export interface LimitTexts {
  readonly cgroups: CgroupMode;
  /** The text of a file of the kernel, `null` where there is none. */
  readonly read: (path: string) => string | null;
  /** Names of the files and directories in a directory; none where there is none. */
  readonly list: (path: string) => readonly string[];
  /** Whether the engine holds CAP_SYS_RESOURCE. */
  readonly mayRaise: boolean;
}

export function parseLimitFacts(texts: LimitTexts): LimitFacts {
  const { read, mayRaise, cgroups } = texts;
  const limits = hardLimits(read("/proc/self/limits") ?? "");
  const ceiling = Number(read("/proc/sys/fs/nr_open") ?? Number.MAX_SAFE_INTEGER);
  const own = limits.nofile ?? -1;
  return {
    cgroups,
    ...(cgroups === "v2" ? unified(texts) : divided(texts)),
    // Nobody may have more open files than the kernel's own ceiling, whatever they hold.
    rlimits: mayRaise ? { nofile: ceiling } : { ...limits, nofile: own === -1 ? ceiling : Math.min(own, ceiling) },
    leastOomScore: mayRaise ? -1000 : Number(read("/proc/self/oom_score_adj") ?? 0),
  };
}

type Controllers = Omit<LimitFacts, "cgroups" | "rlimits" | "leastOomScore">;

const ROOT = "/sys/fs/cgroup";

/** Version 1: a hierarchy for each controller, whose root has the files that every group has. */
function divided({ read, list }: LimitTexts): Controllers {
  const has = (controller: string, file: string): boolean => list(`${ROOT}/${controller}`).includes(file);
  return {
    memory: has("memory", "memory.limit_in_bytes"),
    swap: has("memory", "memory.memsw.limit_in_bytes"),
    swappiness: has("memory", "memory.swappiness"),
    oomControl: has("memory", "memory.oom_control"),
    cpu: has("cpu", "cpu.cfs_quota_us"),
    realTime: has("cpu", "cpu.rt_runtime_us"),
    cpuset: has("cpuset", "cpuset.cpus"),
    pids: list(ROOT).includes("pids"),
    blockWeight: has("blkio", "blkio.weight") || has("blkio", "blkio.bfq.weight"),
    blockWeightDevice: has("blkio", "blkio.weight_device") || has("blkio", "blkio.bfq.weight_device"),
    blockThrottle: has("blkio", "blkio.throttle.read_bps_device"),
    processors: numbersIn(read(`${ROOT}/cpuset/cpuset.cpus`) || (read(ONLINE) ?? "")),
  };
}

/** Version 2: one hierarchy. Its root lacks the files of the groups in it: one of those is looked at, the engine's own rather than another. */
function unified({ read, list }: LimitTexts): Controllers {
  const controllers = new Set((read(`${ROOT}/cgroup.controllers`) ?? "").trim().split(/\s+/));
  const own = /^0::(\/.+)$/m.exec(read("/proc/self/cgroup") ?? "")?.[1];
  const others = list(ROOT).map((name) => `/${name}`);
  const files = new Set([...(own === undefined ? [] : [own]), ...others].flatMap((group) => list(`${ROOT}${group}`)));
  // Without any group that has the controller's files nothing speaks against them.
  const has = (controller: string, ...names: readonly string[]): boolean =>
    controllers.has(controller) && (names.some((name) => files.has(name)) || ![...files].some((name) => name.startsWith(`${controller}.`)));
  return {
    memory: controllers.has("memory"),
    swap: has("memory", "memory.swap.max"),
    swappiness: false,
    oomControl: false,
    cpu: controllers.has("cpu"),
    realTime: false,
    cpuset: controllers.has("cpuset"),
    pids: controllers.has("pids"),
    blockWeight: has("io", "io.weight", "io.bfq.weight"),
    blockWeightDevice: has("io", "io.weight", "io.bfq.weight"),
    blockThrottle: has("io", "io.max"),
    processors: numbersIn(read(`${ROOT}/cpuset.cpus.effective`) || (read(ONLINE) ?? "")),
  };
}

const ONLINE = "/sys/devices/system/cpu/online";

/** The numbers of a list such as `0-3,8`. */
export function numbersIn(text: string): ReadonlySet<number> {
  const found = new Set<number>();
  for (const [, from = "", to = from] of text.matchAll(/(\d+)(?:-(\d+))?/g))
    for (let number = Number(from); number <= Number(to); number++) found.add(number);
  return found;
}

const LIMIT_LINES: Readonly<Record<UlimitName, string>> = {
  core: "Max core file size",
  cpu: "Max cpu time",
  data: "Max data size",
  fsize: "Max file size",
  locks: "Max file locks",
  memlock: "Max locked memory",
  msgqueue: "Max msgqueue size",
  nice: "Max nice priority",
  nofile: "Max open files",
  nproc: "Max processes",
  rss: "Max resident set",
  rtprio: "Max realtime priority",
  rttime: "Max realtime timeout",
  sigpending: "Max pending signals",
  stack: "Max stack size",
};

/** Hard limits of /proc/PID/limits. */
function hardLimits(text: string): Partial<Record<UlimitName, number>> {
  const found: Partial<Record<UlimitName, number>> = {};
  for (const [name, words] of Object.entries(LIMIT_LINES) as [UlimitName, string][]) {
    const hard = new RegExp(`^${words}\\s+\\S+\\s+(\\S+)`, "m").exec(text)?.[1];
    if (hard !== undefined) found[name] = hard === "unlimited" ? -1 : Number(hard);
  }
  return found;
}
