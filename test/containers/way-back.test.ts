/** Updates that fail: the old container is put back, and answers. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { page } from "../support/http.ts";
import { inspect, ps } from "../support/listings.ts";
import { freePort } from "../support/registry.ts";
import { WEB_CONFIG, webRootfs } from "../support/rootfs.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("the way back");

it(
  "an update whose program is not there, ends at once, or wants a port that is taken is taken back, and the old one answers",
  inWorld(failing),
);

it("with --no-rollback the failed replacement stays to be looked at", inWorld(left));

it.run();

const spec = (port: number, more: string): string => `name: shop
services:
  web:
    image: web
    ports: ["${port}:3000"]
    stop_grace_period: 2s
${more}`;

async function failing(world: World): Promise<void> {
  const port = await freePort();
  const cwd = await standing(world, port);
  const before = await inspect(world, "shop-web-1");
  const updates: readonly (readonly [string, string, string])[] = [
    ["no such program", "    cmd: /nowhere\n", "E_COMMAND_NOT_FOUND"],
    ["ends at once", "    cmd: [sh, -c, 'echo out of memory; exit 3']\n", "E_NOT_STEADY"],
    ["no such user", "    user: nobody-knows\n", "E_USER_UNKNOWN"],
  ];
  for (const [name, more, code] of updates) {
    await writeFile(join(cwd, "wharf.yaml"), spec(port, more));
    const { status, stderr } = await world.wharf(["up", "-d"], { cwd });
    assert.is(status, 1, `${name}\n${stderr}`);
    assert.match(stderr, code, name);
    assert.match(await page(`http://127.0.0.1:${port}/`), "<h1>green</h1>");
    assert.equal(
      (await ps(world, ["-a"], { cwd })).map(({ Name, State }) => [Name, State]),
      [["shop-web-1", "running"]],
      name,
    );
    assert.is((await inspect(world, "shop-web-1")).Id, before.Id, name);
  }
  await writeFile(join(cwd, "wharf.yaml"), spec(port, updates[1]?.[1] ?? ""));
  const { stderr } = await world.wharf(["up", "-d"], { cwd });
  assert.match(stderr, /\| out of memory/); // the last words of the one that failed
  await world.ok(["down"], { cwd });
}

async function left(world: World): Promise<void> {
  const port = await freePort();
  const cwd = await standing(world, port);
  await writeFile(join(cwd, "wharf.yaml"), spec(port, "    cmd: [sh, -c, 'exit 3']\n"));
  await world.wharf(["up", "-d", "--no-rollback"], { cwd });
  const names = (await ps(world, ["-a"], { cwd })).map(({ Name, State }) => [Name, State]);
  assert.equal(names, [["shop-web-1", "exited"]]);
  await world.ok(["down"], { cwd });
}

async function standing(world: World, port: number): Promise<string> {
  const words = [
    ...(WEB_CONFIG.Cmd ?? []).flatMap((word) => ["--cmd", word]),
    ...(WEB_CONFIG.Env ?? []).flatMap((word) => ["--env", word]),
  ];
  await world.ok(["image", "import", "-", "web", ...words], { input: webRootfs() });
  const cwd = await world.project("shop", { "wharf.yaml": spec(port, "") });
  await world.ok(["up", "-d"], { cwd });
  assert.match(await page(`http://127.0.0.1:${port}/`), "<h1>green</h1>");
  return cwd;
}
