import { Failure } from "../../model/diagnostic.ts";
import type { Isolation } from "../../model/isolation.ts";
import type { Resources } from "../../model/resources.ts";
import type { Service } from "../../model/service.ts";
import type { Capability } from "./capabilities.ts";
import { deviceRules, type GivenDevices, withEnvironment } from "./devices.ts";
import { capabilitiesOf, closedPaths, type NamespacePlace, type Namespaces, namespacesOf, seccompOf } from "./isolation.ts";
import type { KernelFacts } from "./kernel-facts.ts";
import type { OciLinux, OciProcess, OciSpec } from "./oci-spec.ts";
import type { ProcessConfig } from "./process-config.ts";
import { type DeviceNumbers, ociResources, ociRlimits, shmSize } from "./resources.ts";
import { INIT_TARGET, mountsOf, type OwnFiles, rootPropagation, type SpecMount } from "./spec-mounts.ts";
import type { ContainerUser } from "./user.ts";

/** Everything that a container's configuration is made of. */
export interface RuntimeSpecInput {
  readonly service: Pick<Service, "name" | "tty" | "init" | "readOnly" | "capAdd" | "capDrop" | "resources" | "isolation" | "domainname">;
  readonly process: ProcessConfig;
  readonly user: ContainerUser;
  /** Absolute path of the mounted root file system. */
  readonly rootfs: string;
  readonly hostname: string;
  readonly mounts: readonly SpecMount[];
  readonly files: OwnFiles;
  /** As `linux.cgroupsPath`: absolute below the hierarchies' roots. */
  readonly cgroupsPath: string;
  /**
   * `private`: a new network namespace, wired by the process id once the runtime has made it (or left with loopback alone); `path`: the one of
   * another container.
   */
  readonly network: NamespacePlace;
  readonly namespaces: Namespaces;
  /** Host directory to show at /dev/shm; `null`: one of its own. */
  readonly sharedMemory: string | null;
  /**
   * Host path of a program that reaps and forwards signals, for services with `init`; `null`: there is none here. It has to be statically
   * linked: it runs where the image's libraries are, or none.
   */
  readonly initProgram: string | null;
  /** Numbers of the block devices that limits name. */
  readonly blocks: ReadonlyMap<string, DeviceNumbers>;
  readonly devices: GivenDevices;
  readonly facts: KernelFacts;
}

export interface ExecInput {
  readonly argv: readonly string[];
  /** Over the container's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly user: ContainerUser;
  /** Absolute, or `null`: the container's. */
  readonly cwd: string | null;
  readonly tty: boolean;
  /** Every capability that the engine holds. */
  readonly privileged: boolean;
  /** Of the container. */
  readonly process: ProcessConfig;
  readonly service: Pick<Service, "capAdd" | "capDrop" | "resources" | "isolation">;
  readonly facts: KernelFacts;
}

/**
 * The runtime's configuration of a container. Pure: equal input, equal configuration. Throws E_INIT_MISSING, E_CAPABILITY_UNKNOWN.
 * A capability that is asked for and not held here is left out; `grantCapabilities` says which.
 */
export function runtimeSpec(input: RuntimeSpecInput): OciSpec {
  const { service, facts, devices } = input;
  const { argv, cwd } = input.process;
  const env = withEnvironment(input.process.env, devices.env);
  const user = { ...input.user, additionalGids: [...new Set([...input.user.additionalGids, ...devices.groups])] };
  const { isolation } = service;
  const granted = capabilitiesOf(service, facts);
  // Where the processes of others are seen as well the first one is not the container's, and orphans go to that.
  const init = service.init && input.namespaces.pid === "private" ? initProgram(input) : null;
  return {
    ociVersion: "1.0.2",
    process: processOf({
      argv: init === null ? argv : [INIT_TARGET, "--", ...argv],
      env,
      cwd,
      tty: service.tty,
      user,
      capabilities: granted,
      resources: service.resources,
      isolation,
      facts,
    }),
    root: { path: input.rootfs, readonly: service.readOnly },
    ...(isolation.uts === "host" ? {} : { hostname: input.hostname }),
    mounts: mountsOf({
      mounts: input.mounts,
      files: input.files,
      init,
      readOnly: service.readOnly,
      shmSize: shmSize(service.resources),
      privileged: isolation.privileged,
      ipc: isolation.ipc.type,
      sharedMemory: input.sharedMemory,
      devices: devices.mounts,
    }),
    ...(Object.keys(isolation.annotations).length === 0 ? {} : { annotations: isolation.annotations }),
    ...(Object.keys(devices.hooks).length === 0 ? {} : { hooks: devices.hooks }),
    linux: linuxOf(input, granted),
  };
}

