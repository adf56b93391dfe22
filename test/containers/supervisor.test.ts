/** The process that looks after a project: it comes with the containers that want it, one for a project, and goes with them. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { ps } from "../support/listings.ts";
import { busyboxRootfs } from "../support/rootfs.ts";
import { killSupervisors, supervisors } from "../support/supervisors.ts";
import { until } from "../support/until.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("the supervisor");

it(
  "one comes with the first container that wants it, serves the whole project, and goes with the last",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d"], { cwd });
    const pid = await theOne(world);
    await world.ok(["up", "-d", "--force-recreate"], { cwd });
    assert.is(await theOne(world), pid, "it stays when containers are replaced");
    await world.ok(["restart", "-t", "0"], { cwd });
    assert.is(await theOne(world), pid, "it stays when containers are restarted");
    await world.ok(["down", "-t", "0"], { cwd });
    assert.equal(supervisors(world), [], "down waits for its end");
    assert.equal(readdirSync(join(world.run, "supervisors")), [], "it leaves no file");
  }),
);

it(
  "it goes by itself when its containers have ended, and stop is enough for that",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d"], { cwd });
    await theOne(world);
    await world.ok(["stop", "-t", "0"], { cwd });
    await until("the supervisor's end", async () => supervisors(world).length === 0);
    await world.ok(["start"], { cwd });
    await theOne(world);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "what one said that ended before the last container did goes with that",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d"], { cwd });
    await theOne(world);
    await world.ok(["stop", "-t", "0"], { cwd });
    await until("the supervisor's end", async () => supervisors(world).length === 0);
    writeFileSync(join(world.run, "supervisors", "life.log"), "something went wrong\n");
    await world.ok(["down", "-t", "0"], { cwd });
    assert.equal(readdirSync(join(world.run, "supervisors")), []);
  }),
);

it(
  "killed, it takes nothing with it, and another one comes by itself",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d"], { cwd });
    const pid = await theOne(world);
    process.kill(pid, "SIGKILL");
    assert.equal(
      (await ps(world, [], { cwd })).map(({ State }) => State),
      ["running", "running"],
    );
    await until("its successor", async () => supervisors(world).some((other) => other !== pid));
    await world.ok(["restart", "-t", "0", "a"], { cwd });
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "a container comes back without any command where its monitor and the supervisor were killed before it ended",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d", "a"], { cwd });
    const [id = ""] = readdirSync(join(world.root, "containers")).filter((name) => !name.startsWith("."));
    const state = () => JSON.parse(readFileSync(join(world.root, "containers", id, "state.json"), "utf8")) as Run;
    const { process: first, conmon } = state();
    for (const pid of [conmon.pid, await theOne(world)]) process.kill(pid, "SIGKILL");
    await until("the monitor's end", async () => !existsSync(`/proc/${conmon.pid}`));
    process.kill(first.pid, "SIGKILL");
    await until("another run of it", async () => {
      const there = existsSync(join(world.root, "containers", id, "state.json"));
      return there && state().process.pid !== first.pid;
    });
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "one that a monitor starts has nothing of the monitor's: neither its environment nor its place where memory runs out",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d", "a"], { cwd });
    const environment = (pid: number) => readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(isSet).sort();
    const usual = environment(await theOne(world));
    const [id = ""] = readdirSync(join(world.root, "containers")).filter((name) => !name.startsWith("."));
    const { process: first, conmon } = JSON.parse(readFileSync(join(world.root, "containers", id, "state.json"), "utf8")) as Run;
    writeFileSync(`/proc/${conmon.pid}/oom_score_adj`, "500");
    killSupervisors(world);
    await until("its end", async () => supervisors(world).length === 0);
    process.kill(first.pid, "SIGKILL");
    const pid = await theOne(world);
    assert.equal([environment(pid), readFileSync(`/proc/${pid}/oom_score_adj`, "utf8")], [usual, "0\n"]);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "commands at once start one for each project",
  inWorld(async (world) => {
    const cwd = await project(world);
    await Promise.all([
      world.ok(["up", "-d", "a"], { cwd }),
      world.ok(["-p", "other", "up", "-d", "a"], { cwd }),
      world.ok(["up", "-d", "b"], { cwd }),
    ]);
    await until("two supervisors with their locks", async () => supervisors(world).length === 2 && locks(world).length === 2);
    assert.equal(locks(world), ["life.lock", "other.lock"]);
    await Promise.all([world.ok(["down", "-t", "0"], { cwd }), world.ok(["-p", "other", "down", "-t", "0"], { cwd })]);
  }),
);

it(
  "it has a session of its own, none of the caller's streams, and needs no terminal",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d"], { cwd });
    const pid = await theOne(world);
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [, parent, , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    assert.is(session, parent, "its keeper's");
    process.kill(pid, "SIGHUP");
    await world.ok(["ps"], { cwd });
    assert.ok(existsSync(`/proc/${pid}/stat`));
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "one of another version of wharf is replaced by the next command",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d"], { cwd });
    const pid = await theOne(world);
    const lock = join(world.run, "supervisors", "life.lock");
    writeFileSync(lock, readFileSync(lock, "utf8").replace(/"purpose":"[^"]*"/, '"purpose":"supervise (older)"'));
    await world.ok(["ps"], { cwd });
    await until(
      "its successor",
      async () => supervisors(world).length === 1 && !supervisors(world).includes(pid) && locks(world).length === 1,
    );
    assert.equal(
      (await ps(world, [], { cwd })).map(({ State }) => State),
      ["running", "running"],
    );
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it.run();

async function project(world: World): Promise<string> {
  await world.ok(["image", "import", "-", "shell", "--cmd", "sleep 1000"], { input: busyboxRootfs() });
  return world.project("life", {
    "wharf.yaml": `services:
  a: { image: shell, restart: always, init: true }
  b: { image: shell, restart: unless-stopped, init: true }
`,
  });
}

interface Run {
  readonly process: { readonly pid: number };
  readonly conmon: { readonly pid: number };
}

/** The one supervisor of the world, once it holds its lock. */
async function theOne(world: World): Promise<number> {
  await until("a supervisor with its lock", async () => locks(world).length === 1 && supervisors(world).length === 1);
  const [pid = 0] = supervisors(world);
  return pid;
}

function locks(world: World): readonly string[] {
  return readdirSync(join(world.run, "supervisors"))
    .filter((name) => name.endsWith(".lock"))
    .sort();
}

/** Shells say where they are, and were. */
function isSet(variable: string): boolean {
  return variable !== "" && !/^(?:OLD)?PWD=|^_=|^SHLVL=/.test(variable);
}
