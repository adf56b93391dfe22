import type { Reference } from "../../model/reference.ts";
import type { PreStart, Service } from "../../model/service.ts";
import type { Context, Draft } from "../draft.ts";
import { booleanOf, child, type Entry, entriesOf, itemsOf, type Node, textOf } from "../node.ts";
import { readCommand } from "./command.ts";
import { type ReadDependency, readDependsOn } from "./depends-on.ts";
import { readDevices } from "./devices.ts";
import { readDns } from "./dns.ts";
import { readPairs, readVariables, type Variable, valuesOf } from "./environment.ts";
import { checkTargets, type ReadGrant, readGrants } from "./files.ts";
import { readHealthcheck } from "./health.ts";
import { readHooks } from "./hooks.ts";
import { readExtraHosts } from "./hosts.ts";
import { readIsolation } from "./isolation.ts";
import { readLogging } from "./logging.ts";
import { type ReadMount, readTmpfs, readVolumes } from "./mounts.ts";
import { readAttachments, readDomainname, readLinks, readMacAddress, readNetworkMode } from "./networks.ts";
import { type LongPort, portModel, readExpose, readPorts } from "./ports.ts";
import { readResources } from "./resources.ts";
import { readRestart } from "./restart.ts";
import type { Scope } from "./scope.ts";
import { readRollback, readUpdate } from "./update.ts";
import {
  readCapabilities,
  readContainerName,
  readGracePeriod,
  readHostname,
  readImage,
  readPlatform,
  readPullPolicy,
  readScale,
  readStopSignal,
  readUser,
  readWorkingDir,
} from "./values.ts";
import { readVolumesFrom, refuseApiSocket } from "./volumes-from.ts";

/** A service as it was read, with the places that later checks and messages need. */
export interface ReadService {
  readonly name: string;
  readonly entry: Entry;
  /** `null` when it has no usable image: the report says so. */
  readonly image: Reference | null;
  /** The service but for its image. */
  readonly rest: Omit<Service, "image">;
  readonly ports: readonly LongPort[];
  readonly mounts: readonly ReadMount[];
  readonly configs: readonly ReadGrant[];
  readonly secrets: readonly ReadGrant[];
  readonly dependencies: readonly ReadDependency[];
  readonly variables: ReadonlyMap<string, Variable>;
}

export interface ReadOptions {
  readonly draft: Draft;
  readonly context: Context;
  /** Names of the services that the active profiles leave in. */
  readonly active: ReadonlySet<string>;
}

/** Reads one service of the merged tree. */
export function readService(name: string, entry: Entry, { draft, context, active }: ReadOptions): ReadService {
  const node = entry.value;
  const at = (key: string): Node | undefined => child(node, key);
  const path = `services.${name}`;
  const scope: Scope = { report: context.report, path, directory: draft.directory, variables: draft.variables, seccomp: draft.seccomp };
  const ports = readPorts(at("ports"), scope);
  const mounts = readMounts(node, scope);
  const configs = readGrants(at("configs"), "configs", scope);
  const secrets = readGrants(at("secrets"), "secrets", scope);
  checkTargets({ grants: [...configs, ...secrets], mounts }, scope);
  refuseApiSocket(node, scope);
  const volumesFrom = readVolumesFrom(at("volumes_from"), scope);
  const dependencies = readDependsOn(at("depends_on"));
  const variables = readVariables(at("environment"));
  const rest: ReadService["rest"] = {
    name,
    pin: null,
    containerName: readContainerName(node, scope),
    command: readCommand(at("command"), `${path}.command`, scope),
    entrypoint: readCommand(at("entrypoint"), `${path}.entrypoint`, scope),
    environment: valuesOf(variables),
    ports: ports.map(portModel),
    expose: readExpose(at("expose"), scope),
    workingDir: readWorkingDir(at("working_dir"), scope),
    user: readUser(at("user"), scope),
    hostname: readHostname(at("hostname"), scope),
    domainname: readDomainname(at("domainname"), scope),
    labels: readPairs(at("labels")),
    dependsOn: dependencies.filter(({ service }) => active.has(service)).map(({ place: _, ...dependency }) => dependency),
    restart: readRestart(node, scope),
    healthcheck: readHealthcheck(node, scope),
    ...readRun(node),
    ...(booleanOf(at("attach")) === false && { attach: false as const }),
    init: booleanOf(at("init")) ?? false,
    tty: booleanOf(at("tty")) ?? false,
    logging: readLogging(at("logging"), scope),
    stdinOpen: booleanOf(at("stdin_open")) ?? false,
    readOnly: booleanOf(at("read_only")) ?? false,
    mounts: mounts.map(({ mount }) => mount),
    ...(volumesFrom.length === 0 ? {} : { volumesFrom }),
    configs: configs.map(({ grant }) => grant),
    secrets: secrets.map(({ grant }) => grant),
    extraHosts: readExtraHosts(at("extra_hosts"), scope),
    ...readDns(node, scope),
    networks: readAttachments(at("networks"), scope),
    networkMode: readNetworkMode(at("network_mode"), scope),
    macAddress: readMacAddress(at("mac_address"), `${path}.mac_address`, scope),
    links: readLinks(node, scope),
    capAdd: readCapabilities(at("cap_add"), `${path}.cap_add`, scope),
    capDrop: readCapabilities(at("cap_drop"), `${path}.cap_drop`, scope),
    resources: readResources(node, scope),
    isolation: readIsolation(node, scope),
    devices: readDevices(node, scope),
    preStart: readPreStart(name, at("pre_start"), { draft, context, active }),
    postStart: readHooks(at("post_start"), "post_start", scope),
    preStop: readHooks(at("pre_stop"), "pre_stop", scope),
    stopSignal: readStopSignal(at("stop_signal"), scope),
    stopGraceMs: readGracePeriod(at("stop_grace_period")),
    scale: readScale(node, scope),
    update: readUpdate(node, scope),
    rollback: readRollback(node, scope),
    pullPolicy: readPullPolicy(at("pull_policy"), scope),
    platform: readPlatform(at("platform"), scope),
    profiles: itemsOf(at("profiles")).map((item) => textOf(item) ?? ""),
  };
  const image = readImage(name, entry, scope);
  return { name, entry, image, rest, ports, mounts, configs, secrets, dependencies, variables };
}

/** What runs to its end, in a container of its own, before the service's containers start. */
function readPreStart(name: string, given: Node | undefined, options: ReadOptions): readonly PreStart[] {
  const own = itemsOf(given);
  const laid = own.length === 0 ? [] : (options.draft.steps.get(name) ?? []);
  return laid.map((value, index) => {
    const step = own[index];
    const { rest, image } = readService(name, { spelled: name, place: value.place, value }, options);
    return {
      image: child(step, "image") === undefined ? null : image,
      service: rest,
      perReplica: booleanOf(child(step, "per_replica")) ?? false,
    };
  });
}

/** `x-wharf.run`. */
function readRun(node: Node): Pick<Service, "run"> {
  const run = textOf(child(child(node, "x-wharf"), "run"));
  return run === "once" || run === "always" ? { run } : {};
}

/** `volumes` and `tmpfs` in the order in which the file has the two. */
function readMounts(node: Node, scope: Scope): readonly ReadMount[] {
  const mounts: ReadMount[] = [];
  for (const [key, { value }] of entriesOf(node)) {
    if (key === "volumes") mounts.push(...readVolumes(value, scope));
    if (key === "tmpfs") mounts.push(...readTmpfs(value, scope));
  }
  return mounts;
}
