import { existsSync, writeFileSync } from "node:fs";
import type { ExecOptions } from "../../engine/engine.ts";
import type { Service } from "../../model/service.ts";
import { cgroupRequest } from "./cgroups.ts";
import type { Context } from "./context.ts";
import { userOf } from "./create.ts";
import { devicesHere } from "./devices-here.ts";
import { appArmorHere } from "./isolation-here.ts";
import type { Joined } from "./joined.ts";
import type { Layout } from "./layout.ts";
import { blocksHere, limitsHere } from "./limits-here.ts";
import { nameFiles, writeHosts } from "./network/hosts.ts";
import { type NetworkPlace, networkModeOf } from "./network/namespace.ts";
import { type NetworkRecord, readNetwork } from "./network/networks.ts";
import { containerResolvConf } from "./network/resolv-conf.ts";
import { firstHosts } from "./network/sync.ts";
import type { OciProcess, OciSpec } from "./oci-spec.ts";
import type { ContainerRecord } from "./records.ts";
import { ociJson } from "./resources.ts";
import { bundleFile } from "./runtime.ts";
import { execProcess as execProcessOf, runtimeSpec } from "./runtime-spec.ts";

interface BundlePlace {
  readonly rootfs: string;
  readonly joined: Joined;
  readonly place: NetworkPlace;
}

/** Writes everything that the runtime reads of a container whose root file system is mounted: its configuration, which it gives, and the files bound into it. */
export async function writeBundle(context: Context, record: ContainerRecord, at: BundlePlace): Promise<OciSpec> {
  const { rootfs, joined, place } = at;
  const { layout } = context;
  const { service } = record.spec;
  const { init, facts } = context.tools();
  const owner = place.kind === "shared" ? place.with : record; // who shares a network shares its names
  const files = nameFiles(layout, owner.id);
  if (owner === record) {
    writeHosts(layout, record.id, firstHosts(layout, record));
    writeFileSync(files.hostname, `${record.hostname}\n`, { mode: 0o644 });
    writeFileSync(files.resolvConf, await resolvConfOf(layout, record), { mode: 0o644 });
  }
  const spec = runtimeSpec({
    service: { ...serviceHere(service), domainname: owner.spec.service.domainname },
    process: record.process,
    user: userOf(record, rootfs),
    rootfs,
    hostname: owner.hostname,
    mounts: record.mounts.map((mount) => ({ ...mount, source: mount.staged ?? mount.source })),
    files,
    cgroupsPath: cgroupRequest(layout, record.id).path,
    network: networkOf(place),
    namespaces: joined.namespaces,
    sharedMemory: joined.sharedMemory,
    initProgram: init,
    blocks: blocksHere(service.resources),
    devices: await devicesHere(service),
    facts,
  });
  writeFileSync(configFile(context, record.id), ociJson(spec), { mode: 0o600 });
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
  const gateway = first === undefined ? null : gatewayOf(readNetwork(layout, first.name));
  return containerResolvConf({ gateway, host: networkModeOf(record)?.type === "host", service: record.spec.service });
}

function gatewayOf(network: NetworkRecord | null): string | null {
  return network?.ipv4?.gateway ?? network?.ipv6?.gateway ?? null;
}

function networkOf(place: NetworkPlace): "private" | "host" | { readonly path: string } {
  switch (place.kind) {
    case "own":
      return place.keeper === null ? "private" : { path: `/proc/${place.keeper.process.pid}/ns/net` };
    case "host":
      return "host";
    case "shared":
      return { path: `/proc/${place.run.process.pid}/ns/net` };
  }
}

/** Whether a bundle was written since the container was created or last taken apart. */
export function hasBundle(context: Context, id: string): boolean {
  return existsSync(configFile(context, id));
}

/** What a runtime is called with to run a further process in a container. `file`: that process, as `execProcess` has it. */
export function execWords(
  layout: Layout,
  id: string,
  { file, flags }: { readonly file: string; readonly flags: readonly string[] },
): string[] {
  const { words } = cgroupRequest(layout, id);
  return ["--root", layout.runtime, "--log", "/dev/null", ...words, "exec", "--process", file, ...flags, id];
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
