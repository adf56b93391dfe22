/** What somebody changed behind wharf's back: `plan` calls it drift, `up` puts it right. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { box } from "../support/box.ts";
import { inspect } from "../support/listings.ts";
import { killSupervisors, supervisors } from "../support/supervisors.ts";
import { until } from "../support/until.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("drift");

it("a killed container is drift and is started again; one that was stopped or ended by itself is not", inWorld(killed));

it("a container that was removed is drift and is made again under its name, and down forgets what is missing", inWorld(removed));

it("a bridge that was taken away is drift, and what is on it is connected again and goes on", inWorld(bridgeless));

it(
  "who was on a bridge that a restart has made again is drift, on other projects' networks too, and is connected again",
  inWorld(rebridged),
);

it("a network and a volume that were removed are drift, and what has them is restarted with new ones", inWorld(stripped));

it(
  "rules of the packet filter that were flushed while nobody looked after them, and who did, are drift, and both come back",
  inWorld(unattended),
);

it.run();

const OTHER = `  db:
    image: test/box:1
    cmd: [sh, -c, "mkdir -p /www; echo hello >/www/index.html; exec httpd -f -p 3000 -h /www"]
    init: true
`;

async function killed(world: World): Promise<void> {
  const cwd = await box(world, "init: true");
  await world.ok(["up", "-d"], { cwd });
  const { State } = await inspect(world, "shop-web-1");
  await world.ok(["kill", "-s", "WINCH", "web"], { cwd }); // which is not to ask for its end
  process.kill(State.Pid, "SIGKILL");
  await until("its end", async () => (await inspect(world, "shop-web-1")).State.Status === "exited");
  assert.equal(await drift(world, cwd), ["start container/shop-web-1 drift: it was killed by signal 9 (exited with 137)"]);
  assert.match(await world.ok(["plan"], { cwd }), /start +container\/shop-web-1 +drift: it was killed[\s\S]*\(1 drifted\)/);
  assert.match(
    await world.ok(["plan", "--format", "markdown"], { cwd }),
    /\*\*start\*\* \| `container\/shop-web-1` \| drift: it was killed/,
  );
  await putRight(world, cwd);
  await world.ok(["stop", "-t", "0"], { cwd });
  assert.equal(await drift(world, cwd), []);
  assert.is((await world.wharf(["plan", "--detailed-exitcode"], { cwd })).status, 2);
  const { Id } = await inspect(world, "shop-web-1");
  const directory = join(world.root, "containers", Id);
  const state = JSON.parse(readFileSync(join(directory, "state.json"), "utf8"));
  state.process.boot = "an-earlier-boot";
  writeFileSync(join(directory, "state.json"), JSON.stringify(state));
  assert.equal(await drift(world, cwd), [], "it was stopped before the machine was");
  rmSync(join(directory, "exit"));
  writeFileSync(join(world.root, "events", "shop.jsonl"), "");
  assert.equal(await drift(world, cwd), ["start container/shop-web-1 drift: it ended with the machine (exited with 255)"]);
  await world.ok(["down"], { cwd });
}

async function removed(world: World): Promise<void> {
  const cwd = await box(world, "scale: 2\ninit: true");
  await world.ok(["up", "-d"], { cwd });
  const remove = async (name: string): Promise<void> => {
    const { Id } = await inspect(world, name);
    await world.ok(["stop", "-t", "0", name], { cwd });
    rmSync(join(world.root, "containers", Id), { recursive: true });
  };
  await remove("shop-web-1");
  assert.equal(await drift(world, cwd), ["create container/shop-web-1 drift: it was removed"]);
  await putRight(world, cwd);
  assert.is((await inspect(world, "shop-web-1")).State.Status, "running");
  await remove("shop-web-2");
  await world.ok(["down", "-t", "0"], { cwd });
  assert.equal(await drift(world, cwd), []);
  assert.match(await world.ok(["plan"], { cwd }), /create +container\/shop-web-2 +not there yet/);
}

async function bridgeless(world: World): Promise<void> {
  const cwd = await box(world, "init: true", OTHER);
  await world.ok(["up", "-d"], { cwd });
  const before = await inspect(world, "shop-db-1");
  const { bridge }: { readonly bridge: string } = JSON.parse(readFileSync(join(world.root, "networks", "shop_default.json"), "utf8"));
  execFileSync("ip", ["link", "delete", bridge]);
  assert.equal(await drift(world, cwd), ["update network/shop_default drift: its bridge is gone"]);
  await putRight(world, cwd);
  const after = await inspect(world, "shop-db-1");
  assert.equal([after.Id, after.State.Pid], [before.Id, before.State.Pid]);
  assert.equal(addressOf(after), addressOf(before));
  await answers(world, cwd);

  // Broken off: to be connected where another one is already is more than one can, and what comes after it waits.
  execFileSync("ip", ["link", "delete", bridge]);
  const file = (id: string, name: string) => join(world.root, "containers", id, name);
  const made = (id: string): string => JSON.parse(readFileSync(file(id, "container.json"), "utf8")).createdAt;
  const [first = "", last = ""] = [before.Id, (await inspect(world, "shop-web-1")).Id].sort((a, b) => (made(a) < made(b) ? -1 : 1));
  const state = file(first, "state.json");
  const kept = readFileSync(state, "utf8");
  const { process: elsewhere } = JSON.parse(readFileSync(file(last, "state.json"), "utf8"));
  writeFileSync(state, JSON.stringify({ ...JSON.parse(kept), process: elsewhere }));
  assert.is((await world.wharf(["up", "-d"], { cwd })).status, 1);
  writeFileSync(state, kept);
  await putRight(world, cwd);
  await answers(world, cwd);
  await world.ok(["down", "-t", "0"], { cwd });
}

async function rebridged(world: World): Promise<void> {
  const cwd = await box(world, "init: true", `${OTHER}networks: {default: {ipam: {config: [{subnet: 10.213.7.0/24}]}}}\n`);
  await world.ok(["up", "-d"], { cwd });
  const guest = await world.project("guest", {
    "compose.yaml": `services: {visitor: {image: test/box:1, command: [sleep, inf], init: true, networks: [theirs]}}
networks: {theirs: {external: true, name: shop_default}}
`,
  });
  await world.ok(["up", "-d"], { cwd: guest });
  const file = join(world.root, "networks", "shop_default.json");
  const record = readFileSync(file, "utf8");
  const before = await inspect(world, "shop-db-1");
  execFileSync("ip", ["link", "delete", JSON.parse(record).bridge]);
  await world.ok(["restart", "-t", "0", "web"], { cwd });
  assert.equal(await drift(world, cwd), ["update network/shop_default drift: shop-db-1 is not connected to it any more"]);
  assert.equal(await drift(world, guest), ["update network/shop_default drift: guest-visitor-1 is not connected to it any more"]);
  await world.ok(["plan", "-o", "kept.plan"], { cwd });
  await putRight(world, guest);
  assert.is(readFileSync(file, "utf8"), record);
  const stale = await world.wharf(["up", "-d", "--plan", "kept.plan"], { cwd });
  assert.match(stale.stderr, /shop-db-1 was running.*cut off from shop_default; it is running/);
  assert.equal(await drift(world, cwd), []);
  const after = await inspect(world, "shop-db-1");
  assert.equal([after.Id, after.State.Pid, addressOf(after)], [before.Id, before.State.Pid, addressOf(before)]);
  await answers(world, cwd);
  await world.ok(["down", "-t", "0"], { cwd: guest });
  await world.ok(["down", "-t", "0"], { cwd });
}

async function stripped(world: World): Promise<void> {
  const cwd = await box(world, "init: true\nvolumes: [data:/data]", `${OTHER}volumes: {data: {}}\n`);
  await world.ok(["up", "-d"], { cwd });
  const before = await inspect(world, "shop-web-1");
  rmSync(join(world.root, "volumes", "shop_data"), { recursive: true });
  assert.equal(await drift(world, cwd), [
    "create volume/shop_data drift: it was removed, with what was in it",
    "update container/shop-web-1 drift: volume shop_data was removed; restarted",
  ]);
  await putRight(world, cwd);
  const after = await inspect(world, "shop-web-1");
  assert.is(after.Id, before.Id);
  await world.ok(["exec", "-T", "web", "touch", "/data/kept"], { cwd });
  assert.is(readFileSync(join(world.root, "volumes", "shop_data", "data", "kept"), "utf8"), "");
  rmSync(join(world.root, "networks", "shop_default.json"));
  assert.equal(await drift(world, cwd), [
    "create network/shop_default drift: it was removed",
    "update container/shop-web-1 drift: network shop_default was removed; restarted",
    "update container/shop-db-1 drift: network shop_default was removed; restarted",
  ]);
  await putRight(world, cwd);
  await answers(world, cwd);
  await world.ok(["down", "-t", "0", "-v"], { cwd });
}

async function unattended(world: World): Promise<void> {
  const cwd = await box(world, "init: true\nports: [8431:80]");
  await world.ok(["up", "-d"], { cwd });
  await until("its supervisor", async () => supervisors(world).length > 0);
  killSupervisors(world);
  await until("its end", async () => supervisors(world).length === 0);
  assert.equal(await drift(world, cwd), ["start supervisor/shop drift: it was killed, and nobody looks after the containers"]);
  const table = `wharf_${createHash("sha256").update(realpathSync(world.root)).digest("hex").slice(0, 8)}`;
  const rules = (): string => execFileSync("nft", ["list", "table", "ip", table], { encoding: "utf8" });
  const before = rules();
  execFileSync("nft", ["flush", "table", "ip", table]);
  assert.equal(await drift(world, cwd), [
    "update network/shop_default drift: its rules in the packet filter are gone",
    "start supervisor/shop drift: it was killed, and nobody looks after the containers",
  ]);
  await putRight(world, cwd);
  assert.is(rules(), before);
  await until("its supervisor", async () => supervisors(world).length > 0);
  for (const part of ["table", "map", "chain"]) {
    execFileSync("nft", ["flush", part, "ip", table, ...(part === "map" ? ["published"] : part === "chain" ? ["local"] : [])]);
    await until(`the ${part}`, async () => rules() === before);
  }
  await world.ok(["down", "-t", "0"], { cwd });
}

/** What the plan calls drift, a line a resource. */
async function drift(world: World, cwd: string): Promise<readonly string[]> {
  const { changes } = JSON.parse(await world.ok(["plan", "--format", "json"], { cwd })) as { readonly changes: readonly Told[] };
  return changes.filter((change) => change.drift).map(({ action, address, reason }) => `${action} ${address} ${reason}`);
}

interface Told {
  readonly action: string;
  readonly address: string;
  readonly reason: string;
  readonly drift: boolean;
}

async function putRight(world: World, cwd: string): Promise<void> {
  assert.is((await world.wharf(["plan", "--detailed-exitcode"], { cwd })).status, 2);
  await world.ok(["up", "-d"], { cwd });
  const { status, stdout } = await world.wharf(["plan", "--detailed-exitcode"], { cwd });
  assert.is(status, 0, stdout);
}

/** The one finds the other by its name, and gets an answer. */
async function answers(world: World, cwd: string): Promise<void> {
  await until("an answer by name", async () => {
    const { status, stdout } = await world.wharf(["exec", "-T", "web", "wget", "-qO-", "http://db:3000/"], { cwd });
    return status === 0 && stdout === "hello\n";
  });
}

function addressOf({ NetworkSettings }: Awaited<ReturnType<typeof inspect>>): string | undefined {
  return NetworkSettings.Networks["shop_default"]?.IPAddress;
}
