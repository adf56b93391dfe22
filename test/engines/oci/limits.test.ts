import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type LimitFacts, type LimitTexts, numbersIn, parseLimitFacts } from "../../../src/engines/oci/limit-facts.ts";
import { fitted } from "../../../src/engines/oci/limits.ts";
import { ociJson, ociResources, ociRlimits } from "../../../src/engines/oci/resources.ts";
import { NO_BLOCK_LIMITS, NO_LIMITS, type Resources } from "../../../src/model/resources.ts";

const it = suite("limits and the machine");

const OWN_LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max processes             96365                96365                processes
Max open files            1024                 20000                files
Max locked memory         8388608              8388608              bytes
`;

/** A machine of these files by directory, and texts by path. */
function machine(
  given: Partial<LimitTexts> & {
    readonly files?: Readonly<Record<string, readonly string[]>>;
    readonly texts?: Readonly<Record<string, string>>;
  },
): LimitFacts {
  const texts: Readonly<Record<string, string>> = {
    "/proc/self/limits": OWN_LIMITS,
    "/proc/sys/fs/nr_open": "1048576\n",
    "/proc/self/oom_score_adj": "0\n",
    "/sys/devices/system/cpu/online": "0-3\n",
    ...given.texts,
  };
  return parseLimitFacts({
    cgroups: "v2",
    mayRaise: false,
    read: (path) => texts[path] ?? null,
    list: (path) => given.files?.[path] ?? [],
    ...given,
  });
}

const UNIFIED = machine({
  texts: {
    "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
    "/sys/fs/cgroup/cpuset.cpus.effective": "0-1\n",
    "/proc/self/cgroup": "0::/system.slice/ssh.service\n",
  },
  files: {
    "/sys/fs/cgroup": ["cgroup.controllers", "system.slice"],
    "/sys/fs/cgroup/system.slice/ssh.service": ["memory.max", "memory.swap.max", "io.max", "cpu.max", "pids.max"],
  },
});

const DIVIDED = machine({
  cgroups: "hybrid",
  files: {
    "/sys/fs/cgroup": ["cpu", "memory", "blkio", "cpuset"],
    "/sys/fs/cgroup/cpu": ["cpu.cfs_quota_us", "cpu.rt_runtime_us"],
    "/sys/fs/cgroup/cpuset": ["cpuset.cpus"],
    "/sys/fs/cgroup/memory": ["memory.limit_in_bytes", "memory.swappiness", "memory.oom_control"],
    "/sys/fs/cgroup/blkio": ["blkio.throttle.read_bps_device"],
  },
  texts: { "/sys/fs/cgroup/cpuset/cpuset.cpus": "0-3\n" },
});

const ask = (given: Partial<Resources>): Resources => ({ ...NO_LIMITS, ...given });

it("version 2 is read from its one hierarchy and a group in it", () => {
  const { processors, rlimits, ...facts } = UNIFIED;
  assert.equal(facts, {
    cgroups: "v2",
    memory: true,
    swap: true,
    swappiness: false,
    oomControl: false,
    cpu: true,
    realTime: false,
    cpuset: true,
    pids: true,
    blockWeight: false,
    blockWeightDevice: false,
    blockThrottle: true,
    leastOomScore: 0,
  });
  assert.equal([...processors], [0, 1]);
  assert.equal(rlimits, { cpu: -1, nofile: 20_000, nproc: 96_365, memlock: 8_388_608 });
});

it("version 1 is read from the hierarchies of its controllers", () => {
  const { memory, swap, swappiness, oomControl, realTime, pids, blockWeight, blockThrottle } = DIVIDED;
  assert.equal(
    [memory, swap, swappiness, oomControl, realTime, pids, blockWeight, blockThrottle],
    [true, false, true, true, true, false, false, true],
  );
  assert.equal([...DIVIDED.processors], [0, 1, 2, 3]);
});

it("on version 2 without any group to look at nothing is taken for missing that its controller has", () => {
  const bare = machine({ texts: { "/sys/fs/cgroup/cgroup.controllers": "memory io\n" } });
  assert.equal([bare.swap, bare.blockWeight, bare.cpu, bare.pids], [true, true, false, false]);
});

it("whoever may raise limits is bound by the kernel's own ceiling alone", () => {
  const free = machine({ mayRaise: true });
  assert.equal([free.rlimits, free.leastOomScore], [{ nofile: 1_048_576 }, -1000]);
});

it("lists of processors are read with their ranges", () => {
  assert.equal([...numbersIn("0-2,8\n")], [0, 1, 2, 8]);
  assert.equal([...numbersIn("")], []);
});

it("what nobody asked for stays so, and what can be kept is kept, with as much swap as memory", () => {
  assert.equal(fitted(NO_LIMITS, DIVIDED), { resources: NO_LIMITS, concerns: [] });
  const { resources, concerns } = fitted(ask({ memory: 64e6, cpus: 2, pids: 10 }), UNIFIED);
  assert.equal(concerns, []);
  assert.equal(ociResources({ resources, blocks: new Map(), devices: [] }), {
    devices: [],
    memory: { limit: 64e6, swap: 128e6 },
    cpu: { quota: 200_000, period: 100_000 },
    pids: { limit: 10 },
  });
});

it("what this kernel does not have is left out and told of", () => {
  const told = (given: Partial<Resources>, facts: LimitFacts): readonly string[] =>
    fitted(ask(given), facts).concerns.map(({ attribute, isFatal, message }) => `${isFatal ? "E" : "W"} ${attribute} ${message}`);
  const swapless = fitted(ask({ memory: 64e6, memorySwap: 128e6, pids: 5 }), DIVIDED);
  assert.equal([swapless.resources.memorySwap, swapless.resources.pids], [null, null]);
  assert.match(
    told({ memory: 64e6, memorySwap: 128e6 }, DIVIDED).join(),
    /^W memswap_limit limits its swap, which this kernel does not count/,
  );
  assert.match(told({ pids: 5 }, DIVIDED).join(), /^W pids_limit .* no pids controller/);
  assert.match(told({ swappiness: 10 }, UNIFIED).join(), /^W mem_swappiness .* control groups version 2 do not have/);
  assert.match(told({ oomKillDisable: true, memory: 64e6 }, UNIFIED).join(), /^W oom_kill_disable .* version 2/);
  assert.match(told({ oomKillDisable: true }, DIVIDED).join(), /^W oom_kill_disable .* no limit for it/);
  assert.match(told({ blkio: { ...NO_BLOCK_LIMITS, weight: 100 } }, UNIFIED).join(), /^W blkio_config has a weight/);
  const none = machine({});
  assert.match(told({ memory: 64e6 }, none).join(), /^W mem_limit .* no memory controller/);
  assert.match(told({ cpus: 1 }, none).join(), /^W cpus .* no cpu controller/);
  assert.equal(fitted(ask({ memory: 64e6, cpus: 1 }), none).resources, NO_LIMITS);
});

it("what this machine cannot do at all is refused", () => {
  const refused = (given: Partial<Resources>, facts: LimitFacts): readonly string[] =>
    fitted(ask(given), facts).concerns.flatMap(({ attribute, isFatal, message }) => (isFatal ? [`${attribute} ${message}`] : []));
  assert.equal(refused({ cpus: 2.5 }, UNIFIED), ["cpus wants 2.5 processors, and this machine has 2"]);
  assert.equal(refused({ cpuset: "1-2" }, UNIFIED), ["cpuset wants to run on the processors 1-2, and containers here have 0-1"]);
  assert.match(refused({ cpuRtRuntime: 100 }, UNIFIED).join(), /^cpu_rt_runtime wants real-time/);
  assert.equal(refused({ cpuRtRuntime: 100, cpus: 4, cpuset: "3" }, DIVIDED), []);
});

it("limits of processes go as high as the engine's own, and a lower OOM score needs the right to it", () => {
  const { resources, concerns } = fitted(
    ask({
      oomScoreAdj: -500,
      ulimits: [
        { name: "core", soft: 0, hard: 0 },
        { name: "memlock", soft: -1, hard: -1 },
        { name: "nofile", soft: 1024, hard: 65_536 },
        { name: "nproc", soft: 96_365, hard: 96_365 },
      ],
    }),
    UNIFIED,
  );
  assert.equal(resources.ulimits, [
    { name: "core", soft: 0, hard: 0 },
    { name: "memlock", soft: 8_388_608, hard: 8_388_608 },
    { name: "nofile", soft: 1024, hard: 20_000 },
    { name: "nproc", soft: 96_365, hard: 96_365 },
  ]);
  assert.is(resources.oomScoreAdj, 0);
  assert.equal(
    concerns.map(({ attribute, isFatal }) => [attribute, isFatal]),
    [
      ["oom_score_adj", false],
      ["ulimits.nofile", false],
    ],
  );
});

it("limits of processes are written as the kernel's numbers, without limit too", () => {
  const own = ociRlimits(ask({ ulimits: [{ name: "core", soft: 5, hard: -1 }] }), 4096);
  assert.is(ociJson(own), '[{"type":"RLIMIT_NOFILE","soft":4096,"hard":4096},{"type":"RLIMIT_CORE","soft":5,"hard":18446744073709551615}]');
  assert.is(ociJson({ text: '"hard":18446744073709552000' }), '{"text":"\\"hard\\":18446744073709552000"}');
});

it("disks are limited by their numbers", () => {
  const blkio = { ...NO_BLOCK_LIMITS, weight: 300, weightDevice: [{ path: "/dev/a", rate: 10 }], readBps: [{ path: "/dev/a", rate: 99 }] };
  assert.equal(ociResources({ resources: ask({ blkio }), blocks: new Map([["/dev/a", { major: 8, minor: 16 }]]), devices: [] }), {
    devices: [],
    blockIO: {
      weight: 300,
      weightDevice: [{ major: 8, minor: 16, weight: 10 }],
      throttleReadBpsDevice: [{ major: 8, minor: 16, rate: 99 }],
    },
  });
});

it.run();
