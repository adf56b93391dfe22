/** Two projects with one name in two directories, as commands see them. */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
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

it("a rollback in a directory that was moved keeps to it, and makes nothing where it was", async ({ place }) => {
  const spec = (color: string): string =>
    `services: { web: { image: web, volumes: ["./data:/data"], environment: { COLOR: ${color} } } }\n`;
  const [old, moved] = ["a", "b"].map((side) => join(place.directory, side, "shop"));
  assert.ok(old !== undefined && moved !== undefined);
  for (const color of ["red", "blue"]) {
    await writeFile(join(old, "wharf.yaml"), spec(color));
    assert.is((await place.call("-f", join(old, "wharf.yaml"), "up", "-d")).status, 0);
  }
  await rm(moved, { recursive: true });
  await rename(old, moved);
  const here = (...argv: readonly string[]) => place.call("-f", join(moved, "wharf.yaml"), ...argv);
  const { status, stderr } = await here("rollback");
  assert.is(status, 0, stderr);
  assert.not.match(stderr, "W_OTHER_DIRECTORY");
  const [container] = JSON.parse((await here("inspect", "shop-web-1")).stdout);
  assert.is(container.Config.Labels["com.docker.compose.project.working_dir"], moved);
  assert.equal(
    container.Mounts.map(({ Source }: { readonly Source: string }) => Source),
    [join(moved, "data")],
  );
  assert.is((await here("up", "-d")).status, 0, "it is this directory's still");
});

it.run();
