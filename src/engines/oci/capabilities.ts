import { Failure } from "../../model/diagnostic.ts";

/** Linux capabilities by their number in the kernel, without `CAP_`. */
export const CAPABILITIES = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
] as const;

export type Capability = (typeof CAPABILITIES)[number];

/** What a container has unless its service says otherwise: Docker's fourteen. */
export const DEFAULT_CAPABILITIES: readonly Capability[] = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "NET_BIND_SERVICE",
  "NET_RAW",
  "SYS_CHROOT",
  "MKNOD",
  "AUDIT_WRITE",
  "SETFCAP",
];

export interface CapabilityRequest {
  /** Names without `CAP_`, or `ALL`. */
  readonly add: readonly string[];
  readonly drop: readonly string[];
  /** What this engine holds: a runtime cannot give what it does not have. */
  readonly held: ReadonlySet<Capability>;
}

export interface CapabilityGrant {
  /** In the kernel's order. */
  readonly granted: readonly Capability[];
  /** Asked for by name, and not held here. */
  readonly missing: readonly Capability[];
}

/**
 * The capabilities of a container. A name wins over `ALL` on the other side: `drop: [ALL], add: [CHOWN]` leaves one,
 * `add: [ALL], drop: [CHOWN]` leaves all but one. Throws E_CAPABILITY_UNKNOWN.
 */
export function grantCapabilities({ add, drop, held }: CapabilityRequest): CapabilityGrant {
  const added = new Set(namesOf(add));
  const dropped = new Set(namesOf(drop));
  const base = new Set<Capability>(add.includes(ALL) ? CAPABILITIES : drop.includes(ALL) ? [] : DEFAULT_CAPABILITIES);
  const wanted = CAPABILITIES.filter((name) => added.has(name) || (base.has(name) && !dropped.has(name)));
  return {
    granted: wanted.filter((name) => held.has(name)),
    missing: wanted.filter((name) => added.has(name) && !held.has(name)),
  };
}

/** The set in a mask as `/proc/PID/status` shows it (`CapBnd`, hexadecimal). Bits of a newer kernel are left out. */
export function capabilitiesIn(mask: string): ReadonlySet<Capability> {
  const bits = BigInt(`0x${mask}`);
  return new Set(CAPABILITIES.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) === 1n));
}

const ALL = "ALL";

function namesOf(texts: readonly string[]): readonly Capability[] {
  return texts.filter((text) => text !== ALL).map(parseCapability);
}

function parseCapability(text: string): Capability {
  const found = CAPABILITIES.find((name) => name === text);
  if (found !== undefined) return found;
  throw new Failure({
    code: "E_CAPABILITY_UNKNOWN",
    message: `there is no capability named ${JSON.stringify(text)}`,
    hint: "capabilities(7) lists them; write them without CAP_, or ALL for every one",
  });
}
