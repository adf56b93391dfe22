/** What a runtime is told for a service, attribute by attribute beside what Docker Engine tells it for the same request. Skipped without Docker Engine. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Json } from "../../src/model/json.ts";
import { hasDockerEngine, startDockerEngine } from "../support/docker-engine.ts";
import { busyboxRootfs } from "../support/rootfs.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("configurations beside Docker's");

if (hasDockerEngine()) it("a runtime is told what Docker tells it, but for the differences that are meant", inWorld(compared));
else it.skip("a runtime is told what Docker tells it, but for the differences that are meant");

it.run();

type Table = Readonly<Record<string, Json>>;

/** The same request in both words. `service` on an image of busybox without a network, `docker` the body that creates one. */
interface Request {
  readonly service: Table;
  readonly docker?: Table;
  readonly host?: Table;
}

const MB = 1024 * 1024;

const REQUESTS: Readonly<Record<string, Request>> = {
  plain: { service: {} },
  user: {
    service: { user: "web:wheel", group_add: ["nogroup", "77"] },
    docker: { User: "web:wheel" },
    host: { GroupAdd: ["nogroup", "77"] },
  },
  capabilities: {
    service: { cap_add: ["NET_ADMIN", "SYS_TIME"], cap_drop: ["CHOWN"] },
    host: { CapAdd: ["NET_ADMIN", "SYS_TIME"], CapDrop: ["CHOWN"] },
  },
  ulimits: {
    service: { ulimits: { nofile: { soft: 1024, hard: 2048 }, nproc: 100 } },
    host: {
      Ulimits: [
        { Name: "nofile", Soft: 1024, Hard: 2048 },
        { Name: "nproc", Soft: 100, Hard: 100 },
      ],
    },
  },
  limits: {
    service: {
      ...{ mem_limit: "64m", memswap_limit: "128m", mem_reservation: "32m", cpus: 0.5, cpu_shares: 512, cpuset: "0", pids_limit: 50 },
      oom_score_adj: 300,
    },
    host: {
      ...{
        Memory: 64 * MB,
        MemorySwap: 128 * MB,
        MemoryReservation: 32 * MB,
        NanoCpus: 5e8,
        CpuShares: 512,
        CpusetCpus: "0",
        PidsLimit: 50,
      },
      OomScoreAdj: 300,
    },
  },
  "read-only": {
    service: { read_only: true, tmpfs: ["/run", "/tmp:size=1m,mode=1770,exec"] },
    host: { ReadonlyRootfs: true, Tmpfs: { "/run": "", "/tmp": "size=1m,mode=1770,exec" } },
  },
  devices: {
    service: { devices: ["/dev/null:/dev/nix:rw"], device_cgroup_rules: ["c 10:200 rwm"] },
    host: {
      Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/nix", CgroupPermissions: "rw" }],
      DeviceCgroupRules: ["c 10:200 rwm"],
    },
  },
  sysctls: { service: { sysctls: { "net.core.somaxconn": "1024" } }, host: { Sysctls: { "net.core.somaxconn": "1024" } } },
  memory: { service: { shm_size: "16m" }, host: { ShmSize: 16 * MB } },
  walls: {
    service: { security_opt: ["no-new-privileges:true", "seccomp=unconfined"] },
    host: { SecurityOpt: ["no-new-privileges:true", "seccomp=unconfined"] },
  },
  privileged: { service: { privileged: true }, host: { Privileged: true } },
  init: { service: { init: true }, host: { Init: true } },
  names: {
    service: {
      hostname: "box",
      domainname: "example.org",
      environment: { A: "1", HOME: "/srv" },
      working_dir: "/srv",
      entrypoint: ["sleep"],
    },
    docker: {
      Hostname: "box",
      Domainname: "example.org",
      Env: ["A=1", "HOME=/srv"],
      WorkingDir: "/srv",
      Entrypoint: ["sleep"],
      Cmd: ["1000"],
    },
  },
  terminal: { service: { tty: true, stdin_open: true }, docker: { Tty: true, OpenStdin: true } },
  mounts: {
    service: { volumes: ["/usr/share:/a:ro", "/usr/share:/b", { type: "tmpfs", target: "/c", tmpfs: { size: 65536, mode: 0o1770 } }] },
    host: {
      Binds: ["/usr/share:/a:ro", "/usr/share:/b"],
      Mounts: [{ Type: "tmpfs", Target: "/c", TmpfsOptions: { SizeBytes: 65536, Mode: 0o1770 } }],
    },
  },
  shared: {
    service: { network_mode: "host", pid: "host", ipc: "host", uts: "host" },
    host: { NetworkMode: "host", PidMode: "host", IpcMode: "host", UTSMode: "host" },
  },
};

