/** Ways back on real containers, with images whose tags move in a real registry. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { box } from "../support/box.ts";
import { inspect } from "../support/listings.ts";
import { startRegistry } from "../support/registry.ts";
import { busyboxRootfs } from "../support/rootfs.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("rollback");

it("rollback brings back the content that a tag had, and prune keeps it for that", inWorld(movedTag));

it("an update that fails is rolled back as rollback_config says, and so does wharf rollback go back", inWorld(rolledBack));

it("up --locked runs what the lock file pins, wherever the tag leads by now", inWorld(pinnedImages));

it("an up that is told of a plan made earlier does that", inWorld(savedPlan));

it.run();

async function movedTag(world: World): Promise<void> {
  const registry = await startRegistry();
  try {
    const image = `${registry.host}/app:1`;
    const cwd = await world.project("shop", { "wharf.yaml": spec(image, "red") });
    await publish(world, image, "first");
    await world.ok(["up", "-d"], { cwd });
    assert.match(await version(world, cwd), "first red");
    const kept = await imageId(world, image);
    await publish(world, image, "second");
    await writeFile(join(cwd, "wharf.yaml"), spec(image, "blue"));
    await world.ok(["up", "-d", "--pull", "always"], { cwd });
    assert.match(await version(world, cwd), "second blue");

    const history = (await world.ok(["history", "--format", "json"], { cwd }))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal(
      history.map(({ Revision, Changes }) => [Revision, Changes]),
      [
        [2, "web: environment.COLOR, image content"],
        [1, "web: first known"],
      ],
    );
    await world.ok(["image", "prune", "-a", "-y"], { cwd });
    await registry.stop(); // it all comes from here
    const { stdout } = await world.wharf(["rollback", "--dry-run"], { cwd });
    assert.match(stdout, /replace\s+container\/shop-web-1/);
    await world.ok(["rollback"], { cwd });
    assert.match(await version(world, cwd), "first red");
    const [container] = JSON.parse(await world.ok(["inspect", "shop-web-1"]));
    assert.is(container.Image, kept);

    await world.ok(["up", "-d"], { cwd }); // the spec says otherwise
    assert.match(await version(world, cwd), "second blue");
    const none = await world.wharf(["rollback", "99"], { cwd });
    assert.is(none.status, 64);
    assert.match(none.stderr, "it has 4, 3, 2, 1");
    await world.ok(["down"], { cwd });
  } finally {
    await registry.stop();
  }
}

/** Of three replicas the last one of `blue` does not stand. */
async function rolledBack(world: World): Promise<void> {
  const stands = (colour: string, most: number): string => `services:
  web:
    image: test/box:1
    environment: {COLOUR: ${colour}}
    volumes: [data:/data]
    cmd: [sh, -c, "echo >>/data/$COLOUR; test $(wc -l </data/$COLOUR) -le ${most} || exit 3; trap 'exit 0' TERM; while :; do sleep 0.1; done"]
    deploy:
      replicas: 3
      update_config: {parallelism: 1, failure_action: rollback, monitor: 100ms}
      rollback_config: {parallelism: 1, delay: 1s, monitor: 100ms, order: start-first}
volumes: {data: {}}
`;
  const write = (colour: string, most: number) => world.project("shop", { "wharf.yaml": stands(colour, most).replaceAll("$", () => "$$") });
  await box(world, "");
  const cwd = await write("red", 100);
  await world.ok(["up", "-d"], { cwd });
  const before = await idsOf(world);
  await write("blue", 2);
  const failed = await world.wharf(["--progress", "json", "up", "-d"], { cwd });
  assert.is(failed.status, 1, failed.stderr);
  assert.equal(await idsOf(world), before);
  const undone = eventsOf(failed.stderr, "step.undone").map(({ at }) => Date.parse(at));
  const pauses = undone.map((at, index) => at - (undone[index - 1] ?? at)).filter((ms) => ms >= 1000);
  assert.is(pauses.length, 1, "a second between the two that stood");
  await write("green", 100);
  await world.ok(["up", "-d"], { cwd });
  const back = await world.wharf(["--progress", "json", "rollback"], { cwd });
  assert.is(back.status, 0, back.stderr);
  const [{ steps = [] } = {}] = eventsOf(back.stderr, "plan.ready");
  assert.is(steps.filter(({ kind }) => kind === "container.takeover").length, 3, "start-first");
  await world.ok(["down", "-t", "0", "-v"], { cwd });
}

interface Told {
  readonly type: string;
  readonly at: string;
  readonly steps?: readonly { readonly kind: string }[];
}

function eventsOf(text: string, type: string): readonly Told[] {
  const all: readonly Told[] = text.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
  return all.filter((event) => event.type === type);
}

async function idsOf(world: World): Promise<readonly string[]> {
  return Promise.all([1, 2, 3].map(async (number) => (await inspect(world, `shop-web-${number}`)).Id));
}

async function pinnedImages(world: World): Promise<void> {
  const registry = await startRegistry();
  try {
    const image = `${registry.host}/app:1`;
    const cwd = await world.project("shop", { "wharf.yaml": spec(image, "red") });
    await publish(world, image, "first");
    await world.ok(["lock"], { cwd });
    await publish(world, image, "second");
    await world.ok(["up", "-d", "--locked"], { cwd });
    assert.match(await version(world, cwd), "first red");
    assert.match(await world.ok(["plan", "--locked"], { cwd }), /unchanged/);
    const check = await world.wharf(["lock", "--check"], { cwd });
    assert.is(check.status, 1);
    await world.ok(["lock", "--update"], { cwd });
    await world.ok(["up", "-d", "--locked"], { cwd });
    assert.match(await version(world, cwd), "second red");
    await world.ok(["down"], { cwd });
  } finally {
    await registry.stop();
  }
}

async function savedPlan(world: World): Promise<void> {
  await world.ok(["image", "import", "-", "app:1"], { input: busyboxRootfs() });
  const cwd = await world.project("shop", { "wharf.yaml": spec("app:1", "red").replace("cat /version", "echo v") });
  await world.ok(["plan", "-o", "red.plan"], { cwd });
  await writeFile(join(cwd, "wharf.yaml"), spec("app:1", "blue"));
  await world.ok(["up", "-d", "--plan", "red.plan"], { cwd });
  assert.match(await version(world, cwd), "v red");
  const again = await world.wharf(["up", "-d", "--plan", "red.plan"], { cwd });
  assert.match(again.stderr, "E_PLAN_STALE");
  await world.ok(["down"], { cwd });
}

const spec = (image: string, colour: string): string =>
  `services:\n  web:\n    image: ${image}\n    cmd: [sh, -c, 'echo $$(cat /version) $$COLOR; sleep 1000']\n    env: { COLOR: ${colour} }\n    init: true\n`;

async function publish(world: World, image: string, version: string): Promise<void> {
  await world.ok(["image", "import", "-", image], { input: busyboxRootfs({ entries: [{ path: "version", content: version }] }) });
  await world.ok(["image", "push", image]);
  await world.ok(["image", "rm", image]);
}

async function version(world: World, cwd: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    const text = await world.ok(["logs", "--no-log-prefix", "web"], { cwd });
    if (text !== "" || tries === 50) return text;
  }
}

async function imageId(world: World, image: string): Promise<string> {
  const [{ Id }] = JSON.parse(await world.ok(["image", "inspect", image]));
  return Id;
}
