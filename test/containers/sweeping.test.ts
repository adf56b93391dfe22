/** A file of tests that is ended before its end leaves nothing, and what others have is not touched. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runFiles } from "../../scripts/lib/run-files.ts";
import { leftovers, tracesIn } from "../support/leftovers.ts";
import { inspect } from "../support/listings.ts";
import { busyboxRootfs } from "../support/rootfs.ts";
import { until } from "../support/until.ts";
import { containerSuite, inWorld } from "../support/world.ts";

const it = containerSuite("sweeping after tests");

const ENDLESS = "test/support/endless.ts";

it(
  "a file that is killed leaves nothing of its worlds, and nothing of another world goes",
  inWorld(async (world) => {
    await world.ok(["image", "import", "-", "tools"], { input: busyboxRootfs() });
    const spec = 'name: endless\nservices: { a: { image: tools, command: [sleep, "100000"], restart: always, init: true } }\n';
    const cwd = await world.project("beside", { "wharf.yaml": spec });
    await world.ok(["up", "-d"], { cwd });
    const before = await inspect(world, "endless-a-1");

    const told = join(cwd, "told");
    const end = new AbortController();
    const ending = runFiles([ENDLESS], { timeoutMs: 60_000, signal: end.signal, env: { WHARF_TEST_TOLD: told } });
    try {
      await Promise.race([
        until("a world that is up", async () => existsSync(told) && readFileSync(told, "utf8").split("\n").length === 3),
        ending.then(({ output }) => Promise.reject(new Error(`it ended early:\n${output}`))),
      ]);
    } finally {
      end.abort();
      await ending;
    }
    const [directory = "", space = ""] = readFileSync(told, "utf8").split("\n");
    const { problem, report, swept } = await ending;
    assert.equal([problem, report], ["interrupted", null]);
    for (const kind of [/^process \d+ \(.*conmon/, /^process \d+ \(sleep 100000\)/, /^mount /, /^link /, /^nft /, /^cgroup /, /^file /])
      assert.ok(
        swept.some((what) => kind.test(what)),
        `${kind} in\n${swept.join("\n")}`,
      );
    assert.ok(swept.includes(`network namespace ${space}`));
    const noted = swept.flatMap((what) => /\/containers\/([0-9a-f]{64})$/.exec(what)?.[1] ?? []);
    assert.is(noted.length, 1, "the container that there was");
    assert.equal(await leftovers({ ...tracesIn(directory), containers: new Set(noted) }), []);
    assert.ok(!existsSync(directory) && !existsSync(`/run/netns/${space}`));

    const after = await inspect(world, "endless-a-1");
    assert.equal([after.State.Pid, after.State.Status, after.RestartCount], [before.State.Pid, "running", 0]);
    await world.ok(["down"], { cwd });
  }),
);

it.run();
