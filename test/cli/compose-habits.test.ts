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

it("a start_interval without a start_period keeps a container from being made, and no other one", async ({ place }) => {
  const check = (more: string): string => `{ image: web, healthcheck: { test: "true", start_interval: 1s${more} } }`;
  await place.write("compose.yaml", `name: shop\nservices: { good: ${check(", start_period: 2s")}, bad: ${check("")} }\n`);
  const { status, stderr } = await place.call("up", "-d", "bad");
  assert.is(status, 1);
  assert.match(stderr, /E_START_INTERVAL.*healthcheck.start_interval requires healthcheck.start_period to be set\n.*compose.yaml:2:/);
  await ok(place, "up", "-d", "good");
  await ok(place, "config", "-q");
});

it("of a project that was named, commands that need no spec go by its containers when the spec cannot be used", async ({ place }) => {
  await place.write("compose.yaml", "services: { web: { image: '$" + "{IMAGE?which}', command: [x] } }\n");
  assert.is((await place.call("ps")).status, 3);
  assert.is((await place.call("-f", "compose.yaml", "-p", "seen", "ps")).status, 3);
  await place.write("good.yaml", "services: { web: { image: web } }\n");
  await ok(place, "-p", "seen", "-f", "good.yaml", "up", "-d");
  const { status, stdout, stderr } = await place.call("-p", "seen", "ps", "--format", "json");
  assert.is(status, 0, stderr);
  assert.is(JSON.parse(stdout).Service, "web");
  assert.match(stderr, /W_SPEC_PASSED_OVER.*the spec cannot be used, so seen is what its containers tell: .*IMAGE/);
  assert.is((await place.call("-p", "seen", "up", "-d")).status, 3);
  await ok(place, "-p", "seen", "down");
  assert.is(await ok(place, "-p", "seen", "ps", "-aq"), "");
});

it("pull leaves out what can only be built, and what is here already where the service says so, and says why", async ({ place }) => {
  const services = `built: { build: . }, both: { image: "a:1", build: . }, pinned: { image: "b:1", pull_policy: if_not_present }`;
  await place.write(
    "compose.yaml",
    `name: shop\nservices: { ${services}, moving: { image: c, pull_policy: missing, pre_start: [{ image: "d:1" }] } }\n`,
  );
  const first = await place.call("pull");
  assert.is(first.status, 0, first.stderr);
  assert.match(first.stderr, /Image shop-built Skipped No image to be pulled\n/);
  for (const name of ["a:1", "b:1", "c", "d:1"]) assert.match(first.stderr, new RegExp(`Image ${name} Pulled`));
  const again = await place.call("pull", "--ignore-buildable");
  assert.is(again.status, 0, again.stderr);
  assert.match(again.stderr, /Image a:1 Skipped Image can be built\n/);
  assert.match(again.stderr, /Image b:1 Skipped Image is already present locally\n/);
  assert.match(again.stderr, /Image c Pulled/);
  assert.match((await place.call("pull", "nothing")).stderr, /no such service: nothing/);
});

it("labels of a volume follow the file, and the volume stays", async ({ place }) => {
  const spec = (color: string): string =>
    `name: shop\nservices: { web: { image: web, volumes: ["data:/d"] } }\nvolumes: { data: { labels: { color: ${color} } } }\n`;
  await place.write("compose.yaml", spec("red"));
  await ok(place, "up", "-d");
  const volume = async () => JSON.parse(await ok(place, "volume", "inspect", "shop_data"))[0];
  const before = await volume();
  await place.write("compose.yaml", spec("blue"));
  const { status, stderr } = await place.call("up", "-d", "-y");
  assert.is(status, 0, stderr);
  assert.match(stderr, /update +volume\/shop_data +changed: labels\n +labels.color: "red" -> "blue" +\(compose.yaml:3\)/);
  assert.match(stderr, /Volume shop_data Changed/);
  const after = await volume();
  assert.equal([after.Labels.color, after.CreatedAt], ["blue", before.CreatedAt]);
  assert.not.match((await place.call("up", "-d")).stderr, /update|Changed/);
});

it("run -e passes a variable on that somebody has, and leaves one alone that nobody has", async ({ place }) => {
  await place.write("compose.yaml", "name: shop\nservices: { web: { image: web, environment: { KEPT: own, GIVEN: own } } }\n");
  await place.write(".env", "GIVEN=file\n");
  const name = (await ok(place, "run", "-d", "-e", "KEPT", "-e", "GIVEN", "-e", "NONE", "web")).trim();
  const env: readonly string[] = JSON.parse(await ok(place, "inspect", name))[0].Config.Env;
  assert.equal(env.filter((entry) => /^(KEPT|GIVEN|NONE)/.test(entry)).sort(), ["GIVEN=file", "KEPT=own"]);
});

it("config --models names models as their makers do", async ({ place }) => {
  await place.write("compose.yaml", "services: { web: { image: web, models: [llm] } }\nmodels: { llm: { model: ai/small } }\n");
  assert.is(await ok(place, "config", "--models"), "ai/small\n");
});

it.run();
