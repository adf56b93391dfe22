/** Updates that fail, one of every kind: the old version answers every request, the error says why, nothing is left, and a good update goes on. */
import { execFileSync } from "node:child_process";
import { mkdirSync, statfsSync, writeFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { page } from "../support/http.ts";
import { ps } from "../support/listings.ts";
import { Load } from "../support/load.ts";
import { freePort, startRegistry } from "../support/registry.ts";
import { WEB_CONFIG, webRootfs } from "../support/rootfs.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("updates that fail");

it("of every kind: the old version answers throughout, and the error says why", inWorld(ofEveryKind));

it("a disk that fills while an update pulls, creates or starts: the old version answers throughout", inWorld(fullDisk));

it.run();

interface Shop {
  readonly cwd: string;
  readonly port: number;
}

/** What the service has besides its port and its check; `null` takes the check away. */
interface Dress {
  readonly image?: string;
  readonly colour?: string;
  readonly cmd?: string;
  readonly check?: string;
  readonly ports?: readonly number[];
  readonly monitor?: string;
}

async function ofEveryKind(world: World): Promise<void> {
  const shop = await opened(world);
  const arm = webRootfs({ entries: [{ path: "usr/bin/arm", content: foreignProgram(), mode: 0o755 }] });
  await world.ok(["image", "import", "-", "arm", "--cmd", "/usr/bin/arm"], { input: arm });
  const registry = await startRegistry();
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "0.0.0.0", () => resolve()));
  const address = taken.address();
  const takenPort = address !== null && typeof address === "object" ? address.port : 0;
  const never = "wget -q -O /dev/null http://127.0.0.1:3000/none";
  const kinds: readonly (readonly [kind: string, dress: Dress, says: RegExp])[] = [
    ["an image that is not there", { image: `${registry.host}/none:1` }, /E_IMAGE_NOT_FOUND[\s\S]*none:1/],
    ["a program for another processor", { image: "arm" }, /E_NOT_STEADY[\s\S]*\| exec \/usr\/bin\/arm: exec format error/],
    ["no such program", { cmd: "/nowhere" }, /E_COMMAND_NOT_FOUND[\s\S]*\/nowhere/],
    ["a crash at once", { cmd: "[sh, -c, 'echo no memory; exit 3']" }, /E_NOT_STEADY[\s\S]*\| no memory/],
    ["a crash after two seconds", { cmd: "[sh, -c, 'sleep 2; exit 3']" }, /E_NOT_STEADY/],
    ["the same, without a check", { cmd: "[sh, -c, 'sleep 2; exit 3']", check: "", monitor: "60s" }, /E_NOT_STEADY[\s\S]*with 3/],
    [
      "healthy at first, and not for as long as it is watched",
      { check: "test ! -e /tmp/seen && touch /tmp/seen", monitor: "60s" },
      /E_NOT_STEADY[\s\S]*became unhealthy/,
    ],
    ["never healthy", { check: never }, /E_NOT_STEADY[\s\S]*unhealthy/],
    ["a port that another process has", { ports: [takenPort] }, new RegExp(`E_PORT_TAKEN[\\s\\S]*${takenPort}`)],
  ];
  try {
    for (const [kind, dress, says] of kinds) await failing(world, shop, { kind, dress, says });
  } finally {
    taken.close();
    await registry.stop();
  }
  await good(world, shop, "blue");
  await world.ok(["down", "-t", "1"], { cwd: shop.cwd });
}

async function failing(
  world: World,
  shop: Shop,
  update: { readonly kind: string; readonly dress: Dress; readonly says: RegExp },
): Promise<void> {
  const { kind, dress, says } = update;
  const load = new Load([`http://127.0.0.1:${shop.port}/`]);
  await wear(shop, { ...dress, colour: "red" });
  const { status, stdout, stderr } = await world.wharf(["up", "-d"], { cwd: shop.cwd });
  assert.equal((await load.end()).failed, [], kind);
  assert.is(status, 1, `${kind}\n${stdout}${stderr}`);
  assert.ok(says.test(stderr), `${kind}\n${stdout}${stderr}`);
  await assertOnly(world, shop, kind);
}

/** The old container is the only one, and what answers. */
async function assertOnly(world: World, { cwd, port }: Shop, where: string): Promise<void> {
  const listed = (await ps(world, ["-a"], { cwd })).map(({ Name, State }) => `${Name} ${State}`);
  assert.equal(listed, ["shop-web-1 running"], where);
  assert.match(await page(`http://127.0.0.1:${port}/`), "<h1>green</h1>", where);
}

