/** `plan` in its three forms, and plans that are kept in a file and carried out later. */
import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ROOT } from "../support/sources.ts";
import { makePlace, type Place } from "./call.ts";

const it = suite<{ place: Place }>("plan");

it.before.each(async (context) => {
  context.place = await makePlace();
  await context.place.write("wharf.yaml", spec("1.27"));
});

it.after.each(({ place }) => place.dispose());

const spec = (tag: string): string => `name: shop
services:
  db: { image: db }
  web:
    image: web:${tag}
    cmd: serve
    env: { BAR: "a|b\`c" }
`;

it("what is written below deploy is shown by its place there", async ({ place }) => {
  const limited = (memory: string, condition: string): string => `${spec("1.27")}    deploy:
      restart_policy: { condition: ${condition} }
      resources:
        limits:
          memory: ${memory}
`;
  await place.write("wharf.yaml", limited("30m", "any"));
  await place.call("up", "-d");
  await place.write("wharf.yaml", limited("31m", "on-failure"));
  const { stdout } = await place.call("plan");
  assert.match(stdout, /mem_limit: 31457280 -> 32505856 {2}\(wharf\.yaml:12\)/);
  assert.match(stdout, /restart: "always" -> "on-failure" {2}\(wharf\.yaml:9\)/);
});

it("json is as its schema says", async ({ place }) => {
  const schema: unknown = JSON.parse(readFileSync(join(ROOT, "schemas/plan.schema.json"), "utf8"));
  const validate = new Ajv2020({ strict: true, strictRequired: false, allErrors: true }).compile(schema as object);
  await place.call("up", "-d");
  await place.write("wharf.yaml", spec("1.28").replace("a|b", "a<b"));
  const { stdout } = await place.call("plan", "--format", "json");
  const document = JSON.parse(stdout) as { readonly summary: { readonly replace: number } };
  assert.ok(validate(document), JSON.stringify(validate.errors));
  assert.is(document.summary.replace, 1);
  assert.not.ok(validate({ ...document, changes: [{ action: "perhaps" }] }));
});

it("markdown has a row for each change and folds the values away, and what the spec says cannot break out of its cell", async ({
  place,
}) => {
  await place.call("up", "-d");
  await place.write("wharf.yaml", spec("1.28").replace("a|b`c", "x|`<b>"));
  const { stdout } = await place.call("plan", "--format", "markdown");
  assert.is(
    stdout,
    [
      "### shop: 1 to replace, 1 to pull, 2 unchanged",
      "",
      "| | resource | why |",
      "| --- | --- | --- |",
      "| **pull** | `image/web:1.28` | not here yet |",
      "| **replace** | `container/shop-web-1` | config changed: environment.BAR, image |",
      "",
      "<details><summary>container/shop-web-1</summary>",
      "",
      "| attribute | now | then | from | how |",
      "| --- | --- | --- | --- | --- |",
      '| `environment.BAR` | `` "a\\|b`c" `` | `` "x\\|`<b>" `` | `wharf.yaml:7` | new: a program gets it when it begins |',
      '| `image` | `"docker.io/library/web:1.27"` | `"docker.io/library/web:1.28"` | `wharf.yaml:5` | new: its file system is put together with it |',
      "",
      "</details>",
      "",
    ].join("\n"),
  );
});

it("what changes in place is told with its values in every form, and counts as something to do", async ({ place }) => {
  await place.call("up", "-d");
  const { stdout: id } = await place.call("ps", "-q", "web");
  await place.write("wharf.yaml", `${spec("1.27")}    restart: always\n    labels: {a: b}\n`);
  const text = await place.call("plan", "--detailed-exitcode");
  assert.is(text.status, 2);
  assert.is(
    text.stdout,
    [
      "  ~   update    container/shop-web-1  changed in place: labels, restart",
      '        labels: not set -> {"a":"b"}  (wharf.yaml:9)',
      '        restart: not set -> "always"  (wharf.yaml:8)',
      "",
      "shop: 1 to update, 2 unchanged",
      "",
    ].join("\n"),
  );
  const { changes } = JSON.parse((await place.call("plan", "--format", "json")).stdout) as { readonly changes: readonly Told[] };
  const told = changes.find(({ address }) => address === "container/shop-web-1");
  assert.equal([told?.action, told?.attributes.map(({ fixedBecause }) => fixedBecause)], ["update", [null, null]]);
  assert.match(
    (await place.call("plan", "--format", "markdown")).stdout,
    '| `restart` | `not set` | `"always"` | `wharf.yaml:8` | in place |',
  );
  assert.is((await place.call("up", "-d")).status, 0);
  assert.is((await place.call("ps", "-q", "web")).stdout, id);
  assert.is((await place.call("plan", "--detailed-exitcode")).status, 0);
});

