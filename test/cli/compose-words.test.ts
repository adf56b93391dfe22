/** Compose's global flags, and the words and statuses that scripts look for. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makePlace, type Place } from "./call.ts";
import { ok, running, SPEC } from "./compose-shop.ts";

const it = suite<{ place: Place }>("flags and words of Compose");

it.before.each(async (context) => {
  context.place = await makePlace();
  await context.place.write("compose.yaml", SPEC);
});

it.after.each(({ place }) => place.dispose());

it("--dry-run says what would be done and does none of it", async ({ place }) => {
  const { status, stderr } = await place.call("--dry-run", "up", "--wait");
  assert.is(status, 0, stderr);
  assert.match(stderr, /\+ +create +container\/shop-web-1/);
  assert.match(stderr, /dry run: nothing was changed/);
  assert.equal(await running(place), []);
  await ok(place, "up", "-d");
  await ok(place, "down", "--dry-run", "-v");
  await ok(place, "--dry-run", "rm", "-sf");
  assert.equal(await running(place), ["web"]);
  assert.equal((await ok(place, "history", "--format", "json")).trim().split("\n").length, 1);
  const refused = await place.call("--dry-run", "exec", "web", "true");
  assert.is(refused.status, 64);
  assert.match(refused.stderr, /wharf exec cannot be tried with --dry-run/);
});

it("--compatibility calls containers as Compose 1 did, and what is there is renamed", async ({ place }) => {
  await ok(place, "up", "-d");
  await ok(place, "--compatibility", "up", "-d");
  await ok(place, "--compatibility", "run", "-d", "db");
  const names = (await ok(place, "ps", "-a", "--format", "json")).trim().split("\n");
  assert.match(names.map((line) => JSON.parse(line).Name).join(" "), /^shop_db_run_[0-9a-f]{12} shop_web_1$/);
});

it("--all-resources makes what no service uses", async ({ place }) => {
  await place.write("compose.yaml", `${SPEC}volumes: { spare: {} }\nnetworks: { spare: {} }\n`);
  assert.not.match(await ok(place, "plan"), "spare");
  const plan = await ok(place, "--all-resources", "plan");
  assert.match(plan, /create +network\/shop_spare/);
  assert.match(plan, /create +volume\/shop_spare/);
  assert.match(await ok(place, "--all-resources", "config"), "spare");
});

it("orphans are told of with the words that scripts look for, unless COMPOSE_IGNORE_ORPHANS", async ({ place }) => {
  await ok(place, "up", "-d");
  await place.write("compose.yaml", "name: shop\nservices:\n  other: { image: web }\n");
  assert.match((await place.call("up", "-d")).stderr, /orphan containers.*shop-web-1/);
  await place.write(".env", "COMPOSE_IGNORE_ORPHANS=true\n");
  assert.not.match((await place.call("up", "-d")).stderr, /orphan/);
});

it("what `run` left behind when it ended is an orphan, too, for run and up alike", async ({ place }) => {
  const first = await place.call("run", "web", "true");
  assert.not.match(first.stderr, /orphan/);
  assert.match((await place.call("run", "--rm", "web", "true")).stderr, /orphan containers.*shop-web-run-/);
  assert.match((await place.call("up", "-d")).stderr, /orphan containers.*shop-web-run-/);
  await place.write(".env", "COMPOSE_IGNORE_ORPHANS=true\n");
  assert.not.match((await place.call("run", "--rm", "web", "true")).stderr, /orphan/);
});

it("run --no-recreate leaves what the service needs as it is; without it that follows the spec", async ({ place }) => {
  const needs = (mark: string) =>
    `name: shop\nservices:\n  web: { image: web, depends_on: [db] }\n  db: { image: web, environment: { MARK: ${mark} } }\n`;
  const db = async () => JSON.parse(await ok(place, "ps", "--format", "json", "db")).ID;
  await place.write("compose.yaml", needs("a"));
  await ok(place, "up", "-d", "db");
  const before = await db();
  await place.write("compose.yaml", needs("b"));
  await ok(place, "run", "--rm", "--no-recreate", "web", "true");
  assert.is(await db(), before);
  await ok(place, "run", "--rm", "web", "true");
  assert.is.not(await db(), before);
});

it("--no-deps is refused where what it leaves aside lends a namespace or mounts, and has no container", async ({ place }) => {
  for (const [lent, what] of [
    ["network_mode: service:db", "network namespace"],
    ["pid: service:db", "PID namespace"],
    ["ipc: service:db", "IPC namespace"],
    ["volumes_from: [db]", "volume"],
  ]) {
    await place.write("compose.yaml", `name: shop\nservices:\n  web: { image: web, ${lent} }\n  db: { image: web, ipc: shareable }\n`);
    for (const words of [
      ["up", "-d", "--no-deps", "web"],
      ["run", "--no-deps", "web"],
    ]) {
      const refused = await place.call(...words);
      assert.is(refused.status, 1, refused.stderr);
      assert.match(refused.stderr, `cannot share ${what} with service db: container missing`);
    }
  }
});

it("two services may have one container name, but not be brought up together", async ({ place }) => {
  const twin = "{ image: web, container_name: only }";
  await place.write("compose.yaml", `name: shop\nservices:\n  web: ${twin}\n  db: ${twin}\n`);
  const both = await place.call("up", "-d");
  assert.is(both.status, 1);
  assert.match(both.stderr, 'container name "only" is already in use');
  await ok(place, "up", "-d", "web");
  await ok(place, "down");
  await ok(place, "up", "-d", "db");
  assert.equal(await running(place), ["db"]);
});

it("down of nothing says so, and that is well", async ({ place }) => {
  const { status, stderr } = await place.call("down");
  assert.is(status, 0);
  assert.match(stderr, 'No resource found to remove for project "shop"');
});

it("run --tty is refused where nobody has a terminal to give", async ({ place }) => {
  for (const flag of ["--tty", "--no-tty=false"]) {
    const refused = await place.call("run", flag, "web");
    assert.is(refused.status, 1, refused.stderr);
    assert.match(refused.stderr, "cannot attach stdin to a TTY-enabled container because stdin is not a terminal");
  }
});

it("stop without names is about the services of the spec: what another file made goes on, unless it is named", async ({ place }) => {
  await place.write("other.yaml", "name: shop\nservices:\n  other: { image: web }\n");
  await ok(place, "-f", "other.yaml", "up", "-d");
  await ok(place, "up", "-d");
  for (const verb of ["stop", "kill", "restart"]) assert.not.match((await place.call(verb)).stderr, "shop-other-1");
  assert.equal(await running(place), ["other", "web"]);
  await ok(place, "stop", "other");
  assert.equal(await running(place), ["web"]);
});

it("a service that does not exist is no service to attach to either, and nothing is begun before that is said", async ({ place }) => {
  for (const flag of ["--attach", "--no-attach", "--exit-code-from"]) {
    const refused = await place.call("up", flag, "nope");
    assert.is(refused.status, 1);
    assert.match(refused.stderr, "no such service: nope");
  }
  assert.equal(await running(place), []);
});

it("flags are known by the names that Compose gave them over the years", async ({ place }) => {
  for (const words of [["--no-TTY"], ["-T"], ["-P"], ["--volumes", "/tmp:/x"], ["--labels", "a=b"], ["--interactive=false"]])
    await ok(place, "run", "--rm", ...words, "web", "true");
  await ok(place, "up", "-d");
  await ok(place, "exec", "--no-TTY", "web", "true");
});

it("what is not there to be started, or to be named, ends with 1 and Compose's words", async ({ place }) => {
  const started = await place.call("start");
  assert.is(started.status, 1);
  assert.match(started.stderr, 'service "web" has no container to start');
  assert.is((await place.call("wait", "web")).status, 1);
  for (const words of [["up", "-d"], ["stop"], ["ps"], ["config"]]) {
    const { status, stderr } = await place.call(...words, "wbe");
    assert.is(status, 1, words.join(" "));
    assert.match(stderr, "no such service: wbe", words.join(" "));
  }
});

it("flags about building go through where nothing is to be built", async ({ place }) => {
  await ok(place, "--parallel", "4", "up", "-d", "--no-build", "--quiet-build", "--quiet-pull", "--always-recreate-deps");
  await ok(place, "create", "--no-build");
  assert.match((await place.call("up", "--build")).stderr, /E_UNSUPPORTED.*does not build images/);
});

it("--always-recreate-deps replaces what the services named depend on", async ({ place }) => {
  const id = async (): Promise<string> => JSON.parse(await ok(place, "--profile", "data", "ps", "db", "--format", "json")).ID;
  await ok(place, "up", "-d", "admin");
  const before = await id();
  await ok(place, "up", "-d", "admin");
  assert.is(await id(), before);
  await ok(place, "up", "-d", "--always-recreate-deps", "admin");
  assert.is.not(await id(), before);
});

it("commands of Compose that wharf does not have are known, and convert is config", async ({ place }) => {
  const { status, stderr } = await place.call("publish", "x");
  assert.is(status, 1);
  assert.match(stderr, /E_UNSUPPORTED.*`publish` of Compose/);
  assert.is(await ok(place, "convert", "--services"), "web\n");
});

it("ls takes a pattern of names", async ({ place }) => {
  await ok(place, "up", "-d");
  assert.is(await ok(place, "ls", "-q", "--filter", "name=^sh"), "shop\n");
  assert.is(await ok(place, "ls", "-q", "--filter", "name=^op"), "");
});

it("ps --format takes a template, for a line each or for a table", async ({ place }) => {
  await ok(place, "up", "-d", "admin");
  assert.is(await ok(place, "ps", "--format", "{{.Service}} {{.State}}"), "admin running\ndb running\n");
  assert.is(
    await ok(place, "ps", "--format", "table {{.Service}}\\t{{.Name}}"),
    "SERVICE  NAME\nadmin    shop-admin-1\ndb       shop-db-1\n",
  );
  const { status, stderr } = await place.call("ps", "--format", "{{.Nmae}}");
  assert.is(status, 64);
  assert.match(stderr, /E_USAGE.*there is no field Nmae/);
});

it.run();