/** What differs on purpose: `docker` and `wharf` match what only the one of them says. `varies`: not by every Docker Engine on every machine. */
const MEANT: readonly { readonly docker?: RegExp; readonly wharf?: RegExp; readonly why: string; readonly varies?: true }[] = [
  {
    docker: /^\.hooks\.prestart/,
    why: "Docker's network comes by a hook; wharf wires by the process id while the container waits to begin",
  },
  { wharf: /^\.process\.env\[\] = HOME=/, why: "runtimes set it where nobody did; whoever reads the configuration sees it" },
  { wharf: /^\.process\.rlimits\[RLIMIT_NOFILE\]/, why: "the same limit whatever shell a command came from; Docker's is its daemon's" },
  { docker: /devices\[deny c 10:229 rwm\]/, why: "all devices are denied before: FUSE need not be once more" },
  {
    wharf: /devices\[allow c (1:7|5:2|136:\*) rwm\]/,
    why: "runtimes add /dev/full and terminals themselves; whoever reads the configuration sees them",
  },
  {
    docker: /seccomp\.architectures\[\] = SCMP_ARCH_X32/,
    why: "x32: few kernels run its programs, and a third set of rules makes every start longer",
  },
  { wharf: /seccomp\.defaultErrnoRet = 1/, why: "the same number, said", varies: true },
  { wharf: /maskedPaths\[\] = \/(proc\/interrupts|sys\/devices\/virtual\/powercap)/, why: "Docker hides them since 28", varies: true },
  { docker: /^\.mounts\[\/(c|run|tmp)\]\.options\[\] = rprivate/, why: "nothing is mounted below a tmpfs", varies: true },
  { docker: /^\.mounts\[\/tmp\]\.options\[\] = size=1m/, why: "bytes are bytes" },
  { wharf: /^\.mounts\[\/tmp\]\.options\[\] = size=1048576/, why: "bytes are bytes" },
  { docker: /^\.mounts\[\/sbin\/docker-init\]\.options\[\] = bind/, why: "one file: nothing lies below it" },
  { wharf: /^\.mounts\[\/sbin\/docker-init\]\.options\[\] = r(bind|private)/, why: "one file: nothing lies below it" },
  {
    docker: /^\.process\.capabilities\.\w+\[\] = CAP_/,
    why: "what this machine's root does not hold itself is left out, and Docker's containers do not start",
    varies: true,
  },
  { wharf: /capabilities\.\w+\[\] = CAP_(PERFMON|BPF|CHECKPOINT_RESTORE)/, why: "newer than some Docker Engines", varies: true },
  { docker: /^\.linux\.namespaces\[\/.*\/netns\/default\]/, why: "the machine's network by a path; wharf leaves the namespace out" },
];

interface Flat {
  readonly docker: ReadonlySet<string>;
  readonly wharf: ReadonlySet<string>;
}

