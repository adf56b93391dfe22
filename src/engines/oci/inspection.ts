import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../../model/json.ts";
import { LABEL, labelBoolean } from "../../model/labels.ts";
import type { Context } from "./context.ts";
import { containerInspect, type InspectNetwork } from "./inspect.ts";
import { bundleDirectory, containerDirectory } from "./layout.ts";
import { nameFiles } from "./network/hosts.ts";
import { macOf, readNetwork } from "./network/networks.ts";
import { stateOf } from "./observe.ts";
import type { Container, ContainerRecord, Status } from "./records.ts";
import { readRestart } from "./restarts.ts";

/** Docker's inspect document of a container, from what is on disk and in the process table. */
export function inspectContainer({ layout }: Context, container: Container): Json {
  const { record, status } = container;
  const restart = readRestart(layout, record.id);
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
      oomKilled: existsSync(join(bundleDirectory(layout, record.id), "oom")),
      error: status.state === "exited" && !status.seen ? UNSEEN : (restart.error ?? ""),
      restartCount: restart.count,
    },
    service: record.spec.service,
    process: record.process,
    hostname: record.hostname,
    labels: { ...record.process.labels, ...record.spec.labels, [LABEL.oneOff]: labelBoolean(record.spec.oneOff) },
    mounts: record.mounts,
    ports: status.state === "running" ? status.run.ports : [],
    networks: record.spec.networks.map(({ name, aliases }) => networkOf(layout, { record, status, name, aliases })),
    files: { ...nameFiles(layout, record.id), log: join(containerDirectory(layout, record.id), "log") },
  });
}

const UNSEEN = "nobody saw it end: its monitor was killed, or the machine went down";

function networkOf(
  layout: Context["layout"],
  {
    record,
    status,
    name,
    aliases,
  }: { readonly record: ContainerRecord; readonly status: Status; readonly name: string; readonly aliases: readonly string[] },
): InspectNetwork {
  const network = status.state === "running" ? readNetwork(layout, name) : null;
  const address = network?.leases[record.id];
  if (network === null || address === undefined) return { name, aliases, address: null, prefixLength: null, gateway: null, mac: null };
  return { name, aliases, address, prefixLength: network.prefix, gateway: network.gateway, mac: macOf(address) };
}
