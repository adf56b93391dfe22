/** Looking into containers and touching them while they run, through the built command. */
import { readFile } from "node:fs/promises";
import * as assert from "uvu/assert";
import { inspect, ps } from "../support/listings.ts";
import { BUSYBOX_CONFIG, busyboxRootfs } from "../support/rootfs.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("touch");

it("what is paused stands still, is shown as such, and is let go on, stopped and taken down", inWorld(pausing));

it("top shows every process of those that run, also as JSON", inWorld(watchingProcesses));

it("stats shows what each container uses, and those that do not run only with -a", inWorld(usage));

it.run();

async function pausing(world: World): Promise<void> {
  const cwd = await shop(world, ["web", "db"]);
  await world.ok(["pause", "web"], { cwd });
  const { State } = await inspect(world, "shop-web-1");
  assert.is(State.Status, "paused");
  assert.match(await readFile(`/proc/${State.Pid}/cgroup`, "utf8"), /wharf-/);
  const states = (await ps(world, [], { cwd })).map(({ Name, State: state }) => [Name, state]);
  assert.equal(states, [
    ["shop-db-1", "running"],
    ["shop-web-1", "paused"],
  ]);
  assert.match(await world.ok(["ps"], { cwd }), /Up .* \(Paused\)/);
  assert.match(await world.ok(["ls"], { cwd }), /paused\(1\)/);
  const refused = await world.wharf(["exec", "-T", "web", "true"], { cwd });
  assert.is(refused.status, 1);
  assert.match(refused.stderr, /E_PAUSED[\s\S]*wharf unpause web/);
  await world.ok(["pause"], { cwd });
  assert.match((await world.wharf(["up", "-d"], { cwd })).stderr, /2 unchanged/);
  assert.match((await world.wharf(["pause"], { cwd })).stderr, /E_PAUSED.*already paused/);
  await world.ok(["unpause", "web"], { cwd });
  await world.ok(["exec", "-T", "web", "true"], { cwd });
  await world.ok(["pause", "web"], { cwd });
  await world.ok(["stop", "web"], { cwd });
  assert.is((await inspect(world, "shop-web-1")).State.Status, "exited");
  assert.match((await world.wharf(["kill", "-s", "cont", "db"], { cwd })).stderr, /asked to send SIGCONT[\s\S]*1 updated/);
  await world.ok(["kill", "db"], { cwd });
  await world.ok(["start"], { cwd });
  await world.ok(["pause"], { cwd });
  await world.ok(["down"], { cwd });
}

async function watchingProcesses(world: World): Promise<void> {
  const cwd = await shop(world, ["web", "db"]);
  await world.ok(["exec", "-d", "-u", "web", "web", "sleep", "1234"], { cwd });
  await world.ok(["stop", "db"], { cwd });
  const text = await world.ok(["top"], { cwd });
  assert.match(text, /^SERVICE +# +UID +PID +PPID +C +STIME +TTY +TIME +CMD\n/);
  assert.match(text, /^web +1 +root +\d+ .* sh -c trap/m);
  assert.match(text, /^web +1 +web +\d+ .* \? +00:00:00 +sleep 1234$/m);
  assert.not.match(text, /^db /m);
  const { Pid } = (await inspect(world, "shop-web-1")).State;
  const lines = (await world.ok(["top", "--format", "json", "web"], { cwd })).trim().split("\n");
  const [first] = lines.map((line) => JSON.parse(line));
  assert.equal([first.Name, first.Service, first.UID, first.PID], ["shop-web-1", "web", "root", Pid]);
  await world.ok(["down"], { cwd });
}

async function usage(world: World): Promise<void> {
  const cwd = await shop(world, ["web", "db"]);
  await world.ok(["exec", "-d", "web", "sh", "-c", "while :; do :; done"], { cwd });
  await world.ok(["stop", "db"], { cwd });
  const text = await world.ok(["stats", "--no-stream"], { cwd });
  assert.match(text, /^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS\n/);
  assert.match(text, /^[0-9a-f]{12} +shop-web-1 +\d/m);
  assert.not.match(text, /shop-db-1/);
  const lines = (await world.ok(["stats", "--no-stream", "-a", "--format", "json"], { cwd })).trim().split("\n");
  const [db, web] = lines.map((line) => JSON.parse(line));
  assert.equal([db.Name, db.PIDs, db.CPUPerc], ["shop-db-1", "0", "0.00%"]);
  assert.is(web.Name, "shop-web-1");
  assert.ok(Number.parseFloat(web.CPUPerc) > 5, `it uses ${web.CPUPerc}`); // it does nothing else
  assert.match(web.MemUsage, /^[1-9].*B \/ \d.*B$/);
  assert.ok(Number(web.PIDs) >= 2, `it has ${web.PIDs} processes`);
  await world.ok(["down", "-t", "1"], { cwd });
}

/** A project of services that do nothing, up. */
async function shop(world: World, services: readonly string[]): Promise<string> {
  await world.ok(["image", "import", "-", "tools:1", ...(BUSYBOX_CONFIG.Env?.flatMap((env) => ["--env", env]) ?? [])], {
    input: busyboxRootfs(),
  });
  const each = services.map(
    (name) => `  ${name}: { image: "tools:1", command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.1; done"], init: false }`,
  );
  const cwd = await world.project("shop", { "wharf.yaml": `name: shop\nservices:\n${each.join("\n")}\n` });
  await world.ok(["up", "-d"], { cwd });
  return cwd;
}