/** Free pages on a disk, from none to enough: each step of an update meets its end somewhere. */
const PAGES_LEFT = [0, 1, 2, 3, 4, 6, 8, 12] as const;
const PAGE = 4096;

async function fullDisk(world: World): Promise<void> {
  mkdirSync(world.root, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "wharf-test", world.root]);
  try {
    const shop = await opened(world);
    const registry = await startRegistry();
    try {
      const large = webRootfs({ entries: [{ path: "large", content: Buffer.alloc(24 * 1024 * 1024, "large") }] });
      const elsewhere = { env: { WHARF_ROOT: `${world.root}-elsewhere` } };
      await world.ok(["image", "import", "-", `${registry.host}/large:1`], { input: large, ...elsewhere });
      await world.ok(["image", "push", `${registry.host}/large:1`], elsewhere);
      await failing(world, shop, { kind: "pulled", dress: { image: `${registry.host}/large:1` }, says: FULL });
    } finally {
      await registry.stop();
    }
    const filler = join(world.root, "filler");
    for (const pages of PAGES_LEFT) {
      writeFileSync(filler, "");
      const { bavail, bsize } = statfsSync(world.root);
      writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - pages * PAGE)));
      await wear(shop, { colour: "red" });
      const load = new Load([`http://127.0.0.1:${shop.port}/`]);
      const { status, stderr } = await world.wharf(["up", "-d"], { cwd: shop.cwd });
      assert.equal((await load.end()).failed, [], `${pages} pages`);
      if (status === 0) break;
      assert.ok(FULL.test(stderr), `${pages} pages\n${stderr}`);
      await rm(filler);
      await assertOnly(world, shop, `${pages} pages`);
    }
    await rm(filler, { force: true });
    await good(world, shop, "blue");
    const { bavail, bsize } = statfsSync(world.root);
    writeFileSync(filler, Buffer.alloc(bavail * bsize));
    await world.ok(["down", "-t", "1"], { cwd: shop.cwd }); // makes room, and needs none
    assert.equal(
      (await world.left()).filter((what) => what !== `mount ${world.root}`),
      [],
    );
  } finally {
    execFileSync("umount", ["-l", world.root]);
  }
}

const FULL = /E_(DISK_FULL|LAYER_LIMIT)[\s\S]*image prune/;

async function good(world: World, shop: Shop, colour: string): Promise<void> {
  await wear(shop, { colour });
  await world.ok(["up", "-d"], { cwd: shop.cwd });
  assert.match(await page(`http://127.0.0.1:${shop.port}/`), `<h1>${colour}</h1>`);
}

async function opened(world: World): Promise<Shop> {
  const words = [
    ...(WEB_CONFIG.Cmd ?? []).flatMap((word) => ["--cmd", word]),
    ...(WEB_CONFIG.Env ?? []).flatMap((word) => ["--env", word]),
  ];
  await world.ok(["image", "import", "-", "web", ...words], { input: webRootfs() });
  const shop = { cwd: await world.project("shop", { "wharf.yaml": "services: {}\n" }), port: await freePort() };
  await good(world, shop, "green");
  return shop;
}

async function wear({ cwd, port }: Shop, dress: Dress): Promise<void> {
  const { image = "web", colour = "green", cmd, ports = [], monitor = "100ms" } = dress;
  const check = dress.check ?? "wget -q -O /dev/null http://127.0.0.1:3000/index.html";
  const lines = [
    `image: ${image}`,
    `env: { COLOR: ${colour} }`,
    `ports: [${[`"${port}:3000"`, ...ports.map((other) => `"${other}:3000"`)].join(", ")}]`,
    `deploy: { update_config: { order: start-first, monitor: ${monitor} } }`,
    ...(cmd === undefined ? [] : [`cmd: ${cmd}`]),
    ...(check === "" ? [] : [`healthcheck: { test: ${check}, interval: 300ms, retries: 2 }`]),
  ];
  await writeFile(join(cwd, "wharf.yaml"), `name: shop\nservices:\n  web:\n${lines.map((line) => `    ${line}\n`).join("")}`);
}

/** The head of a program for a processor that this machine does not have: 64 bits, of the architecture of 1978. */
function foreignProgram(): Buffer {
  const head = Buffer.alloc(4096);
  head.write("\x7fELF\x02\x01\x01", "latin1");
  head.writeUInt16LE(2, 16); // a program
  head.writeUInt16LE(75, 18); // for a VAX
  head.writeUInt32LE(1, 20);
  return head;
}
