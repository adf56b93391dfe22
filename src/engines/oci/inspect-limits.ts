import type { Json } from "../../model/json.ts";
import type { BlockRate, Resources } from "../../model/resources.ts";
import { shmSize } from "./resources.ts";

/** Docker's keys for limits in `HostConfig`: what was asked for, whatever this machine makes of it. */
export function limitsOf(resources: Resources): Readonly<Record<string, Json>> {
  const { blkio, ulimits } = resources;
  const number = (value: number | null): number => value ?? 0;
  return {
    CpuShares: number(resources.cpuShares),
    Memory: number(resources.memory),
    NanoCpus: Math.round(number(resources.cpus) * 1e9),
    BlkioWeight: number(blkio.weight),
    BlkioWeightDevice: devices(blkio.weightDevice, "Weight"),
    BlkioDeviceReadBps: devices(blkio.readBps, "Rate"),
    BlkioDeviceWriteBps: devices(blkio.writeBps, "Rate"),
    BlkioDeviceReadIOps: devices(blkio.readIops, "Rate"),
    BlkioDeviceWriteIOps: devices(blkio.writeIops, "Rate"),
    CpuPeriod: number(resources.cpuPeriod),
    CpuQuota: number(resources.cpuQuota),
    CpuRealtimePeriod: number(resources.cpuRtPeriod),
    CpuRealtimeRuntime: number(resources.cpuRtRuntime),
    CpusetCpus: resources.cpuset ?? "",
    CpusetMems: "",
    MemoryReservation: number(resources.memoryReservation),
    MemorySwap: resources.memorySwap ?? number(resources.memory) * 2,
    MemorySwappiness: resources.swappiness,
    OomKillDisable: resources.oomKillDisable,
    OomScoreAdj: number(resources.oomScoreAdj),
    PidsLimit: resources.pids,
    ShmSize: shmSize(resources),
    Ulimits: ulimits.length === 0 ? null : ulimits.map(({ name, soft, hard }) => ({ Name: name, Hard: hard, Soft: soft })),
  };
}

function devices(rates: readonly BlockRate[], key: "Rate" | "Weight"): Json {
  return rates.length === 0 ? null : rates.map(({ path, rate }) => ({ Path: path, [key]: rate }));
}
