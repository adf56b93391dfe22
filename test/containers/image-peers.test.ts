/** What other tools make of our images, and we of theirs: the same tree, to the last attribute. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { hasDockerEngine, startDockerEngine } from "../support/docker-engine.ts";
import { dockerArchive, type ImageOfLayers, layoutArchive } from "../support/image-archive.ts";
import { startRegistry } from "../support/registry.ts";
import { type TarEntry, tar } from "../support/tar.ts";
import { differences, readTree, type Tree } from "../support/tree.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const peers = ["skopeo", "umoci"].filter((name) => !isThere(name));
const suite = containerSuite("images and other tools");
const it = peers.length === 0 ? suite : (title: string, body: () => Promise<void>) => suite.skip(title, body);
const itWithEngine = hasDockerEngine() ? suite : (title: string, body: () => Promise<void>) => suite.skip(title, body);
if (!hasDockerEngine())
  console.log("images and other tools: the test with Docker Engine is skipped, dockerd is not here (./setup --tests installs it)");
if (peers.length > 0) console.log(`images and other tools: skipped, ${peers.join(" and ")} is not here (./setup --tests installs it)`);

const PAX = {
  "SCHILY.xattr.user.colour": "green",
  "SCHILY.xattr.security.capability": Buffer.from("0100000200040000000000000000000000000000", "hex"),
};
const at = (entry: TarEntry): TarEntry => ({ mtime: 1_700_000_000, ...entry });

/** Everything that a layer can have, and on top of it everything that one can take away. */
const IMAGE: ImageOfLayers = {
  names: ["docker.io/shop/full:1"],
  layers: [
    tar(
      [
        { path: "./", type: "directory" },
        { path: "bin/", type: "directory" },
        { path: "bin/tool", content: "tool", mode: 0o4755 },
        { path: "bin/capable", content: "capable", mode: 0o755, pax: PAX },
        { path: "bin/link", type: "symlink", target: "/bin/tool" },
        { path: "bin/hard", type: "hardlink", target: "bin/tool", mode: 0o4755 }, // Docker Engine gives the file what its last name says
        { path: "tmp/", type: "directory", mode: 0o1777 },
        { path: "home/", type: "directory" },
        { path: "home/user/", type: "directory", uid: 1000, gid: 1000, mode: 0o700 },
        { path: "home/user/notes", content: "notes", uid: 1000, gid: 1000, mode: 0o640, mtime: 1_500_000_000 },
        { path: "dev/", type: "directory" },
        { path: "dev/null", type: "character", major: 1, minor: 3, mode: 0o666 },
        { path: "dev/loop", type: "block", major: 7, minor: 300, mode: 0o660, gid: 6 },
        { path: "run/", type: "directory" },
        { path: "run/pipe", type: "fifo", mode: 0o600 },
        { path: "gone/", type: "directory" },
        { path: "gone/file", content: "gone" },
        { path: "opaque/", type: "directory" },
        { path: "opaque/below", content: "below" },
        ...Array.from({ length: 15 }, (_, i): TarEntry => ({ path: `long/${"directory/".repeat(i)}`, type: "directory" })),
        { path: `long/${"directory/".repeat(14)}${"name".repeat(20)}`, content: "long" },
        { path: "etc/", type: "directory" },
        { path: "etc/removed", content: "removed" },
        { path: "etc/replaced", content: "before" },
      ].map((entry) => at(entry as TarEntry)),
    ),
    tar(
      [
        { path: "etc/", type: "directory" },
        { path: "etc/.wh.removed", content: "" },
        { path: "etc/replaced/", type: "directory" },
        { path: "etc/replaced/with", content: "a directory" },
        { path: ".wh.gone", content: "" },
        { path: "opaque/", type: "directory", mode: 0o750 },
        { path: "opaque/above", content: "above" },
        { path: "opaque/.wh..wh..opq", content: "" },
        { path: "home/", type: "directory" },
        { path: "home/user/", type: "directory", uid: 1000, gid: 1000, mode: 0o700 },
        { path: "home/user/more", content: "more", uid: 1000, gid: 1000 },
      ].map((entry) => at(entry as TarEntry)),
    ),
  ],
};

it(
  "umoci unpacks what we save as we do",
  inWorld(async (world) => {
    await world.ok(["image", "load"], { input: layoutArchive([IMAGE]) });
    for (const [format, from] of [
      ["docker-archive", "docker-archive"],
      ["oci-archive", "oci-archive"],
    ] as const) {
      await inDirectory(async (directory) => {
        await world.ok(["image", "save", "--format", format, "-o", join(directory, "image.tar"), "shop/full:1"]);
        run("skopeo", ["copy", "--insecure-policy", "-q", `${from}:${directory}/image.tar`, `oci:${directory}/layout:one`]);
        compare(await ourTree(world, "shop/full:1"), unpackedByUmoci(directory, "one"));
      });
    }
  }),
);

