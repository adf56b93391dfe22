import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Isolation, USUAL_ISOLATION } from "../../src/model/isolation.ts";
import { attributesOf } from "../../src/plan/change.ts";
import { errorsOf, loadFiles, serviceText, web } from "./support.ts";

const it = suite("walls of services");

async function walls(attributes: string): Promise<Partial<Isolation>> {
  const { isolation } = await web(attributes);
  const given = Object.entries(isolation).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(USUAL_ISOLATION[key as keyof Isolation]),
  );
  return Object.fromEntries(given);
}

it("a service that says nothing of them has the usual ones, and nothing of them goes into its hash", async () => {
  const service = await web("pid: private\nipc: private\nsecurity_opt: ['no-new-privileges:false', 'seccomp=builtin']\nuserns_mode: host");
  assert.equal(service.isolation, USUAL_ISOLATION);
  assert.equal(Object.keys(attributesOf(service)), ["image"]);
});

it("every attribute is read", async () => {
  assert.equal(
    await walls(
      "privileged: true\npid: host\nipc: shareable\nuts: host\ncgroup: private\ncgroup_parent: limits/shop\ngroup_add: [audio, 1000, audio]\nsysctls: {net.core.somaxconn: 1024, kernel/shmmax: 10}\nruntime: crun\nannotations: [a=1, b]",
    ),
    {
      privileged: true,
      pid: { type: "host" },
      ipc: { type: "shareable" },
      uts: "host",
      cgroup: "private",
      cgroupParent: "/limits/shop",
      groups: ["audio", "1000"],
      sysctls: { "net.core.somaxconn": "1024", "kernel.shmmax": "10" },
      runtime: "crun",
      annotations: { a: "1", b: "" },
    },
  );
  assert.equal(await walls("pid: container:other-web-1\nruntime: io.containerd.runc.v2"), {
    pid: { type: "container", of: "other-web-1" },
    runtime: "runc",
  });
});

it("security options are read in their new and old forms, the last word counts", async () => {
  assert.equal(
    await walls(
      "security_opt: [no-new-privileges, 'seccomp:unconfined', apparmor=mine, 'label:type:x', label=disable, 'unmask=/proc/acpi:/sys/firmware']",
    ),
    {
      noNewPrivileges: true,
      seccomp: "unconfined",
      appArmor: "mine",
      labels: ["type:x", "disable"],
      unmask: ["/proc/acpi", "/sys/firmware"],
    },
  );
  assert.equal(await walls("security_opt: [systempaths=unconfined, no-new-privileges=true, 'no-new-privileges:false']"), {
    unmask: ["ALL"],
  });
});

it("a seccomp profile is read from its file, beside the spec, and what it says goes into the hash", async () => {
  const load = async (profile: string) => {
    const loaded = await loadFiles({
      "/p/shop/wharf.yaml": serviceText("security_opt: ['seccomp:./filters/mine.json']"),
      "/p/shop/filters/mine.json": profile,
    });
    return { loaded, service: loaded.project.services[0] };
  };
  const { loaded, service } = await load(
    '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "mkdir", "action": "SCMP_ACT_ERRNO"}]}',
  );
  const { seccomp } = service?.isolation ?? USUAL_ISOLATION;
  assert.ok(typeof seccomp === "object");
  assert.is(seccomp.path, "/p/shop/filters/mine.json");
  assert.equal(seccomp.profile.rules[0]?.names, ["mkdir"]);
  assert.ok(loaded.project.inputs.includes("/p/shop/filters/mine.json"));
  const other = await load('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}');
  if (service === undefined || other.service === undefined) throw new Error("no service");
  assert.not.equal(attributesOf(service), attributesOf(other.service));
});

