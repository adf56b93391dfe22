import type { OciSeccomp } from "./seccomp.ts";

/** The part of the OCI runtime specification (`config.json`, 1.0.2) that is written here, field by field as it is written. */
export interface OciSpec {
  readonly ociVersion: "1.0.2";
  readonly process: OciProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname: string;
  /** Mounted in this order. */
  readonly mounts: readonly OciMount[];
  readonly linux: OciLinux;
}

/** Also what `runc exec --process` takes. */
export interface OciProcess {
  readonly terminal: boolean;
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: OciCapabilities;
  readonly rlimits: readonly OciRlimit[];
  readonly noNewPrivileges: boolean;
}

/** Names with `CAP_`. Inheritable and ambient ones are left empty, as their absence means. */
export interface OciCapabilities {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
}

export interface OciRlimit {
  readonly type: "RLIMIT_NOFILE";
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
  readonly namespaces: readonly { readonly type: OciNamespace }[];
  readonly cgroupsPath: string;
  readonly resources: { readonly devices: readonly OciDeviceRule[] };
  readonly sysctl: Readonly<Record<string, string>>;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly seccomp: OciSeccomp;
  /** Absent: the runtime's own, under which nothing that the container mounts reaches the host. */
  readonly rootfsPropagation?: "shared" | "slave";
}

export type OciNamespace = "mount" | "network" | "uts" | "pid" | "ipc" | "cgroup";

export interface OciDeviceRule {
  readonly allow: boolean;
  readonly type?: "c";
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}
