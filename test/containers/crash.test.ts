/** What a command leaves when it is killed, and what the next one makes of it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { ps } from "../support/listings.ts";
import { freePort } from "../support/registry.ts";
import { webRootfs } from "../support/rootfs.ts";
import { containerSuite, finish, inWorld, type World } from "../support/world.ts";

const ROUNDS = 10;
const KILLS = 20;
const SEED = Number(process.env["WHARF_SEED"] ?? Date.now() % 1_000_000);

/** Commands that are killed, in turn. */
const VICTIMS: readonly (readonly string[])[] = [
  ["up", "-d", "--force-recreate"],
  ["down"],
  ["up", "-d"],
  ["up", "-d", "--scale", "web=3"],
  ["restart", "-t", "1"],
];

const it = containerSuite("crashes");

it(
  `${ROUNDS} rounds of up and down leave nothing behind`,
  inWorld(async (world) => {
    const cwd = await project(world);
    for (let round = 1; round <= ROUNDS; round++) {
      await world.ok(["up", "-d"], { cwd });
      await assertRunning(world, cwd);
      await world.ok(["down", "-v"], { cwd });
      assert.equal(await world.left(), [], `after round ${round}`);
    }
  }),
);

it(
  `${KILLS} commands killed at random moments: the next up converges, and down leaves nothing (WHARF_SEED=${SEED})`,
  inWorld(async (world) => {
    const cwd = await project(world);
    const random = generator(SEED);
    const began = performance.now();
    await world.ok(["up", "-d"], { cwd });
    const upMs = performance.now() - began;
    for (let kill = 1; kill <= KILLS; kill++) {
      const [verb, ...flags] = VICTIMS[kill % VICTIMS.length] ?? ["up"];
      const afterMs = random() * upMs;
      await killed(world, { args: [verb ?? "up", ...flags], cwd, afterMs });
      await world.left(); // notes the names of what it made
      const where = `kill ${kill}: ${verb} ${flags.join(" ")} after ${Math.round(afterMs)} ms (WHARF_SEED=${SEED})`;
      const next = await world.wharf(["up", "-d"], { cwd });
      assert.is(next.status, 0, `${where}\n${next.stderr}`);
      await assertRunning(world, cwd, where);
      const plan = await world.wharf(["plan", "--detailed-exitcode"], { cwd });
      assert.is(plan.status, 0, `${where}: something is left to do\n${plan.stdout}${plan.stderr}`);
      if (kill % 4 === 0) await downToNothing(world, cwd, where);
    }
    await downToNothing(world, cwd, "at the end");
  }),
);

it(
  "containers outlive the command, and a later one finds them when their conmon was killed",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d"], { cwd });
    for (const pid of conmons(world)) process.kill(pid, "SIGKILL");
    await assertRunning(world, cwd);
    await downToNothing(world, cwd, "after conmon was killed");
  }),
);

it.run();

async function project(world: World): Promise<string> {
  await world.ok(["image", "import", "-", "web", "--cmd", "/usr/bin/colors", "--env", "COLOR=green"], { input: webRootfs() });
  return world.project("crash", {
    "wharf.yaml": `services:
  web:
    image: web
    volumes: ["data:/data"]
  front:
    image: web
    depends_on: [web]
    ports: ["${await freePort()}:3000"]
volumes:
  data:
`,
  });
}

async function killed(
  world: World,
  options: { readonly args: readonly string[]; readonly cwd: string; readonly afterMs: number },
): Promise<void> {
  const child = world.start(options.args, { cwd: options.cwd });
  const ended = finish(child);
  await sleep(options.afterMs);
  child.kill("SIGKILL");
  await ended;
}

async function assertRunning(world: World, cwd: string, where = ""): Promise<void> {
  const listed = await ps(world, ["-a"], { cwd });
  assert.equal(listed.map(({ Name, State }) => `${Name} ${State}`).sort(), ["crash-front-1 running", "crash-web-1 running"], where);
}

async function downToNothing(world: World, cwd: string, where: string): Promise<void> {
  await world.ok(["down", "-v"], { cwd });
  assert.equal(await world.left(), [], where);
}

/** Process ids of a world's monitors. */
function conmons(world: World): readonly number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const path = `/proc/${name}/cmdline`;
    const [program = "", ...args] = existsSync(path) ? readFileSync(path, "utf8").split("\0") : [];
    return program.endsWith("conmon") && args.some((arg) => arg.startsWith(world.run)) ? [Number(name)] : [];
  });
}

/** Numbers from 0 to 1 that a seed repeats (a linear congruential generator). */
function generator(seed: number): () => number {
  let state = seed % 2147483647 || 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
