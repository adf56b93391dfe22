/** A service's walls in the runtime's words. Pure. */
import type { Isolation } from "../../model/isolation.ts";
import type { Service } from "../../model/service.ts";
import { CAPABILITIES, type Capability, grantCapabilities } from "./capabilities.ts";
import type { KernelFacts } from "./kernel-facts.ts";
import type { OciNamespace } from "./oci-spec.ts";
import { type OciSeccomp, seccompProfile } from "./seccomp.ts";
import { ociSeccomp } from "./seccomp-profile.ts";

/** A namespace of its own, this machine's, or that of a running container by its path in /proc. */
export type NamespacePlace = "private" | "host" | { readonly path: string };

export interface Namespaces {
  readonly pid: NamespacePlace;
  readonly ipc: NamespacePlace;
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

/** The paths that stay closed to a container. */
export function closedPaths({ privileged, unmask }: Isolation): {
  readonly masked: readonly string[];
  readonly readOnly: readonly string[];
} {
  if (privileged || unmask.includes("ALL")) return { masked: [], readOnly: [] };
  const isClosed = (path: string): boolean => !unmask.includes(path);
  return { masked: MASKED_PATHS.filter(isClosed), readOnly: READONLY_PATHS.filter(isClosed) };
}

/** What a container may do; a privileged one everything that the engine may, whatever it drops. Throws E_CAPABILITY_UNKNOWN. */
export function capabilitiesOf(
  { isolation, capAdd, capDrop }: Pick<Service, "isolation" | "capAdd" | "capDrop">,
  { capabilities: held }: KernelFacts,
): readonly Capability[] {
  const { granted } = grantCapabilities({ add: capAdd, drop: capDrop, held });
  return isolation.privileged ? CAPABILITIES.filter((name) => held.has(name)) : granted;
}

/** `null`: no filter. A privileged container has only one that was asked for. */
export function seccompOf({ seccomp, privileged }: Isolation, granted: readonly Capability[], facts: KernelFacts): OciSeccomp | null {
  if (seccomp === "unconfined" || (privileged && seccomp === "default")) return null;
  const { architecture, version: kernel } = facts;
  const of = { capabilities: new Set(granted), architecture, kernel };
  return seccomp === "default" ? seccompProfile(of) : ociSeccomp(seccomp.profile, of);
}

/**
 * Every namespace that a container has of its own or joins. One for control groups hides nothing where version 1 hierarchies carry the
 * controllers, so that it is made there only when it is asked for. The one for time is left out: runc 1.1 does not know it.
 */
export function namespacesOf(
  { uts, cgroup }: Isolation,
  { network, namespaces, facts }: { readonly network: NamespacePlace; readonly namespaces: Namespaces; readonly facts: KernelFacts },
): readonly { readonly type: OciNamespace; readonly path?: string }[] {
  const place = (type: OciNamespace, where: NamespacePlace): readonly { readonly type: OciNamespace; readonly path?: string }[] => {
    if (where === "host") return [];
    return where === "private" ? [{ type }] : [{ type, path: where.path }];
  };
  const ownCgroup = cgroup === "private" || (cgroup === null && facts.cgroups === "v2");
  return [
    ...place("mount", "private"),
    ...place("network", network),
    ...place("uts", uts === "host" ? "host" : "private"),
    ...place("pid", namespaces.pid),
    ...place("ipc", namespaces.ipc),
    ...place("cgroup", ownCgroup ? "private" : "host"),
  ];
}
