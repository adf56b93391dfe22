import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { ExecOptions } from "../../engine/engine.ts";
import type { Service } from "../../model/service.ts";
import { cgroupPath } from "./cgroups.ts";
import type { Context } from "./context.ts";
import { userOf } from "./create.ts";
import { devicesHere } from "./devices-here.ts";
import { appArmorHere } from "./isolation-here.ts";
import type { Joined } from "./joined.ts";
import type { Layout } from "./layout.ts";
import { blocksHere, limitsHere } from "./limits-here.ts";
import { nameFiles, writeHosts } from "./network/hosts.ts";
import { readNetwork } from "./network/networks.ts";
import { containerResolvConf } from "./network/resolv-conf.ts";
import { firstHosts } from "./network/sync.ts";
import type { OciProcess, OciSpec } from "./oci-spec.ts";
import type { ContainerRecord } from "./records.ts";
import { ociJson } from "./resources.ts";
import { bundleFile } from "./runtime.ts";
import { execProcess as execProcessOf, runtimeSpec } from "./runtime-spec.ts";

/** Writes everything that the runtime reads of a container whose root file system is mounted: its configuration, which it gives, and the files bound into it. */
export async function writeBundle(
  context: Context,
  record: ContainerRecord,
  { rootfs, joined }: { readonly rootfs: string; readonly joined: Joined },
): Promise<OciSpec> {
  const { layout } = context;
  const { service } = record.spec;
  const { init, facts } = context.tools();
  const files = nameFiles(layout, record.id);
  writeHosts(layout, record.id, firstHosts(layout, record));
  await writeFile(files.hostname, `${record.hostname}\n`, { mode: 0o644 });
  await writeFile(files.resolvConf, await resolvConfOf(layout, record), { mode: 0o644 });
  const spec = runtimeSpec({
    service: serviceHere(service),
    process: record.process,
    user: userOf(record, rootfs),
    rootfs,
    hostname: record.hostname,
    mounts: record.mounts.map((mount) => ({ ...mount, source: mount.staged ?? mount.source })),
    files,
    cgroupsPath: cgroupPath(layout, record.id),
    network: "private",
    namespaces: joined.namespaces,
    sharedMemory: joined.sharedMemory,
    initProgram: init,
    blocks: blocksHere(service.resources),
    devices: await devicesHere(service),
    facts,
  });
  await writeFile(configFile(context, record.id), ociJson(spec), { mode: 0o600 });
  return spec;
}

/** A service with what this machine can keep of it. */
function serviceHere(service: Service): Service {
  const { resources, isolation } = service;
  return { ...service, resources: limitsHere(resources), isolation: { ...isolation, appArmor: appArmorHere(isolation.appArmor) } };
}

/** Its names are looked up at the gateway of its first network. */
async function resolvConfOf(layout: Layout, record: ContainerRecord): Promise<string> {
  const first = record.spec.networks[0];
  const gateway = first === undefined ? null : (readNetwork(layout, first.name)?.gateway ?? null);
  return containerResolvConf({ gateway, host: false, service: record.spec.service });
}

/** Whether a bundle was written since the container was created or last taken apart. */
export function hasBundle(context: Context, id: string): boolean {
  return existsSync(configFile(context, id));
}

/** A further process for a running container. Throws E_USER_UNKNOWN. */
export function execProcess(
  context: Context,
  record: ContainerRecord,
  request: { readonly options: ExecOptions; readonly rootfs: string },
): OciProcess {
  const { options, rootfs } = request;
  return execProcessOf({
    argv: options.argv,
    env: options.env,
    user: userOf(record, rootfs, options.user ?? record.process.user),
    cwd: options.workingDir,
    tty: options.tty,
    privileged: options.privileged,
    process: record.process,
    service: serviceHere(record.spec.service),
    facts: context.tools().facts,
  });
}

const configFile = (context: Context, id: string): string => bundleFile(context.layout, id, "config.json");
