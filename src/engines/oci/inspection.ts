import { join } from "node:path";
import type { Json } from "../../model/json.ts";
import { LABEL, labelBoolean } from "../../model/labels.ts";
import type { NetworkMode } from "../../model/network.ts";
import type { Context } from "./context.ts";
import { healthPlan, readHealth } from "./health.ts";
import { containerInspect, type InspectNetwork } from "./inspect.ts";
import { containerDirectory } from "./layout.ts";
import { endpointsOf } from "./network/endpoints.ts";
import { nameFiles } from "./network/hosts.ts";
import { networkModeOf } from "./network/namespace.ts";
import { readNetwork } from "./network/networks.ts";
import type { AddressPool } from "./network/pools.ts";
import { stateOf } from "./observe.ts";
import { type Container, starvedAt } from "./records.ts";
import { readRestart } from "./restarts.ts";

/** Docker's inspect document of a container, from what is on disk and in the process table. */
export function inspectContainer({ layout }: Context, container: Container): Json {
  const { record, status } = container;
  const restart = readRestart(layout, record.id);
  const plan = healthPlan(record);
  const run = status.state === "created" ? null : status.run;
  return containerInspect({
    id: record.id,
    name: record.name,
    createdAt: record.createdAt,
    image: record.image,
    state: {
      status: stateOf(layout, container),
      pid: status.state === "running" ? status.run.process.pid : null,
      exitCode: status.state === "exited" ? status.exitCode : null,
      startedAt: run?.startedAt ?? null,
      finishedAt: status.state === "exited" ? status.finishedAt : null,
      oomKilled: starvedAt(layout, record.id) !== null,
      error: status.state === "exited" && !status.seen ? UNSEEN : (restart.error ?? ""),
      restartCount: restart.count,
      health: plan === null ? null : readHealth(layout, record, run?.startedAt ?? ""),
    },
    healthcheck: plan,
    service: record.spec.service,
    process: record.process,
    hostname: record.hostname,
    labels: { ...record.process.labels, ...record.spec.labels, [LABEL.oneOff]: labelBoolean(record.spec.oneOff) },
    mounts: record.mounts,
    autoRemove: record.owner !== undefined,
    ports: status.state === "running" ? status.run.ports : [],
    networkMode: modeText(networkModeOf(record)),
    networks: networksOf(layout, { record, status }),
    files: { ...nameFiles(layout, record.id), log: join(containerDirectory(layout, record.id), "log") },
  });
}

const UNSEEN = "nobody saw it end: its monitor was killed, or the machine went down";

/** As the spec has it; `null`: the networks say it. */
function modeText(mode: NetworkMode | null): string | null {
  if (mode === null || mode.type === "network") return null;
  return "of" in mode ? `${mode.type}:${mode.of}` : mode.type;
}

function networksOf(layout: Context["layout"], { record, status }: Container): readonly InspectNetwork[] {
  const networks = status.state === "running" ? record.spec.networks.flatMap(({ name }) => readNetwork(layout, name) ?? []) : [];
  const endpoints = endpointsOf(record, networks);
  return record.spec.networks.map((joined) => {
    const endpoint = endpoints.find(({ network }) => network.name === joined.name);
    const { name, aliases } = joined;
    return {
      name,
      aliases,
      wanted: joined,
      ipv4: interfaceOf(endpoint?.address, endpoint?.network.ipv4),
      ipv6: interfaceOf(endpoint?.address6, endpoint?.network.ipv6),
      mac: endpoint?.mac ?? null,
      names: endpoint?.names ?? [],
    };
  });
}

function interfaceOf(address: string | null | undefined, pool: AddressPool | null | undefined): InspectNetwork["ipv4"] {
  return address == null || pool == null ? null : { address, prefixLength: pool.prefix, gateway: pool.gateway };
}
