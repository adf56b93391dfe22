/** What Compose's users type, each command its own process, on the engine that only remembers. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makePlace, type Place } from "./call.ts";
import { ok, running, SPEC } from "./compose-shop.ts";

const it = suite<{ place: Place }>("habits of Compose's users");

it.before.each(async (context) => {
  context.place = await makePlace();
  await context.place.write("compose.yaml", SPEC);
});

it.after.each(({ place }) => place.dispose());

it("a service that is named is there with its profiles, and with what it depends on in them", async ({ place }) => {
  await ok(place, "up", "-d", "admin");
  assert.equal(await running(place), ["admin", "db"]);
});

it("a flag that is on or off may say so with a value", async ({ place }) => {
  await ok(place, "--ansi=never", "up", "--menu=false", "--detach=true");
  assert.equal(await running(place), ["web"]);
});

it("scale gives a service another number of containers", async ({ place }) => {
  await ok(place, "scale", "web=3");
  assert.is((await ok(place, "ps", "-q")).trim().split("\n").length, 3);
  await ok(place, "scale", "web=1");
  assert.is((await ok(place, "ps", "-q")).trim().split("\n").length, 1);
});

it("start brings what a service depends on as well", async ({ place }) => {
  await ok(place, "--profile", "data", "up", "-d");
  await ok(place, "--profile", "data", "stop");
  await ok(place, "--profile", "data", "start", "admin");
  const states = (await ok(place, "--profile", "data", "ps", "-a", "--format", "json")).trim().split("\n");
  assert.equal(
    states
      .map((line) => JSON.parse(line))
      .map(({ Service, State }) => `${Service} ${State}`)
      .sort(),
    ["admin running", "db running", "web exited"],
  );
});

it("COMPOSE_REMOVE_ORPHANS in .env takes away what the spec has no more, and one-offs that ended", async ({ place }) => {
  await ok(place, "up", "-d");
  await ok(place, "run", "-d", "db");
  await place.write("compose.yaml", "name: shop\nservices:\n  other: { image: web }\n");
  await place.write(".env", "COMPOSE_REMOVE_ORPHANS=true\n");
  await ok(place, "kill", "web");
  await ok(place, "up", "-d");
  assert.not.match(await ok(place, "ps", "-a", "--format", "json"), '"Service":"web"');
});

it("config --models names models as their makers do", async ({ place }) => {
  await place.write("compose.yaml", "services: { web: { image: web, models: [llm] } }\nmodels: { llm: { model: ai/small } }\n");
  assert.is(await ok(place, "config", "--models"), "ai/small\n");
});

it.run();
