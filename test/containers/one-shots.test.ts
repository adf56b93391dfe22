/** Containers that do something and end, over several runs of `up`. */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { inspect } from "../support/listings.ts";
import { busyboxRootfs } from "../support/rootfs.ts";
import { until } from "../support/until.ts";
import { containerSuite, inWorld } from "../support/world.ts";

const it = containerSuite("one-shots");

it(
  "run: once runs once for each spec, again when it was stopped half-way; without it up runs it again and says so",
  inWorld(async (world) => {
    await world.ok(["image", "import", "-", "shell"], { input: busyboxRootfs() });
    const spec = (more: string, text: string): string => `services:
  init:
    image: shell
    init: true
    command: [sh, -c, 'trap "exit 0" TERM; echo ${text} >> /host/runs; test ! -e /host/slow || { sleep 1000 & wait; }']
    volumes: ['./host:/host']
    ${more}
  web: { image: shell, init: true, command: [sleep, '1000'], depends_on: { init: { condition: service_completed_successfully } } }
`;
    const once = spec("x-wharf: { run: once }", "one");
    const cwd = await world.project("task", { "wharf.yaml": once, "host/runs": "" });
    const file = join(cwd, "wharf.yaml");
    const runs = (): string => readFileSync(join(cwd, "host/runs"), "utf8").replaceAll("\n", " ").trim();
    await world.ok(["up", "-d"], { cwd });
    await world.ok(["up", "-d"], { cwd });
    assert.is(runs(), "one");
    writeFileSync(file, spec("x-wharf: { run: once }", "two"));
    await world.ok(["up", "-d"], { cwd });
    assert.is(runs(), "one two");
    // Told to end in the middle of its work it ends with 0, and has not done it all the same.
    appendFileSync(join(cwd, "host/slow"), "");
    await world.ok(["start", "init"], { cwd });
    await until("its third run", async () => runs() === "one two two");
    await world.ok(["stop", "-t", "30", "init"], { cwd });
    assert.is((await inspect(world, "task-init-1")).State.ExitCode, 0);
    await world.ok(["up", "-d", "init"], { cwd });
    await until("its fourth run", async () => runs() === "one two two two");
    rmSync(join(cwd, "host/slow"));
    writeFileSync(file, spec("", "three"));
    await world.ok(["up", "-d"], { cwd });
    const { stderr } = await world.wharf(["up", "-d"], { cwd });
    assert.match(stderr, /W_RUNS_AGAIN.*service init ended with 0.*run: once/s);
    await until("its last run", async () => runs() === "one two two two three three");
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it.run();
