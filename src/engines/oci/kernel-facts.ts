import { type Capability, capabilitiesIn } from "./capabilities.ts";

/** What a container's configuration depends on in this machine. Plain data, so that the configuration is a pure function of it. */
export interface KernelFacts {
  readonly version: KernelVersion;
  /** As images name it: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly cgroups: CgroupMode;
  /** What this engine holds and may hand on. */
  readonly capabilities: ReadonlySet<Capability>;
  /** The most open files that a container may be given. */
  readonly maxOpenFiles: number;
}

export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}

/** `hybrid`: version 1 hierarchies carry the controllers, a version 2 one exists beside them. */
export type CgroupMode = "v1" | "v2" | "hybrid";

/** Texts that the kernel gives about the engine's own process and about itself. */
export interface KernelTexts {
  /** `uname -r`. */
  readonly release: string;
  readonly architecture: string;
  /** /proc/self/status */
  readonly status: string;
  /** /proc/self/limits */
  readonly limits: string;
  /** /proc/self/mountinfo */
  readonly mountinfo: string;
  /** /proc/sys/fs/nr_open */
  readonly nrOpen: string;
}

export function parseKernelFacts(texts: KernelTexts): KernelFacts {
  const capabilities = capabilitiesIn(/^CapBnd:\s*([0-9a-f]+)$/m.exec(texts.status)?.[1] ?? "0");
  const ceiling = Number(texts.nrOpen);
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(texts.limits)?.[1];
  return {
    version: parseKernelVersion(texts.release),
    architecture: texts.architecture,
    cgroups: parseCgroupMode(texts.mountinfo),
    capabilities,
    maxOpenFiles: capabilities.has("SYS_RESOURCE") || hard === undefined ? ceiling : Math.min(Number(hard), ceiling),
  };
}

/** `6.1.0-18-amd64` is 6.1. A text that is no version is 0.0: older than any rule asks for. */
export function parseKernelVersion(release: string): KernelVersion {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return { major: Number(major), minor: Number(minor) };
}

export function isAtLeast(version: KernelVersion, floor: KernelVersion): boolean {
  return version.major > floor.major || (version.major === floor.major && version.minor >= floor.minor);
}

/** What is mounted at and below /sys/fs/cgroup, from /proc/self/mountinfo. */
export function parseCgroupMode(mountinfo: string): CgroupMode {
  const types = new Map<string, string>();
  for (const line of mountinfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const target = before.split(" ")[4];
    const type = after.split(" ")[0];
    if (target !== undefined && type !== undefined) types.set(target, type);
  }
  if (types.get("/sys/fs/cgroup") === "cgroup2") return "v2";
  return types.get("/sys/fs/cgroup/unified") === "cgroup2" ? "hybrid" : "v1";
}
