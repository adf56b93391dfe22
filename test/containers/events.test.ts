/** What happened to containers, through the built command. */
import * as assert from "uvu/assert";
import { IDLE, idleProject } from "../support/idle.ts";
import { until } from "../support/until.ts";
import { containerSuite, finish, inWorld, type World } from "../support/world.ts";

const it = containerSuite("events");

it("events tells what commands do and how containers end, as Compose writes it", inWorld(past));

it("events goes on as things happen, with ends that no command was there to see", inWorld(present));

it("events tells of health, of exhausted memory, of programs and copies, and of what policies do, as Docker does", inWorld(unasked));

it.run();

interface Told {
  readonly time: string;
  readonly action: string;
  readonly service: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const parsed = (text: string): readonly Told[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Told => JSON.parse(line));

async function past(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [`web: { ${IDLE}, labels: { team: blue } }`, `db: { ${IDLE} }`]);
  await world.ok(["up", "-d", "web"], { cwd });
  await world.ok(["pause"], { cwd });
  await world.ok(["unpause"], { cwd });
  await world.ok(["stop"], { cwd });
  await world.ok(["start", "web"], { cwd });
  await world.ok(["kill"], { cwd });
  await world.ok(["up", "-d", "--force-recreate", "web"], { cwd });
  await world.ok(["down"], { cwd });
  const told = parsed(await world.ok(["events", "--json", "--since", "1h", "--until", "0s"], { cwd }));
  const of = (name: string): readonly string[] => told.filter(({ attributes }) => attributes["name"] === name).map(({ action }) => action);
  assert.equal(of("shop-web-1").slice(0, 9), ["create", "start", "pause", "unpause", "kill", "die", "stop", "start", "kill"]);
  assert.equal(of("shop-web-1").slice(9, 10), ["die"]);
  assert.equal(of("shop-web-1").slice(-4), ["kill", "die", "stop", "destroy"]);
  assert.equal(
    told.filter(({ action }) => action === "die").map(({ attributes }) => attributes["exitCode"]),
    ["0", "137", "0"],
  );
  assert.is(told[0]?.attributes["team"], "blue");
  assert.ok(told.every(({ service }) => service === "web"));
  const text = await world.ok(["events", "--since", "1h", "--until", "0s", "web"], { cwd });
  assert.match(text, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} container create [0-9a-f]{64} \(.*image=tools:1, name=shop-web-1\)\n/);
  assert.is(await world.ok(["events", "--since", "1h", "--until", "0s", "db"], { cwd }), "");
  assert.match((await world.wharf(["events", "nope"], { cwd })).stderr, /E_NO_SUCH_SERVICE/);
}

async function present(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [`web: { image: "tools:1", command: [sh, -c, "sleep 1; exit 4"] }`]);
  const events = world.start(["events", "--json", "--since", "1m"], { cwd });
  let text = "";
  events.stdout?.on("data", (chunk: string) => (text += chunk));
  const finished = finish(events);
  await world.ok(["up", "-d"], { cwd });
  await until("the end", async () => /"action":"die".*"exitCode":"4"/.test(text));
  await world.ok(["down"], { cwd });
  await until("the removal", async () => /"action":"destroy"/.test(text));
  assert.equal(
    parsed(text).map(({ action }) => action),
    ["create", "start", "die", "destroy"],
  );
  events.kill("SIGINT");
  assert.is((await finished).status, 130);
}

async function unasked(world: World): Promise<void> {
  const hungry = `sh -c "sleep 0.3; (head -c 60m /dev/zero | tail -c 50m | wc -c); echo went on; sleep 0.5; exit 3"`;
  const check = "{ test: [CMD, test, -e, /tmp/well], interval: 200ms, retries: 1 }";
  const cwd = await idleProject(world, "shop", [
    `web: { ${IDLE}, healthcheck: ${check} }`,
    `hungry: { image: "tools:1", command: ${JSON.stringify(hungry)}, mem_limit: 20m, restart: "on-failure:1" }`,
    `deaf: { image: "tools:1", command: [sleep, "1000"], stop_grace_period: 100ms }`,
  ]);
  const told = async (service: string): Promise<readonly Told[]> =>
    parsed(await world.ok(["events", "--json", "--since", "1h", "--until", "0s", service], { cwd }));
  const actions = async (service: string): Promise<readonly string[]> => (await told(service)).map(({ action }) => action);
  await world.ok(["up", "-d"], { cwd });
  await until("a bad verdict", async () => (await actions("web")).includes("health_status: unhealthy"));
  await world.ok(["exec", "web", "touch", "/tmp/well"], { cwd });
  await until("a good verdict", async () => (await actions("web")).includes("health_status: healthy"));
  assert.is((await world.wharf(["exec", "web", "sh", "-c", "exit 4"], { cwd })).status, 4);
  await world.ok(["cp", "web:/etc/passwd", "-"], { cwd });
  await world.ok(["top", "web"], { cwd });
  await world.ok(["run", "--rm", "web", "true"], { cwd }); // Compose is silent on these
  await world.ok(["restart", "deaf"], { cwd });
  await world.ok(["rm", "-sf", "deaf"], { cwd });
  const web = await told("web");
  assert.equal(
    web.map(({ action }) => action),
    [
      ...["create", "start", "health_status: unhealthy", "exec_create: touch /tmp/well", "exec_start: touch /tmp/well", "exec_die"],
      ...["health_status: healthy", "exec_create: sh -c exit 4", "exec_start: sh -c exit 4", "exec_die", "archive-path", "top"],
    ],
  );
  const ends = web.filter(({ action }) => action === "exec_die").map(({ attributes }) => attributes);
  assert.equal(
    ends.map(({ exitCode }) => exitCode),
    ["0", "4"],
  );
  assert.match(ends[0]?.["execID"] ?? "", /^[0-9a-f]{64}$/);
  assert.equal(await actions("deaf"), [
    ...["create", "start", "kill", "kill", "die", "stop", "start", "restart"],
    ...["kill", "kill", "die", "stop", "destroy"],
  ]);
  assert.equal(
    (await told("deaf")).filter(({ action }) => action === "kill").map(({ attributes }) => attributes["signal"]),
    ["15", "9", "15", "9"],
  );
  await until("the second end", async () => (await actions("hungry")).filter((action) => action === "die").length === 2);
  assert.equal(await actions("hungry"), ["create", "start", "oom", "die", "start", "oom", "die"]);
  const [, , starved, end] = await told("hungry");
  assert.ok(Date.parse(end?.time ?? "") - Date.parse(starved?.time ?? "") >= 400, "memory ran out before its end");
  await world.ok(["down", "-t", "0"], { cwd });
}
