/** What of a service's limits its containers are made from: rows of the table of `change.ts`, each by the spec's own name. */
import type { Json } from "../model/json.ts";
import type { BlockRate, Resources } from "../model/resources.ts";
import { type Fixed, INHERITED, NAMESPACES, RUNTIME } from "./fixed.ts";

export interface LimitRow {
  readonly key: string;
  readonly record: (service: { readonly resources: Resources }) => Json;
  readonly fixed: Fixed | null;
}

export const LIMITS: readonly LimitRow[] = [
  row("cpus", (r) => r.cpus),
  row("cpu_shares", (r) => r.cpuShares),
  row("cpu_quota", (r) => r.cpuQuota),
  row("cpu_period", (r) => r.cpuPeriod),
  row("cpu_rt_runtime", (r) => r.cpuRtRuntime, RUNTIME),
  row("cpu_rt_period", (r) => r.cpuRtPeriod, RUNTIME),
  row("cpuset", (r) => r.cpuset),
  row("mem_limit", (r) => r.memory),
  row("mem_reservation", (r) => r.memoryReservation),
  row("memswap_limit", (r) => r.memorySwap),
  row("mem_swappiness", (r) => r.swappiness),
  row("oom_kill_disable", (r) => (r.oomKillDisable ? true : null)),
  row("oom_score_adj", (r) => r.oomScoreAdj, INHERITED),
  row("pids_limit", (r) => r.pids),
  row("blkio_config", blkio, RUNTIME),
  row(
    "ulimits",
    (r) => (r.ulimits.length === 0 ? null : Object.fromEntries(r.ulimits.map(({ name, soft, hard }) => [name, [soft, hard]]))),
    INHERITED,
  ),
  row("shm_size", (r) => r.shmSize, NAMESPACES),
];

/** What nothing is said of can be changed while it runs. */
function row(key: string, value: (resources: Resources) => Json, fixed: Fixed | null = null): LimitRow {
  return { key, record: ({ resources }) => value(resources), fixed };
}

function blkio({ blkio: limits }: Resources): Json {
  const found: Record<string, Json> = {};
  const add = (key: string, rates: readonly BlockRate[]): void => {
    if (rates.length > 0) found[key] = Object.fromEntries(rates.map(({ path, rate }) => [path, rate]));
  };
  if (limits.weight !== null) found["weight"] = limits.weight;
  add("weight_device", limits.weightDevice);
  add("device_read_bps", limits.readBps);
  add("device_write_bps", limits.writeBps);
  add("device_read_iops", limits.readIops);
  add("device_write_iops", limits.writeIops);
  return Object.keys(found).length === 0 ? null : found;
}
