/** What services run around the life of their containers: `pre_start`, `post_start`, `pre_stop`. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { IDLE, idleProject } from "../support/idle.ts";
import { ps } from "../support/listings.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("hooks");

it("post_start runs after each start, as who, where and with what it says", inWorld(postStart));

it("a post_start that fails fails the command and leaves the container", inWorld(failingPostStart));

it("pre_stop runs before stop, restart, replacement and down, not after an end of its own", inWorld(preStop));

it("a pre_stop that fails keeps the container from being stopped", inWorld(failingPreStop));

it("pre_start runs to its end in containers of its own before the first start, once for all replicas or for each", inWorld(preStart));

it("a pre_start that fails keeps the service from starting, and is tried again", inWorld(failingPreStart));

it.run();

async function postStart(world: World): Promise<void> {
  const hooks = `post_start: [{ command: [sh, -c, 'echo "$$(id -u) $$(pwd) $$A $$B" >> /log/l; echo said'], user: "7", working_dir: /tmp, environment: { B: hook } }]`;
  const cwd = await idleProject(world, "shop", [`web: { ${IDLE}, environment: { A: web, B: web }, volumes: [./log:/log], ${hooks} }`]);
  await world.project("shop", { "log/l": "" });
  await world.ok(["run", "--rm", "-T", "--entrypoint", "chmod", "web", "666", "/log/l"], { cwd });
  const log = (): Promise<string> => readFile(join(cwd, "log/l"), "utf8");
  const up = await world.wharf(["up", "-d"], { cwd });
  assert.is(up.status, 0, up.stderr);
  assert.match(up.stderr, /said/);
  assert.is(await log(), "7 /tmp web hook\n");
  await world.ok(["up", "-d"], { cwd });
  assert.is(await log(), "7 /tmp web hook\n");
  await world.ok(["restart"], { cwd });
  await world.ok(["stop"], { cwd });
  await world.ok(["start"], { cwd });
  assert.is(await log(), "7 /tmp web hook\n".repeat(3));
  const [before] = await ps(world, [], { cwd });
  const spec = await readFile(join(cwd, "wharf.yaml"), "utf8");
  await writeFile(join(cwd, "wharf.yaml"), spec.replace("echo said", "echo more >> /log/l"));
  assert.match((await world.wharf(["up", "-d"], { cwd })).stderr, /1 updated/); // another hook is written down, and needs no other container
  await world.ok(["restart"], { cwd });
  assert.match(await log(), /more\n$/);
  const [after] = await ps(world, [], { cwd });
  assert.is(after?.ID, before?.ID);
  await world.ok(["down"], { cwd });
}

async function failingPostStart(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [
    `web: { ${IDLE}, post_start: [{ command: [sh, -c, "echo no luck; exit 3"] }] }`,
    `after: { ${IDLE}, depends_on: [web] }`,
  ]);
  const up = await world.wharf(["up", "-d"], { cwd });
  assert.is(up.status, 1);
  assert.match(up.stderr, /E_HOOK.*web hook exited with status 3: no luck \(post_start .* in shop-web-1\)/);
  assert.equal(
    (await ps(world, ["-a"], { cwd })).map(({ Name, State }) => [Name, State]),
    [
      ["shop-after-1", "created"],
      ["shop-web-1", "running"],
    ],
  );
  await world.ok(["down"], { cwd });

  const short = await idleProject(world, "gone", [`web: { image: "tools:1", command: ["true"], post_start: [{ command: [sleep, "5"] }] }`]);
  const gone = await world.wharf(["up", "-d"], { cwd: short });
  assert.is(gone.status, 1);
  assert.match(gone.stderr, /E_HOOK/);
  await world.ok(["down"], { cwd: short });

  const missing = await idleProject(world, "missing", [`web: { ${IDLE}, post_start: [{ command: nowhere }] }`]);
  assert.match((await world.wharf(["up", "-d"], { cwd: missing })).stderr, /E_COMMAND_NOT_FOUND/);
  await world.ok(["down"], { cwd: missing });
}

async function preStop(world: World): Promise<void> {
  const hook = `pre_stop: [{ command: [sh, -c, "echo 1 >> /log/l"] }, { command: [sh, -c, "echo 2 >> /log/l"] }]`;
  const cwd = await idleProject(world, "shop", [`web: { ${IDLE}, volumes: [./log:/log], ${hook} }`]);
  await world.project("shop", { "log/l": "" });
  const log = (): Promise<string> => readFile(join(cwd, "log/l"), "utf8");
  await world.ok(["up", "-d"], { cwd });
  await world.ok(["restart"], { cwd });
  assert.is(await log(), "1\n2\n");
  await world.ok(["up", "-d", "--force-recreate"], { cwd });
  assert.is(await log(), "1\n2\n".repeat(2));
  await world.ok(["stop"], { cwd });
  assert.is(await log(), "1\n2\n".repeat(3));
  await world.ok(["stop"], { cwd });
  await world.ok(["start"], { cwd });
  await world.ok(["kill"], { cwd });
  await world.ok(["start"], { cwd });
  await world.ok(["rm", "-f"], { cwd });
  assert.is(await log(), "1\n2\n".repeat(3));
  await world.ok(["up", "-d"], { cwd });
  await world.ok(["down"], { cwd });
  assert.is(await log(), "1\n2\n".repeat(4));
}

async function failingPreStop(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [`web: { ${IDLE}, pre_stop: [{ command: ["false"] }] }`]);
  await world.ok(["up", "-d"], { cwd });
  const stop = await world.wharf(["stop"], { cwd });
  assert.is(stop.status, 1);
  assert.match(stop.stderr, /E_HOOK[\s\S]*wharf kill web/);
  assert.is((await ps(world, [], { cwd }))[0]?.State, "running");
  await world.ok(["kill"], { cwd });
  await world.ok(["down"], { cwd });
}

async function preStart(world: World): Promise<void> {
  const steps = [
    `{ command: [sh, -c, "echo all $$(hostname | wc -c) $$A >> /log/l"], environment: { A: step } }`,
    `{ image: "ready:1", command: [sh, -c, "echo each >> /log/l"], per_replica: true }`,
  ];
  const cwd = await idleProject(world, "shop", [`web: { ${IDLE}, volumes: [./log:/log], scale: 2, pre_start: [${steps.join(", ")}] }`]);
  await world.project("shop", { "log/l": "" });
  await world.ok(["image", "tag", "tools:1", "ready:1"], { cwd });
  const log = (): Promise<string> => readFile(join(cwd, "log/l"), "utf8");
  await world.ok(["up", "-d"], { cwd });
  assert.match(await log(), /^all \d+ step\neach\neach\n$/);
  assert.is((await ps(world, ["-a"], { cwd })).length, 2);
  await world.ok(["restart"], { cwd });
  await world.ok(["stop"], { cwd });
  await world.ok(["up", "-d"], { cwd });
  assert.match(await log(), /^all \d+ step\neach\neach\n$/);
  await world.ok(["scale", "web=3"], { cwd });
  assert.match(await log(), /^all \d+ step\neach\neach\neach\n$/);
  assert.not.match(await world.ok(["plan", "--force-recreate"], { cwd }), /pull/); // its image is here
  await world.ok(["up", "-d", "--force-recreate"], { cwd });
  assert.match(await log(), /\neach\nall \d+ step\neach\neach\n$/); // what is made anew is prepared anew
  await world.ok(["down"], { cwd });
  await world.ok(["create"], { cwd });
  await world.ok(["start"], { cwd });
  assert.match(await log(), /\nall \d+ step\neach\neach\n$/);
  await world.ok(["down"], { cwd });
}

async function failingPreStart(world: World): Promise<void> {
  const step = `{ command: [sh, -c, "echo looking; test -e /log/ready"] }`;
  const cwd = await idleProject(world, "shop", [`web: { ${IDLE}, volumes: [./log:/log], pre_start: [${step}] }`]);
  await world.project("shop", { "log/l": "" });
  const up = await world.wharf(["up", "-d"], { cwd });
  assert.is(up.status, 1);
  assert.match(
    up.stderr,
    /E_DEPENDENCY_FAILED.*service "web" pre_start\[0\] exited with code 1 \(shop-web-pre_start-0\)[\s\S]*wharf logs shop-web-pre_start-0/,
  );
  assert.match(await world.ok(["logs", "shop-web-pre_start-0"], { cwd }), /looking/);
  assert.is((await ps(world, ["-a"], { cwd })).find(({ Name }) => Name === "shop-web-1")?.State, "created");
  await writeFile(join(cwd, "log/ready"), "");
  await world.ok(["up", "-d"], { cwd });
  assert.equal(
    (await ps(world, ["-a"], { cwd })).map(({ Name, State }) => [Name, State]),
    [["shop-web-1", "running"]],
  );
  await world.ok(["down"], { cwd });
}
