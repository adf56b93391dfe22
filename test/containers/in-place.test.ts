/** What a container that runs gets without being replaced, as it and this machine see it. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { box, boxSpec } from "../support/box.ts";
import { limitOf } from "../support/control-groups.ts";
import { inspect, ps } from "../support/listings.ts";
import { freePort } from "../support/registry.ts";
import { supervisors } from "../support/supervisors.ts";
import { until } from "../support/until.ts";
import { containerSuite, finish, inWorld, type World } from "../support/world.ts";

const it = containerSuite("changes in place");
const SEED = Number(process.env["WHARF_SEED"] ?? Date.now() % 1_000_000);

it("a grace period and what runs before a stop are recorded at once, for a stop without the spec too", inWorld(ending));

it("limits are other ones at once, inside and outside, through a restart too, and none once none is written", inWorld(limits));

it("a limit that the kernel does not take leaves everything as it was", inWorld(refused));

it("a new policy brings back what ends, also where the supervisor was killed", inWorld(policies));

it("a probe is another one at once, and one that goes leaves no health", inWorld(probes));

it("ports, aliases and labels come and go while the program runs", inWorld(names));

it(`changes that are killed half-way are done by the next up (WHARF_SEED=${SEED})`, inWorld(killed));

it.run();

async function ending(world: World): Promise<void> {
  const cwd = await box(world, "stop_grace_period: 10m\nstop_signal: WINCH\nvolumes: [data:/data]", "volumes: {data: {}}\n".trimStart());
  await world.ok(["up", "-d"], { cwd });
  const { Id } = await inspect(world, "shop-web-1");
  const spec = join(cwd, "wharf.yaml");
  writeFileSync(spec, readFileSync(spec, "utf8").replace("10m", "1ms\n    pre_stop: [{command: [touch, /data/bye]}]"));
  const { status, stdout } = await world.wharf(["plan", "--detailed-exitcode"], { cwd });
  assert.is(status, 2);
  assert.match(stdout, /update +container\/shop-web-1 +changed in place: pre_stop, stop_grace_period/);
  await world.ok(["up", "-d"], { cwd });
  assert.is((await world.wharf(["plan", "--detailed-exitcode"], { cwd })).status, 0);
  assert.is((await inspect(world, "shop-web-1")).Id, Id);
  await world.ok(["-p", "shop", "stop"], { cwd: world.root });
  assert.is((await inspect(world, "shop-web-1")).State.Status, "exited");
  assert.ok(existsSync(join(world.root, "volumes", "shop_data", "data", "bye")));
  await world.ok(["down", "-t", "0", "-v"], { cwd });
}

async function limits(world: World): Promise<void> {
  const cwd = await box(world, "mem_limit: 64m\nrestart: always");
  await world.ok(["up", "-d"], { cwd });
  const before = await inspect(world, "shop-web-1");
  await change(
    world,
    cwd,
    "mem_limit: 96m\nmemswap_limit: 96m\ncpus: 0.25\npids_limit: 40\ncpuset: '0'\nmem_reservation: 32m\nrestart: always",
  );
  await assertSame(world, before);
  const { Pid } = before.State;
  assert.is(await limitOf(Pid, "memory/memory.limit_in_bytes", "memory.max"), String(96 << 20));
  assert.is(await limitOf(Pid, "memory/memory.soft_limit_in_bytes", "memory.low"), String(32 << 20));
  assert.match(await limitOf(Pid, "cpu/cpu.cfs_quota_us", "cpu.max"), /^25000\b/);
  assert.is(await limitOf(Pid, "pids/pids.max", "pids.max"), "40");
  assert.is(await limitOf(Pid, "cpuset/cpuset.cpus", "cpuset.cpus"), "0");
  const seen = ["sh", "-c", "cat /sys/fs/cgroup/memory/memory.limit_in_bytes || cat /sys/fs/cgroup/memory.max"];
  assert.is((await world.ok(["exec", "-T", "web", ...seen], { cwd })).trim(), String(96 << 20));
  assert.is((await inspect(world, "shop-web-1")).HostConfig["NanoCpus"], 25e7);
  process.kill(Pid, "SIGKILL");
  await until("its return", async () => {
    const { State } = await inspect(world, "shop-web-1");
    return State.Status === "running" && State.Pid !== Pid;
  });
  const { State } = await inspect(world, "shop-web-1");
  assert.is(await limitOf(State.Pid, "memory/memory.limit_in_bytes", "memory.max"), String(96 << 20));
  await change(world, cwd, "restart: always");
  assert.match(await limitOf(State.Pid, "memory/memory.limit_in_bytes", "memory.max"), /^(max|92233720368547\d+)$/);
  assert.match(await limitOf(State.Pid, "cpu/cpu.cfs_quota_us", "cpu.max"), /^(-1$|max )/);
  assert.is(await limitOf(State.Pid, "pids/pids.max", "pids.max"), "max");
  await world.ok(["down", "-t", "1"], { cwd });
}

async function refused(world: World): Promise<void> {
  const cwd = await box(world, "mem_limit: 64m\nmemswap_limit: 64m\npids_limit: 50");
  await world.ok(["up", "-d"], { cwd });
  await world.ok(["exec", "-T", "web", "dd", "if=/dev/zero", "of=/dev/shm/full", "bs=1M", "count=30"], { cwd });
  const before = await inspect(world, "shop-web-1");
  await world.project("shop", { "wharf.yaml": boxSpec("mem_limit: 8m\nmemswap_limit: 8m\npids_limit: 20\nrestart: always") });
  const { status, stderr } = await world.wharf(["up", "-d"], { cwd });
  assert.is(status, 1, stderr);
  assert.match(stderr, /E_LIMIT[\s\S]*shop-web-1 uses \d+ bytes of memory, which do not fit into the 8388608/);
  const after = await inspect(world, "shop-web-1");
  assert.equal([after.Id, after.State.Pid, after.HostConfig], [before.Id, before.State.Pid, before.HostConfig]);
  assert.is(await limitOf(after.State.Pid, "memory/memory.limit_in_bytes", "memory.max"), String(64 << 20));
  assert.is(await limitOf(after.State.Pid, "pids/pids.max", "pids.max"), "50");
  await world.ok(["up", "-d", "--force-recreate"], { cwd });
  assert.is((await inspect(world, "shop-web-1")).HostConfig["Memory"], 8 << 20);
  await world.ok(["down", "-t", "1"], { cwd });
}

async function policies(world: World): Promise<void> {
  const cwd = await box(world, "network_mode: none");
  await world.ok(["up", "-d"], { cwd });
  const before = await inspect(world, "shop-web-1");
  assert.equal(supervisors(world), []);
  await change(world, cwd, "network_mode: none\nrestart: always");
  await assertSame(world, before);
  await until("a supervisor", async () => supervisors(world).length === 1);
  for (const pid of supervisors(world)) process.kill(pid, "SIGKILL");
  process.kill(before.State.Pid, "SIGKILL");
  const restarts = `${world.root}/containers/${before.Id}/restart.json`; // to ask a command would start a supervisor
  await until("its return", async () => existsSync(restarts) && readFileSync(restarts, "utf8").includes('"count":1,'));
  await until("its new start", async () => (await inspect(world, "shop-web-1")).State.Status === "running");
  await change(world, cwd, "network_mode: none");
  const { State } = await inspect(world, "shop-web-1");
  process.kill(State.Pid, "SIGKILL");
  await until("its end", async () => (await inspect(world, "shop-web-1")).State.Status === "exited");
  await until("the supervisor's end", async () => supervisors(world).length === 0);
  await change(world, cwd, "network_mode: none\nrestart: always", ["create"]);
  assert.is((await inspect(world, "shop-web-1")).State.Status, "exited"); // an end before the policy is none that it is about
  await world.ok(["down", "-t", "1"], { cwd });
}

async function probes(world: World): Promise<void> {
  const cwd = await box(world, "scale: 1");
  await world.ok(["up", "-d"], { cwd });
  const before = await inspect(world, "shop-web-1");
  const healthIs = (wanted: string) => until(`health ${wanted}`, async () => (await ps(world, [], { cwd }))[0]?.Health === wanted);
  const check = (test: string) => `healthcheck: {test: ${test}, interval: 200ms, retries: 1}`;
  await change(world, cwd, check("[CMD, test, -e, /proc]"), ["up", "-d", "--wait"]);
  await healthIs("healthy");
  await change(world, cwd, check("[CMD, test, -e, /well]"));
  await healthIs("unhealthy");
  await world.ok(["exec", "-T", "web", "touch", "/well"], { cwd });
  await healthIs("healthy");
  await change(world, cwd, "scale: 1");
  await healthIs("");
  await assertSame(world, before);
  await world.ok(["down", "-t", "1"], { cwd });
}

async function names(world: World): Promise<void> {
  const port = await freePort();
  const more = "  asks:\n    image: test/box:1\n    cmd: [sleep, '1000']\n    init: true\n";
  const cwd = await box(world, "scale: 1", more);
  await world.ok(["up", "-d"], { cwd });
  const before = await inspect(world, "shop-web-1");
  await world.ok(["exec", "-d", "web", "sh", "-c", "mkdir -p /www; echo hello >/www/index.html; httpd -f -p 3000 -h /www"], { cwd });
  const given = `ports: ["127.0.0.1:${port}:3000"]\nlabels: {role: front}\nnetworks: {default: {aliases: [storefront]}}`;
  await change(world, cwd, given, ["up", "-d"], more);
  await assertSame(world, before);
  const page = async () => fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.text());
  await until("an answer at the port", async () => (await page().catch(() => "")) === "hello\n");
  assert.is(await world.ok(["exec", "-T", "asks", "wget", "-qO-", "http://storefront:3000/"], { cwd }), "hello\n");
  assert.match(await world.ok(["ps", "--format", "json", "web"], { cwd }), /role=front/);
  // As a command leaves it that was killed before another container had taken its ports.
  const state = join(world.root, "containers", before.Id, "state.json");
  writeFileSync(state, JSON.stringify({ ...JSON.parse(readFileSync(state, "utf8")), beside: true }));
  await change(world, cwd, "scale: 1", ["up", "-d"], more);
  await until("no answer at the port", async () =>
    page().then(
      () => false,
      () => true,
    ),
  );
  const gone = await world.wharf(["exec", "-T", "asks", "wget", "-qO-", "http://storefront:3000/"], { cwd });
  assert.is.not(gone.status, 0);
  await assertSame(world, before);
  await world.ok(["down", "-t", "1"], { cwd });
}

async function killed(world: World): Promise<void> {
  const cwd = await box(world, "mem_limit: 64m");
  await world.ok(["up", "-d"], { cwd });
  const before = await inspect(world, "shop-web-1");
  let now = SEED;
  const random = (): number => {
    now = (now * 1_103_515_245 + 12_345) % 2 ** 31;
    return now / 2 ** 31;
  };
  for (let round = 1; round <= 6; round++) {
    const text = `mem_limit: ${64 + round}m\ncpus: 0.${round}\nrestart: ${round % 2 === 0 ? "always" : '"no"'}\nlabels: {round: "${round}"}`;
    await world.project("shop", { "wharf.yaml": boxSpec(text) });
    const child = world.start(["up", "-d"], { cwd });
    const over = finish(child);
    const clock = setTimeout(() => child.kill("SIGKILL"), 100 + 400 * random());
    await over;
    clearTimeout(clock);
    await assertChanged(world, cwd, { round, before });
  }
  const record = join(world.root, "containers", before.Id, "container.json");
  writeFileSync(record, JSON.stringify({ ...JSON.parse(readFileSync(record, "utf8")), unfinished: true }));
  assert.match(await world.ok(["plan"], { cwd }), /update +container\/shop-web-1 +a change in place broke off/);
  await assertChanged(world, cwd, { round: 6, before });
  await world.ok(["down", "-t", "1"], { cwd });
}

type Before = Awaited<ReturnType<typeof inspect>>;

async function assertChanged(
  world: World,
  cwd: string,
  { round, before }: { readonly round: number; readonly before: Before },
): Promise<void> {
  const next = await world.wharf(["up", "-d"], { cwd });
  assert.is(next.status, 0, `round ${round} (WHARF_SEED=${SEED})\n${next.stderr}`);
  assert.is((await world.wharf(["plan", "--detailed-exitcode"], { cwd })).status, 0, `round ${round} (WHARF_SEED=${SEED})`);
  await assertSame(world, before);
  const { Pid } = before.State;
  assert.is(await limitOf(Pid, "memory/memory.limit_in_bytes", "memory.max"), String((64 + round) << 20));
  assert.match(await limitOf(Pid, "cpu/cpu.cfs_quota_us", "cpu.max"), new RegExp(`^${round}0000\\b`));
}

/** Writes another spec, looks that its plan changes in place only, and carries it out. */
async function change(world: World, cwd: string, attributes: string, verb: readonly string[] = ["up", "-d"], more = ""): Promise<void> {
  await world.project("shop", { "wharf.yaml": boxSpec(attributes, more) });
  const text = await world.ok(["plan"], { cwd });
  assert.match(text, /changed in place/);
  assert.not.match(text, /to replace|to create/);
  await world.ok(verb, { cwd });
  assert.is((await world.wharf(["plan", "--detailed-exitcode", ...(verb[0] === "create" ? ["--no-start"] : [])], { cwd })).status, 0);
}

async function assertSame(world: World, { Id, State }: Before): Promise<void> {
  const after = await inspect(world, "shop-web-1");
  assert.equal([after.Id, after.State.Pid, after.State.StartedAt], [Id, State.Pid, State.StartedAt]);
}
