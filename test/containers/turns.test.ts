/** Commands after each other, and containers after each other. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { inspect } from "../support/listings.ts";
import { busyboxRootfs } from "../support/rootfs.ts";
import { until } from "../support/until.ts";
import { containerSuite, finish, inWorld, type World } from "../support/world.ts";

const it = containerSuite("turns");

const spec = (world: World): string => `services:
  db:
    image: shell
    init: true
    command: [sh, -c, 'rm -f /tmp/ready; until test -e /host/go; do sleep 0.1; done; sleep 0.8; touch /tmp/ready; exec sleep 1000']
    volumes: ['${join(world.root, "..")}:/host']
    healthcheck: { test: [CMD, test, -e, /tmp/ready], interval: 10m, start_period: 1m }
  web:
    image: shell
    command: [sh, -c, 'trap "sleep 0.5; exit 0" TERM; sleep 1000 & wait']
    depends_on: { db: { condition: service_healthy } }
`;

it(
  "a command waits for the one before it, and says so; restart begins a dependent when all is well, stop ends it first",
  inWorld(async (world) => {
    await world.ok(["image", "import", "-", "shell"], { input: busyboxRootfs() });
    const cwd = await world.project("turns", { "wharf.yaml": spec(world) });
    const first = world.start(["up", "-d"], { cwd });
    const up = finish(first);
    await until("its turn", async () => existsSync(join(world.run, "locks/projects/turns.lock")));
    const pausing = world.start(["pause", "web"], { cwd });
    let told = "";
    pausing.stderr?.on("data", (chunk: string) => (told += chunk));
    const pause = finish(pausing);
    await until("that it waits", async () => told.includes("waiting for"));
    writeFileSync(join(world.root, "..", "go"), "");
    const second = await pause;
    assert.is((await up).status, 0);
    assert.is(second.status, 0, second.stderr);
    assert.match(second.stderr, `waiting for \`wharf up\` on project turns (process ${first.pid}) to end`);
    assert.is((await inspect(world, "turns-web-1")).State.Status, "paused", "it was there to be paused");
    await world.ok(["unpause"], { cwd });
    const times = async (which: "StartedAt" | "FinishedAt"): Promise<readonly number[]> => {
      const states = [await inspect(world, "turns-db-1"), await inspect(world, "turns-web-1")];
      return states.map(({ State }) => Date.parse(State[which]));
    };
    await world.ok(["restart", "-t", "1"], { cwd });
    const [db = 0, web = 0] = await times("StartedAt");
    assert.ok(web - db >= 800, `web began ${web - db} ms after db`);
    await world.ok(["stop"], { cwd });
    const [dbEnd = 0, webEnd = 0] = await times("FinishedAt");
    assert.ok(dbEnd >= webEnd, "db ended last");
    await world.ok(["down"], { cwd });
  }),
);

it.run();
