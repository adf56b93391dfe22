/** The runtime's words for limits. Pure: also what a running container's limits can be changed with. */
import { type BlockRate, DEFAULT_SHM, type Resources } from "../../model/resources.ts";
import type { OciBlockIo, OciBlockRate, OciCpu, OciDeviceRule, OciMemory, OciResources, OciRlimit } from "./oci-spec.ts";

/** Numbers of a device. */
export interface DeviceNumbers {
  readonly major: number;
  readonly minor: number;
}

export interface ResourcesInput {
  /** As they fit this machine. */
  readonly resources: Resources;
  /** Of each device that a limit names; a limit of one that is not in it is left out. */
  readonly blocks: ReadonlyMap<string, DeviceNumbers>;
  readonly devices: readonly OciDeviceRule[];
}

/** `linux.resources`: what nobody set is not in it. */
export function ociResources({ resources, blocks, devices }: ResourcesInput): OciResources {
  const memory = memoryOf(resources);
  const cpu = cpuOf(resources);
  const blockIO = blockIoOf(resources, blocks);
  return {
    devices,
    ...(isEmpty(memory) ? {} : { memory }),
    ...(isEmpty(cpu) ? {} : { cpu }),
    ...(resources.pids === null ? {} : { pids: { limit: resources.pids } }),
    ...(isEmpty(blockIO) ? {} : { blockIO }),
  };
}

/** Limits of the processes. `openFiles`: where nothing is said of them. */
export function ociRlimits({ ulimits }: Resources, openFiles: number): readonly OciRlimit[] {
  const own = ulimits.map(({ name, soft, hard }) => ({ type: `RLIMIT_${name.toUpperCase()}`, soft: rlimit(soft), hard: rlimit(hard) }));
  const hasFiles = ulimits.some(({ name }) => name === "nofile");
  return hasFiles ? own : [{ type: "RLIMIT_NOFILE", soft: openFiles, hard: openFiles }, ...own];
}

/** Bytes of /dev/shm. */
export const shmSize = ({ shmSize: size }: Resources): number => size ?? DEFAULT_SHM;

/** The kernel's "without limit", as near to 2^64 - 1 as a number gets: `ociJson` writes it out. */
export const RLIM_INFINITY = 2 ** 64;

/** A configuration as text. What no number of ours can hold is written as the runtime reads it. */
export function ociJson(spec: unknown): string {
  // Inside a text the quotes would be escaped: only members are met.
  return JSON.stringify(spec).replaceAll(/"(soft|hard)":18446744073709552000\b/g, '"$1":18446744073709551615');
}

/** Docker gives `cpus` as a share of this period. */
const PERIOD = 100_000;

const LEAST_SHARES = 2;
const MOST_SHARES = 262_144;

function memoryOf({ memory, memoryReservation, memorySwap, swappiness, oomKillDisable }: Resources): OciMemory {
  return {
    ...(memory === null ? {} : { limit: memory }),
    ...(memoryReservation === null ? {} : { reservation: memoryReservation }),
    ...(memorySwap === null ? {} : { swap: memorySwap }),
    ...(swappiness === null ? {} : { swappiness }),
    ...(oomKillDisable ? { disableOOMKiller: true } : {}),
  };
}

function cpuOf({ cpus, cpuShares, cpuQuota, cpuPeriod, cpuRtRuntime, cpuRtPeriod, cpuset }: Resources): OciCpu {
  const quota = cpus === null ? cpuQuota : Math.round(cpus * PERIOD);
  const period = cpus === null ? cpuPeriod : PERIOD;
  return {
    ...(cpuShares === null ? {} : { shares: Math.min(Math.max(cpuShares, LEAST_SHARES), MOST_SHARES) }),
    ...(quota === null ? {} : { quota }),
    ...(period === null ? {} : { period }),
    ...(cpuRtRuntime === null ? {} : { realtimeRuntime: cpuRtRuntime }),
    ...(cpuRtPeriod === null ? {} : { realtimePeriod: cpuRtPeriod }),
    ...(cpuset === null ? {} : { cpus: cpuset }),
  };
}

function blockIoOf({ blkio }: Resources, blocks: ReadonlyMap<string, DeviceNumbers>): OciBlockIo {
  const numbered = (rates: readonly BlockRate[]): readonly (DeviceNumbers & { readonly rate: number })[] =>
    rates.flatMap(({ path, rate }) => {
      const numbers = blocks.get(path);
      return numbers === undefined ? [] : [{ ...numbers, rate }];
    });
  const throttle = (name: string, rates: readonly BlockRate[]): { readonly [name: string]: readonly OciBlockRate[] } =>
    rates.length === 0 ? {} : { [name]: numbered(rates) };
  return {
    ...(blkio.weight === null ? {} : { weight: blkio.weight }),
    ...(blkio.weightDevice.length === 0
      ? {}
      : { weightDevice: numbered(blkio.weightDevice).map(({ rate, ...device }) => ({ ...device, weight: rate })) }),
    ...throttle("throttleReadBpsDevice", blkio.readBps),
    ...throttle("throttleWriteBpsDevice", blkio.writeBps),
    ...throttle("throttleReadIOPSDevice", blkio.readIops),
    ...throttle("throttleWriteIOPSDevice", blkio.writeIops),
  };
}

const rlimit = (value: number): number => (value === -1 ? RLIM_INFINITY : value);

const isEmpty = (object: object): boolean => Object.keys(object).length === 0;
