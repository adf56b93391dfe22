import { posix } from "node:path";
import type { Sharing } from "../../model/isolation.ts";
import type { OciMount } from "./oci-spec.ts";

/** A mount of the service whose source is decided. */
export interface SpecMount {
  readonly type: "bind" | "volume" | "tmpfs";
  /** Absolute path on the host; of no meaning for tmpfs. */
  readonly source: string;
  /** Absolute path in the container. */
  readonly target: string;
  readonly readOnly: boolean;
  /** For a bind (`rprivate`, `rshared`, …). A volume's is always `rprivate`. */
  readonly propagation: string;
  /** For a bind: `disabled` leaves out what is mounted below the source, `readonly` makes that read-only too. */
  readonly recursive?: "disabled" | "writable" | "readonly";
  /** Of a tmpfs (`size=65536`, `exec`); later ones win. Of a bind flags such as `nosuid`. */
  readonly options: readonly string[];
}

/** Host paths of the files that the engine keeps for a container and shows it under /etc. */
export interface OwnFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export interface MountPlan {
  readonly mounts: readonly SpecMount[];
  readonly files: OwnFiles;
  /** Host path of the init program to show at `INIT_TARGET`, or `null`. */
  readonly init: string | null;
  /** The root is read-only: so are the files below /etc. */
  readonly readOnly: boolean;
  /** Bytes of /dev/shm. */
  readonly shmSize: number;
  readonly privileged: boolean;
  readonly ipc: Sharing["type"];
  /** Host directory to show at /dev/shm; `null`: one of its own. */
  readonly sharedMemory: string | null;
  /** What devices bring along. */
  readonly devices: readonly OciMount[];
}

/** Where Docker puts its init, and programs look for it. */
export const INIT_TARGET = "/sbin/docker-init";

/**
 * Every mount of a container in the order it is made: the kernel's file systems, then the engine's files and the service's own mounts,
 * the shallow ones first. What the service mounts takes the place of whatever would lie there; below its own /dev nothing else is put.
 */
export function mountsOf(plan: MountPlan): readonly OciMount[] {
  const { mounts, files, init, readOnly } = plan;
  const own = new Set(mounts.map(({ target }) => normal(target)));
  const isFree = ({ destination }: OciMount): boolean => !own.has(destination) && !(own.has("/dev") && destination.startsWith("/dev/"));
  const engine = [
    ownFile("/etc/resolv.conf", files.resolvConf, { readOnly }),
    ownFile("/etc/hostname", files.hostname, { readOnly }),
    ownFile("/etc/hosts", files.hosts, { readOnly }),
    ...(init === null ? [] : [ownFile(INIT_TARGET, init, { readOnly: true })]),
  ];
  const upper = [...engine.filter(isFree), ...plan.devices.filter(isFree), ...mounts.map(serviceMount)].sort((a, b) => depth(a) - depth(b));
  return [...kernelMounts(plan).filter(isFree), ...upper];
}

/** The propagation that the root must have for the binds' own to work; `null`: none of them asks for one. */
export function rootPropagation(mounts: readonly SpecMount[]): "shared" | "slave" | null {
  const asked = mounts.filter(({ type }) => type === "bind").map(({ propagation }) => propagation.replace(/^r/, ""));
  return asked.includes("shared") ? "shared" : asked.includes("slave") ? "slave" : null;
}

/** What a program may expect to be there. Sizes and modes are Docker's. */
const KERNEL_MOUNTS: readonly OciMount[] = [
  { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
  { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
  {
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
  },
  { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
  { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro", "nosuid", "noexec", "nodev"] },
  { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
];

/** A privileged container may change what the kernel shows of itself and its control groups. Who shares IPC shares what lies in memory for it. */
function kernelMounts({ privileged, ipc, sharedMemory, shmSize }: MountPlan): readonly OciMount[] {
  const writable = (mount: OciMount): OciMount => ({ ...mount, options: mount.options.filter((option) => option !== "ro") });
  const open = (mount: OciMount): OciMount => (mount.type === "sysfs" || mount.type === "cgroup" ? writable(mount) : mount);
  const memory =
    ipc === "none"
      ? []
      : [
          sharedMemory === null
            ? ownMemory(shmSize)
            : { destination: "/dev/shm", type: "bind", source: sharedMemory, options: ["rbind", "rprivate"] },
        ];
  return [...(privileged ? KERNEL_MOUNTS.map(open) : KERNEL_MOUNTS), ...memory];
}

function ownMemory(bytes: number): OciMount {
  const size = bytes % 1024 === 0 ? `${bytes / 1024}k` : String(bytes);
  return { destination: "/dev/shm", type: "tmpfs", source: "shm", options: ["nosuid", "noexec", "nodev", "mode=1777", `size=${size}`] };
}

function ownFile(destination: string, source: string, { readOnly }: { readonly readOnly: boolean }): OciMount {
  return { destination, type: "bind", source, options: ["rbind", "rprivate", readOnly ? "ro" : "rw"] };
}

function serviceMount(mount: SpecMount): OciMount {
  const destination = normal(mount.target);
  const access = mount.readOnly ? "ro" : "rw";
  switch (mount.type) {
    case "tmpfs":
      return {
        destination,
        type: "tmpfs",
        source: "tmpfs",
        options: mergeOptions(["noexec", "nosuid", "nodev", access, ...mount.options]),
      };
    case "volume":
      return { destination, type: "bind", source: mount.source, options: ["rbind", "rprivate", access] };
    case "bind":
      return {
        destination,
        type: "bind",
        source: mount.source,
        options: [
          mount.recursive === "disabled" ? "bind" : "rbind",
          mount.propagation,
          mount.readOnly && mount.recursive === "readonly" ? "rro" : access,
          ...mount.options,
        ],
      };
  }
}

/** One word on each matter, the last: `exec` takes `noexec` away, `size=2m` an earlier size. */
function mergeOptions(options: readonly string[]): readonly string[] {
  const merged = new Map<string, string>();
  for (const option of options) {
    const matter = matterOf(option);
    merged.delete(matter);
    merged.set(matter, option);
  }
  return [...merged.values()];
}

function matterOf(option: string): string {
  if (option === "ro" || option === "rw") return "access";
  const name = option.split("=")[0] ?? option;
  return /^no(exec|suid|dev|atime|diratime)$/.test(name) ? name.slice(2) : name;
}

const normal = (target: string): string => posix.resolve("/", target);

const depth = ({ destination }: OciMount): number => destination.split("/").length;
