/** `run --rm`: the container goes when it has ended, whoever is left to see that. */
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { idleProject } from "../support/idle.ts";
import { inspect, ps } from "../support/listings.ts";
import { supervisors } from "../support/supervisors.ts";
import { atTerminal } from "../support/terminal.ts";
import { until } from "../support/until.ts";
import { containerSuite, finish, inWorld, type World } from "../support/world.ts";

const it = containerSuite("run --rm");

it("a container that its command left by keys goes when it ends, with its anonymous volumes", inWorld(detached));

it("one whose command was killed goes on, and goes when it ends, also where the supervisor was killed before", inWorld(killed));

it("run -d --rm leaves nothing when it is over, and a restart by hand does not count as its end", inWorld(inBackground));

it.run();

const LINE = `web: { image: "tools:1", command: [sleep, "1000"], init: true, volumes: [/kept] }`;

async function goneWith(world: World, cwd: string): Promise<void> {
  await until("nothing is left of it", async () => (await ps(world, ["-a", "--orphans=true"], { cwd })).length === 0);
  assert.equal(
    readdirSync(`${world.root}/volumes`).filter((name) => !name.startsWith(".")),
    [],
  );
}

async function detached(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [LINE]);
  const run = atTerminal(world, "run --rm --name once web sh", { cwd });
  await run.see(/[#$] /);
  await run.ask("echo $((6*7))\n", /\n42\r?\n/);
  run.type("\x10\x11");
  assert.is(await run.ended, 0);
  assert.is((await inspect(world, "once")).HostConfig["AutoRemove"], true);
  await sleep(500);
  await world.ok(["exec", "-T", "once", "touch", "/kept/here"], { cwd });
  await world.ok(["kill", "once"], { cwd });
  await goneWith(world, cwd);
  await world.ok(["down"], { cwd });
}

async function killed(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [LINE]);
  const begin = async (name: string): Promise<void> => {
    const running = world.start(["run", "--rm", "-T", "--name", name, "web"], { cwd });
    const over = finish(running);
    await until("it runs", async () =>
      (await ps(world, ["-a", "--orphans=true"], { cwd })).some(({ Name, State }) => Name === name && State === "running"),
    );
    running.kill("SIGKILL");
    await over;
    await world.ok(["exec", "-T", name, "true"], { cwd });
  };
  await begin("first");
  await world.ok(["stop", "-t", "0", "first"], { cwd });
  await goneWith(world, cwd);
  await begin("second");
  for (const pid of supervisors(world)) process.kill(pid, "SIGKILL");
  await world.ok(["exec", "-T", "second", "kill", "1"], { cwd });
  await goneWith(world, cwd);
  await world.ok(["down"], { cwd });
}

async function inBackground(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [LINE]);
  await world.ok(["run", "-d", "--rm", "--name", "once", "web", "sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.1; done"], { cwd });
  const { Id } = await inspect(world, "once");
  await world.ok(["restart", "once"], { cwd });
  assert.is((await inspect(world, "once")).Id, Id);
  await world.ok(["kill", "-s", "TERM", "once"], { cwd });
  await goneWith(world, cwd);
  await world.ok(["down"], { cwd });
}
