/** Health: probes inside and from outside, what waits for it, and what follows from it. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { inspect, ps } from "../support/listings.ts";
import { busyboxRootfs, webRootfs } from "../support/rootfs.ts";
import { supervisors } from "../support/supervisors.ts";
import { until } from "../support/until.ts";
import { containerSuite, finish, inWorld, type World } from "../support/world.ts";

const it = containerSuite("health");

it(
  "who depends on a healthy service starts when it is, long before its interval is over",
  inWorld(async (world) => {
    const cwd = await project(world, {
      db: `command: [sleep, '1000'], init: true, volumes: ['${join(world.root, "..")}:/host'], healthcheck: {test: [CMD, test, -e, /host/ready], interval: 10m}`,
      app: "command: [sleep, '1000'], init: true, depends_on: {db: {condition: service_healthy}}",
    });
    const up = world.ok(["up", "-d"], { cwd });
    await until("a look before it is well", async () => (await failures(world, cwd)) > 0);
    const wellSince = Date.now();
    writeFileSync(join(world.root, "..", "ready"), "");
    await up;
    assert.is((await inspect(world, "well-db-1")).State.Health?.Status, "healthy");
    assert.ok(Date.parse((await inspect(world, "well-app-1")).State.StartedAt) >= wellSince);
    const listed = (await ps(world, [], { cwd })).find(({ Service }) => Service === "db");
    assert.is(listed?.Health, "healthy");
    assert.match(listed?.Status ?? "", /^Up .* \(healthy\)$/);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "one that becomes unhealthy, or ends, fails who waits for it, with its last words",
  inWorld(async (world) => {
    const cwd = await project(world, {
      db: "command: [sleep, '1000'], init: true, healthcheck: {test: echo no disk; exit 3, interval: 100ms, retries: 2}",
      gone: "command: [sh, -c, 'sleep 0.3; exit 4'], healthcheck: {test: 'false', interval: 10m}",
      app: "command: [sleep, '1000'], depends_on: {db: {condition: service_healthy}}",
      other: "command: [sleep, '1000'], depends_on: {gone: {condition: service_healthy}}",
      brave: "command: [sleep, '1000'], init: true, depends_on: {db: {condition: service_healthy, required: false}}",
    });
    const { status, stderr } = await world.wharf(["up", "-d"], { cwd });
    assert.is(status, 1, stderr);
    assert.match(stderr, /well-db-1 is unhealthy: no disk/);
    assert.match(stderr, /well-gone-1 exited \(4\) before it was healthy/);
    const listed = await ps(world, ["-a"], { cwd });
    const states = Object.fromEntries(listed.map(({ Service, State, Health }) => [Service, `${State} ${Health}`]));
    assert.is(states["db"], "running unhealthy");
    assert.is(states["brave"], "running ");
    assert.not.match(states["app"] ?? "", /running/);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "one that ends again and again fails who waits for it, others go on; an end with 0 counts whatever follows it",
  inWorld(async (world) => {
    const often = "deploy: {restart_policy: {condition: any, delay: 20ms}}";
    const cwd = await project(world, {
      db: `command: [sh, -c, 'echo no luck; exit 7'], ${often}, healthcheck: {test: 'false', interval: 10m}`,
      job: `command: [sh, -c, 'exit 3'], ${often}`,
      good: `command: ['true'], ${often}`,
      app: "command: [sleep, '1000'], init: true, depends_on: {db: {condition: service_healthy}}",
      gone: "command: [sh, -c, 'exit 4']",
      late: "command: ['true'], depends_on: {gone: {condition: service_healthy}}",
      api: "command: [sleep, '1000'], init: true, depends_on: {job: {condition: service_completed_successfully}}",
      web: "command: [sleep, '1000'], init: true, depends_on: {good: {condition: service_completed_successfully}}",
    });
    const { status, stderr } = await world.wharf(["up", "-d"], { cwd });
    assert.is(status, 1, stderr);
    assert.match(stderr, /E_DEPENDENCY_FAILED.*well-db-1 ends again and again: .* its last end was with 7.*\| no luck/s);
    assert.match(stderr, /well-job-1 ends again and again/);
    assert.match(stderr, /dependency failed to start: container well-gone-1 exited \(4\)/, "an end tells more than a missing health check");
    const listed = await ps(world, ["-a"], { cwd });
    const states = Object.fromEntries(listed.map(({ Service, State }) => [Service, State]));
    assert.equal([states["app"], states["api"], states["web"]], ["created", "created", "running"]);
    const waited = await world.wharf(["start", "--wait", "db"], { cwd });
    assert.is(waited.status, 1, waited.stderr);
    assert.match(waited.stderr, /E_UNHEALTHY.*well-db-1 ends again and again/);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "probes from outside need nothing in the image; a status tells, and a port",
  inWorld(async (world) => {
    await world.ok(["image", "import", "-", "web", "--cmd", "/usr/bin/colors", "--env", "COLOR=green"], { input: webRootfs() });
    const cwd = await project(world, {
      page: "image: web, x-wharf: {healthcheck: {http: 3000}}",
      port: "image: web, x-wharf: {healthcheck: {tcp: 3000}}",
      missing: "image: web, x-wharf: {healthcheck: {http: 3000/nowhere}}, healthcheck: {interval: 100ms, retries: 1}",
      closed: "image: web, x-wharf: {healthcheck: {tcp: 3001}}, healthcheck: {interval: 100ms, retries: 1}",
    });
    await world.ok(["up", "-d"], { cwd });
    await until("every verdict", async () => {
      const found = (await ps(world, [], { cwd })).map(({ Service, Health }) => `${Service} ${Health}`).sort();
      return found.join() === "closed unhealthy,missing unhealthy,page healthy,port healthy";
    });
    assert.match((await inspect(world, "well-missing-1")).State.Health?.Log.at(-1)?.Output ?? "", /^HTTP\/1\.[01] 404/);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "a probe runs as the container's user in its directory, is cut off when it takes too long, and its output is kept short",
  inWorld(async (world) => {
    const cwd = await project(world, {
      who: "command: [sleep, '1000'], init: true, user: web, working_dir: /tmp, environment: {A: b}, healthcheck: {test: 'id -un; pwd; echo $$A; head -c 9000 /dev/zero | tr \"\\\\000\" x'}",
      slow: "command: [sleep, '1000'], init: true, healthcheck: {test: 'sleep 77 | sleep 77', timeout: 200ms, interval: 200ms, retries: 1}",
    });
    await world.ok(["up", "-d"], { cwd });
    await until("both verdicts", async () => {
      const found = (await ps(world, [], { cwd })).map(({ Service, Health }) => `${Service} ${Health}`).sort();
      return found.join() === "slow unhealthy,who healthy";
    });
    const [said = ""] = (await inspect(world, "well-who-1")).State.Health?.Log.map(({ Output }) => Output) ?? [];
    assert.match(said, /^web\n\/tmp\nb\nx+\.\.\.$/);
    assert.is(said.length, 4099);
    const late = (await inspect(world, "well-slow-1")).State.Health;
    const { ExitCode, Output } = late?.Log.at(-1) ?? {};
    assert.equal([ExitCode, Output], [-1, "no answer within 0.2 s"]);
    // Besides a probe that is under way nothing is left of those before.
    await until("no heap of probes", async () => {
      const text = await world.ok(["top", "slow"], { cwd });
      return (text.match(/sleep 77/g) ?? []).length <= 3;
    });
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "up --wait and start --wait end when all is well, with 1 when something is not, and give up when asked to",
  inWorld(async (world) => {
    const check = (test: string, more = "") => `healthcheck: {test: '${test}', interval: 200ms, retries: 2${more}}`;
    const cwd = await project(world, {
      a: `command: [sleep, '1000'], init: true, volumes: ['${join(world.root, "..")}:/host'], ${check("test -e /host/a", ", start_period: 10m")}`,
      once: "command: ['true']",
    });
    const waiting = world.start(["up", "--wait"], { cwd });
    let told = "";
    waiting.stderr?.on("data", (chunk: string) => (told += chunk));
    const finished = finish(waiting);
    await until("its wait", async () => /Container well-a-1 Waiting: starting\n/.test(told));
    writeFileSync(join(world.root, "..", "a"), "");
    const waited = await finished;
    assert.is(waited.status, 0, waited.stderr);
    assert.match(waited.stderr, /Container well-a-1 Waiting: starting\n.*Container well-a-1 Healthy\n/s);
    assert.is((await inspect(world, "well-a-1")).State.Health?.Status, "healthy");
    await world.ok(["stop", "-t", "0"], { cwd });
    writeFileSync(join(cwd, "less.yaml"), "services:\n  once: {image: shell, command: ['true']}\n");
    await world.ok(["-f", "less.yaml", "-p", "well", "up", "--wait"], { cwd }); // what was stopped is no part of it
    await world.ok(["start", "--wait", "a"], { cwd });
    assert.is((await inspect(world, "well-a-1")).State.Health?.Status, "healthy");
    await world.ok(["down", "-t", "0"], { cwd });
    const ill = await world.project("ill", {
      "wharf.yaml": `services:\n  a: {image: shell, command: [sh, -c, 'echo no luck; exec sleep 1000'], init: true, ${check("exit 9")}}\n`,
    });
    const failed = await world.wharf(["up", "--wait"], { cwd: ill });
    assert.is(failed.status, 1);
    assert.match(failed.stderr, /ill-a-1 is unhealthy.*\| no luck/s);
    await world.ok(["down", "-t", "0"], { cwd: ill });
    const never = await world.project("never", {
      "wharf.yaml": "services:\n  a: {image: shell, command: [sleep, '1000'], init: true, healthcheck: {test: 'false', interval: 1h}}\n",
    });
    const late = await world.wharf(["up", "--wait", "--wait-timeout", "1"], { cwd: never });
    assert.is(late.status, 1);
    assert.match(late.stderr, /E_WAIT_TIMEOUT.*not healthy after 1s: never-a-1 /);
    const events = await world.wharf(["--progress", "json", "up", "--wait", "--wait-timeout", "1"], { cwd: never });
    const types = events.stderr
      .trim()
      .split("\n")
      .map((line): string => JSON.parse(line).type);
    assert.equal(types.slice(-3), ["wait.started", "wait.finished", "notice"]);
    writeFileSync(
      join(never, "wharf.override.yaml"),
      "services:\n  b: {image: shell, command: ['true'], depends_on: {a: {condition: service_healthy}}}\n",
    );
    await world.ok(["create"], { cwd: never });
    const dependent = await world.wharf(["start", "--wait", "--wait-timeout", "1"], { cwd: never });
    assert.is(dependent.status, 1, "the wait of a dependent counts");
    await world.ok(["down", "-t", "0"], { cwd: never });
  }),
);

it(
  "the unhealthy is started anew where that is asked, pausing pauses the looks, and a killed supervisor is no matter",
  inWorld(async (world) => {
    const file = join(world.root, "..", "sign");
    writeFileSync(file, "");
    const cwd = await project(world, {
      a: `command: [sleep, '1000'], init: true, volumes: ['${join(world.root, "..")}:/host'], healthcheck: {test: 'test -e /host/sign', interval: 100ms, retries: 1}, x-wharf: {healthcheck: {restart: true}}`,
    });
    await world.ok(["up", "--wait"], { cwd });
    const before = await inspect(world, "well-a-1");
    await world.ok(["pause"], { cwd });
    await until("that nobody looks while it is paused", async () => {
      const count = looks(world); // one may be under way at first
      await sleep(500);
      return looks(world) === count;
    });
    await world.ok(["unpause"], { cwd });
    for (const pid of supervisors(world)) process.kill(pid, "SIGKILL");
    rmSync(file);
    await until("its restart", async () => {
      const { RestartCount, State } = await inspect(world, "well-a-1");
      return RestartCount >= 1 && State.Status === "running" && State.Pid !== before.State.Pid;
    });
    writeFileSync(file, "");
    await until("its health", async () => (await inspect(world, "well-a-1")).State.Health?.Status === "healthy");
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it.run();

/** A project `well` whose services are flow mappings without their braces. */
async function project(world: World, services: Readonly<Record<string, string>>): Promise<string> {
  await world.ok(["image", "import", "-", "shell"], { input: busyboxRootfs() });
  const lines = Object.entries(services).map(([name, text]) => `  ${name}: {${text.startsWith("image:") ? "" : "image: shell, "}${text}}`);
  return world.project("well", { "wharf.yaml": `services:\n${lines.join("\n")}\n` });
}

/** When the one container was looked at last. */
function looks(world: World): string {
  const [id = ""] = readdirSync(join(world.root, "containers")).filter((name) => !name.startsWith("."));
  return readFileSync(join(world.root, "containers", id, "health.json"), "utf8");
}

/** How many looks at the database found that it is not well; none while it is not there. */
async function failures(world: World, cwd: string): Promise<number> {
  const isThere = (await ps(world, ["-a"], { cwd })).some(({ Service, State }) => Service === "db" && State === "running");
  return isThere ? ((await inspect(world, "well-db-1")).State.Health?.Log ?? []).filter(({ ExitCode }) => ExitCode === 1).length : 0;
}
