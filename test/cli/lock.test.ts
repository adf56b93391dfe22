/** The lock file: what it looks like, what keeps to it, and what is refused. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { lockText, parseLock } from "../../src/cli/lock-file.ts";
import { Failure } from "../../src/model/diagnostic.ts";
import { reference } from "../support/build.ts";
import { makePlace, type Place } from "./call.ts";

const it = suite<{ place: Place }>("lock");

it.before.each(async (context) => {
  context.place = await makePlace();
  await context.place.write("wharf.yaml", SPEC);
});

it.after.each(({ place }) => place.dispose());

const DIGEST = `sha256:${"a".repeat(64)}`;
const SPEC = `name: shop
services:
  db: { image: db }
  web: { image: "web:1" }
  again: { image: db }
  fixed: { image: "fixed@${DIGEST}" }
`;

it("one line an image, sorted; what has a digest already needs none", async ({ place }) => {
  const { status, stderr } = await place.call("lock");
  assert.is(status, 0, stderr);
  const lines = lockOf(place).split("\n");
  assert.match(lines[0] ?? "", /^# /);
  assert.is(lines[1], "version: 1");
  assert.match(lines.slice(2).join("\n"), /^images:\n {2}"db:latest": sha256:[0-9a-f]{64}\n {2}"web:1": sha256:[0-9a-f]{64}\n$/);
  assert.match((await place.call("lock")).stderr, "2 images pinned, nothing new");
});

it("what is pinned stays until it is moved, and check says what would move", async ({ place }) => {
  await place.call("lock");
  const moved = lockOf(place).replace(/("web:1": sha256:).*/, `$1${"b".repeat(64)}`);
  await place.write("wharf.lock", moved);
  await place.call("lock");
  assert.is(lockOf(place), moved);
  const check = await place.call("lock", "--check");
  assert.is(check.status, 1);
  assert.match(check.stdout, /^~ web:1 sha256:b+ -> sha256:[0-9a-f]{64}\n$/);
  assert.is((await place.call("lock", "--check", "db")).status, 0);
  await place.call("lock", "--update", "db");
  assert.is(lockOf(place), moved);
  await place.call("lock", "--update");
  assert.is((await place.call("lock", "--check")).status, 0);
});

it("an image that is named no more is taken out", async ({ place }) => {
  await place.call("lock");
  await place.write("wharf.yaml", "name: shop\nservices:\n  db: { image: db }\n");
  await place.call("lock");
  assert.not.match(lockOf(place), "web");
});

it("up --locked refuses what is not pinned, at its place, and a project without a lock file", async ({ place }) => {
  const none = await place.call("up", "-d", "--locked");
  assert.is(none.status, 3);
  assert.match(none.stderr, /E_NOT_LOCKED[\s\S]*there is no wharf\.lock/);
  await place.write("wharf.lock", lockText(new Map([[reference("db"), DIGEST]])));
  const { status, stderr } = await place.call("plan", "--locked");
  assert.is(status, 3);
  assert.match(stderr, /image web:1 of service web is not in wharf\.lock\n +--> wharf\.yaml:4/);
});

it("a file that is not what lock writes is refused with its place", () => {
  const broken: readonly (readonly [string, RegExp])[] = [
    ["<<<<<<< HEAD\nversion: 1\n", /is not what `wharf lock` writes|has no images/],
    ["version: 1\n", /has no images/],
    ["version: 2\nimages: {}\n", /version 2/],
    ['version: 1\nimages:\n  "db:latest": sha256:short\n', /db:latest/],
    ['version: 1\nimages:\n  "DB": sha256:short\n', /lowercase/],
  ];
  for (const [text, said] of broken) {
    try {
      parseLock(text, "/srv/wharf.lock");
      assert.unreachable(text);
    } catch (error) {
      assert.ok(error instanceof Failure, text);
      assert.ok(error.has("E_LOCK_FILE"), text);
      assert.match(error.message, said);
      assert.is(error.diagnostics[0]?.source?.file, "/srv/wharf.lock");
    }
  }
});

const lockOf = ({ directory }: Place): string => readFileSync(join(directory, "wharf.lock"), "utf8");

it.run();
