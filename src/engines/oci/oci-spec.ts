import type { OciSeccomp } from "./seccomp.ts";

/** The part of the OCI runtime specification (`config.json`, 1.0.2) that is written here, field by field as it is written. */
export interface OciSpec {
  readonly ociVersion: "1.0.2";
  readonly process: OciProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  /** Absent where the machine's own is shared. */
  readonly hostname?: string;
  /** Mounted in this order. */
  readonly mounts: readonly OciMount[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly hooks?: OciHooks;
  readonly linux: OciLinux;
}

/** Also what `runc exec --process` takes. */
export interface OciProcess {
  readonly terminal: boolean;
  /** Of the terminal, when it is made; absent: nothing known. */
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: OciCapabilities;
  readonly rlimits: readonly OciRlimit[];
  /** Absent: inherited. */
  readonly oomScoreAdj?: number;
  readonly noNewPrivileges: boolean;
  /** Absent: none, or the one that the engine itself is under. */
  readonly apparmorProfile?: string;
}

/** Names with `CAP_`. Inheritable and ambient ones are left empty, as their absence means. */
export interface OciCapabilities {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
}

export interface OciRlimit {
  /** `RLIMIT_NOFILE` */
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

export interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface OciLinux {
  /** With a path: one that there is already. */
  readonly namespaces: readonly { readonly type: OciNamespace; readonly path?: string }[];
  readonly cgroupsPath: string;
  /** Beside those that the runtime makes for every container. */
  readonly devices?: readonly OciDevice[];
  readonly resources: OciResources;
  readonly sysctl: Readonly<Record<string, string>>;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  /** Absent: no filter. */
  readonly seccomp?: OciSeccomp;
  /** Absent: the runtime's own, under which nothing that the container mounts reaches the host. */
  readonly rootfsPropagation?: "shared" | "slave";
}

export type OciNamespace = "mount" | "network" | "uts" | "pid" | "ipc" | "cgroup";

export interface OciDeviceRule {
  readonly allow: boolean;
  readonly type?: "a" | "b" | "c";
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

/** Also what `runc update` takes, but for the devices. */
export interface OciResources {
  readonly devices: readonly OciDeviceRule[];
  readonly memory?: OciMemory;
  readonly cpu?: OciCpu;
  readonly pids?: { readonly limit: number };
  readonly blockIO?: OciBlockIo;
}

/** Bytes. */
export interface OciMemory {
  readonly limit?: number;
  readonly reservation?: number;
  /** Memory and swap together; -1: without limit. */
  readonly swap?: number;
  readonly swappiness?: number;
  readonly disableOOMKiller?: true;
}

/** Microseconds. */
export interface OciCpu {
  readonly shares?: number;
  readonly quota?: number;
  readonly period?: number;
  readonly realtimeRuntime?: number;
  readonly realtimePeriod?: number;
  readonly cpus?: string;
}

export interface OciBlockIo {
  readonly weight?: number;
  readonly weightDevice?: readonly { readonly major: number; readonly minor: number; readonly weight: number }[];
  readonly throttleReadBpsDevice?: readonly OciBlockRate[];
  readonly throttleWriteBpsDevice?: readonly OciBlockRate[];
  readonly throttleReadIOPSDevice?: readonly OciBlockRate[];
  readonly throttleWriteIOPSDevice?: readonly OciBlockRate[];
}

export interface OciBlockRate {
  readonly major: number;
  readonly minor: number;
  readonly rate: number;
}

export interface OciDevice {
  /** In the container. */
  readonly path: string;
  readonly type: "b" | "c";
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Programs of the host that run at moments of a container's life. */
export interface OciHooks {
  readonly prestart?: readonly OciHook[];
  readonly createRuntime?: readonly OciHook[];
  readonly createContainer?: readonly OciHook[];
  readonly startContainer?: readonly OciHook[];
  readonly poststart?: readonly OciHook[];
  readonly poststop?: readonly OciHook[];
}

export interface OciHook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}