async function compared(world: World): Promise<void> {
  const archive = busyboxRootfs();
  await world.ok(["image", "import", "-", "box:1", "--env", "PATH=/bin", "--cmd", "sleep 1000"], { input: archive });
  const services = Object.entries(REQUESTS).map(([name, { service }]) => [name, { image: "box:1", network_mode: "none", ...service }]);
  const withCommand = services.map(([name, service]) => [
    name,
    { command: name === "names" ? ["1000"] : ["sleep", "1000"], ...Object(service) },
  ]);
  const cwd = await world.project("beside", {
    "wharf.yaml": JSON.stringify({ services: Object.fromEntries(withCommand) }),
  });
  const docker = await startDockerEngine(join(world.root, "..", "docker"));
  const seen = new Set<number>();
  const unmeant: string[] = [];
  try {
    const saved = join(world.root, "..", "box.tar");
    await world.ok(["image", "save", "-o", saved, "box:1"]);
    await docker.load(readFileSync(saved));
    await world.ok(["up", "-d"], { cwd });
    for (const [name, { docker: body = {}, host = {} }] of Object.entries(REQUESTS)) {
      const command = { Image: "box:1", Cmd: ["sleep", "1000"], HostConfig: { NetworkMode: "none", ...host } };
      const flat = { docker: flatten(await docker.configuration({ ...command, ...body })), wharf: flatten(configurationOf(world, name)) };
      unmeant.push(...differences(flat, seen).map((line) => `${name}: ${line}`));
    }
    await world.ok(["down", "-t", "0"], { cwd });
  } finally {
    await docker.stop();
  }
  assert.equal(unmeant, []);
  assert.equal(
    MEANT.flatMap(({ why, varies }, index) => (seen.has(index) || varies === true ? [] : [why])),
    [],
    "every difference that is listed is there",
  );
}

/** What differs and is not meant. `seen` takes what is. */
function differences({ docker, wharf }: Flat, seen: Set<number>): readonly string[] {
  const only = (which: "docker" | "wharf", mine: ReadonlySet<string>, other: ReadonlySet<string>): readonly string[] =>
    [...mine].flatMap((line) => {
      if (other.has(line)) return [];
      const meant = MEANT.findIndex((entry) => entry[which]?.test(line) === true);
      if (meant === -1) return [`only ${which}: ${line}`];
      seen.add(meant);
      return [];
    });
  return [...only("docker", docker, wharf), ...only("wharf", wharf, docker)];
}

/** The configuration of the one container of a service. */
function configurationOf(world: World, service: string): Json {
  for (const id of readdirSync(join(world.root, "containers"))) {
    const { spec } = JSON.parse(readFileSync(join(world.root, "containers", id, "container.json"), "utf8"));
    if (spec.service.name === service) return JSON.parse(readFileSync(join(world.run, "c", id.slice(0, 12), "config.json"), "utf8"));
  }
  throw new Error(`no container of ${service}`);
}

/** One line for everything that a configuration says: lists are sets, what is 0, false, empty or "rw" says nothing, names of this world are left out. */
function flatten(configuration: Json): ReadonlySet<string> {
  const lines = new Set<string>();
  const walk = (path: string, value: Json): void => {
    if (LEFT_OUT.test(path) || value === null || value === false || value === 0 || value === "" || value === "rw") return;
    if (Array.isArray(value)) for (const item of value) walk(typeof item === "object" ? `${path}[${keyOf(item)}]` : `${path}[]`, item);
    else if (typeof value === "object") for (const [key, item] of Object.entries(value)) walk(`${path}.${key}`, item);
    else
      lines.add(
        `${path} = ${String(value)
          .replace(/\b[0-9a-f]{12}\b/, "ID")
          .replace(/^size=(\d+)k$/, (_, k) => `size=${1024 * Number(k)}`)}`,
      );
  };
  walk("", configuration);
  return lines;
}

/** Where things lie, and the filter's rules, which another test has whole. */
const LEFT_OUT =
  /^\.(ociVersion|root\.path|linux\.cgroupsPath|linux\.seccomp\.syscalls|mounts\[\/(etc\/\w+(\.\w+)?|sbin\/docker-init)\]\.source)/;

/** What tells an entry of a list from the others. */
function keyOf(item: Json): string {
  const { destination, type, access, major, minor, path, allow, ...rest } = Object(item) as Table;
  if (typeof destination === "string") return destination;
  if (typeof path === "string") return path;
  return access === undefined
    ? String(type ?? JSON.stringify(rest))
    : `${allow === true ? "allow" : "deny"} ${type ?? "a"} ${major ?? "*"}:${minor ?? "*"} ${access}`;
}
