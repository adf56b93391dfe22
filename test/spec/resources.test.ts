import { suite } from "uvu";
import * as assert from "uvu/assert";
import { NO_LIMITS, type Resources } from "../../src/model/resources.ts";
import { attributesOf } from "../../src/plan/change.ts";
import { errorsOf, serviceText, web } from "./support.ts";

const it = suite("limits of services");

async function limits(attributes: string): Promise<Partial<Resources>> {
  const { resources } = await web(attributes);
  const given = Object.entries(resources).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(NO_LIMITS[key as keyof Resources]),
  );
  return Object.fromEntries(given);
}

it("a service that says nothing of them has none, and nothing of them goes into its hash", async () => {
  const service = await web("deploy: {replicas: 1}");
  assert.equal(service.resources, NO_LIMITS);
  assert.equal(Object.keys(attributesOf(service)), ["image"]);
});

it("every attribute is read, with its units", async () => {
  assert.equal(
    await limits(
      "cpus: '0.5'\ncpu_shares: 73\ncpu_rt_runtime: '400'\ncpu_rt_period: 1000\ncpuset: 0-1, 3\nmem_limit: 64m\nmem_reservation: 32mb\nmemswap_limit: 1g\nmem_swappiness: 0\noom_kill_disable: true\noom_score_adj: -500\npids_limit: 100\nshm_size: 128m",
    ),
    {
      cpus: 0.5,
      cpuShares: 73,
      cpuRtRuntime: 400,
      cpuRtPeriod: 1000,
      cpuset: "0-1,3",
      memory: 67_108_864,
      memoryReservation: 33_554_432,
      memorySwap: 1_073_741_824,
      swappiness: 0,
      oomKillDisable: true,
      oomScoreAdj: -500,
      pids: 100,
      shmSize: 134_217_728,
    },
  );
  assert.equal(await limits("cpu_quota: 50000\ncpu_period: '100000'"), { cpuQuota: 50_000, cpuPeriod: 100_000 });
});

it("0 is nothing said, and -1 without limit", async () => {
  assert.equal(await limits("cpus: 0\nmem_limit: 0\npids_limit: 0\ncpu_quota: -1\nshm_size: 0"), {});
  assert.equal(await limits("pids_limit: -1\nmem_limit: 64m\nmemswap_limit: -1"), { memory: 67_108_864, memorySwap: -1 });
});

it("what `deploy.resources` says is the same", async () => {
  assert.equal(await limits("deploy: {resources: {limits: {cpus: '0.25', memory: 50M, pids: 9}, reservations: {memory: 20M}}}"), {
    cpus: 0.25,
    memory: 52_428_800,
    pids: 9,
    memoryReservation: 20_971_520,
  });
  assert.equal(attributesOf(await web("deploy: {resources: {limits: {memory: 50M}}}")), attributesOf(await web("mem_limit: 50M")));
});

it("disks and limits of processes are read in all their forms, sorted", async () => {
  const { blkio, ulimits } = await limits(
    "blkio_config: {weight: 300, weight_device: [{path: /dev/a, weight: 10}], device_read_bps: [{path: /dev/a, rate: 1mb}], device_write_iops: [{path: /dev/b, rate: 30}]}\nulimits: {nproc: 65535, memlock: {soft: 64, hard: -1}, core: '-1', nofile: {soft: 1024, hard: 2048}}",
  );
  assert.equal(blkio, {
    ...NO_LIMITS.blkio,
    weight: 300,
    weightDevice: [{ path: "/dev/a", rate: 10 }],
    readBps: [{ path: "/dev/a", rate: 1_048_576 }],
    writeIops: [{ path: "/dev/b", rate: 30 }],
  });
  assert.equal(ulimits, [
    { name: "core", soft: -1, hard: -1 },
    { name: "memlock", soft: 64, hard: -1 },
    { name: "nofile", soft: 1024, hard: 2048 },
    { name: "nproc", soft: 65_535, hard: 65_535 },
  ]);
});

it("what no machine can do is refused, each with its rule", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["mem_limit: 4m", /`services\.web\.mem_limit` is `4m`: it must be at least 6 MiB/],
    [
      "deploy: {resources: {limits: {memory: 1m}}}",
      /`services\.web\.deploy\.resources\.limits\.memory` is `1m`: it must be at least 6 MiB/,
    ],
    ["memswap_limit: 64m", /given without a limit for memory/],
    ["mem_limit: 64m\nmemswap_limit: 32m", /less than the limit for memory/],
    ["mem_limit: 32m\nmem_reservation: 64m", /more than the limit for memory/],
    ["mem_swappiness: 101", /`101`: it must be 0 to 100/],
    ["cpus: 0.001", /at least 0\.01/],
    ["cpus: 1\ncpu_quota: 50000", /stands beside `cpus`/],
    ["cpu_quota: 999", /at least 1000/],
    ["cpu_period: 100", /1 millisecond to 1 second/],
    ["cpu_rt_runtime: 2000\ncpu_rt_period: 1000", /more than `cpu_rt_period`/],
    ["cpuset: 3-1", /`3-1`: it must be numbers and ranges/],
    ["cpuset: 0-99999", /it must be numbers and ranges/],
    ["blkio_config: {weight: 5}", /`5`: it must be 10 to 1000/],
    ["blkio_config: {device_read_bps: [{path: sda, rate: 1}]}", /device_read_bps\[0\]\.path` is `sda`/],
    ["ulimits: {nofiles: 1}", /`services\.web\.ulimits\.nofiles` is no limit/],
    ["ulimits: {nofile: {soft: 10, hard: 5}}", /soft limit 10 and the hard limit 5/],
    ["ulimits: {nofile: -2}", /it must be 0 or more/],
  ];
  for (const [attributes, message] of cases) {
    const errors = await errorsOf(serviceText(attributes));
    assert.is(errors.length, 1, `${attributes}: ${errors.map((error) => error.message).join("; ")}`);
    assert.match(errors[0]?.message ?? "", message);
    assert.ok(errors[0]?.source !== undefined, attributes);
  }
});

it.run();
