/** Commands one after the other, each its own process, on the engine that only remembers. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makePlace, type Place } from "./call.ts";

const it = suite<{ place: Place }>("commands on the memory engine");

it.before.each(async (context) => {
  context.place = await makePlace();
  await context.place.write("wharf.yaml", SPEC);
});

it.after.each(({ place }) => place.dispose());

const SPEC = `name: shop
services:
  db: { image: db }
  web: { image: web, cmd: serve, depends_on: [db], ports: ["8080:80"] }
`;

it("what up made is listed, printed, and taken down again", async ({ place }) => {
  assert.is((await place.call("up", "-d")).status, 0);
  const listed = (await place.call("ps", "--format", "json")).stdout.trim().split("\n");
  assert.equal(
    listed.map((line) => JSON.parse(line)).map(({ Name, State, Command }) => [Name, State, Command]),
    [
      ["shop-db-1", "running", '"/run"'],
      ["shop-web-1", "running", '"serve"'],
    ],
  );
  assert.is((await place.call("logs", "--no-color", "web")).stdout, "web-1  | serve\n");
  const again = await place.call("up", "-d");
  assert.match(again.stderr, "2 unchanged");
  assert.is((await place.call("down")).status, 0);
  assert.is((await place.call("ps", "-a", "-q")).stdout, "");
});

it("a file that cannot be believed stops every command, with the way out", async ({ place }) => {
  const root = join(place.directory, "root");
  await mkdir(root);
  await writeFile(join(root, "memory.json"), "{");
  const { status, stderr } = await place.call("up", "-d");
  assert.is(status, 69);
  assert.match(stderr, "E_MEMORY_FILE");
  assert.match(stderr, `rm ${join(root, "memory.json")}`);
});

it.run();
