/** Logs that are put aside: their sizes, their order, and who follows them meanwhile. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { busyboxRootfs } from "../support/rootfs.ts";
import { until } from "../support/until.ts";
import { containerSuite, finish, inWorld, type World } from "../support/world.ts";

const it = containerSuite("limits of logs");

/** Prints numbered lines for some three seconds, so that many files are begun. */
const CHATTY =
  "i=0; while [ $$i -lt 3000 ]; do echo line $$i; i=$$((i+1)); [ $$((i%100)) = 0 ] && sleep 0.1; done; echo over; touch /tmp/over";

it(
  "a follower sees every line once over rotations, and what is kept is within the limit and in order",
  inWorld(async (world) => {
    const cwd = await project(
      world,
      `command: [sh, -c, '${CHATTY}; exec sleep 1000'], init: true, logging: {options: {max-size: 8k, max-file: "3"}}`,
    );
    await world.ok(["up", "-d"], { cwd });
    const follower = world.start(["logs", "-f", "--no-log-prefix"], { cwd });
    const followed = finish(follower);
    await until("the last line", async () => (await world.ok(["logs", "--no-log-prefix", "--tail", "1"], { cwd })).trim() === "over");
    assert.ok(logs(world).length <= 3, `files: ${logs(world)}`);
    assert.ok(logs(world).length > 1, "something was put aside");
    const kept = numbers(await world.ok(["logs", "--no-log-prefix"], { cwd }));
    assert.equal(kept, range(kept[0] ?? 0, 2999));
    await world.ok(["stop", "-t", "0"], { cwd });
    const { stdout } = await followed;
    assert.equal(numbers(stdout), range(0, 2999));
    await world.ok(["down"], { cwd });
  }),
);

it(
  "one file alone is begun anew, with nothing beside it",
  inWorld(async (world) => {
    const cwd = await project(
      world,
      `command: [sh, -c, '${CHATTY}; exec sleep 1000'], init: true, logging: {driver: json-file, options: {max-size: 4k}}`,
    );
    await world.ok(["up", "-d"], { cwd });
    await until("its end", async () => (await world.wharf(["exec", "-T", "a", "test", "-e", "/tmp/over"], { cwd })).status === 0);
    await until("a small file alone", async () => logs(world).join() === "log" && logSize(world) < 64 * 1024);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "a follower goes on over a restart by hand and over one by policy, without losing or repeating a line",
  inWorld(async (world) => {
    const cwd = await project(world, "command: [sh, -c, 'echo begun; exec sleep 1000'], init: true, restart: always");
    await world.ok(["up", "-d"], { cwd });
    const follower = world.start(["logs", "-f", "--no-log-prefix"], { cwd });
    const followed = finish(follower);
    const begun = async () => numbersOf(await world.ok(["logs", "--no-log-prefix"], { cwd }));
    await until("the first run", async () => (await begun()) === 1);
    await world.ok(["restart", "-t", "0"], { cwd });
    await until("the second run", async () => (await begun()) === 2);
    // It may be taken along by the end of what it ends: its status says nothing.
    await world.wharf(["exec", "-T", "a", "kill", "1"], { cwd });
    await until("the third run", async () => (await begun()) === 3);
    await world.ok(["stop", "-t", "0"], { cwd });
    const { stdout, status } = await followed;
    assert.equal([stdout, status], ["begun\nbegun\nbegun\n", 0]);
    await world.ok(["down"], { cwd });
  }),
);

it(
  "driver none keeps nothing, and inspect tells drivers and limits",
  inWorld(async (world) => {
    const cwd = await project(world, "command: [sh, -c, 'echo secret; exec sleep 1000'], init: true, logging: {driver: none}");
    await world.ok(["up", "-d"], { cwd });
    assert.equal(logs(world), []);
    assert.is(await world.ok(["logs"], { cwd }), "");
    const [document] = JSON.parse(await world.ok(["inspect", "chat-a-1"]));
    assert.equal(document.HostConfig.LogConfig, { Type: "none", Config: {} });
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it.run();

async function project(world: World, service: string): Promise<string> {
  await world.ok(["image", "import", "-", "shell"], { input: busyboxRootfs() });
  return world.project("chat", { "wharf.yaml": `services:\n  a: {image: shell, ${service}}\n` });
}

function directory(world: World): string {
  const [id = ""] = readdirSync(join(world.root, "containers")).filter((name) => !name.startsWith("."));
  return join(world.root, "containers", id);
}

function logs(world: World): readonly string[] {
  return readdirSync(directory(world))
    .filter((name) => /^log(\.\d+)?$/.test(name))
    .sort();
}

const logSize = (world: World): number => statSync(join(directory(world), "log")).size;

const numbers = (text: string): readonly number[] => [...text.matchAll(/^line (\d+)$/gm)].map(([, number]) => Number(number));

const numbersOf = (text: string): number => text.split("\n").filter((line) => line === "begun").length;

const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);
