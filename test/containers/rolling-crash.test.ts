/** Commands that are killed in the middle of an update nobody is to notice: the next one finishes it, and the port answers all the while. */
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { page } from "../support/http.ts";
import { ps } from "../support/listings.ts";
import { Load } from "../support/load.ts";
import { Random } from "../support/random.ts";
import { freePorts } from "../support/registry.ts";
import { WEB_CONFIG, webRootfs } from "../support/rootfs.ts";
import { until } from "../support/until.ts";
import { containerSuite, finish, inWorld, type World } from "../support/world.ts";

/** With the rest of the suite fewer than by themselves (WHARF_RUNS=200). */
const KILLS = Number(process.env["WHARF_RUNS"] ?? 12);
const SEED = Number(process.env["WHARF_SEED"] ?? Date.now() % 1_000_000);
/** Kills after which the project goes, and nothing of it may stay. */
const DOWN_EVERY = 6;

const it = containerSuite("rolling updates that are killed");
console.log(`rolling-crash: WHARF_SEED=${SEED}`);

const title = "the next up converges, the port answers all the while, and nothing is left over";
it(
  `one container, killed ${Math.ceil(KILLS / 2)} times: ${title} (WHARF_SEED=${SEED})`,
  inWorld(async (world) => rolling(world, 1)),
);
it(
  `three containers, killed ${Math.floor(KILLS / 2)} times: ${title} (WHARF_SEED=${SEED})`,
  inWorld(async (world) => rolling(world, 3)),
);

it.run();

const COLOURS = ["red", "green", "blue", "white", "black", "grey"] as const;

interface Shop {
  readonly cwd: string;
  readonly ports: readonly number[];
}

async function rolling(world: World, replicas: 1 | 3): Promise<void> {
  const shop = await opened(world, replicas);
  const random = new Random(SEED + replicas);
  const kills = replicas === 1 ? Math.ceil(KILLS / 2) : Math.floor(KILLS / 2);
  let colour: string = COLOURS[0];
  let upMs = 0;
  let own: readonly string[] = [];
  for (let kill = 0; kill < kills; kill++) {
    if (kill % DOWN_EVERY === 0) {
      await dress(shop, colour);
      await world.ok(["up", "-d"], { cwd: shop.cwd });
      own = kinds(world);
      if (kill === 0) upMs = await timed(async () => change(world, shop, "grey"));
    }
    const load = new Load(shop.ports.map((port) => `http://127.0.0.1:${port}/`));
    colour = random.pick(COLOURS.filter((other) => other !== colour));
    await dress(shop, colour);
    const story: string[] = [];
    do {
      const afterMs = random.next() * upMs;
      story.push(`killed ${Math.round(afterMs)} ms into an update to ${colour}`);
      await killed(world, shop, afterMs);
    } while (random.chance(0.3));
    if (random.chance(0.3)) {
      colour = random.pick(COLOURS.filter((other) => other !== colour));
      await dress(shop, colour);
      story.push(`then asked for ${colour}`);
    }
    const where = `kill ${kill + 1}, ${story.join(", ")} (WHARF_SEED=${SEED})`;
    const problem = await converges(world, shop, { colour, where }).catch((error: unknown) => error);
    const { failed } = await load.end();
    if (problem !== undefined) throw problem;
    assert.equal(failed, [], where);
    await until(`${where}: only what it needs is there: ${own.join(", ")}`, async () => `${kinds(world)}` === `${own}`).catch((error) => {
      throw new Error(`${error.message}\nbut there is\n${world.has().join("\n")}`, { cause: error });
    });
    if (kill % DOWN_EVERY === DOWN_EVERY - 1 || kill === kills - 1) await gone(world, shop, where);
  }
}

async function converges(
  world: World,
  { cwd, ports }: Shop,
  { colour, where }: { readonly colour: string; readonly where: string },
): Promise<void> {
  const next = await world.wharf(["up", "-d"], { cwd });
  assert.is(next.status, 0, `${where}\n${next.stdout}${next.stderr}`);
  for (const port of ports) assert.match(await page(`http://127.0.0.1:${port}/`), `<h1>${colour}</h1>`, where);
  const listed = (await ps(world, ["-a"], { cwd })).map(({ Name, State }) => `${Name} ${State}`).sort();
  assert.equal(
    listed,
    ports.map((_, i) => `shop-web-${i + 1} running`),
    where,
  );
  const plan = await world.wharf(["plan", "--detailed-exitcode"], { cwd });
  assert.is(plan.status, 0, `${where}: something is left to do\n${plan.stdout}${plan.stderr}`);
}

/** What a world has, without what tells one thing from another of its kind. */
function kinds(world: World): readonly string[] {
  const counts = new Map<string, number>();
  const containers = readdirSync(join(world.root, "containers")).map((name) => `containers ${name}`);
  for (const what of [...world.has(), ...containers]) {
    // What runs in containers comes and goes, probes among them; the monitors and the supervisor stay.
    if (what.startsWith("process ") && !/conmon|supervisor/.test(what)) continue;
    // A name that a container had before it was renamed is let go by the next command that has something to do.
    if (what.startsWith("file ") && dirname(what).endsWith("/names")) continue;
    const kind = what.slice(0, what.indexOf(" "));
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${count} ${kind}`).sort();
}

async function gone(world: World, { cwd, ports }: Shop, where: string): Promise<void> {
  await world.ok(["down", "-v", "-t", "1"], { cwd });
  assert.equal(await world.left(), [], where);
  for (const port of ports) assert.is(await isRefused(port), true, `${where}: port ${port} is still open`);
}

async function isRefused(port: number): Promise<boolean> {
  try {
    await fetch(`http://127.0.0.1:${port}/`);
    return false;
  } catch (error) {
    const { cause } = error as { readonly cause?: NodeJS.ErrnoException };
    if (cause?.code === "ECONNREFUSED") return true;
    throw error;
  }
}

async function opened(world: World, replicas: 1 | 3): Promise<Shop> {
  const words = [
    ...(WEB_CONFIG.Cmd ?? []).flatMap((word) => ["--cmd", word]),
    ...(WEB_CONFIG.Env ?? []).flatMap((word) => ["--env", word]),
  ];
  await world.ok(["image", "import", "-", "web", ...words], { input: webRootfs() });
  return { cwd: await world.project("shop", { ".keep": "" }), ports: await freePorts(replicas) };
}

function dress({ cwd, ports }: Shop, colour: string): Promise<void> {
  const [first, last] = [ports[0], ports.at(-1)];
  return writeFile(
    join(cwd, "wharf.yaml"),
    `name: shop
services:
  web:
    image: web
    env: { COLOR: ${colour} }
    ports: ["${first === last ? first : `${first}-${last}`}:3000"]
    healthcheck: { test: wget -q -O /dev/null http://127.0.0.1:3000/index.html, interval: 300ms }
    stop_grace_period: 2s
    deploy: { replicas: ${ports.length}, update_config: { order: start-first, parallelism: 2, monitor: 100ms } }
`,
  );
}

async function change(world: World, shop: Shop, colour: string): Promise<void> {
  await dress(shop, colour);
  await world.ok(["up", "-d"], { cwd: shop.cwd });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function killed(world: World, { cwd }: Shop, afterMs: number): Promise<void> {
  const child = world.start(["up", "-d"], { cwd });
  const ended = finish(child);
  await sleep(afterMs);
  child.kill("SIGKILL");
  await ended;
}