/** A further process in a running container, as `runc exec --process` takes it. */
export function execProcess(input: ExecInput): OciProcess {
  const { service, facts } = input;
  const { env: own, cwd } = input.process;
  const granted = capabilitiesOf(service, facts);
  const env = new Map(own.map(splitEntry));
  if (input.tty && !env.has("TERM")) env.set("TERM", "xterm");
  for (const [key, value] of Object.entries(input.env)) env.set(key, value);
  return processOf({
    argv: input.argv,
    env: [...env].map(([key, value]) => `${key}=${value}`),
    cwd: input.cwd ?? cwd,
    tty: input.tty,
    user: input.user,
    capabilities: input.privileged ? [...facts.capabilities] : granted,
    privileged: input.privileged,
    resources: service.resources,
    isolation: service.isolation,
    facts,
  });
}

interface ProcessParts {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly tty: boolean;
  readonly user: ContainerUser;
  readonly capabilities: readonly Capability[];
  /** Whoever the user is. */
  readonly privileged?: boolean;
  readonly resources: Resources;
  readonly isolation: Isolation;
  readonly facts: KernelFacts;
}

/** Asked for whatever shell the engine was started from, so that a container's limits do not depend on it. */
const OPEN_FILES = 1_048_576;

/** In a network of its own a container may serve any port and send pings without a capability. */
const PRIVATE_NETWORK_SYSCTLS = { "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647" } as const;

function processOf({ argv, env, cwd, tty, user, capabilities, privileged = false, resources, isolation, facts }: ProcessParts): OciProcess {
  const names = capabilities.map((name) => `CAP_${name}`);
  // Another user loses them when the program begins: they are what one may have that has them by its file, or by becoming root.
  const held = user.uid === 0 || privileged ? names : [];
  return {
    terminal: tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: argv,
    env: env.some((entry) => entry.startsWith("HOME=")) ? env : [...env, `HOME=${user.home}`],
    cwd,
    capabilities: { bounding: names, effective: held, permitted: held },
    rlimits: ociRlimits(resources, Math.min(OPEN_FILES, facts.maxOpenFiles)),
    ...(resources.oomScoreAdj === null ? {} : { oomScoreAdj: resources.oomScoreAdj }),
    noNewPrivileges: isolation.noNewPrivileges,
    ...(isolation.appArmor === null ? {} : { apparmorProfile: isolation.appArmor }),
  };
}

function linuxOf(input: RuntimeSpecInput, granted: readonly Capability[]): OciLinux {
  const { facts, service } = input;
  const { isolation, resources } = service;
  const propagation = rootPropagation(input.mounts);
  const { masked, readOnly } = closedPaths(isolation);
  const seccomp = seccompOf(isolation, granted, facts);
  return {
    namespaces: namespacesOf(isolation, input),
    cgroupsPath: input.cgroupsPath,
    ...(input.devices.nodes.length === 0 ? {} : { devices: input.devices.nodes }),
    resources: ociResources({ resources, blocks: input.blocks, devices: deviceRules(input.devices, isolation.privileged) }),
    sysctl: {
      ...(input.network === "private" ? PRIVATE_NETWORK_SYSCTLS : {}),
      ...(input.service.domainname === null ? {} : { "kernel.domainname": input.service.domainname }),
      ...isolation.sysctls,
    },
    maskedPaths: masked,
    readonlyPaths: readOnly,
    ...(seccomp === null ? {} : { seccomp }),
    ...(propagation === null ? {} : { rootfsPropagation: propagation }),
  };
}

function initProgram({ service, initProgram: program }: RuntimeSpecInput): string {
  if (program !== null) return program;
  throw new Failure({
    code: "E_INIT_MISSING",
    message: `service ${service.name} has init: true, and there is no init program on this machine`,
    hint: "install tini (apt-get install tini), or leave init out",
  });
}

function splitEntry(entry: string): readonly [key: string, value: string] {
  const at = entry.indexOf("=");
  return [entry.slice(0, at), entry.slice(at + 1)];
}