it(
  "what umoci makes and changes is loaded as umoci unpacks it",
  inWorld(async (world) => {
    await inDirectory(async (directory) => {
      await world.ok(["image", "load"], { input: layoutArchive([IMAGE]) });
      await world.ok(["image", "save", "--format", "oci-archive", "-o", join(directory, "image.tar"), "shop/full:1"]);
      run("skopeo", ["copy", "--insecure-policy", "-q", `oci-archive:${directory}/image.tar`, `oci:${directory}/layout:one`]);
      const bundle = join(directory, "bundle");
      run("umoci", ["unpack", "--image", `${directory}/layout:one`, bundle]);
      rmSync(join(bundle, "rootfs", "opaque"), { recursive: true });
      mkdirSync(join(bundle, "rootfs", "added"), { mode: 0o711 });
      writeFileSync(join(bundle, "rootfs", "added", "file"), "added");
      run("umoci", ["repack", "--image", `${directory}/layout:two`, bundle]);
      run("umoci", ["config", "--image", `${directory}/layout:two`, "--config.cmd", "/added/file"]);
      rmSync(bundle, { recursive: true });

      run("skopeo", ["copy", "--insecure-policy", "-q", `oci:${directory}/layout:two`, `oci-archive:${directory}/two.tar:shop/two:1`]);
      assert.is(await world.ok(["image", "load", "-i", join(directory, "two.tar")]), "Loaded image: shop/two:1\n");
      compare(await ourTree(world, "shop/two:1"), unpackedByUmoci(directory, "two"));
      const [document] = JSON.parse(await world.ok(["image", "inspect", "shop/two:1"]));
      assert.equal(document.Config.Cmd, ["/added/file"]);
    });
  }),
);

it(
  "what skopeo copies to Docker's archive and through a registry comes back as the same image",
  inWorld(async (world) => {
    const registry = await startRegistry();
    try {
      await inDirectory(async (directory) => {
        await world.ok(["image", "load"], { input: dockerArchive([IMAGE]) });
        const [{ Id: id }] = JSON.parse(await world.ok(["image", "inspect", "shop/full:1"]));
        const expected = await ourTree(world, "shop/full:1");
        await world.ok(["image", "tag", "shop/full:1", `${registry.host}/full:1`]);
        await world.ok(["image", "push", "-q", `${registry.host}/full:1`]);
        run("skopeo", [
          "copy",
          "--insecure-policy",
          "-q",
          "--src-tls-verify=false",
          `docker://${registry.host}/full:1`,
          `docker-archive:${directory}/image.tar:shop/back:1`,
        ]);
        run("skopeo", [
          "copy",
          "--insecure-policy",
          "-q",
          "--src-tls-verify=false",
          "--dest-tls-verify=false",
          `docker://${registry.host}/full:1`,
          `docker://${registry.host}/copy:1`,
        ]);
        await world.ok(["image", "rm", "-f", id.slice(7)]);

        assert.is(await world.ok(["image", "load", "-i", join(directory, "image.tar")]), "Loaded image: shop/back:1\n");
        compare(await ourTree(world, "shop/back:1"), expected);
        await world.ok(["image", "rm", "shop/back:1"]);
        await world.ok(["image", "pull", "-q", `${registry.host}/copy:1`]);
        compare(await ourTree(world, `${registry.host}/copy:1`), expected);
        assert.is(JSON.parse(await world.ok(["image", "inspect", `${registry.host}/copy:1`]))[0].Id, id);
        assert.is(await world.ok(["image", "verify"]), "everything is as it should be\n");
      });
    } finally {
      await registry.stop();
    }
  }),
);

itWithEngine(
  "Docker Engine loads what we save, and we what it saves, as the same image with the same tree",
  inWorld(async (world) => {
    await inDirectory(async (directory) => {
      const engine = await startDockerEngine(directory);
      try {
        await world.ok(["image", "load"], { input: layoutArchive([IMAGE]) });
        const [{ Id: id }] = JSON.parse(await world.ok(["image", "inspect", "shop/full:1"]));
        const expected = await ourTree(world, "shop/full:1");
        await world.ok(["image", "save", "-o", join(directory, "ours.tar"), "shop/full:1"]);
        await engine.load(readFileSync(join(directory, "ours.tar")));
        const loaded = await engine.image("shop/full:1");
        assert.is(loaded.id, id);
        compare(await stackedTree(loaded.layers), expected);

        await world.ok(["image", "rm", "shop/full:1"]);
        const back = await world.ok(["image", "load"], { input: await engine.save("shop/full:1") });
        assert.is(back, "Loaded image: shop/full:1\n");
        assert.is(JSON.parse(await world.ok(["image", "inspect", "shop/full:1"]))[0].Id, id);
        compare(await ourTree(world, "shop/full:1"), expected);
        assert.is(await world.ok(["image", "verify"]), "everything is as it should be\n");
      } finally {
        await engine.stop();
      }
    });
  }),
);

suite.run();

/** The layers of an image in the store, seen as one tree. */
async function ourTree(world: World, name: string): Promise<Tree> {
  const [document] = JSON.parse(await world.ok(["image", "inspect", name]));
  return stackedTree(document.GraphDriver.Data.LowerDir);
}

/** Directories as overlayfs shows them, the highest first. */
async function stackedTree(lower: string): Promise<Tree> {
  return inDirectory(async (directory) => {
    run("mount", ["-t", "overlay", "overlay", "-o", `ro,lowerdir=${directory}:${lower}`, directory]);
    try {
      return readTree(directory, { merged: true });
    } finally {
      run("umount", [directory]);
    }
  });
}

function unpackedByUmoci(directory: string, tag: string): Tree {
  const bundle = mkdtempSync(join(directory, "bundle-"));
  rmSync(bundle, { recursive: true });
  run("umoci", ["unpack", "--image", `${directory}/layout:${tag}`, bundle]);
  return readTree(join(bundle, "rootfs"), { merged: true });
}

function compare(actual: Tree, expected: Tree): void {
  assert.ok(actual.size > 20);
  assert.equal(
    differences(actual, expected).filter((line) => !line.startsWith('".":')),
    [],
  );
}

async function inDirectory<T>(body: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync("/tmp/wharf-peers-");
  try {
    return await body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[]): void {
  try {
    execFileSync(program, args, { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
    throw new Error(`${program} ${args.join(" ")}: ${said}`, { cause: error });
  }
}

function isThere(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
