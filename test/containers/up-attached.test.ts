/** What `up` shows of its containers, and what makes it end. */
import * as assert from "uvu/assert";
import { inspect, ps } from "../support/listings.ts";
import { busyboxRootfs } from "../support/rootfs.ts";
import { until } from "../support/until.ts";
import { containerSuite, finish, inWorld } from "../support/world.ts";

const it = containerSuite("up with its containers");

const CASCADE = `services:
  running: {image: shell, command: [sleep, '1000'], init: true}
  fine: {image: shell, command: [echo, well], depends_on: [running]}
  bad: {image: shell, command: [sh, -c, 'exit 111'], depends_on: {fine: {condition: service_completed_successfully}}}
`;

it(
  "--abort-on-container-failure passes over what ends well, and ends with the status of what does not",
  inWorld(async (world) => {
    await world.ok(["image", "import", "-", "shell"], { input: busyboxRootfs() });
    const cwd = await world.project("cascade", { "wharf.yaml": CASCADE });
    const { status, stdout, stderr } = await world.wharf(["up", "--abort-on-container-failure"], { cwd });
    assert.is(status, 111, stderr);
    assert.match(stdout, "well");
    // Each end is told when it is noticed, which says nothing of the order of those close together.
    for (const line of [/fine-1 exited with code 0\n/, /bad-1 exited with code 111\n/, /Aborting on container exit\.\.\.\n/])
      assert.match(stderr, line);
    await world.ok(["down"], { cwd });
  }),
);

it(
  "--abort-on-container-failure ends with 0 where all end well",
  inWorld(async (world) => {
    await world.ok(["image", "import", "-", "shell"], { input: busyboxRootfs() });
    const cwd = await world.project("fine", {
      "wharf.yaml": "services: {a: {image: shell, command: [echo, x]}, b: {image: shell, command: [echo, y]}}\n",
    });
    await world.ok(["up", "--abort-on-container-failure"], { cwd });
    await world.ok(["down"], { cwd });
  }),
);

it(
  "the logs of a service with `attach: false` are shown when it is named, those of dependencies when that is asked for",
  inWorld(async (world) => {
    await world.ok(["image", "import", "-", "shell"], { input: busyboxRootfs() });
    const cwd = await world.project("quiet", {
      "wharf.yaml": `services:
  base: {image: shell, command: [echo, of the base]}
  loud: {image: shell, command: [echo, of the loud], depends_on: [base]}
  mute: {image: shell, command: [echo, of the mute], attach: false}
`,
    });
    const shown = async (...words: readonly string[]): Promise<readonly string[]> => {
      const stdout = await world.ok(["up", "--force-recreate", "--no-log-prefix", ...words], { cwd });
      return stdout
        .split("\n")
        .filter((line) => line.startsWith("of "))
        .sort();
    };
    assert.equal(await shown(), ["of the base", "of the loud"]);
    assert.equal(await shown("--attach", "mute"), ["of the mute"]);
    assert.equal(await shown("loud"), ["of the loud"]);
    assert.equal(await shown("--attach-dependencies", "loud"), ["of the base", "of the loud"]);
    await world.ok(["down"], { cwd });
  }),
);

it(
  "an up of services ends with them, and an interruption stops them alone: what they depend on goes on",
  inWorld(async (world) => {
    await world.ok(["image", "import", "-", "shell"], { input: busyboxRootfs() });
    const cwd = await world.project("own", {
      "wharf.yaml": `services:
  base: {image: shell, command: [sleep, '1000'], init: true}
  brief: {image: shell, command: [echo, done], depends_on: [base]}
  long: {image: shell, command: [sh, -c, 'echo at work; exec sleep 1000'], init: true, depends_on: [base], pre_stop: [{command: [echo, bye]}]}
`,
    });
    const states = async () => Object.fromEntries((await ps(world, ["-a"], { cwd })).map(({ Service, State }) => [Service, State]));
    const { status, stderr } = await world.wharf(["up", "--attach-dependencies", "brief"], { cwd });
    assert.is(status, 0, stderr);
    assert.match(stderr, /brief-1 exited with code 0/);
    assert.equal(await states(), { base: "running", brief: "exited" });
    const up = world.start(["up", "long"], { cwd });
    let told = "";
    up.stdout?.on("data", (chunk: string) => (told += chunk));
    const finished = finish(up);
    await until("its first words", async () => told.includes("at work"));
    up.kill("SIGINT");
    const { stderr: said } = await finished;
    assert.match(said, /Attaching to long-1\n/);
    assert.match(said, /Container own-long-1 Stopped/);
    assert.match(told, "long-1  | bye\n", "what a hook prints goes where the logs go");
    assert.equal(await states(), { base: "running", brief: "exited", long: "exited" });
    await world.ok(["down"], { cwd });
  }),
);

it(
  "run -d leaves its standard input open, for a program that reads it; without --interactive it is empty",
  inWorld(async (world) => {
    await world.ok(["image", "import", "-", "shell"], { input: busyboxRootfs() });
    const cwd = await world.project("reading", { "wharf.yaml": "services: {a: {image: shell}}\n" });
    await world.ok(["run", "-d", "--name", "reads", "a", "cat"], { cwd });
    await world.ok(["run", "-d", "--name", "ends", "--interactive=false", "a", "cat"], { cwd });
    assert.is((await world.ok(["wait", "ends"], { cwd })).trim(), "0");
    assert.is((await inspect(world, "reads")).State.Status, "running");
    await world.ok(["rm", "-f", "reads", "ends"], { cwd });
    await world.ok(["down"], { cwd });
  }),
);

it(
  "what is piped into run comes through to its last byte, though the pipe ends at once",
  inWorld(async (world) => {
    await world.ok(["image", "import", "-", "shell"], { input: busyboxRootfs() });
    const cwd = await world.project("piped", { "wharf.yaml": "services: {a: {image: shell, command: [cat]}}\n" });
    // The end of the pipe once overtook what came before it, in one of three runs.
    for (let run = 0; run < 8; run++) assert.is(await world.ok(["run", "--rm", "-T", "a"], { cwd, input: "all of it\n" }), "all of it\n");
    await world.ok(["down"], { cwd });
  }),
);

it.run();
