/** Commands that are killed between the two halves of what they do: the next one does the second half, and says so. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { box, IDLE } from "../support/box.ts";
import { inspect } from "../support/listings.ts";
import { until } from "../support/until.ts";
import { containerSuite, finish, inWorld, type World } from "../support/world.ts";

const it = containerSuite("broken off");

const OTHER = `  db: {image: test/box:1, cmd: ${IDLE}}\n`;
/** A stop that takes as long as a test wants: it listens to nothing. */
const DEAF = "stop_signal: WINCH\nstop_grace_period: 10m";

it(
  "a restart that was killed between its stop and its start is drift, and is finished by the next command that begins something",
  inWorld(restarted),
);

it("a container with a restart policy comes back by itself from a restart that was killed", inWorld(revived));

it("one whose policy is about failures comes back from that, too, if it had ended well by then", inWorld(endedWell));

it("a restart that was killed when both of its halves were done leaves nothing to be done", inWorld(done));

it("a commit that was killed while it held a container still lets it go on by the next up", inWorld(committed));

it.run();

async function restarted(world: World): Promise<void> {
  const cwd = await box(world, DEAF, OTHER);
  await world.ok(["up", "-d"], { cwd });
  await breakRestart(world, cwd);
  const plan = await world.ok(["plan"], { cwd });
  assert.match(plan, /start +container\/shop-web-1 +drift: a restart of it was broken off/);
  const { status, stderr } = await world.wharf(["restart", "-t", "0", "db"], { cwd });
  assert.is(status, 0, stderr);
  assert.match(stderr, /the last `wharf restart` on project shop .* did not live to its end/);
  assert.match(stderr, /start +container\/shop-web-1 +drift: a restart of it was broken off/);
  assert.is((await inspect(world, "shop-web-1")).State.Status, "running");
  await breakRestart(world, cwd);
  await world.ok(["stop", "-t", "0"], { cwd });
  assert.not.match(await world.ok(["plan"], { cwd }), /a restart of it/, "who stops it has the last word");
  await world.ok(["down", "-t", "0"], { cwd });
}

async function revived(world: World): Promise<void> {
  const cwd = await box(world, `${DEAF}\nrestart: unless-stopped`);
  await world.ok(["up", "-d"], { cwd });
  const before = (await inspect(world, "shop-web-1")).State.Pid;
  await breakRestart(world, cwd);
  await until("its return", async () => {
    const { Status, Pid } = (await inspect(world, "shop-web-1")).State;
    return Status === "running" && Pid !== before;
  });
  await world.ok(["down", "-t", "0"], { cwd });
}

async function endedWell(world: World): Promise<void> {
  const cwd = await box(world, `${DEAF}\nrestart: on-failure`);
  await world.ok(["up", "-d"], { cwd });
  const before = (await inspect(world, "shop-web-1")).State.Pid;
  await breakRestart(world, cwd, "SIGTERM"); // to which it ends with 0
  await until("its return", async () => {
    const { Status, Pid } = (await inspect(world, "shop-web-1")).State;
    return Status === "running" && Pid !== before;
  });
  await world.ok(["down", "-t", "0"], { cwd });
}

async function done(world: World): Promise<void> {
  const cwd = await box(world, DEAF);
  await world.ok(["up", "-d"], { cwd });
  const { Id, State } = await inspect(world, "shop-web-1");
  const note = join(world.root, "containers", Id, "restarting");
  const restart = finish(world.start(["restart", "web"], { cwd }));
  await until("what it means to do", async () => existsSync(note));
  const kept = readFileSync(note);
  process.kill(State.Pid, "SIGKILL");
  assert.is((await restart).status, 0);
  assert.not.ok(existsSync(note));
  writeFileSync(note, kept); // as if it had been killed before it took that away
  process.kill((await inspect(world, "shop-web-1")).State.Pid, "SIGTERM");
  await until("its end", async () => (await inspect(world, "shop-web-1")).State.Status === "exited");
  assert.not.match(await world.ok(["plan"], { cwd }), /a restart of it/);
  await world.ok(["down", "-t", "0"], { cwd });
}

async function committed(world: World): Promise<void> {
  const cwd = await box(world, "init: true");
  await world.ok(["up", "-d"], { cwd });
  await world.ok(["exec", "-T", "web", "dd", "if=/dev/zero", "of=/large", "bs=1M", "count=500"], { cwd });
  const child = world.start(["commit", "web", "test/committed"], { cwd });
  const end = finish(child);
  await until("the pause", async () => (await inspect(world, "shop-web-1")).State.Status === "paused");
  child.kill("SIGKILL");
  assert.is((await end).status, 137);
  assert.match(await world.ok(["plan"], { cwd }), /update +container\/shop-web-1 +drift: a commit that had paused it was broken off/);
  await world.ok(["up", "-d"], { cwd });
  assert.is((await inspect(world, "shop-web-1")).State.Status, "running");
  await world.ok(["pause"], { cwd });
  assert.not.match(await world.ok(["plan"], { cwd }), /drift/, "who pauses it means that");
  await world.ok(["down", "-t", "0"], { cwd });
}

/** Kills a restart of `web` that waits for the end of the container, and then the container. */
async function breakRestart(world: World, cwd: string, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
  const { Id, State } = await inspect(world, "shop-web-1");
  const child = world.start(["restart", "web"], { cwd });
  const end = finish(child);
  await until("the stop", async () => existsSync(join(world.root, "containers", Id, "stopped")));
  child.kill("SIGKILL");
  await end;
  process.kill(State.Pid, signal);
  await until("its end", async () => (await inspect(world, "shop-web-1")).State.Pid !== State.Pid);
}
