import { Failure } from "../../model/diagnostic.ts";
import type { Resources } from "../../model/resources.ts";
import type { Service } from "../../model/service.ts";
import { type Capability, grantCapabilities } from "./capabilities.ts";
import type { KernelFacts } from "./kernel-facts.ts";
import type { OciDeviceRule, OciLinux, OciNamespace, OciProcess, OciSpec } from "./oci-spec.ts";
import type { ProcessConfig } from "./process-config.ts";
import { type DeviceNumbers, ociResources, ociRlimits, shmSize } from "./resources.ts";
import { seccompProfile } from "./seccomp.ts";
import { INIT_TARGET, mountsOf, type OwnFiles, rootPropagation, type SpecMount } from "./spec-mounts.ts";
import type { ContainerUser } from "./user.ts";

/** Everything that a container's configuration is made of. */
export interface RuntimeSpecInput {
  readonly service: Pick<Service, "name" | "tty" | "init" | "readOnly" | "capAdd" | "capDrop" | "resources">;
  readonly process: ProcessConfig;
  readonly user: ContainerUser;
  /** Absolute path of the mounted root file system. */
  readonly rootfs: string;
  readonly hostname: string;
  readonly mounts: readonly SpecMount[];
  readonly files: OwnFiles;
  /** As `linux.cgroupsPath`: absolute below the hierarchies' roots. */
  readonly cgroupsPath: string;
  /** `private`: a new network namespace, wired by the process id once the runtime has made it (or left with loopback alone). */
  readonly network: "private" | "host";
  /**
   * Host path of a program that reaps and forwards signals, for services with `init`; `null`: there is none here. It has to be statically
   * linked: it runs where the image's libraries are, or none.
   */
  readonly initProgram: string | null;
  /** Numbers of the block devices that limits name. */
  readonly blocks: ReadonlyMap<string, DeviceNumbers>;
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
  readonly service: Pick<Service, "capAdd" | "capDrop" | "resources">;
  readonly facts: KernelFacts;
}

/**
 * The runtime's configuration of a container. Pure: equal input, equal configuration. Throws E_INIT_MISSING, E_CAPABILITY_UNKNOWN.
 * A capability that is asked for and not held here is left out; `grantCapabilities` says which.
 */
export function runtimeSpec(input: RuntimeSpecInput): OciSpec {
  const { service, user, facts } = input;
  const { argv, env, cwd } = input.process;
  const { granted } = grantCapabilities({ add: service.capAdd, drop: service.capDrop, held: facts.capabilities });
  const init = service.init ? initProgram(input) : null;
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
      facts,
    }),
    root: { path: input.rootfs, readonly: service.readOnly },
    hostname: input.hostname,
    mounts: mountsOf({
      mounts: input.mounts,
      files: input.files,
      init,
      readOnly: service.readOnly,
      shmSize: shmSize(service.resources),
    }),
    linux: linuxOf(input, granted),
  };
}

/** A further process in a running container, as `runc exec --process` takes it. */
export function execProcess(input: ExecInput): OciProcess {
  const { service, facts } = input;
  const { env: own, cwd } = input.process;
  const { granted } = grantCapabilities({ add: service.capAdd, drop: service.capDrop, held: facts.capabilities });
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
    resources: service.resources,
    facts,
  });
}

/** What the kernel shows about the whole machine and a container has no business with. A path that does not exist is passed over. */
export const MASKED_PATHS: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];

/** What a container may read of it, and not change. */
export const READONLY_PATHS: readonly string[] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

interface ProcessParts {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly tty: boolean;
  readonly user: ContainerUser;
  readonly capabilities: readonly Capability[];
  readonly resources: Resources;
  readonly facts: KernelFacts;
}

/** Asked for whatever shell the engine was started from, so that a container's limits do not depend on it. */
const OPEN_FILES = 1_048_576;

/** `null`, `zero`, `full`, `random`, `urandom`, `tty`, `console`, and every pseudo terminal. */
const DEVICES: readonly (readonly [major: number, minor: number | null])[] = [
  [1, 3],
  [1, 5],
  [1, 7],
  [1, 8],
  [1, 9],
  [5, 0],
  [5, 1],
  [5, 2],
  [136, null],
];

/** In a network of its own a container may serve any port and send pings without a capability. */
const PRIVATE_NETWORK_SYSCTLS = { "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647" } as const;

function processOf({ argv, env, cwd, tty, user, capabilities, resources, facts }: ProcessParts): OciProcess {
  const names = capabilities.map((name) => `CAP_${name}`);
  return {
    terminal: tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: argv,
    env: env.some((entry) => entry.startsWith("HOME=")) ? env : [...env, `HOME=${user.home}`],
    cwd,
    capabilities: { bounding: names, effective: names, permitted: names },
    rlimits: ociRlimits(resources, Math.min(OPEN_FILES, facts.maxOpenFiles)),
    ...(resources.oomScoreAdj === null ? {} : { oomScoreAdj: resources.oomScoreAdj }),
    noNewPrivileges: false,
  };
}

function linuxOf(input: RuntimeSpecInput, granted: readonly Capability[]): OciLinux {
  const { facts } = input;
  const propagation = rootPropagation(input.mounts);
  return {
    namespaces: namespacesOf(input).map((type) => ({ type })),
    cgroupsPath: input.cgroupsPath,
    resources: ociResources({ resources: input.service.resources, blocks: input.blocks, devices: deviceRules() }),
    sysctl: input.network === "private" ? PRIVATE_NETWORK_SYSCTLS : {},
    maskedPaths: MASKED_PATHS,
    readonlyPaths: READONLY_PATHS,
    seccomp: seccompProfile({ capabilities: new Set(granted), architecture: facts.architecture, kernel: facts.version }),
    ...(propagation === null ? {} : { rootfsPropagation: propagation }),
  };
}

/** A cgroup namespace hides nothing where version 1 hierarchies carry the controllers. The one for time is left out: runc 1.1 does not know it. */
function namespacesOf({ network, facts }: RuntimeSpecInput): readonly OciNamespace[] {
  return [
    "mount",
    ...(network === "private" ? (["network"] as const) : []),
    "uts",
    "pid",
    "ipc",
    ...(facts.cgroups === "v2" ? (["cgroup"] as const) : []),
  ];
}

function deviceRules(): readonly OciDeviceRule[] {
  const allowed = DEVICES.map(([major, minor]) => ({
    allow: true,
    type: "c" as const,
    major,
    ...(minor === null ? {} : { minor }),
    access: "rwm",
  }));
  return [{ allow: false, access: "rwm" }, ...allowed];
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
