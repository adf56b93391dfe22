import type { Capability } from "./capabilities.ts";
import { isAtLeast, type KernelVersion } from "./kernel-facts.ts";
import {
  ALWAYS,
  ARCHITECTURE,
  CAPABILITY,
  NAMESPACE_FLAGS,
  PERSONALITIES,
  REFUSED_FAMILIES,
  SECCOMP_ARCHITECTURES,
  SINCE,
} from "./seccomp-rules.ts";

/** `linux.seccomp` of the runtime specification, as far as it is written here. */
export interface OciSeccomp {
  /** `SCMP_ACT_ERRNO` unless a profile of the user's says otherwise. */
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  /** Absent where libseccomp has no name for it: the machine's own alone. */
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  readonly syscalls: readonly OciSyscallRule[];
}

/** A call is let through when one rule for it fits; the conditions of one rule must all hold. */
export interface OciSyscallRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly OciSyscallCondition[];
}

export interface OciSyscallCondition {
  /** Which argument, from 0. */
  readonly index: number;
  readonly op: string;
  /** For `MASKED_EQ` the mask, and `valueTwo` what is left. */
  readonly value: number;
  readonly valueTwo?: number;
}

export interface SeccompFacts {
  /** What the container is given. */
  readonly capabilities: ReadonlySet<Capability>;
  /** As images name it: `amd64`. */
  readonly architecture: string;
  readonly kernel: KernelVersion;
}

/** The default filter: what Docker lets a container with these capabilities do on this kernel. */
export function seccompProfile(facts: SeccompFacts): OciSeccomp {
  const architectures = SECCOMP_ARCHITECTURES[facts.architecture];
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: EPERM,
    ...(architectures === undefined ? {} : { architectures }),
    syscalls: [
      { names: allowedNames(facts), action: "SCMP_ACT_ALLOW" },
      ...socketRules(),
      ...PERSONALITIES.map((value) => allow("personality", { index: 0, op: "SCMP_CMP_EQ", value })),
      ...(facts.capabilities.has("SYS_ADMIN") ? [] : cloneRules(facts.architecture)),
    ],
  };
}

const EPERM = 1;
const ENOSYS = 38;

function allowedNames({ capabilities, architecture, kernel }: SeccompFacts): readonly string[] {
  const groups = [
    ...Object.values(ALWAYS),
    ...SINCE.filter((rule) => isAtLeast(kernel, rule.kernel)).map((rule) => rule.names),
    ...ARCHITECTURE.filter((rule) => rule.architectures.includes(architecture)).map((rule) => rule.names),
    ...[...capabilities].map((capability) => CAPABILITY[capability] ?? []),
  ];
  return [...new Set(groups.flat())].sort();
}

/** Around the refused families, not "unequal to each": conditions on one argument cannot be joined in one rule. */
function socketRules(): readonly OciSyscallRule[] {
  const { AF_ALG, AF_VSOCK } = REFUSED_FAMILIES;
  return [
    allow("socket", { index: 0, op: "SCMP_CMP_LT", value: AF_ALG }),
    allow("socket", { index: 0, op: "SCMP_CMP_EQ", value: AF_ALG + 1 }),
    allow("socket", { index: 0, op: "SCMP_CMP_GT", value: AF_VSOCK }),
  ];
}

/** Threads and processes, no namespaces. clone3 hides its flags in memory that a filter cannot read: ENOSYS makes libraries fall back to clone. */
function cloneRules(architecture: string): readonly OciSyscallRule[] {
  const flags = architecture === "s390x" ? 1 : 0;
  return [
    allow("clone", { index: flags, op: "SCMP_CMP_MASKED_EQ", value: NAMESPACE_FLAGS, valueTwo: 0 }),
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
  ];
}

function allow(name: string, condition: OciSyscallCondition): OciSyscallRule {
  return { names: [name], action: "SCMP_ACT_ALLOW", args: [condition] };
}
