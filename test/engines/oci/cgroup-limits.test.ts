/** Which files of a control group a change of limits writes, in both versions; the kernel's own answers are in test/containers/in-place.test.ts. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { applyLimits, type Group } from "../../../src/engines/oci/cgroup-limits.ts";
import { NO_LIMITS } from "../../../src/model/resources.ts";
import { refused } from "../conformance/stage.ts";

const it = suite<{ directory: string }>("limits of running containers");

it.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), "wharf-cgroup-"));
});

it.after.each(({ directory }) => rmSync(directory, { recursive: true }));

const SECOND = {
  "cpu.weight": "100\n",
  "cpu.max": "max 100000\n",
  "cpuset.cpus": "\n",
  "memory.max": "max\n",
  "memory.swap.max": "max\n",
  "memory.low": "0\n",
  "memory.high": "max\n",
  "memory.current": "1000000\n",
  "pids.max": "max\n",
};

const GIVEN = {
  ...NO_LIMITS,
  cpus: 0.5,
  cpuShares: 512,
  cpuset: "0-1",
  memory: 64 << 20,
  memorySwap: 96 << 20,
  memoryReservation: 32 << 20,
  pids: 40,
};

it("version 2 gets shares as a weight, the quota with its period, and swap by itself", async ({ directory }) => {
  const group = groupIn(directory, 2, SECOND);
  await applyLimits(group, "web", GIVEN);
  assert.equal(read(directory, SECOND), {
    "cpu.weight": "20",
    "cpu.max": "50000 100000",
    "cpuset.cpus": "0-1",
    "memory.max": String(64 << 20),
    "memory.swap.max": String(32 << 20),
    "memory.low": String(32 << 20),
    "memory.high": "max",
    "memory.current": "1000000",
    "pids.max": "40",
  });
  await applyLimits(group, "web", NO_LIMITS);
  assert.equal(read(directory, SECOND), trimmed(SECOND));
});

it("version 2 is not given a limit that would kill what uses more, and nothing stays throttled", async ({ directory }) => {
  const group = groupIn(directory, 2, { ...SECOND, "memory.current": "100000000\n" });
  await refused("E_LIMIT", applyLimits(group, "web", { ...NO_LIMITS, memory: 64 << 20 }), "web", "100000000");
  const now = read(directory, SECOND);
  assert.equal([now["memory.max"], now["memory.high"]], ["max", "max"]);
});

it("version 1 gets memory and swap together, and a quota behind its period", async ({ directory }) => {
  const first = {
    "cpu.shares": "1024\n",
    "cpu.cfs_quota_us": "-1\n",
    "cpu.cfs_period_us": "100000\n",
    "memory.limit_in_bytes": "9223372036854771712\n",
    "memory.memsw.limit_in_bytes": "9223372036854771712\n",
    "memory.soft_limit_in_bytes": "9223372036854771712\n",
    "memory.swappiness": "60\n",
    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\n",
    "pids.max": "max\n",
  };
  const group = groupIn(directory, 1, first);
  await applyLimits(group, "web", { ...GIVEN, cpuset: null, cpus: null, cpuQuota: 20_000, cpuPeriod: 40_000, oomKillDisable: true });
  assert.equal(read(directory, first), {
    "cpu.shares": "512",
    "cpu.cfs_quota_us": "20000",
    "cpu.cfs_period_us": "40000",
    "memory.limit_in_bytes": String(64 << 20),
    "memory.memsw.limit_in_bytes": String(96 << 20),
    "memory.soft_limit_in_bytes": String(32 << 20),
    "memory.swappiness": "60",
    "memory.oom_control": "1",
    "pids.max": "40",
  });
});

it("a controller that this machine lacks is left alone", async ({ directory }) => {
  await applyLimits(groupIn(directory, 2, { "pids.max": "max\n" }), "web", GIVEN);
  assert.equal(read(directory, { "pids.max": "" }), { "pids.max": "40" });
});

it("what a change that was killed left of its holding back goes with the next one", async ({ directory }) => {
  const group = groupIn(directory, 2, { ...SECOND, "memory.high": "1000000\n", "memory.max": String(64 << 20) });
  await applyLimits(group, "web", { ...NO_LIMITS, memory: 64 << 20 });
  assert.is(read(directory, SECOND)["memory.high"], "max");
});

it.run();

function groupIn(directory: string, version: 1 | 2, files: Readonly<Record<string, string>>): Group {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return { version, directory: () => directory };
}

function read(directory: string, files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return trimmed(Object.fromEntries(Object.keys(files).map((name) => [name, readFileSync(join(directory, name), "utf8")])));
}

function trimmed(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.trim()]));
}
