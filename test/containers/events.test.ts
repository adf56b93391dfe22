/** What happened to containers, through the built command. */
import * as assert from "uvu/assert";
import { IDLE, idleProject } from "../support/idle.ts";
import { until } from "../support/until.ts";
import { containerSuite, finish, inWorld, type World } from "../support/world.ts";

const it = containerSuite("events");

it("events tells what commands do and how containers end, as Compose writes it", inWorld(past));

it("events goes on as things happen, with ends that no command was there to see", inWorld(present));

it.run();

interface Told {
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
  assert.match(text, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} container create [0-9a-f]{64} \(.*image=.*tools:1, name=shop-web-1\)\n/);
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
