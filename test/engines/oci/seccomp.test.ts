import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Capability, DEFAULT_CAPABILITIES } from "../../../src/engines/oci/capabilities.ts";
import { type OciSyscallRule, type SeccompFacts, seccompProfile } from "../../../src/engines/oci/seccomp.ts";
import { ALWAYS, CAPABILITY } from "../../../src/engines/oci/seccomp-rules.ts";

const it = suite("the filter of system calls");

const facts = (more: readonly Capability[] = [], given: Partial<SeccompFacts> = {}): SeccompFacts => ({
  capabilities: new Set([...DEFAULT_CAPABILITIES, ...more]),
  architecture: "amd64",
  kernel: { major: 6, minor: 1 },
  ...given,
});

const rulesFor = (name: string, given: SeccompFacts = facts()): readonly OciSyscallRule[] =>
  seccompProfile(given).syscalls.filter(({ names }) => names.includes(name));

/** Let through whatever its arguments. */
const isFree = (name: string, given: SeccompFacts = facts()): boolean =>
  rulesFor(name, given).some(({ action, args }) => action === "SCMP_ACT_ALLOW" && args === undefined);

it("what is not listed is refused with EPERM", () => {
  const { defaultAction, defaultErrnoRet } = seccompProfile(facts());
  assert.equal([defaultAction, defaultErrnoRet], ["SCMP_ACT_ERRNO", 1]);
  for (const name of ["kexec_load", "swapon", "add_key", "userfaultfd", "io_uring_setup", "pivot_root"]) assert.equal(rulesFor(name), []);
});

it("each call stands in one group only, and none of them also asks for a capability", () => {
  const always = Object.values(ALWAYS).flat();
  assert.is(new Set(always).size, always.length);
  assert.equal(
    Object.values(CAPABILITY)
      .flat()
      .filter((name) => new Set<string>(always).has(name)),
    [],
  );
  assert.ok(always.every((name) => /^[a-z0-9_]+$/.test(name)));
});

it("ordinary programs are not hindered", () => {
  for (const name of ["read", "openat", "execve", "futex", "chroot", "mknod", "statx", "fchmodat2"]) assert.ok(isFree(name), name);
});

it("namespaces and mounts need SYS_ADMIN", () => {
  for (const name of ["mount", "unshare", "setns", "bpf"]) {
    assert.equal(rulesFor(name), [], name);
    assert.ok(isFree(name, facts(["SYS_ADMIN"])), name);
  }
});

it("clone makes threads and processes but no namespaces, and clone3 is not there, so that libraries fall back to it", () => {
  const [clone] = rulesFor("clone");
  assert.equal(clone?.args, [{ index: 0, op: "SCMP_CMP_MASKED_EQ", value: 0x7e020000, valueTwo: 0 }]);
  assert.equal(rulesFor("clone3"), [{ names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 }]);
  assert.is(rulesFor("clone", facts([], { architecture: "s390x" }))[0]?.args?.[0]?.index, 1);
  assert.equal([isFree("clone", facts(["SYS_ADMIN"])), isFree("clone3", facts(["SYS_ADMIN"]))], [true, true]);
});

it("a socket may be of every family but the kernel's crypto interface and the hypervisor's", () => {
  const rules = rulesFor("socket").flatMap(({ args }) => args ?? []);
  const passes = (family: number): boolean =>
    rules.some(({ op, value }) => (op === "SCMP_CMP_LT" ? family < value : op === "SCMP_CMP_GT" ? family > value : family === value));
  assert.equal(
    Array.from({ length: 64 }, (_, family) => family).filter((family) => !passes(family)),
    [38, 40],
  );
});

it("looking into other processes needs a kernel of 4.8, or the capability", () => {
  const old = { kernel: { major: 4, minor: 4 } };
  assert.ok(isFree("ptrace"));
  assert.equal(rulesFor("ptrace", facts([], old)), []);
  assert.ok(isFree("ptrace", facts(["SYS_PTRACE"], old)));
});

it("an architecture has its own calls and those it runs besides", () => {
  assert.equal(seccompProfile(facts()).architectures, ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]);
  assert.equal(seccompProfile(facts([], { architecture: "arm64" })).architectures, ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
  assert.not("architectures" in seccompProfile(facts([], { architecture: "sparc64" })));
  assert.equal([isFree("arch_prctl"), isFree("arch_prctl", facts([], { architecture: "arm64" }))], [true, false]);
  assert.ok(isFree("cacheflush", facts([], { architecture: "arm64" })));
});

it.run();
