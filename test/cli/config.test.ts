import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makePlace, type Place } from "./call.ts";

const it = suite<{ place: Place }>("config");

const SPEC = `name: shop
services:
  web:
    image: nginx:\${TAG:-1}
    depends_on: [db]
    networks: [back]
    volumes: ['data:/d']
  db: {image: postgres, networks: [back]}
  tool: {image: 'tool:\${TOOL?say which}', profiles: [dev]}
networks: {back: }
volumes: {data: }
`;

it.before(async (context) => {
  context.place = await makePlace();
  await context.place.write("wharf.yaml", SPEC);
  await context.place.write(".env", "TOOL=t\nTAG=2\n");
});
it.after(({ place }) => place.dispose());

it("names of one kind come one a line", async ({ place }) => {
  const out = async (...flags: readonly string[]) => (await place.call("config", ...flags)).stdout;
  assert.is(await out("--services"), "db\nweb\n");
  assert.is(await out("--images"), "nginx:2\npostgres\n");
  assert.is(await out("--volumes"), "data\n");
  assert.is(await out("--networks"), "back\n");
  assert.is(await out("--profiles"), "dev\n");
});

it("the variables that are asked for, and those that are seen", async ({ place }) => {
  const { stdout } = await place.call("config", "--variables", "--format", "json");
  assert.equal(JSON.parse(stdout), {
    TAG: { Name: "TAG", DefaultValue: "1", PresenceValue: "", Required: false },
    TOOL: { Name: "TOOL", DefaultValue: "", PresenceValue: "", Required: true },
  });
  assert.match((await place.call("config", "--environment")).stdout, /^TAG=2\nTOOL=t\n/m);
});

