/** The walls around containers, from inside and from the machine, through the built command. */
import { readlinkSync } from "node:fs";
import { hostname } from "node:os";
import * as assert from "uvu/assert";
import { box, boxSpec, IDLE } from "../support/box.ts";
import { inspect, ps } from "../support/listings.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("walls");

it("security options are as asked for: privileges, the filter of a file, masked paths", inWorld(secured));

it("a privileged container has what the engine has, and an ordinary one has not", inWorld(privileged));

it("groups, kernel parameters, annotations and the machine's name are as asked for", inWorld(parameters));

it("this machine's processes and IPC are seen where that is asked for, and nothing of it is left", inWorld(onTheMachine));

it("services share process numbers and IPC, and start after the one they share with", inWorld(shared));

it("what this machine cannot do is said while planning", inWorld(impossible));

it.run();

async function secured(world: World): Promise<void> {
  const cwd = await box(world, "security_opt: [no-new-privileges, seccomp=no-mkdir.json, unmask=/proc/kcore]");
  await world.project("shop", {
    "no-mkdir.json": JSON.stringify({
      defaultAction: "SCMP_ACT_ALLOW",
      archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] }],
      syscalls: [
        { names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 13, excludes: { caps: ["CAP_SYS_ADMIN"] } },
        { names: ["unlink", "unlinkat"], action: "SCMP_ACT_ERRNO", includes: { caps: ["CAP_SYS_ADMIN"] } },
      ],
    }),
  });
  await world.ok(["up", "-d"], { cwd });
  const { stdout } = await world.wharf(
    [
      "exec",
      "-T",
      "web",
      "sh",
      "-c",
      "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status; mkdir /x; touch /y; rm /y; ls /y /x; test -c /proc/kcore || echo open",
    ],
    { cwd },
  );
  assert.match(stdout, /NoNewPrivs:\t1\nSeccomp:\t2\nopen/);
  const refused = await world.wharf(["exec", "-T", "web", "mkdir", "/x"], { cwd });
  assert.match(refused.stderr, /Permission denied/);
  const { HostConfig } = await inspect(world, "shop-web-1");
  assert.equal(HostConfig["SecurityOpt"], ["no-new-privileges", `seccomp=${cwd}/no-mkdir.json`]);
  await world.project("shop", { "wharf.yaml": boxSpec("security_opt: ['seccomp:unconfined', systempaths=unconfined]") });
  await world.ok(["up", "-d", "-t", "1"], { cwd });
  const open = await world.ok(
    ["exec", "-T", "web", "sh", "-c", "grep -E '^(NoNewPrivs|Seccomp):' /proc/1/status; mkdir /x; grep -c proc /proc/mounts"],
    { cwd },
  );
  assert.equal(open.trim().split("\n"), ["NoNewPrivs:\t0", "Seccomp:\t0", "1"]);
  await world.ok(["down", "-t", "1"], { cwd });
}

async function privileged(world: World): Promise<void> {
  const cwd = await box(world, "privileged: true\ncap_drop: [ALL]", `  tame: {image: "test/box:1", command: ${IDLE}}\n`);
  await world.ok(["up", "-d"], { cwd });
  const look =
    "grep CapEff /proc/1/status; grep Seccomp: /proc/1/status; mount -t tmpfs none /mnt && echo mounted; touch /sys/fs/cgroup/x 2>&1; ls /dev | wc -l";
  const strong = await world.wharf(["exec", "-T", "web", "sh", "-c", `mkdir /mnt; ${look}`], { cwd });
  const tame = await world.wharf(["exec", "-T", "tame", "sh", "-c", `mkdir /mnt; ${look}`], { cwd });
  assert.match(strong.stdout, /CapEff:\t0*1[0-9a-f]{10}\nSeccomp:\t0\nmounted/);
  assert.match(tame.stdout, /CapEff:\t00000000a80425fb\nSeccomp:\t2\n/);
  assert.not.match(tame.stdout, /mounted/);
  const devices = (text: string): number => Number(text.trim().split("\n").at(-1));
  assert.ok(devices(strong.stdout) > devices(tame.stdout), `${strong.stdout}\n${tame.stdout}`);
  assert.is((await inspect(world, "shop-web-1")).HostConfig["Privileged"], true);
  await world.ok(["down", "-t", "1"], { cwd });
}

async function parameters(world: World): Promise<void> {
  const cwd = await box(
    world,
    "user: web\ngroup_add: [wheel, 4711]\nsysctls: {net.core.somaxconn: 777, kernel.shmmax: 12345}\nuts: host\nannotations: {org.example.a: b}\ncgroup: private",
  );
  await world.ok(["up", "-d"], { cwd });
  const inside = await world.ok(
    [
      "exec",
      "-T",
      "web",
      "sh",
      "-c",
      "id -G; cat /proc/sys/net/core/somaxconn /proc/sys/kernel/shmmax; hostname; cat /proc/self/cgroup | cut -d: -f3 | sort -u",
    ],
    { cwd },
  );
  assert.equal(inside.trim().split("\n"), ["1000 10 4711", "777", "12345", hostname(), "/"]);
  const { State, HostConfig } = await inspect(world, "shop-web-1");
  assert.is(readlinkSync(`/proc/${State.Pid}/ns/uts`), readlinkSync("/proc/self/ns/uts"));
  assert.is.not(readlinkSync(`/proc/${State.Pid}/ns/cgroup`), readlinkSync("/proc/self/ns/cgroup"));
  assert.equal(
    [HostConfig["GroupAdd"], HostConfig["UTSMode"], HostConfig["CgroupnsMode"], HostConfig["Annotations"], HostConfig["Sysctls"]],
    [["wheel", "4711"], "host", "private", { "org.example.a": "b" }, { "net.core.somaxconn": "777", "kernel.shmmax": "12345" }],
  );
  await world.ok(["down", "-t", "1"], { cwd });
}

