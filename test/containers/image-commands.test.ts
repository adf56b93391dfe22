/** The commands about images, through the built command. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as assert from "uvu/assert";
import { dockerArchive, type ImageOfLayers, idOf, layoutArchive } from "../support/image-archive.ts";
import { layer } from "../support/image-store.ts";
import { startRegistry } from "../support/registry.ts";
import { webRootfs } from "../support/rootfs.ts";
import { containerSuite, finish, inWorld, WHARF, type World } from "../support/world.ts";

const it = containerSuite("commands about images");

const BASE = layer({ "etc/base": "the base ".repeat(2000) });
const ONE: ImageOfLayers = {
  layers: [BASE, layer({ one: "one" })],
  names: ["docker.io/library/one:1"],
  config: { config: { Cmd: ["/run"], Labels: { team: "shop" } } },
};
const TWO: ImageOfLayers = { layers: [BASE, layer({ two: "two" })], names: ["docker.io/library/two:1"] };

it(
  "load says what it took in, and ls filters it",
  inWorld(async (world) => {
    assert.is(await world.ok(["image", "load"], { input: layoutArchive([ONE, TWO]) }), "Loaded image: one:1\nLoaded image: two:1\n");
    assert.is(
      await world.ok(["image", "load"], { input: gzipSync(dockerArchive([{ ...ONE, names: [] }])) }),
      `Loaded image ID: ${idOf(ONE)}\n`,
    );
    const ids = async (...words: readonly string[]): Promise<readonly string[]> =>
      (await world.ok(["image", "ls", "-q", ...words])).split("\n").filter((line) => line !== "");
    assert.equal([...(await ids())].sort(), [idOf(ONE), idOf(TWO)].sort());
    assert.equal(await ids("--filter", "label=team=shop"), [idOf(ONE)]);
    assert.equal(await ids("--filter", "reference=t*"), [idOf(TWO)]);
    assert.equal(await ids("--filter", "dangling=true"), []);
    const wrong = await world.wharf(["image", "ls", "--filter", "nonsense=1"]);
    assert.is(wrong.status, 64);
    assert.match(wrong.stderr, "there is no filter nonsense");
  }),
);

it(
  "history tells of each step and what it added, the newest first",
  inWorld(async (world) => {
    await world.ok(["image", "load"], { input: layoutArchive([ONE]) });
    const [heading = "", ...rows] = (await world.ok(["image", "history", "one:1"])).trimEnd().split("\n");
    assert.equal(heading.split(/ {2,}/), ["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"]);
    assert.match(rows[0] ?? "", new RegExp(`^${idOf(ONE).slice(7, 19)} .* step 2 +3B$`));
    assert.match(rows[1] ?? "", /^<missing> .* step 1 +18kB$/);
    const [newest] = (await world.ok(["image", "history", "--format", "json", "one:1"]))
      .split("\n")
      .map((line) => JSON.parse(line || "null"));
    assert.equal(newest, { ID: idOf(ONE), CreatedAt: "2026-01-02T03:04:05Z", CreatedBy: "step 2", Size: 3, Comment: "" });
    assert.is((await world.wharf(["image", "history", "nothing"])).status, 1);
  }),
);

it(
  "inspect shows what is there, and says what is not",
  inWorld(async (world) => {
    await world.ok(["image", "load"], { input: layoutArchive([{ ...ONE, names: ["one:1"] }]) });
    const { status, stdout, stderr } = await world.wharf(["image", "inspect", "one:1", "two:1"]);
    assert.is(status, 1);
    assert.equal(
      JSON.parse(stdout).map(({ Id }: { readonly Id: string }) => Id),
      [idOf(ONE)],
    );
    assert.match(stderr, "there is no image two:1 in the store");
  }),
);

it(
  "tag, save, rm and load bring an image back under the name that was saved",
  inWorld(async (world) => {
    await world.ok(["image", "load"], { input: layoutArchive([ONE, TWO]) });
    await world.ok(["image", "tag", "one:1", "registry.example/shop/one:2"]);
    assert.match((await world.wharf(["image", "tag", "one:1", `x@${idOf(ONE)}`])).stderr, "a tag cannot");
    const file = join(world.root, "saved.tar");
    await world.ok(["image", "save", "-o", file, "registry.example/shop/one:2", "two:1"]);
    assert.equal(
      readdirSync(world.root).filter((name) => name.includes(".part")),
      [],
    );
    assert.match(await world.ok(["image", "rm", "registry.example/shop/one:2"]), "Untagged: registry.example/shop/one:2");
    assert.match(await world.ok(["image", "rm", "one:1", "two:1"]), `Deleted: ${idOf(ONE)}`);
    assert.is(await world.ok(["image", "load", "-i", file]), "Loaded image: registry.example/shop/one:2\nLoaded image: two:1\n");
    assert.is(await world.ok(["image", "verify"]), "everything is as it should be\n");
  }),
);

it(
  "save writes to a pipe, and neither to a terminal nor anything after a failure",
  inWorld(async (world) => {
    await world.ok(["image", "load"], { input: layoutArchive([ONE]) });
    const terminal = await finish(
      spawn("script", ["-qec", `"${process.execPath}" "${WHARF}" image save one:1`, "/dev/null"], { env: { ...world.env, TERM: "xterm" } }),
      { input: "" },
    );
    assert.is(terminal.status, 64);
    assert.match(terminal.stdout, "is not written to a terminal");
    const file = join(world.root, "none.tar");
    assert.is((await world.wharf(["image", "save", "-o", file, "one:1", "nothing"])).status, 1);
    assert.not.ok(existsSync(file));
    const broken = await world.wharf(["image", "load"], { input: layoutArchive([TWO]).subarray(0, 3000) });
    assert.is(broken.status, 1);
    assert.match(broken.stderr, "E_ARCHIVE");
    assert.match((await world.wharf(["image", "load", "-i", file])).stderr, "is not there");
  }),
);

it(
  "an archive goes from one wharf to another through a pipe, whatever its size",
  inWorld(async (world) => {
    await world.ok(["image", "import", "-", "web"], { input: webRootfs() });
    const command = `"${process.execPath}" "${WHARF}" image save web | WHARF_ROOT="$WHARF_ROOT-2" "${process.execPath}" "${WHARF}" image load`;
    const { status, stdout } = await finish(spawn("sh", ["-c", command], { env: { ...world.env } }));
    assert.is(status, 0);
    assert.is(stdout, "Loaded image: web:latest\n");
  }),
);

it(
  "prune asks, says what it frees, and leaves what containers use",
  inWorld(async (world) => {
    await world.ok(["image", "import", "-", "web", "--cmd", "sleep 1000"], { input: webRootfs() });
    const cwd = await world.project("prune", { "wharf.yaml": "services:\n  web:\n    image: web\n" });
    await world.ok(["create"], { cwd });
    await world.ok(["image", "load"], { input: layoutArchive([ONE, { ...TWO, names: [] }]) });

    const unasked = await world.wharf(["image", "prune", "-a"]);
    assert.is.not(unasked.status, 0);
    assert.match(unasked.stderr, /Remove 2 images that no container uses \(.*kB\)\?/);
    assert.match(await world.ok(["image", "prune", "--dry-run"]), `Deleted: ${idOf(TWO)}`);
    const first = await world.ok(["image", "prune", "-y"]);
    assert.match(first, new RegExp(`^Deleted: ${idOf(TWO)}\nTotal reclaimed space: [0-9.]+k?B\n$`));
    assert.is(await world.ok(["image", "prune", "-a", "-f", "--filter", "label=team=other"]), "Total reclaimed space: 0B\n");
    assert.match(await world.ok(["image", "prune", "-a", "-f", "--filter", "label=team=shop"]), "Untagged: one:1");
    assert.is(await world.ok(["image", "prune", "-a", "-y"]), "Total reclaimed space: 0B\n");

    assert.match((await world.wharf(["image", "rm", "web"])).stderr, "container prune-web-1 is using its image");
    const rows = (await world.ok(["images", "--format", "json"], { cwd })).trim();
    assert.is(JSON.parse(rows)[0].ContainerName, "prune-web-1");
    assert.match(await world.ok(["images"], { cwd }), /^prune-web-1 +web +latest +linux/m);
    assert.match(await world.ok(["image", "rm", "-f", "web"]), "Untagged: web:latest");
    assert.match(await world.ok(["image", "ls"]), /^<none> +<none> /m);
    await world.ok(["start"], { cwd });
    const [container] = JSON.parse(await world.ok(["inspect", "prune-web-1"], { cwd }));
    const running = await world.wharf(["image", "rm", "-f", container.Image.replace("sha256:", "").slice(0, 12)]);
    assert.match(running.stderr, "container prune-web-1 is using its image");
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "du tells what each image has alone and what it shares",
  inWorld(async (world) => {
    await world.ok(["image", "load"], { input: layoutArchive([ONE, TWO]) });
    const rows = (await world.ok(["image", "du", "--format", "json"]))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal(
      rows.map(({ Size, SharedSize, UniqueSize, Containers }) => [Size, SharedSize, UniqueSize, Containers]),
      [
        [18003, 18000, 3, 0],
        [18003, 18000, 3, 0],
      ],
    );
    assert.match(await world.ok(["image", "du"]), "2 images: 18kB unpacked, 18kB (100%) of that used by no container");
  }),
);

it(
  "verify names what is damaged, --repair and pull mend it",
  inWorld(async (world) => {
    const registry = await startRegistry();
    try {
      const name = `${registry.host}/one:1`;
      await world.ok(["image", "load"], { input: layoutArchive([{ ...ONE, names: [name] }]) });
      await world.ok(["image", "push", "-q", name]);
      await world.ok(["image", "rm", name]);
      await world.ok(["image", "pull", "-q", name]);
      const files = (await layersOf(world, name)).map((directory) => join(directory, "etc/base"));
      const base = files.find((file) => existsSync(file)) ?? "";
      truncateSync(base, 0);
      const found = await world.wharf(["image", "verify"]);
      assert.is(found.status, 1);
      assert.match(found.stdout, /one:1: layer [0-9a-f]{12} is not as its archive says: "etc\/base" has 0 bytes, not 18000\n/);
      assert.match(await world.ok(["image", "verify", "--repair"]), "not 18000: repaired");
      assert.is(statSync(base).size, 18000);
      for (const directory of await layersOf(world, name)) rmSync(directory, { recursive: true });
      await world.ok(["image", "pull", "-q", name]);
      assert.is(await world.ok(["image", "verify", name]), "everything is as it should be\n");
    } finally {
      await registry.stop();
    }
  }),
);

it(
  "a pull in a pipe has one line for each layer, and in JSON the events of all",
  inWorld(async (world) => {
    const registry = await startRegistry();
    try {
      const name = `${registry.host}/one:1`;
      await world.ok(["image", "load"], { input: layoutArchive([{ ...ONE, names: [name] }]) });
      await world.ok(["image", "push", "-q", name]);
      await world.ok(["image", "prune", "-a", "-y"]);
      const { stderr } = await world.wharf(["image", "pull", name]);
      assert.is(stderr.split("\n").filter((line) => line.includes(` ${name} unpacked `)).length, 2);
      assert.not.match(stderr, / (download|unpack|waiting) /);
    } finally {
      await registry.stop();
    }
  }),
);

it.run();

async function layersOf(world: World, name: string): Promise<readonly string[]> {
  const [document] = JSON.parse(await world.ok(["image", "inspect", name]));
  return String(document.GraphDriver.Data.LowerDir).split(":");
}