it("the variables that are asked for come in Compose's forms, whole, also where a service was named", async ({ place }) => {
  const json = await place.call("config", "--variables", "--format", "json", "web");
  assert.match(json.stdout, /^\{\n {4}"TAG": \{\n {8}"Name": "TAG",\n {8}"DefaultValue": "1",/);
  assert.match(json.stdout, /"TOOL": \{/);
  assert.match(json.stderr, /service filtering is not applied when --variables is set/);
  const yaml = await place.call("config", "--variables", "--format", "yaml");
  assert.match(yaml.stdout, /^TAG:\n {4}name: TAG\n {4}defaultvalue: "1"\n {4}presencevalue: ""\n {4}required: false\nTOOL:\n/);
  assert.is(yaml.stderr, "");
  const written = await place.call("config", "--no-interpolate", "db");
  assert.match(written.stdout, /nginx:\$\{TAG:-1\}/);
  assert.match(written.stderr, /service filtering is not applied when --no-interpolate is set/);
});

it("services are listed by profile and label", async ({ place }) => {
  const labelled = "labels: {tier: back}";
  const services = `{a: {image: x, ${labelled}}, d: {image: x, profiles: [p, q]}, c: {image: x, profiles: [p], ${labelled}}}`;
  await place.write("profiles.yaml", `services: ${services}\n`);
  const list = (...filters: readonly string[]) =>
    place.call("-f", "profiles.yaml", "config", "--services", ...filters.flatMap((filter) => ["--filter", filter]));
  const listed = async (...filters: readonly string[]) => (await list(...filters)).stdout;
  assert.is(await listed("profile=p"), "c\nd\n");
  assert.is(await listed("label=tier=back"), "a\n");
  assert.is(await listed("label=tier", "profile=p"), "c\n");
  assert.is(await listed("profile=none"), "");
  assert.match((await list("state=running")).stderr, /unknown criteria "state"/);
  assert.match((await list("profile=*")).stderr, /profiles must be selected explicitly/);
  const misused = await place.call("-f", "profiles.yaml", "config", "--filter", "profile=p");
  assert.match(misused.stderr, /--filter requires --services/);
  assert.is(misused.status, 64);
});

it("one service comes with what it depends on, and one without an active profile when it is named", async ({ place }) => {
  const services = async (...words: readonly string[]) =>
    Object.keys(JSON.parse((await place.call("config", "--format", "json", ...words)).stdout).services);
  assert.equal(await services("web"), ["db", "web"]);
  assert.equal(await services("tool"), ["tool"]);
  const { status, stderr } = await place.call("config", "wbe");
  assert.is(status, 1);
  assert.match(stderr, /no such service: wbe\n.*did you mean `web`/);
});

it("a value is explained with its file, line and variable", async ({ place }) => {
  const { stdout } = await place.call("config", "--explain", "services.web.image");
  assert.is(
    stdout,
    'wharf.yaml:4:12  services.web.image is "nginx:2"\nwharf.yaml:4:12  is written as nginx:${TAG:-1}\n.env:2:5  sets the variable TAG\n',
  );
});

it("variables, paths and names stay as they are written where that is asked for", async ({ place }) => {
  const { stdout } = await place.call("config", "--no-interpolate", "--no-normalize", "--no-path-resolution");
  assert.match(stdout, /image: nginx:\$\{TAG:-1\}\n/);
  assert.not.match(stdout, /shop_data/);
});

it("standard input is a file, and a file takes what is printed", async ({ place }) => {
  const { status, stdout } = await place.feed("services: {a: {image: x}}", "-f", "-", "-p", "given", "config", "-o", "out.yaml");
  assert.equal([status, stdout], [0, ""]);
  assert.match(await readFile(join(place.directory, "out.yaml"), "utf8"), /^name: given\nservices:\n {2}a:\n {4}image: x\n/);
});

it("what cannot be run is printed and told of; what is wrong is not printed", async ({ place }) => {
  await place.write("build.yaml", "services: {web: {build: .}}\n");
  const shown = await place.call("-f", "build.yaml", "config");
  assert.is(shown.status, 0);
  assert.match(shown.stdout, /dockerfile: Dockerfile/);
  assert.match(shown.stderr, /E_NO_IMAGE/);
  await place.write("wrong.yaml", "services: {web: {imge: x}}\n");
  const wrong = await place.call("-f", "wrong.yaml", "config");
  assert.equal([wrong.status, wrong.stdout], [3, ""]);
  assert.match(wrong.stderr, /wrong.yaml:1:18[\s\S]*did you mean `image`/);
});

it("hashes come one a service, also of services without an image, as far as consistency is not asked for", async ({ place }) => {
  await place.write("hash.yaml", "services: {web: {image: nginx}, bare: {command: [x]}, made: {build: .}}\n");
  const all = await place.call("-f", "hash.yaml", "config", "--no-consistency", "--hash", "*");
  assert.is(all.status, 0, all.stderr);
  assert.equal(all.stdout.replaceAll(/ 2:[0-9a-f]{64}/g, ""), "bare\nmade\nweb\n");
  const one = await place.call("-f", "hash.yaml", "config", "--no-consistency", "--hash", "made");
  assert.ok(one.stdout.length > 0 && all.stdout.includes(one.stdout));
  const checked = await place.call("-f", "hash.yaml", "config", "--hash", "*");
  assert.equal([checked.status, checked.stdout], [3, ""]);
});

it("images are pinned to what the store has of them, else to what the registry says", async ({ place }) => {
  await place.write(
    "pin.yaml",
    `services: {a: {image: 'app:1'}, b: {image: 'app:1', tty: true}, c: {image: 'base@sha256:${"a".repeat(64)}'}}\n`,
  );
  const asked = await place.call("-f", "pin.yaml", "config", "--lock-image-digests");
  assert.is(asked.status, 0, asked.stderr);
  const [, digest = ""] = /a:\n {4}image: docker\.io\/library\/app:1@(sha256:[0-9a-f]{64})\n/.exec(asked.stdout) ?? [];
  assert.is(asked.stdout.split(digest).length, 3);
  await place.call("image", "pull", "app:1");
  const pinned = await place.call("-f", "pin.yaml", "config", "--resolve-image-digests");
  assert.match(pinned.stdout, new RegExp(`app:1@${digest}`));
  assert.match(pinned.stdout, /image: base@sha256:a/);
});

it.run();
