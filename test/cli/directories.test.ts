/** Two projects with one name in two directories, as commands see them. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makePlace, type Place } from "./call.ts";

const it = suite<{ place: Place }>("directories of one name");

it.before.each(async (context) => {
  context.place = await makePlace();
  for (const [side, service] of [
    ["a", "web"],
    ["b", "db"],
  ] as const) {
    await mkdir(join(context.place.directory, side, "shop"), { recursive: true });
    await writeFile(join(context.place.directory, side, "shop/wharf.yaml"), `services:\n  ${service}: { image: ${service} }\n`);
  }
});

it.after.each(({ place }) => place.dispose());

it("who changes is refused, who looks is told, and -p means what it says", async ({ place }) => {
  const file = (side: string): string => join(place.directory, side, "shop/wharf.yaml");
  const of = (side: string, ...argv: readonly string[]) => place.call("-f", file(side), ...argv);
  assert.is((await of("a", "up", "-d")).status, 0);
  for (const argv of [["up", "-d", "--remove-orphans"], ["down", "-v"], ["stop"], ["rm", "-f", "shop-web-1"], ["rollback"], ["plan"]]) {
    const { status, stderr } = await of("b", ...argv);
    assert.is(status, 1, `${argv.join(" ")}: ${stderr}`);
    assert.match(stderr, "E_OTHER_DIRECTORY");
  }
  const looked = await of("b", "ps", "-q");
  assert.is(looked.status, 0);
  assert.match(looked.stderr, /W_OTHER_DIRECTORY.*a\/shop/s);
  assert.is(looked.stdout.trim().split("\n").length, 1, "nothing was taken away");
  assert.is((await of("b", "-p", "shop", "down")).status, 0);
  assert.is((await of("b", "up", "-d")).status, 0, "nobody has the name now");
});

it.run();
