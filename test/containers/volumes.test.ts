/** Volumes through the built command: what is kept, what goes, and what is asked before it does. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { inspect } from "../support/listings.ts";
import { BUSYBOX_CONFIG, busyboxRootfs } from "../support/rootfs.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("volumes");

it("volumes are made, listed, inspected and deleted by their names, never while a container mounts them", inWorld(byName));

it("prune deletes anonymous volumes, with -a those with a name too, and says beforehand which and how much", inWorld(pruning));

it("an external volume is made by itself, and outlives its projects", inWorld(external));

it.run();

async function byName(world: World): Promise<void> {
  const cwd = await shop(world, 'volumes: ["data:/data", "/cache"]', "volumes: { data: { labels: { team: a } } }");
  await world.ok(["exec", "-T", "web", "sh", "-c", "echo kept > /data/file"], { cwd });
  assert.equal(lines(await world.ok(["volumes", "-q"], { cwd })).length, 2);
  assert.match(
    await world.ok(["volumes"], { cwd }),
    /^DRIVER +VOLUME NAME +PROJECT +CREATED +USED BY\n[\s\S]*local +shop_data +shop +.* ago +shop-web-1$/m,
  );
  assert.equal(lines(await world.ok(["volume", "ls", "-q", "--filter", "label=team=a"])), ["shop_data"]);
  const [seen] = JSON.parse(await world.ok(["volume", "inspect", "shop_data"]));
  assert.equal([seen.Name, seen.Driver, seen.Labels.team, seen.UsedBy], ["shop_data", "local", "a", ["shop-web-1"]]);
  assert.ok(existsSync(join(seen.Mountpoint, "file")));
  const refused = await world.wharf(["volume", "rm", "shop_data"]);
  assert.is(refused.status, 1);
  assert.match(refused.stderr, /E_VOLUME_IN_USE[\s\S]*shop-web-1/);
  await world.ok(["down"], { cwd });
  assert.ok(existsSync(join(seen.Mountpoint, "file")), "down deleted it");
  assert.match((await world.wharf(["volume", "rm", "none", "shop_data"])).stderr, /E_VOLUME_MISSING[\s\S]*none/);
  assert.not.ok(existsSync(seen.Mountpoint), "what can go goes");
  await world.ok(["volume", "rm", "-f", "none"]);
  assert.is((await world.wharf(["volume", "inspect", "shop_data"])).status, 1);
}

async function pruning(world: World): Promise<void> {
  const cwd = await shop(world, 'volumes: ["data:/data", "/cache"]', "volumes: { data: }");
  await world.ok(["exec", "-T", "web", "sh", "-c", "head -c 12000 /dev/zero > /cache/file; head -c 3000 /dev/zero > /data/file"], { cwd });
  const cache = (await inspect(world, "shop-web-1")).Mounts.find(({ Destination }) => Destination === "/cache")?.Name ?? "";
  assert.match(await world.ok(["volume", "prune", "-a", "--dry-run"]), /^Would reclaim: 0B$/m);
  await world.ok(["down"], { cwd });
  const unanswered = await world.wharf(["volume", "prune"]);
  assert.match(unanswered.stderr, new RegExp(`E_NEEDS_ANSWER[\\s\\S]*${cache} \\(12kB\\)`));
  assert.not.match(unanswered.stderr, /shop_data/);
  assert.match(await world.ok(["volume", "prune", "--dry-run", "-a"]), /shop_data \(3kB\)\nWould reclaim: 15kB/);
  assert.is(await world.ok(["volume", "prune", "-f"]), `Deleted: ${cache}\nTotal reclaimed space: 12kB\n`);
  assert.equal(lines(await world.ok(["volume", "ls", "-q"])), ["shop_data"]);
  assert.is(await world.ok(["volume", "prune", "-a", "-y", "--filter", "project=other"]), "Total reclaimed space: 0B\n");
  assert.is(await world.ok(["volume", "prune", "-a", "-y"]), "Deleted: shop_data\nTotal reclaimed space: 3kB\n");
}

async function external(world: World): Promise<void> {
  const cwd = await project(world, 'volumes: ["data:/data"]', "volumes: { data: { external: true, name: archive } }");
  const refused = await world.wharf(["up", "-d"], { cwd });
  assert.match(refused.stderr, /E_VOLUME_MISSING[\s\S]*wharf volume create archive/);
  const unknown = await world.wharf(["volume", "create", "-o", "size=1g", "x"]);
  assert.match(unknown.stderr, /E_VOLUME_DRIVER[\s\S]*does not know size/);
  await world.ok(["volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "memory"]);
  assert.equal(JSON.parse(await world.ok(["volume", "inspect", "memory"]))[0].Options, { type: "tmpfs", device: "tmpfs" });
  await world.ok(["volume", "rm", "memory"]);
  assert.is(await world.ok(["volume", "create", "--label", "team=a", "archive"]), "archive\n");
  await world.ok(["up", "-d"], { cwd });
  await world.ok(["down", "-v"], { cwd });
  assert.equal(lines(await world.ok(["volume", "ls", "-q"])), ["archive"]);
}

const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

/** A project with one service that does nothing, up. */
async function shop(world: World, service: string, top: string): Promise<string> {
  const cwd = await project(world, service, top);
  await world.ok(["up", "-d"], { cwd });
  return cwd;
}

async function project(world: World, service: string, top: string): Promise<string> {
  await world.ok(["image", "import", "-", "tools:1", ...(BUSYBOX_CONFIG.Env?.flatMap((env) => ["--env", env]) ?? [])], {
    input: busyboxRootfs(),
  });
  const web = `{ image: "tools:1", command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.1; done"], ${service} }`;
  return world.project("shop", { "wharf.yaml": `name: shop\nservices:\n  web: ${web}\n${top}\n` });
}