async function onTheMachine(world: World): Promise<void> {
  const cwd = await box(world, "pid: host\nipc: host\ninit: true\nnetwork_mode: host");
  await world.ok(["up", "-d"], { cwd });
  const { State } = await inspect(world, "shop-web-1");
  for (const kind of ["pid", "ipc"]) assert.is(readlinkSync(`/proc/${State.Pid}/ns/${kind}`), readlinkSync(`/proc/self/ns/${kind}`));
  const seen = await world.ok(
    ["exec", "-T", "web", "sh", "-c", `cat /proc/${process.pid}/comm; cat /proc/1/comm; stat -f -c %T /dev/shm /dev/mqueue`],
    { cwd },
  );
  assert.match(seen, /^node\n/);
  const [, line = ""] = (await world.ok(["stats", "--no-stream"], { cwd })).split("\n");
  assert.match(line, /% +0B \/ 0B +/, "traffic of this machine is none of the container's");
  // One that outlives the first process, and holds its output.
  await world.ok(["exec", "-d", "web", "sleep", "1000"], { cwd });
  await world.ok(["exec", "-T", "web", "sh", "-c", "(trap '' TERM HUP; sleep 1000) > /proc/1/fd/1 2>/dev/null & exit 0"], { cwd });
  await world.ok(["stop", "-t", "2"], { cwd });
  await world.ok(["start"], { cwd });
  await world.ok(["kill"], { cwd });
  await world.ok(["down", "-t", "1"], { cwd });
}

async function shared(world: World): Promise<void> {
  const cwd = await box(
    world,
    "ipc: shareable\nshm_size: 2m",
    `  helper:\n    image: "test/box:1"\n    command: ${IDLE}\n    pid: service:web\n    ipc: service:web\n`,
  );
  await world.ok(["up", "-d"], { cwd });
  const pids = async (): Promise<readonly number[]> => [
    (await inspect(world, "shop-web-1")).State.Pid,
    (await inspect(world, "shop-helper-1")).State.Pid,
  ];
  const together = async (): Promise<void> => {
    const [web, helper] = await pids();
    for (const kind of ["pid", "ipc"]) assert.is(readlinkSync(`/proc/${web}/ns/${kind}`), readlinkSync(`/proc/${helper}/ns/${kind}`));
    assert.is.not(readlinkSync(`/proc/${web}/ns/pid`), readlinkSync("/proc/self/ns/pid"));
  };
  await together();
  await world.ok(["exec", "-T", "web", "sh", "-c", "echo hello > /dev/shm/note"], { cwd });
  assert.is(await world.ok(["exec", "-T", "helper", "cat", "/dev/shm/note"], { cwd }), "hello\n");
  assert.match(await world.ok(["exec", "-T", "helper", "df", "-k", "/dev/shm"], { cwd }), / 2048 /);
  assert.match(await world.ok(["exec", "-T", "helper", "cat", "/proc/1/cmdline"], { cwd }), /trap/);
  assert.is((await inspect(world, "shop-helper-1")).HostConfig["IpcMode"], "service:web");
  await world.ok(["up", "-d", "--force-recreate", "-t", "1"], { cwd });
  await together();
  await world.ok(["stop", "-t", "1"], { cwd });
  const alone = await world.wharf(["start", "--no-deps", "helper"], { cwd });
  if (alone.status !== 0) assert.match(alone.stderr, /E_NAMESPACE_SHARED|E_UNKNOWN_FLAG/);
  await world.ok(["start"], { cwd });
  await together();
  assert.is((await ps(world, [], { cwd })).length, 2);
  await world.ok(["down", "-t", "1"], { cwd });
}

async function impossible(world: World): Promise<void> {
  const cwd = await box(world, "runtime: nothing-of-the-kind\nsysctls: {net.core.no_such_thing: 1}\ncap_add: [NO_SUCH_CAPABILITY]");
  const { status, stderr } = await world.wharf(["plan"], { cwd });
  assert.is(status, 1);
  assert.match(stderr, /cannot be run: the runtime nothing-of-the-kind is not on this machine/);
  assert.match(stderr, /sets the kernel parameter net\.core\.no_such_thing, which this kernel does not have/);
  assert.match(stderr, /E_CAPABILITY_UNKNOWN[\s\S]*NO_SUCH_CAPABILITY/);
  assert.equal((await ps(world, ["-a"], { cwd })).length, 0);
}
