/** What ends something does not wait for a command that only waits. */
import type { ChildProcess } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { box, IDLE } from "../support/box.ts";
import type { Inspected } from "../support/listings.ts";
import { until } from "../support/until.ts";
import { containerSuite, finish, inWorld, type World } from "../support/world.ts";

const it = containerSuite("going ahead");

it("down ends an up that waits for health, both say so, and nothing is left", inWorld(downFirst));

it("stop leaves an up that waits to go on with the other containers", inWorld(stopFirst));

it(
  "a replacement that is watched and stopped meanwhile stays stopped, so does what it was to replace, and nothing takes the place of the others",
  inWorld(stopInProof),
);

it("kill cuts a stop short that another command is at", inWorld(killFirst));

it("an up that was killed while it waited keeps nobody from going on, who says so", inWorld(killedUp));

it("up --wait ends when what it waits for is taken away", inWorld(waitedFor));

it.run();

/** `web` begins when `db` is healthy, which it is once there is a file. */
const SICK = `  db:
    image: test/box:1
    cmd: ${IDLE}
    healthcheck: {test: [CMD, test, -e, /well], interval: 200ms, retries: 10000}
`;

async function downFirst(world: World): Promise<void> {
  const cwd = await box(world, "depends_on: {db: {condition: service_healthy}}", SICK);
  const up = begin(world, ["up", "-d"], cwd);
  await waits(world, up);
  const down = await world.wharf(["down", "-t", "0"], { cwd });
  assert.is(down.status, 0, down.stderr);
  assert.match(
    down.stderr,
    /warning\[W_WENT_AHEAD\]: `wharf up` on project shop \(process \d+\) is not done yet: this command goes ahead of it/,
  );
  const { status, stderr } = await up.end;
  assert.is(status, 1, stderr);
  assert.match(stderr, /warning\[W_WENT_AHEAD\]: `wharf down` \(process \d+\) goes ahead on project shop: nothing more is begun here/);
  assert.match(stderr, /error\[E_GAVE_WAY\]: project shop is left as `wharf down` \(process \d+\) leaves it/);
  assert.is(stderr.match(/error\[/g)?.length, 1, stderr);
  assert.equal(await world.left(), []);
  assert.equal(locks(world), []);
}

async function stopFirst(world: World): Promise<void> {
  const other = SICK.replace("db:", "cache:");
  const cwd = await box(
    world,
    "depends_on: {db: {condition: service_healthy}}",
    `${SICK}${other}  api: {image: test/box:1, cmd: ${IDLE}, depends_on: {cache: {condition: service_healthy}}}\n`,
  );
  const up = begin(world, ["up", "-d"], cwd);
  await waits(world, up);
  const later = begin(world, ["up", "-d"], cwd);
  await until("the other one's wait", async () => /waiting for `wharf up` on project shop/.test(later.said()));
  await world.ok(["stop", "-t", "0", "db"], { cwd });
  await world.ok(["exec", "-T", "cache", "touch", "/well"], { cwd });
  const { status, stderr } = await up.end;
  assert.is(status, 1, stderr);
  assert.match(stderr, /error\[E_GAVE_WAY\]: container shop-db-1 is left as `wharf stop` \(process \d+\) left it/);
  assert.equal(await Promise.all(["web", "api"].map((name) => stateOf(world, `shop-${name}-1`))), ["created", "running"]);
  await until("the start", async () => (await stateOf(world, "shop-db-1")) === "running"); // the later up has its turn
  await world.ok(["rm", "-fs"], { cwd });
  assert.is((await later.end).status, 1);
  await world.ok(["down", "-t", "0"], { cwd });
  assert.equal(locks(world), []);
}

async function stopInProof(world: World): Promise<void> {
  const policy = "{monitor: 10m, order: start-first, failure_action: continue, parallelism: 1}";
  const attributes = (colour: string): string => `scale: 2\nenvironment: {COLOUR: ${colour}}\ndeploy: {update_config: ${policy}}`;
  await world.ok(["up", "-d"], { cwd: await box(world, attributes("red")) });
  const cwd = await box(world, attributes("blue"));
  const up = begin(world, ["up", "-d"], cwd);
  await until("the replacement", async () => (await stateOf(world, "shop-web-1.next")) === "running");
  const stop = await world.wharf(["stop", "-t", "0", "web"], { cwd });
  assert.is(stop.status, 0, stop.stderr);
  assert.is((await up.end).status, 1);
  const states = ["shop-web-1", "shop-web-1.next", "shop-web-2", "shop-web-2.next"].map((name) => stateOf(world, name));
  assert.equal(await Promise.all(states), ["exited", "exited", "exited", null]);
  await world.ok(["down", "-t", "0"], { cwd });
}

async function killFirst(world: World): Promise<void> {
  const cwd = await box(world, "stop_grace_period: 10m\nstop_signal: WINCH"); // which ends nothing
  await world.ok(["up", "-d"], { cwd });
  const stop = begin(world, ["stop"], cwd);
  await until("the stop", async () => locks(world).some((name) => name.endsWith(".lock")));
  await world.ok(["kill"], { cwd });
  assert.is((await stop.end).status, 0);
  assert.is(await stateOf(world, "shop-web-1"), "exited");
  assert.equal(locks(world), []);
  await world.ok(["down", "-t", "0"], { cwd });
}

async function killedUp(world: World): Promise<void> {
  const cwd = await box(world, "depends_on: {db: {condition: service_healthy}}", SICK);
  const up = begin(world, ["up", "-d"], cwd);
  await waits(world, up);
  up.child.kill("SIGKILL");
  await up.end;
  const { status, stderr } = await world.wharf(["down", "-t", "0"], { cwd });
  assert.is(status, 0, stderr);
  assert.is(stderr.match(/the last `wharf up` on project shop/g)?.length, 1, stderr);
  assert.equal(locks(world), []);
}

async function waitedFor(world: World): Promise<void> {
  const cwd = await box(world, "healthcheck: {test: [CMD, 'false'], interval: 200ms, retries: 10000}");
  for (const words of [
    ["stop", "-t", "0"],
    ["rm", "-f"], // its end is seen on the way, or when it is over
  ]) {
    const up = begin(world, ["up", "-d", "--wait"], cwd);
    await until("the wait", async () => /web-1/.test(up.said()) && (await stateOf(world, "shop-web-1")) === "running");
    await world.ok(words, { cwd });
    const { status, stderr } = await up.end;
    assert.is(status, 1, stderr);
    assert.match(stderr, /shop-web-1 was (stopped|removed) while this command waited for it/);
  }
  await world.ok(["down"], { cwd });
}

interface Begun {
  readonly child: ChildProcess;
  readonly end: ReturnType<typeof finish>;
  /** What it has said so far. */
  said(): string;
}

function begin(world: World, words: readonly string[], cwd: string): Begun {
  const child = world.start(words, { cwd });
  let text = "";
  child.stderr?.on("data", (chunk: Buffer | string) => (text += chunk));
  return { child, end: finish(child, { timeoutMs: 120_000 }), said: () => text };
}

/** Until a command waits for health: it has let go of the lock, and not of its turn. */
async function waits(world: World, { said }: Begun): Promise<void> {
  await until("the wait", async () => {
    const held = locks(world);
    return said() !== "" && (await stateOf(world, "shop-web-1")) === "created" && held.includes("shop.turn") && !held.includes("shop.lock");
  });
}

/** `null`: there is none of that name. */
async function stateOf(world: World, name: string): Promise<string | null> {
  const { status, stdout } = await world.wharf(["inspect", name]);
  const [document]: Inspected[] = status === 0 ? JSON.parse(stdout) : [];
  return document?.State.Status ?? null;
}

function locks(world: World): readonly string[] {
  const directory = join(world.run, "locks", "projects");
  return existsSync(directory) ? readdirSync(directory) : [];
}
