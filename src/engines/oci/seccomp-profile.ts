import type { SeccompCondition, SeccompProfile, SeccompRule } from "../../model/seccomp.ts";
import { isAtLeast, parseKernelVersion } from "./kernel-facts.ts";
import type { OciSeccomp, OciSyscallRule, SeccompFacts } from "./seccomp.ts";
import { SECCOMP_ARCHITECTURES } from "./seccomp-rules.ts";

/** A filter of Docker's format as it is for these capabilities, this architecture and this kernel: the runtime knows no conditions. */
export function ociSeccomp(profile: SeccompProfile, facts: SeccompFacts): OciSeccomp {
  const architectures = architecturesOf(profile, facts);
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === null ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures.length === 0 ? {} : { architectures }),
    ...(profile.flags.length === 0 ? {} : { flags: profile.flags }),
    syscalls: profile.rules.filter((rule) => rule.names.length > 0 && counts(rule, facts)).map(ruleOf),
  };
}

/** Those that the profile lists, else the ones that its map has for this machine, else the machine's usual ones. */
function architecturesOf({ architectures, archMap }: SeccompProfile, { architecture }: SeccompFacts): readonly string[] {
  const usual = SECCOMP_ARCHITECTURES[architecture] ?? [];
  if (architectures.length > 0) return architectures;
  if (archMap.length === 0) return usual;
  const own = archMap.find((entry) => entry.architecture === usual[0]);
  return own === undefined ? [] : [own.architecture, ...own.subArchitectures];
}

function counts({ includes, excludes }: SeccompRule, facts: SeccompFacts): boolean {
  const isIncluded =
    (includes.arches.length === 0 || includes.arches.includes(facts.architecture)) &&
    includes.caps.every((name) => has(facts, name)) &&
    (includes.minKernel === null || isNew(facts, includes.minKernel));
  return isIncluded && !isExcluded(excludes, facts);
}

function isExcluded({ arches, caps, minKernel }: SeccompCondition, facts: SeccompFacts): boolean {
  return arches.includes(facts.architecture) || caps.some((name) => has(facts, name)) || (minKernel !== null && isNew(facts, minKernel));
}

function has({ capabilities }: SeccompFacts, name: string): boolean {
  return [...capabilities].some((held) => `CAP_${held}` === name);
}

function isNew({ kernel }: SeccompFacts, version: string): boolean {
  return isAtLeast(kernel, parseKernelVersion(version));
}

function ruleOf({ names, action, errnoRet, args }: SeccompRule): OciSyscallRule {
  return {
    names,
    action,
    ...(errnoRet === null ? {} : { errnoRet }),
    ...(args.length === 0
      ? {}
      : { args: args.map(({ index, value, valueTwo, op }) => ({ index, op, value, ...(valueTwo === 0 ? {} : { valueTwo }) })) }),
  };
}
