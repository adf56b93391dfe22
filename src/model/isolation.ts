import type { SeccompProfile } from "./seccomp.ts";

/** How far containers of a service are held apart from the machine and from each other. */
export interface Isolation {
  /** All capabilities and devices, nothing masked, no filter. */
  readonly privileged: boolean;
  readonly noNewPrivileges: boolean;
  /** The filter of system calls; a profile by the path it was read from. */
  readonly seccomp: "default" | "unconfined" | { readonly path: string; readonly profile: SeccompProfile };
  /** Name of a loaded AppArmor profile or `unconfined`; `null`: nothing is said. */
  readonly appArmor: string | null;
  /** Options for SELinux (`disable`, `type:…`). */
  readonly labels: readonly string[];
  /** Paths that are masked or read-only by default and shall not be; `ALL`: every one. */
  readonly unmask: readonly string[];
  readonly pid: Sharing;
  readonly ipc: Sharing;
  readonly uts: "private" | "host";
  /** `null`: private with control groups version 2, the host's with version 1, as Docker has it. */
  readonly cgroup: "private" | "host" | null;
  /** Absolute below the root of the control groups, or `null`. */
  readonly cgroupParent: string | null;
  /** Names or numbers of further groups, in the image's eyes. */
  readonly groups: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** Name or absolute path of an OCI runtime, or `null`: the engine's choice. */
  readonly runtime: string | null;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Whose namespace a container is in. `shareable` and `none` are of `ipc` alone. */
export type Sharing =
  | { readonly type: "private" | "host" | "shareable" | "none" }
  /** A service of the project, or a container by name or id. */
  | { readonly type: "service" | "container"; readonly of: string };

export const PRIVATE: Sharing = { type: "private" };

export const USUAL_ISOLATION: Isolation = {
  privileged: false,
  noNewPrivileges: false,
  seccomp: "default",
  appArmor: null,
  labels: [],
  unmask: [],
  pid: PRIVATE,
  ipc: PRIVATE,
  uts: "private",
  cgroup: null,
  cgroupParent: null,
  groups: [],
  sysctls: {},
  runtime: null,
  annotations: {},
};

/** As the spec writes it. */
export function sharingText(sharing: Sharing): string {
  return "of" in sharing ? `${sharing.type}:${sharing.of}` : sharing.type;
}
