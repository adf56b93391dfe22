/** Updates that nobody notices: the new container takes over from the old one while requests come in. */

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { page } from "../support/http.ts";
import { inspect, ps } from "../support/listings.ts";
import { Load } from "../support/load.ts";
import { freePort } from "../support/registry.ts";
import { WEB_CONFIG, webRootfs } from "../support/rootfs.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("start-first updates");

it("no request fails through updates that start the new container first, and each shows its colour at the end", inWorld(unnoticed));

it("a connection that is open keeps the old container until it ends", inWorld(draining));

it("with ports and a health check it is the way unasked, and one that never gets healthy is taken back unnoticed", inWorld(unasked));

it("a new container that does not make it never gets the port", inWorld(failing));

it.run();

async function unnoticed(world: World): Promise<void> {
  const port = await freePort();
  const cwd = await standing(world, { port, colour: "red" });
  const load = new Load([`http://127.0.0.1:${port}/`]);
  for (const colour of ["blue", "white", "black"]) {
    await writeFile(join(cwd, "wharf.yaml"), spec({ port, colour }));
    const stdout = await world.ok(["plan"], { cwd });
    assert.match(stdout, /replace\s+container\/shop-web-1/);
    await world.ok(["up", "-d"], { cwd });
    assert.match(await page(`http://127.0.0.1:${port}/`), `<h1>${colour}</h1>`);
  }
  const { answered, failed } = await load.end();
  assert.equal(failed, []);
  assert.ok(answered > 20, `${answered} requests`);
  assert.equal(
    (await ps(world, ["-a"], { cwd })).map(({ Name, State }) => [Name, State]),
    [["shop-web-1", "running"]],
  );
  await world.ok(["down"], { cwd });
}

async function draining(world: World): Promise<void> {
  const port = await freePort();
  const cwd = await standing(world, { port, colour: "red", more: "    stop_grace_period: 30s\n" });
  const before = await inspect(world, "shop-web-1");
  const slow = connect({ host: "127.0.0.1", port });
  await once(slow, "connect");
  slow.write("GET / HTTP/1.1\r\n"); // the head is not ended: the server waits
  await writeFile(join(cwd, "wharf.yaml"), spec({ port, colour: "blue", more: "    stop_grace_period: 30s\n" }));
  const update = world.wharf(["up", "-d"], { cwd });
  let seen = "";
  while (!seen.includes("blue")) seen = await page(`http://127.0.0.1:${port}/`);
  const containers = await ps(world, ["-a"], { cwd });
  assert.ok(containers.some(({ ID }) => before.Id.startsWith(ID)));
  slow.destroy();
  const { status, stderr } = await update;
  assert.is(status, 0, stderr);
  assert.is((await ps(world, ["-a"], { cwd })).length, 1);
  await world.ok(["down"], { cwd });
}

async function unasked(world: World): Promise<void> {
  const port = await freePort();
  const cwd = await standing(world, { port, colour: "red", more: CHECK });
  const load = new Load([`http://127.0.0.1:${port}/`]);
  await writeFile(join(cwd, "wharf.yaml"), spec({ port, colour: "blue", more: CHECK }));
  await world.ok(["up", "-d"], { cwd });
  assert.match(await page(`http://127.0.0.1:${port}/`), "<h1>blue</h1>");
  await writeFile(join(cwd, "wharf.yaml"), spec({ port, colour: "white", more: CHECK.replace("/index.html", "/none") }));
  const { status, stderr } = await world.wharf(["up", "-d"], { cwd });
  assert.is(status, 1, stderr);
  assert.match(stderr, /E_NOT_STEADY[\s\S]*unhealthy/);
  assert.match(await page(`http://127.0.0.1:${port}/`), "<h1>blue</h1>");
  assert.equal((await load.end()).failed, []);
  await world.ok(["down"], { cwd });
}

/** Of which nothing is said about the order. */
const CHECK = "    healthcheck: { test: wget -q -O /dev/null http://127.0.0.1:3000/index.html, interval: 300ms, retries: 2 }\n    ";

async function failing(world: World): Promise<void> {
  const port = await freePort();
  const cwd = await standing(world, { port, colour: "red" });
  const load = new Load([`http://127.0.0.1:${port}/`]);
  await writeFile(join(cwd, "wharf.yaml"), spec({ port, colour: "blue", more: "    cmd: [sh, -c, 'exit 3']\n" }));
  const { status, stderr } = await world.wharf(["up", "-d"], { cwd });
  assert.is(status, 1);
  assert.match(stderr, "E_NOT_STEADY");
  const again = "    cmd: [sh, -c, 'exit 3']\n    restart: always\n";
  await writeFile(join(cwd, "wharf.yaml"), spec({ port, colour: "blue", more: `${again}${CHECK.trimEnd()}\n` }));
  const second = await world.wharf(["up", "-d"], { cwd });
  assert.is(second.status, 1, "one that is started again and again never gets healthy, nor unhealthy");
  assert.match(second.stderr, /E_NOT_STEADY.*ends again and again/s);
  assert.equal((await load.end()).failed, []);
  assert.match(await page(`http://127.0.0.1:${port}/`), "<h1>red</h1>");
  await world.ok(["down"], { cwd });
}

const spec = ({ port, colour, more = "" }: { readonly port: number; readonly colour: string; readonly more?: string }): string =>
  `name: shop
services:
  web:
    image: web
    env: { COLOR: ${colour} }
    ports: ["${port}:3000"]
${more.endsWith(" ") ? more.trimEnd() : `${more}    deploy: { update_config: { order: start-first, monitor: 500ms } }`}
`;

async function standing(
  world: World,
  options: { readonly port: number; readonly colour: string; readonly more?: string },
): Promise<string> {
  const words = [
    ...(WEB_CONFIG.Cmd ?? []).flatMap((word) => ["--cmd", word]),
    ...(WEB_CONFIG.Env ?? []).flatMap((word) => ["--env", word]),
  ];
  await world.ok(["image", "import", "-", "web", ...words], { input: webRootfs() });
  const cwd = await world.project("shop", { "wharf.yaml": spec(options) });
  await world.ok(["up", "-d"], { cwd });
  assert.match(await page(`http://127.0.0.1:${options.port}/`), `<h1>${options.colour}</h1>`);
  return cwd;
}