interface Told {
  readonly action: string;
  readonly address: string;
  readonly attributes: readonly { readonly fixedBecause: string | null }[];
}

it("up says what it replaces and why, before it does", async ({ place }) => {
  await place.call("up", "-d");
  await place.write("wharf.yaml", spec("1.28"));
  const { stderr } = await place.call("up", "-d");
  const said = stderr.indexOf('image: "docker.io/library/web:1.27" -> "docker.io/library/web:1.28"  (wharf.yaml:5)');
  assert.ok(said > 0 && said < stderr.indexOf("Stopping"), stderr);
});

it("a saved plan is carried out as it was shown, whatever the spec says by then", async ({ place }) => {
  assert.is((await place.call("plan", "-o", "shop.plan")).status, 0);
  assert.is((await stat(join(place.directory, "shop.plan"))).mode & 0o777, 0o600);
  await place.write("wharf.yaml", spec("2.0"));
  const { status, stderr } = await place.call("up", "-d", "--plan", "shop.plan");
  assert.is(status, 0, stderr);
  const { stdout } = await place.call("ps", "--format", "json", "web");
  assert.is(JSON.parse(stdout).Image, "web:1.27");
});

it("a saved plan is refused once what it stands on has moved, and says what that is", async ({ place }) => {
  await place.call("plan", "-o", "shop.plan");
  await place.call("up", "-d");
  const { status, stderr } = await place.call("up", "-d", "--plan", "shop.plan");
  assert.is(status, 1);
  assert.match(stderr, "E_PLAN_STALE");
  assert.match(stderr, "container/shop-web-1 is new");
  await place.call("plan", "-o", "shop.plan");
  await place.call("stop", "web");
  const stopped = await place.call("up", "-d", "--plan", "shop.plan");
  assert.match(stopped.stderr, /container\/shop-web-1 was running, .*; it is exited/);
});

it("what is no saved plan, or is one no more, is refused before anything happens", async ({ place }) => {
  await place.call("plan", "-o", "shop.plan");
  const whole = readFileSync(join(place.directory, "shop.plan"), "utf8");
  const broken: readonly (readonly [string, string | null, string])[] = [
    ["no file", null, "does not exist"],
    ["other text", "services: {}\n", "is no plan"],
    ["a list", "[]", "is no plan"],
    ["cut off", whole.slice(0, -40), "is no plan"],
    ["changed", whole.replace("web:1.27", "web:9.99"), "was changed or cut off"],
    ["of the future", whole.replace(/"formatVersion":"[^"]+"/, '"formatVersion":"9.0"'), "a plan of format 9.0"],
  ];
  for (const [name, text, said] of broken) {
    if (text !== null) await place.write("broken.plan", text);
    const { status, stderr } = await place.call("up", "-d", "--plan", text === null ? "missing.plan" : "broken.plan");
    assert.is(status, 64, name);
    assert.match(stderr, "E_PLAN_FILE", name);
    assert.match(stderr, said, name);
  }
  assert.is((await place.call("ps", "-a", "-q")).stdout, "");
});

it("a saved plan says itself which services it is about", async ({ place }) => {
  await place.call("plan", "-o", "shop.plan");
  const { status, stderr } = await place.call("up", "-d", "--plan", "shop.plan", "web");
  assert.is(status, 64);
  assert.match(stderr, "name none with --plan");
});

it.run();
