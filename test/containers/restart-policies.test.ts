/** Containers that come back by themselves: how often, after how long, and whatever was killed meanwhile. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { inspect, ps } from "../support/listings.ts";
import { busyboxRootfs, webRootfs } from "../support/rootfs.ts";
import { killSupervisors, supervisors } from "../support/supervisors.ts";
import { until } from "../support/until.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("restart policies");

it(
  "on-failure:3 runs four times with the waits of Docker, and keeps the last status",
  inWorld(async (world) => {
    const cwd = await project(world, { a: 'restart: "on-failure:3", command: [sh, -c, "echo run; exit 7"]' });
    await world.ok(["up", "-d"], { cwd });
    await until("the last end", async () => (await state(world)) === "exited" && (await inspect(world, "back-a-1")).RestartCount === 3);
    const { State } = await inspect(world, "back-a-1");
    assert.is(State.ExitCode, 7);
    const times = (await world.ok(["logs", "--no-log-prefix", "-t", "a"], { cwd }))
      .trim()
      .split("\n")
      .map((line) => Date.parse(line.split(" ")[0] ?? ""));
    assert.is(times.length, 4);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    assert.ok((gaps[0] ?? 0) >= 100 && (gaps[1] ?? 0) >= 200 && (gaps[2] ?? 0) >= 400, `waits were ${gaps}`);
    await until("the supervisor's end: there is nothing more to do", async () => supervisors(world).length === 0);
    await world.ok(["down"], { cwd });
  }),
);

it(
  "on-failure leaves alone what ended well",
  inWorld(async (world) => {
    const cwd = await project(world, { a: "restart: on-failure, command: [echo, done]" });
    await world.ok(["up", "-d"], { cwd });
    await until("its end", async () => (await state(world)) === "exited");
    await until("the supervisor's end", async () => supervisors(world).length === 0);
    assert.is((await inspect(world, "back-a-1")).RestartCount, 0);
    await world.ok(["down"], { cwd });
  }),
);

it(
  "always comes back on its networks with its ports, and says restarting while it waits",
  inWorld(async (world) => {
    await world.ok(["image", "import", "-", "web", "--cmd", "/usr/bin/colors", "--env", "COLOR=green"], { input: webRootfs() });
    const cwd = await project(world, {
      web: 'image: web, restart: always, ports: ["127.0.0.1::3000"]',
      a: "command: [sleep, '1000'], init: true",
      loop: "restart: always, command: [sh, -c, 'exit 1']",
    });
    await world.ok(["up", "-d"], { cwd });
    const before = await inspect(world, "back-web-1");
    process.kill(before.State.Pid, "SIGKILL");
    await until("its return", async () => {
      const { State, RestartCount } = await inspect(world, "back-web-1");
      return RestartCount === 1 && State.Status === "running" && State.Pid !== before.State.Pid;
    });
    await until("an answer by name", async () => {
      const answer = await world.wharf(["exec", "-T", "a", "wget", "-qO-", "http://web:3000/"], { cwd });
      return answer.status === 0 && answer.stdout.includes("green");
    });
    const address = (await world.ok(["port", "web", "3000"], { cwd })).trim();
    assert.ok((await (await fetch(`http://${address}/`)).text()).includes("green"));
    await until("the restarting state of what fails at once", async () => {
      const listed = (await ps(world, [], { cwd })).find(({ Service }) => Service === "loop");
      return listed?.State === "restarting" && /^Restarting \(1\) /.test(listed.Status);
    });
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "what a user stops or kills stays down, and a start begins anew",
  inWorld(async (world) => {
    const cwd = await project(world, {
      a: "restart: always, command: [sleep, '1000'], init: true",
      b: "restart: unless-stopped, command: [sleep, '1000'], init: true",
    });
    await world.ok(["up", "-d"], { cwd });
    await world.ok(["kill", "a"], { cwd });
    await world.ok(["stop", "-t", "0", "b"], { cwd });
    await until("the supervisor's end", async () => supervisors(world).length === 0);
    assert.equal([await state(world, "back-a-1"), await state(world, "back-b-1")], ["exited", "exited"]);
    await world.ok(["start"], { cwd });
    const { Pid } = (await inspect(world, "back-a-1")).State;
    process.kill(Pid, "SIGKILL");
    await until("its return", async () => (await inspect(world, "back-a-1")).RestartCount === 1 && (await state(world)) === "running");
    await world.ok(["restart", "-t", "0", "a"], { cwd });
    assert.is((await inspect(world, "back-a-1")).RestartCount, 0);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "a container comes back when its supervisor was killed before it ended, or at the same instant, and when its monitor was",
  inWorld(async (world) => {
    const cwd = await project(world, { a: "restart: always, command: [sleep, '1000'], init: true" });
    await world.ok(["up", "-d"], { cwd });
    // Nothing that looks runs in between: the monitor alone has to see to it.
    for (const count of [1, 2, 3]) {
      await until("the supervisor", async () => supervisors(world).length === 1);
      const pid = runPid(world);
      killSupervisors(world);
      process.kill(pid, "SIGKILL"); // they are dying still
      await restarted(world, count, "its return without a supervisor");
    }
    for (const pid of conmons(world)) process.kill(pid, "SIGKILL");
    process.kill(runPid(world), "SIGKILL");
    await restarted(world, 4, "its return without a monitor");
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "a restart that fails is tried again, and its reason is told",
  inWorld(async (world) => {
    const source = join(world.root, "..", "source");
    await mkdir(source);
    const mount = `{type: bind, source: ${source}, target: /data, bind: {create_host_path: false}}`;
    const cwd = await project(world, { a: `restart: always, command: [sleep, '1000'], init: true, volumes: [${mount}]` });
    await world.ok(["up", "-d"], { cwd });
    await rename(source, `${source}.away`);
    process.kill(runPid(world), "SIGKILL");
    await until("the reason", async () => (await inspect(world, "back-a-1")).State.Error.includes(source));
    assert.is(await state(world), "restarting");
    await rename(`${source}.away`, source);
    await until("its return", async () => (await state(world)) === "running");
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "an attached up and a following logs show every run, and who waits for completion waits for the last one",
  inWorld(async (world) => {
    const cwd = await project(world, {
      a: 'restart: "on-failure:5", command: [sh, -c, "n=$$(cat /d/n 2>/dev/null || echo 0); n=$$((n+1)); echo $$n >/d/n; echo run $$n; [ $$n = 3 ]"], volumes: ["data:/d"]',
      b: "command: [echo, after], depends_on: {a: {condition: service_completed_successfully}}",
    });
    const { stdout, stderr, status } = await world.wharf(["up", "--no-color", "--no-log-prefix"], { cwd });
    assert.is(status, 0, stderr);
    assert.equal(
      stdout
        .split("\n")
        .filter((line) => /^(run|after)/.test(line))
        .sort(),
      ["after", "run 1", "run 2", "run 3"],
    );
    assert.match(stderr, "b-1 exited with code 0");
    await world.ok(["down", "-v"], { cwd });
  }),
);

it.run();

/** A project `back` whose services are flow mappings without their braces. */
async function project(world: World, services: Readonly<Record<string, string>>): Promise<string> {
  await world.ok(["image", "import", "-", "shell"], { input: busyboxRootfs() });
  const lines = Object.entries(services).map(([name, text]) => `  ${name}: {${text.startsWith("image:") ? "" : "image: shell, "}${text}}`);
  return world.project("back", { "wharf.yaml": `services:\n${lines.join("\n")}\nvolumes: {data: }\n` });
}

async function state(world: World, name = "back-a-1"): Promise<string> {
  return (await inspect(world, name)).State.Status;
}

/** The container's first process, from the file of its last start: no command is asked. */
function runPid(world: World): number {
  const [id = ""] = readdirSync(join(world.root, "containers")).filter((name) => !name.startsWith("."));
  const { process: identity }: { process: { pid: number } } = JSON.parse(
    readFileSync(join(world.root, "containers", id, "state.json"), "utf8"),
  );
  return identity.pid;
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

async function restarted(world: World, count: number, what: string): Promise<void> {
  await until(what, async () => (await inspect(world, "back-a-1")).RestartCount === count && (await state(world)) === "running");
}
