import { suite } from "uvu";
import * as assert from "uvu/assert";
import { execProcess, runtimeSpec } from "../../../src/engines/oci/runtime-spec.ts";
import { Failure } from "../../../src/model/diagnostic.ts";
import { golden } from "../../support/golden.ts";
import { EXAMPLES, KERNEL, service, specInput } from "./fixtures.ts";

const it = suite("the runtime's configuration");

for (const [name, input] of Object.entries(EXAMPLES))
  it(`of an example is as written down: ${name}`, () => {
    const spec = runtimeSpec(input);
    const { seccomp, ...linux } = spec.linux;
    const filter = seccomp === undefined ? {} : { seccomp: { ...seccomp, syscalls: undefined, rules: seccomp.syscalls.length } };
    const shown = { ...spec, linux: { ...linux, ...filter } };
    golden(`runtime-spec/${name.replaceAll(/[^a-z]+/g, "-")}.json`, `${JSON.stringify(shown, null, 2)}\n`);
  });

it("is the same for the same input", () => {
  assert.equal(JSON.stringify(runtimeSpec(specInput())), JSON.stringify(runtimeSpec(specInput())));
});

it("lists every system call of the default filter as written down", () => {
  golden(
    "runtime-spec/seccomp.txt",
    `${runtimeSpec(specInput())
      .linux.seccomp?.syscalls.map((rule) => JSON.stringify(rule))
      .join("\n")}\n`,
  );
});

it("grants nothing that the engine does not hold", () => {
  const facts = { ...KERNEL, capabilities: new Set(["CHOWN"] as const) };
  const { capabilities } = runtimeSpec(specInput({ facts, service: service({ capAdd: ["ALL"] }) })).process;
  assert.equal(capabilities, { bounding: ["CAP_CHOWN"], effective: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"] });
});

it("never raises open files above what the engine may", () => {
  const limits = (maxOpenFiles: number): unknown => runtimeSpec(specInput({ facts: { ...KERNEL, maxOpenFiles } })).process.rlimits;
  assert.equal(limits(20_000), [{ type: "RLIMIT_NOFILE", soft: 20_000, hard: 20_000 }]);
  assert.equal(limits(1_073_741_816), [{ type: "RLIMIT_NOFILE", soft: 1_048_576, hard: 1_048_576 }]);
});

it("has a control group namespace only where the second version rules", () => {
  const types = (cgroups: "v1" | "v2" | "hybrid"): readonly string[] =>
    runtimeSpec(specInput({ facts: { ...KERNEL, cgroups } })).linux.namespaces.map(({ type }) => type);
  assert.equal(types("v2"), ["mount", "network", "uts", "pid", "ipc", "cgroup"]);
  assert.equal(types("hybrid"), ["mount", "network", "uts", "pid", "ipc"]);
  assert.equal(types("v1"), types("hybrid"));
});

it("mounts a service's own things over the engine's, parents before what lies in them", () => {
  const mount = (
    target: string,
  ): { type: "bind"; source: string; target: string; readOnly: boolean; propagation: string; options: [] } => ({
    type: "bind",
    source: "/host",
    target,
    readOnly: false,
    propagation: "rprivate",
    options: [],
  });
  const targets = (...own: readonly string[]): readonly string[] =>
    runtimeSpec(specInput({ mounts: own.map(mount) })).mounts.map(({ destination }) => destination);
  assert.equal(targets("/a/b/c", "/a", "/etc").slice(-6), ["/a", "/etc", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts", "/a/b/c"]);
  assert.is(targets("/etc/hosts/").filter((target) => target === "/etc/hosts").length, 1);
  assert.equal(
    targets("/dev").filter((target) => target.startsWith("/dev")),
    ["/dev"],
  );
  assert.is(targets("/dev/shm").filter((target) => target === "/dev/shm").length, 1);
});

it("a service that wants an init where there is none is an error that says how to get one", () => {
  try {
    runtimeSpec(specInput({ service: service({ init: true }), initProgram: null }));
    assert.unreachable();
  } catch (error) {
    assert.ok(error instanceof Failure && error.has("E_INIT_MISSING") && error.message.includes("service web"));
  }
});

it("a further process has the container's environment, directory and rights, and what is asked for over them", () => {
  const { process } = specInput();
  const user = { uid: 0, gid: 0, additionalGids: [0], home: "/root", name: "root" };
  const base = { argv: ["sh"], env: {}, user, cwd: null, tty: false, privileged: false, process, service: service(), facts: KERNEL };
  const plain = execProcess(base);
  assert.equal(plain.env, ["PATH=/usr/bin:/bin", "HOSTNAME=0123456789ab", "COLOR=green", "HOME=/root"]);
  assert.equal([plain.args, plain.cwd, plain.terminal], [["sh"], "/", false]);
  assert.equal(plain.capabilities, runtimeSpec(specInput()).process.capabilities);
  const other = execProcess({
    ...base,
    env: { COLOR: "red", A: "b=c" },
    user: { ...user, uid: 1000, home: "/home/web" },
    cwd: "/srv",
    tty: true,
    privileged: true,
    facts: { ...KERNEL, capabilities: new Set(["SYS_ADMIN"] as const) },
  });
  assert.equal(other.env, ["PATH=/usr/bin:/bin", "HOSTNAME=0123456789ab", "COLOR=red", "TERM=xterm", "A=b=c", "HOME=/home/web"]);
  assert.equal([other.cwd, other.terminal, other.user.uid, other.capabilities.effective], ["/srv", true, 1000, ["CAP_SYS_ADMIN"]]);
});

it.run();
