/** Following what containers print, through the built command. */
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { idleProject } from "../support/idle.ts";
import { inspect } from "../support/listings.ts";
import { until } from "../support/until.ts";
import { containerSuite, finish, inWorld, type World } from "../support/world.ts";

const it = containerSuite("logs");

it("logs -f goes on over restarts and with containers that come, and ends when all have ended", inWorld(following));

it("logs -f of what has ended ends at once, and long lines stay whole", inWorld(ended));

it("logs go on over files that were put aside", inWorld(rotated));

it.run();

const TALK = `image: "tools:1", command: [sh, -c, "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.1; done"]`;

async function following(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [`web: { ${TALK} }`]);
  await world.ok(["up", "-d"], { cwd });
  const logs = world.start(["logs", "-f"], { cwd });
  let text = "";
  logs.stdout?.on("data", (chunk: string) => (text += chunk));
  const finished = finish(logs);
  const count = (wanted: RegExp): number => [...text.matchAll(wanted)].length;
  await until("the first greeting", async () => count(/^web-1 .*hello$/gm) === 1);
  await world.ok(["restart"], { cwd });
  await until("a second one", async () => count(/^web-1 .*hello$/gm) === 2);
  await world.ok(["up", "-d", "--force-recreate"], { cwd });
  await until("one of another container", async () => count(/^web-1 .*hello$/gm) === 3);
  await world.ok(["scale", "web=2"], { cwd });
  await until("one of a second replica", async () => count(/^web-2 .*hello$/gm) === 1);
  await world.ok(["stop"], { cwd });
  assert.is((await finished).status, 0);
  assert.is(count(/hello$/gm), 4);
  assert.is(count(/bye$/gm), 4);
  await world.ok(["down"], { cwd });
}

async function ended(world: World): Promise<void> {
  const long = `image: "tools:1", command: [sh, -c, "i=0; while [ $$i -lt 9000 ]; do printf ü; i=$$((i+1)); done; echo; echo end"]`;
  const cwd = await idleProject(world, "shop", [`web: { ${long} }`]);
  await world.ok(["up", "-d"], { cwd });
  await world.ok(["wait", "web"], { cwd });
  const text = await world.ok(["logs", "-f", "--no-log-prefix"], { cwd });
  assert.is(text, `${"ü".repeat(9000)}\nend\n`);
  await world.ok(["down"], { cwd });
}

async function rotated(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [`web: { ${TALK} }`]);
  await world.ok(["up", "-d"], { cwd });
  const { Id } = await inspect(world, "shop-web-1");
  const log = join(world.root, "containers", Id, "log");
  const logs = world.start(["logs", "-f", "--no-log-prefix"], { cwd });
  let text = "";
  logs.stdout?.on("data", (chunk: string) => (text += chunk));
  const finished = finish(logs);
  await until("the greeting", async () => text === "hello\n");
  await rename(log, `${log}.1`);
  await writeFile(`${log}.1`, "2030-01-01T00:00:00.000000000Z stdout F late\n", { flag: "a" });
  await writeFile(log, "2030-01-01T00:00:01.000000000Z stdout F next\n");
  await until("what was written to the new file", async () => text === "hello\nlate\nnext\n");
  assert.is(await world.ok(["logs", "--no-log-prefix"], { cwd }), "hello\nlate\nnext\n");
  assert.is(await world.ok(["logs", "--no-log-prefix", "--tail", "2"], { cwd }), "late\nnext\n");
  await world.ok(["kill"], { cwd });
  await finished;
  await world.ok(["down"], { cwd });
}
