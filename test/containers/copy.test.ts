/** Copying files out of containers and into them, through the built command. */
import { chmod, chown, lstat, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { BUSYBOX_CONFIG, busyboxRootfs } from "../support/rootfs.ts";
import { tar } from "../support/tar.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("cp");

it("files go both ways, with volumes and tmpfs, from running containers and stopped ones", inWorld(bothWays));

it("owners are kept with -a only, and set-id bits with them", inWorld(owners));

it("- is a tar stream on either side", inWorld(streams));

it("copies go to every replica, or to the one that --index says", inWorld(replicas));

it("links of a container lead nowhere on this machine, also those that are swapped in meanwhile", inWorld(hostile));

it("what cannot be copied is said in words", inWorld(refusals));

it.run();

async function bothWays(world: World): Promise<void> {
  const cwd = await shop(world);
  await world.ok(["exec", "-T", "web", "sh", "-c", "mkdir -p /d/e; echo 1 > /d/e/f; echo v > /data/v; echo t > /t/t; ln -s /d /link"], {
    cwd,
  });
  await world.ok(["cp", "web:/d", "."], { cwd });
  assert.is(await readFile(join(cwd, "d/e/f"), "utf8"), "1\n");
  await world.ok(["cp", "web:/d/.", "content"], { cwd });
  assert.is(await readFile(join(cwd, "content/e/f"), "utf8"), "1\n");
  await world.ok(["cp", "shop-web-1:data/v", "vol"], { cwd });
  assert.is(await readFile(join(cwd, "vol"), "utf8"), "v\n");
  await world.ok(["cp", "web:/t/t", "tmp"], { cwd });
  assert.is(await readFile(join(cwd, "tmp"), "utf8"), "t\n");
  await world.ok(["cp", "web:/link", "asLink"], { cwd });
  assert.is(await readlink(join(cwd, "asLink")), "/d");
  await world.ok(["cp", "-L", "web:/link", "followed"], { cwd });
  assert.is(await readFile(join(cwd, "followed/e/f"), "utf8"), "1\n");

  await world.ok(["cp", "d", "web:/data"], { cwd });
  await world.ok(["cp", "tmp", "web:/t/back"], { cwd });
  assert.is(await world.ok(["exec", "-T", "web", "cat", "/data/d/e/f", "/t/back"], { cwd }), "1\nt\n");

  await world.ok(["stop"], { cwd });
  await world.ok(["cp", "web:/data/d/e/f", "stopped"], { cwd });
  assert.is(await readFile(join(cwd, "stopped"), "utf8"), "1\n");
  await writeFile(join(cwd, "more"), "2\n");
  await world.ok(["cp", "more", "web:/data"], { cwd });
  await world.ok(["cp", "more", "web:/more"], { cwd });
  await world.ok(["start"], { cwd });
  assert.is(await world.ok(["exec", "-T", "web", "cat", "/data/more", "/more"], { cwd }), "2\n2\n");
  await world.ok(["down", "-v"], { cwd });

  await world.ok(["create"], { cwd }); // one that never ran
  await world.ok(["cp", "more", "web:/data/early"], { cwd });
  await world.ok(["up", "-d"], { cwd });
  assert.is(await world.ok(["exec", "-T", "web", "cat", "/data/early"], { cwd }), "2\n");
  await world.ok(["down", "-v"], { cwd });
}

async function owners(world: World): Promise<void> {
  const cwd = await shop(world);
  await world.ok(["exec", "-T", "web", "sh", "-c", "echo x > /f; chown 12:34 /f; chmod 4755 /f"], { cwd });
  await world.ok(["cp", "web:/f", "plain"], { cwd });
  await world.ok(["cp", "-a", "web:/f", "kept"], { cwd });
  const [plain, kept] = [await stat(join(cwd, "plain")), await stat(join(cwd, "kept"))];
  assert.equal([plain.uid, plain.gid, plain.mode & 0o7777], [0, 0, 0o755]);
  assert.equal([kept.uid, kept.gid, kept.mode & 0o7777], [12, 34, 0o4755]);
  await writeFile(join(cwd, "g"), "");
  await chown(join(cwd, "g"), 56, 78);
  await chmod(join(cwd, "g"), 0o640);
  await world.ok(["cp", "g", "web:/plain"], { cwd });
  await world.ok(["cp", "-a", "g", "web:/kept"], { cwd });
  assert.is(await world.ok(["exec", "-T", "web", "stat", "-c", "%u:%g %a", "/plain", "/kept"], { cwd }), "0:0 640\n56:78 640\n");
  await world.ok(["down", "-v"], { cwd });
}

async function streams(world: World): Promise<void> {
  const cwd = await shop(world);
  await world.ok(["cp", "-", "web:/data"], { cwd, input: tar([{ path: "a/b", content: "in", uid: 7, gid: 8 }]) });
  assert.is(await world.ok(["exec", "-T", "web", "stat", "-c", "%u:%g", "/data/a/b"], { cwd }), "7:8\n");
  const out = await world.ok(["cp", "web:/data/a", "-"], { cwd });
  assert.match(out, /^a\/\0[\s\S]*a\/b\0[\s\S]*in\0/);
  const all = await world.ok(["cp", "web:/", "-"], { cwd });
  assert.match(all, /\/proc\/\0[\s\S]*\/etc\/passwd\0|\/etc\/passwd\0[\s\S]*\/proc\/\0/);
  assert.not.match(all, /\/proc\/1\//); // what the kernel says of itself are no files
  const own = await world.ok(["export", "web"], { cwd });
  assert.match(own, /\.\/etc\/passwd\0/);
  assert.not.match(own, /\.\/data\/a\/b\0/); // a volume is not the container's own
  await world.ok(["stop"], { cwd });
  await world.ok(["export", "-o", "web.tar", "web"], { cwd });
  assert.ok((await stat(join(cwd, "web.tar"))).size > 100_000);
  assert.match((await world.wharf(["export", "nope"], { cwd })).stderr, /E_NO_SUCH_CONTAINER/);
  await world.ok(["down", "-v"], { cwd });
}

async function replicas(world: World): Promise<void> {
  const cwd = await shop(world);
  await world.ok(["scale", "db=2"], { cwd });
  await writeFile(join(cwd, "f"), "all");
  await world.ok(["cp", "f", "db:/f"], { cwd });
  for (const index of ["1", "2"]) assert.is(await world.ok(["exec", "-T", "--index", index, "db", "cat", "/f"], { cwd }), "all");
  await world.ok(["cp", "--index", "2", "f", "db:/g"], { cwd });
  assert.is((await world.wharf(["exec", "-T", "--index", "1", "db", "cat", "/g"], { cwd })).status, 1);
  await world.ok(["exec", "-T", "--index", "2", "db", "cat", "/g"], { cwd });
  const twice = await world.wharf(["cp", "-", "db:/"], { cwd, input: tar([]) });
  assert.match(twice.stderr, /E_USAGE[\s\S]*--index/);
  assert.match((await world.wharf(["cp", "--index", "9", "f", "db:/g"], { cwd })).stderr, /E_NO_SUCH_CONTAINER[\s\S]*9/);
  await world.ok(["down", "-t", "0", "-v"], { cwd });
}

async function hostile(world: World): Promise<void> {
  const cwd = await shop(world);
  const outside = join(cwd, "outside");
  await mkdir(outside);
  await writeFile(join(outside, "secret"), "host's");
  const evil = [
    `mkdir -p ${outside} /real; echo "container's" > ${outside}/secret`,
    `ln -s ${outside} /abs; ln -s ../../../../../../../..${outside} /rel; ln -s ../../../.. /up`,
  ];
  await world.ok(["exec", "-T", "web", "sh", "-c", evil.join("; ")], { cwd });
  for (const [n, path] of ["abs/secret", "rel/secret", `up/${outside}/secret`, `../../..${outside}/secret`].entries()) {
    await world.ok(["cp", `web:/${path}`, `out${n}`], { cwd });
    assert.is(await readFile(join(cwd, `out${n}`), "utf8"), "container's\n");
  }
  await writeFile(join(cwd, "new"), "new");
  for (const [n, path] of ["abs", "rel", `up${outside}`].entries()) await world.ok(["cp", "new", `web:/${path}/new${n}`], { cwd });
  assert.equal(await readdir(outside), ["secret"]);

  // A tree whose directories become links and back as fast as can be, copied into and out of meanwhile.
  const swap = `cd /real; while :; do mkdir -p s; rm -rf s; ln -s ${outside} s; rm -f s; done`;
  await world.ok(["exec", "-d", "web", "sh", "-c", swap], { cwd });
  await mkdir(join(cwd, "tree/s"), { recursive: true });
  for (let n = 0; n < 200; n++) await writeFile(join(cwd, `tree/s/${n}`), "tree");
  for (let round = 0; round < 4; round++) {
    const into = await world.wharf(["cp", "tree/.", "web:/real"], { cwd });
    assert.ok(into.status === 0 || /E_COPY|E_INTERNAL/.test(into.stderr), into.stderr);
    assert.not.match(into.stderr, /E_INTERNAL/);
    await world.wharf(["cp", "web:/real", `back${round}`], { cwd });
    const s = await lstat(join(cwd, `back${round}`, "s")).catch(() => null);
    assert.ok(s === null || s.isSymbolicLink() || !(await readdir(join(cwd, `back${round}`, "s"))).includes("secret"));
  }
  assert.equal(await readdir(outside), ["secret"]);
  assert.is(await readFile(join(outside, "secret"), "utf8"), "host's");
  await world.ok(["down", "-t", "0", "-v"], { cwd });
}

async function refusals(world: World): Promise<void> {
  const cwd = await shop(world);
  await writeFile(join(cwd, "f"), "");
  await symlink("f", join(cwd, "l"));
  const refused = async (args: readonly string[]): Promise<string> => {
    const { status, stderr } = await world.wharf(["cp", ...args], { cwd });
    assert.is.not(status, 0);
    return stderr;
  };
  assert.match(await refused(["web:/nope", "."]), /E_COPY.*nothing at shop-web-1:\/nope/);
  assert.match(await refused(["f", "web:/nope/f"]), /E_COPY.*no directory \/nope/);
  assert.match(await refused(["f", "web:/nope/"]), /E_COPY.*no directory \/nope/);
  assert.match(await refused(["web:/etc", "f"]), /E_COPY.*onto the file f/);
  assert.match(await refused(["nope", "web:/"]), /E_COPY.*nothing at nope/);
  assert.match(await refused(["web:/a", "db:/b"]), /E_USAGE/);
  assert.match(await refused(["a", "b"]), /E_USAGE/);
  assert.match(await refused(["webb:/a", "b"]), /E_NO_SUCH_CONTAINER[\s\S]*web/);
  await world.ok(["down", "-t", "0", "-v"], { cwd });
}

/** A project of services that do nothing, one with a volume and a tmpfs, up. */
async function shop(world: World): Promise<string> {
  await world.ok(["image", "import", "-", "tools:1", ...(BUSYBOX_CONFIG.Env?.flatMap((env) => ["--env", env]) ?? [])], {
    input: busyboxRootfs(),
  });
  const idle = `image: "tools:1", command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.1; done"]`;
  const spec = [
    "name: shop",
    "services:",
    `  web: { ${idle}, volumes: [data:/data], tmpfs: [/t] }`,
    `  db: { ${idle} }`,
    "volumes: { data: }",
    "",
  ];
  const cwd = await world.project("shop", { "wharf.yaml": spec.join("\n") });
  await world.ok(["up", "-d"], { cwd });
  return cwd;
}
