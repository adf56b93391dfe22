/**
 * What a container may use of the machine, whichever of the spec's attributes said so. `null`: nothing is said. Sizes are in bytes, times in
 * microseconds.
 */
export interface Resources {
  /** Processors at most; 0.5 is half of one. */
  readonly cpus: number | null;
  /** Weight against other containers. */
  readonly cpuShares: number | null;
  readonly cpuQuota: number | null;
  readonly cpuPeriod: number | null;
  readonly cpuRtRuntime: number | null;
  readonly cpuRtPeriod: number | null;
  /** As the kernel writes it: `0-3,8`. */
  readonly cpuset: string | null;
  readonly memory: number | null;
  readonly memoryReservation: number | null;
  /** Memory and swap together; -1 is without limit. */
  readonly memorySwap: number | null;
  /** 0 to 100. */
  readonly swappiness: number | null;
  readonly oomKillDisable: boolean;
  /** -1000 to 1000. */
  readonly oomScoreAdj: number | null;
  /** Processes and threads. */
  readonly pids: number | null;
  readonly blkio: BlockLimits;
  /** Sorted by name, each once. */
  readonly ulimits: readonly Ulimit[];
  /** Of /dev/shm. */
  readonly shmSize: number | null;
}

export interface BlockLimits {
  /** 10 to 1000. */
  readonly weight: number | null;
  readonly weightDevice: readonly BlockRate[];
  /** Bytes a second. */
  readonly readBps: readonly BlockRate[];
  readonly writeBps: readonly BlockRate[];
  /** Operations a second. */
  readonly readIops: readonly BlockRate[];
  readonly writeIops: readonly BlockRate[];
}

/** A block device by its path on the host, and its rate or weight. */
export interface BlockRate {
  readonly path: string;
  readonly rate: number;
}

export interface Ulimit {
  /** As setrlimit(2) has it, without `RLIMIT_` and in small letters. */
  readonly name: UlimitName;
  /** -1 is without limit. */
  readonly soft: number;
  readonly hard: number;
}

export const ULIMITS = [
  "core",
  "cpu",
  "data",
  "fsize",
  "locks",
  "memlock",
  "msgqueue",
  "nice",
  "nofile",
  "nproc",
  "rss",
  "rtprio",
  "rttime",
  "sigpending",
  "stack",
] as const;

export type UlimitName = (typeof ULIMITS)[number];

/** Bytes of /dev/shm where nothing is said. */
export const DEFAULT_SHM = 64 * 1024 * 1024;

export const NO_BLOCK_LIMITS: BlockLimits = {
  weight: null,
  weightDevice: [],
  readBps: [],
  writeBps: [],
  readIops: [],
  writeIops: [],
};

export const NO_LIMITS: Resources = {
  cpus: null,
  cpuShares: null,
  cpuQuota: null,
  cpuPeriod: null,
  cpuRtRuntime: null,
  cpuRtPeriod: null,
  cpuset: null,
  memory: null,
  memoryReservation: null,
  memorySwap: null,
  swappiness: null,
  oomKillDisable: false,
  oomScoreAdj: null,
  pids: null,
  blkio: NO_BLOCK_LIMITS,
  ulimits: [],
  shmSize: null,
};

/** Whether anything is asked for at all. */
export function hasLimits({ blkio, ...resources }: Resources): boolean {
  const isGiven = (value: unknown): boolean => !(value === null || value === false || (Array.isArray(value) && value.length === 0));
  return [...Object.values(resources), ...Object.values(blkio)].some(isGiven);
}