it("a seccomp profile that cannot be used keeps the service from being run, not from being shown", async () => {
  const problem = async (profile: string | null): Promise<string> => {
    const { refusals } = await loadFiles({
      "/p/shop/wharf.yaml": serviceText("security_opt: [seccomp=mine.json]"),
      ...(profile === null ? {} : { "/p/shop/mine.json": profile }),
    });
    return refusals.map(({ message }) => message).join();
  };
  assert.match(await problem(null), /seccomp profile `mine\.json` does not exist/);
  assert.match(await problem("{"), /mine\.json.*cannot be used: it is no JSON/);
  assert.match(await problem("[]"), /the profile is no object/);
  assert.match(await problem("{}"), /`defaultAction` is no text/);
  assert.match(await problem('{"defaultAction": "allow"}'), /`defaultAction` is "allow": it must be SCMP_ACT_KILL/);
  const rule = (text: string) => problem(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [${text}]}`);
  assert.match(await rule('{"names": "mkdir", "action": "SCMP_ACT_ERRNO"}'), /`syscalls\[0\]\.names` is no list/);
  assert.match(
    await rule('{"names": ["a"], "action": "SCMP_ACT_ERRNO", "args": [{"index": -1, "op": "SCMP_CMP_EQ"}]}'),
    /args\[0\]\.index` is no whole number/,
  );
});

it("what no machine can do is refused, each with its rule", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["pid: shareable", /`services\.web\.pid` is `shareable`: it must be `host`, `private`, `service:NAME` or `container:NAME`/],
    ["ipc: 'container:'", /`services\.web\.ipc` is `container:`/],
    ["uts: own", /`services\.web\.uts` is `own`: it must be `host` or `private`/],
    ["uts: host\nhostname: me", /this machine's name with `uts: host`, and one of its own/],
    ["userns_mode: keep-id", /containers have this machine's users here/],
    ["cgroup_parent: ../other", /it cannot be the path of a control group/],
    ["group_add: ['a b']", /`services\.web\.group_add\[0\]` is `a b`/],
    ["runtime: ./runc", /name or the absolute path of an OCI runtime/],
    ["security_opt: [no-new-privileges=maybe]", /`services\.web\.security_opt\[0\]` is `no-new-privileges=maybe`/],
    ["security_opt: [seccomp]", /it is no option of the security modules/],
    ["security_opt: [credentialspec=x]", /it is no option of the security modules/],
    ["sysctls: [kernel.panic=1]", /`kernel\.panic`: the kernel has one for the whole machine/],
    ["sysctls: {vm.overcommit_memory: 1}", /the kernel has one for the whole machine/],
    ["sysctls: {kernel.hostname: x}", /it is set by `hostname`/],
    ["sysctls: {net.core.somaxconn: 1}\nnetwork_mode: host", /it belongs to the network, which is not the container's own/],
    ["sysctls: {kernel.shmmax: 1}\nipc: host", /it belongs to the namespace of IPC/],
    ["sysctls: {../x: 1}", /it is no name of a kernel parameter/],
    ["storage_opt: {size: 1G}", /cannot be kept: a container's own layer has no size/],
    ["credential_spec: {file: x}", /is of Windows/],
  ];
  for (const [attributes, message] of cases) {
    const errors = await errorsOf(serviceText(attributes));
    assert.is(errors.length, 1, `${attributes}: ${errors.map((error) => error.message).join("; ")}`);
    assert.match(errors[0]?.message ?? "", message);
    assert.ok(errors[0]?.source !== undefined, attributes);
  }
});

it("IPC is shared only with a service that shares it, and depends on it", async () => {
  const text = (ipc: string) => `services:\n  web: {image: x, ipc: 'service:db'}\n  db: {image: x, ipc: ${ipc}}\n`;
  assert.match((await errorsOf(text("private")))[0]?.message ?? "", /shares the IPC of `db`, which keeps it to itself/);
  const { project } = await loadFiles(text("shareable"));
  assert.equal(project.services[0]?.dependsOn, [{ service: "db", condition: "started", restart: true, required: true }]);
});

it("what is of Windows is told of and changes nothing", async () => {
  const { warnings, project } = await loadFiles(serviceText("cpu_count: 2\ncpu_percent: 50\nisolation: hyperv"));
  assert.equal(
    warnings.map(({ code }) => code),
    ["W_WINDOWS", "W_WINDOWS", "W_WINDOWS"],
  );
  assert.equal(project.services[0]?.isolation, USUAL_ISOLATION);
});

it.run();
