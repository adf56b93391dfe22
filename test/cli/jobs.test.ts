/** Jobs: what `run` makes of them, and what everybody else does not. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makePlace, type Place } from "./call.ts";
import { ok, running } from "./compose-shop.ts";

const it = suite<{ place: Place }>("jobs");

it.before.each(async (context) => {
  context.place = await makePlace();
  await context.place.write("compose.yaml", SPEC);
});

it.after.each(({ place }) => place.dispose());

const SPEC = `name: shop
services:
  db: { image: web }
jobs:
  prepare: { image: web, cmd: ["true"], depends_on: [db] }
  move:
    image: web
    triggers: { manual: true }
    depends_on: { prepare: { condition: service_started } }
`;

async function refused(place: Place, words: readonly string[], message: string): Promise<void> {
  const { status, stderr } = await place.call(...words);
  assert.is(status, 1, stderr);
  assert.match(stderr, message);
  assert.equal(await running(place), []);
}

it("run runs a job, after what it depends on, be that a service or a job; up knows of neither", async ({ place }) => {
  await ok(place, "up", "-d");
  assert.equal(await running(place), ["db"]);
  await ok(place, "down");
  await ok(place, "run", "-d", "move");
  const listed = (await ok(place, "ps", "-a", "--format", "json")).trim().split("\n");
  assert.equal(listed.map((line): string => JSON.parse(line).Service).sort(), ["db", "move", "prepare"]);
});

it("what acts on services refuses a job by name, and says what runs it", async ({ place }) => {
  for (const verb of ["up -d", "create", "start", "stop", "restart", "kill", "pause", "unpause", "rm -f", "down", "plan", "scale"])
    await refused(
      place,
      [...verb.split(" "), verb === "scale" ? "move=2" : "move"],
      'job "move" can only be triggered with "docker compose run"',
    );
});

it("a job that is not to be run by hand is not, for another one's sake neither", async ({ place }) => {
  await place.write("compose.yaml", SPEC.replace('cmd: ["true"]', "triggers: { manual: false }"));
  await refused(place, ["run", "prepare"], 'job "prepare" is declared with manual: false, and cannot be triggered by hand');
  await refused(place, ["run", "move"], 'job "prepare" is declared with manual: false, it cannot be triggered even as a dependency');
});

it("a spec with jobs at times of their own is not brought up; by hand they run", async ({ place }) => {
  await place.write("compose.yaml", SPEC.replace("manual: true", 'schedule: [{ cron: "0 3 * * *" }]'));
  await refused(place, ["up", "-d"], "scheduled jobs are not supported in this version: move");
  const watched = await place.call("up", "--watch", "move");
  assert.match(watched.stderr, 'job "move" can only be triggered');
  await refused(place, ["up", "-d", "db"], "scheduled jobs are not supported in this version: move");
  await ok(place, "run", "--rm", "move");
});

it("jobs come with a file that is included, are merged, and cannot have a service's name", async ({ place }) => {
  await place.write("more.yaml", SPEC.replace("name: shop\n", ""));
  await place.write("compose.yaml", "name: shop\ninclude: [more.yaml]\nservices: { web: { image: web } }\n");
  await ok(place, "run", "--rm", "move");
  await place.write("compose.yaml", SPEC);
  await place.write("compose.override.yaml", "jobs: { move: { triggers: { manual: false } } }\n");
  const merged = await place.call("run", "move");
  assert.match(merged.stderr, "declared with manual: false");
  await place.write("compose.override.yaml", "services: { move: { image: web } }\njobs: { move: { image: web } }\n");
  const twice = await place.call("config");
  assert.is(twice.status, 3);
  assert.match(twice.stderr, "`move` is a service and a job");
  await place.write("compose.override.yaml", "services: { move: { image: web } }\n");
  assert.match((await place.call("config")).stderr, /`move` is a service and a job[\s\S]*compose\.yaml:6/);
});

it("who counts on a job as on a service is told that it is none", async ({ place }) => {
  await refused(place, ["up", "-d", "--scale", "move=2"], "hint: it is a job: wharf run move");
  await place.write("compose.yaml", SPEC.replace("db: { image: web }", "db: { image: web, depends_on: [move] }"));
  const { stderr } = await place.call("config");
  assert.match(stderr, "service `db` depends on `move`, which is a job");
  assert.match(stderr, "hint: jobs run when `wharf run` asks for them");
});

it("triggers are checked, with their place", async ({ place }) => {
  await place.write("compose.yaml", SPEC.replace("manual: true", "manuel: true"));
  const { status, stderr } = await place.call("config");
  assert.is(status, 3);
  assert.match(stderr, /manuel[\s\S]*compose\.yaml:8/);
});

it.run();
