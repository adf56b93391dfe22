/** How volumes and directories come into containers: parts of them, from elsewhere, filled by the image, taken over from others. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { inspect } from "../support/listings.ts";
import { BUSYBOX_CONFIG, busyboxRootfs } from "../support/rootfs.ts";
import { tar } from "../support/tar.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("mounts of volumes");

it("a part of a volume is all that is seen of it, and no link leads out of it", inWorld(subpaths));

it("a volume from elsewhere is mounted while containers need it, and what it shows is never deleted", inWorld(elsewhere));

it("what cannot be mounted, and drivers that are not there, are refused with the reason", inWorld(refusals));

it("a new volume is filled once with what the image has there, owners, modes and links too", inWorld(filled));

it("anonymous volumes are kept over a replacement, and renewed only with -V", inWorld(anonymous));

it("mounts are taken over from a service or a container, also read-only", inWorld(takenOver));

it("what is mounted below a bound directory comes along, or not, as is asked", inWorld(recursive));

it("files of an image, or a part of them, are mounted as they are, and the image is kept for it", inWorld(ofImages));

it("a socket that is not there is no directory to be made", inWorld(noSocket));

it.run();

async function subpaths(world: World): Promise<void> {
  const volume = (part: string): string => `{ type: volume, source: data, target: /part, volume: { subpath: ${part} } }`;
  const cwd = await project(world, `web: { ${IDLE}, volumes: ["data:/data"] }`, "volumes: { data: }");
  await world.ok(["up", "-d"], { cwd });
  const script =
    "mkdir -p /data/a/b; echo deep > /data/a/b/file; ln -s /etc /data/out; ln -s ../../.. /data/a/up; ln -s /a/b /data/way; echo x > /data/x";
  await exec(world, cwd, script);
  await world.ok(["down"], { cwd });
  const seen = async (part: string, command: string): Promise<string> => {
    writeFileSync(join(cwd, "wharf.yaml"), `name: shop\nservices: { web: { ${IDLE}, volumes: [${volume(part)}] } }\nvolumes: { data: }\n`);
    await world.ok(["up", "-d"], { cwd });
    const text = await exec(world, cwd, command);
    await world.ok(["restart", "-t", "1"], { cwd });
    assert.is(await exec(world, cwd, command), text);
    await world.ok(["down"], { cwd });
    return text;
  };
  assert.is(await seen("a/b", "ls /part; cat /part/file; echo new > /data.new; cp /data.new /part/../part/.new"), "file\ndeep\n");
  assert.is(await seen("way", "cat /part/.new"), "new\n");
  assert.is(await seen("a/up", "ls /part"), "a\nout\nway\nx\n");
  assert.is(await seen("x", "cat /part"), "x\n");
  for (const part of ["out", "none/at/all"]) {
    writeFileSync(join(cwd, "wharf.yaml"), `name: shop\nservices: { web: { ${IDLE}, volumes: [${volume(part)}] } }\nvolumes: { data: }\n`);
    assert.match((await world.wharf(["up", "-d"], { cwd })).stderr, /E_SUBPATH[\s\S]*volume shop_data has no/);
  }
  await world.ok(["down"], { cwd });
  const [{ Mountpoint }] = JSON.parse(await world.ok(["volume", "inspect", "shop_data"]));
  assert.is(readFileSync(join(Mountpoint, "a/b/file"), "utf8"), "deep\n");
}

async function elsewhere(world: World): Promise<void> {
  const top = (size: string): string =>
    `volumes: { mem: { driver_opts: { type: tmpfs, o: "size=${size},uid=1000", device: tmpfs } }, dir: { driver_opts: { type: none, o: bind, device: ./shared } } }`;
  const services = `web: { ${IDLE}, volumes: ["mem:/mem", "dir:/dir"] }\n  db: { ${IDLE}, volumes: ["mem:/mem"] }`;
  const cwd = await project(world, services, top("1m"));
  mkdirSync(join(cwd, "shared"));
  writeFileSync(join(cwd, "shared/file"), "theirs\n");
  await world.ok(["up", "-d"], { cwd });
  assert.match(await exec(world, cwd, "grep ' /mem ' /proc/self/mountinfo"), / - tmpfs tmpfs rw,size=1024k,uid=1000/);
  assert.is(await exec(world, cwd, "cat /dir/file; echo x > /mem/x; echo ours > /dir/ours"), "theirs\n");
  assert.is(await world.ok(["exec", "-T", "db", "cat", "/mem/x"], { cwd }), "x\n");
  const [{ Mountpoint: memory }] = JSON.parse(await world.ok(["volume", "inspect", "shop_mem"]));
  const isMounted = (): boolean => readFileSync("/proc/self/mountinfo", "utf8").includes(` ${memory} `);
  await world.ok(["stop", "-t", "1", "web"], { cwd });
  assert.ok(isMounted(), "db still needs it");
  await world.ok(["start", "web"], { cwd });
  assert.is(await exec(world, cwd, "cat /mem/x"), "x\n");
  writeFileSync(join(cwd, "wharf.yaml"), `name: shop\nservices:\n  ${services}\n${top("2m")}\n`);
  assert.match((await world.wharf(["plan"], { cwd })).stderr, /W_VOLUME_CHANGED[\s\S]*volume shop_mem was made with other/);
  await world.ok(["stop", "-t", "1"], { cwd });
  assert.not.ok(isMounted(), "nobody needs it");
  await world.ok(["down", "-v"], { cwd });
  assert.equal(await world.ok(["volume", "ls", "-q"]), "");
  assert.is(readFileSync(join(cwd, "shared/ours"), "utf8"), "ours\n");
  assert.is(readFileSync(join(cwd, "shared/file"), "utf8"), "theirs\n");
}

async function refusals(world: World): Promise<void> {
  const cwd = await project(
    world,
    `web: { ${IDLE}, volumes: ["data:/data"] }`,
    "volumes: { data: { driver_opts: { type: none, o: bind, device: ./none } } }",
  );
  const refused = await world.wharf(["up", "-d"], { cwd });
  assert.match(refused.stderr, /E_VOLUME_MOUNT[\s\S]*volume shop_data cannot be mounted \(type none, device .*\/none\)/);
  await world.ok(["down", "-v"], { cwd });
  for (const [options, error] of [
    ["driver: rexray", /E_VOLUME_DRIVER[\s\S]*`volumes\.data\.driver` is `rexray`/],
    ["driver_opts: { size: 10g, device: x }", /E_VOLUME_DRIVER[\s\S]*has `size`/],
    ["driver_opts: { type: nfs, o: addr=10.0.0.1 }", /E_VOLUME_DRIVER[\s\S]*no `device`/],
  ] as const) {
    writeFileSync(join(cwd, "wharf.yaml"), `services: { web: { ${IDLE}, volumes: ["data:/data"] } }\nvolumes: { data: { ${options} } }\n`);
    const { stderr, status } = await world.wharf(["up", "-d"], { cwd });
    assert.match(stderr, error);
    assert.is(status, 3);
  }
  writeFileSync(join(cwd, "wharf.yaml"), `services: { web: { ${IDLE}, use_api_socket: true } }\n`);
  assert.match((await world.wharf(["up", "-d"], { cwd })).stderr, /E_API_SOCKET/);
}

async function filled(world: World): Promise<void> {
  const tree = busyboxRootfs({
    entries: [
      { path: "app/", type: "directory", mode: 0o2750, uid: 1000, gid: 33 },
      { path: "app/file", content: "from the image\n", mode: 0o640, uid: 1000, gid: 33 },
      { path: "app/link", type: "symlink", target: "/etc/passwd" },
      { path: "declared/", type: "directory", mode: 0o700, uid: 5, gid: 6 },
    ],
  });
  await world.ok(["image", "import", "-", "app:1", "--env", "PATH=/bin"], { input: tree });
  const web = `{ ${IDLE.replace("tools:1", "app:1")}, volumes: ["data:/app", /declared, "plain:/plain:nocopy", { type: volume, source: bare, target: /app2, volume: { nocopy: true } }] }`;
  const cwd = await project(world, `web: ${web}`, "volumes: { data: , plain: , bare: }");
  await world.ok(["up", "-d"], { cwd });
  assert.is(
    await exec(
      world,
      cwd,
      "stat -c '%n %a %u:%g %F' /app /app/file /app/link /declared; cat /app/file; ls /plain /app2; readlink /app/link",
    ),
    "/app 2750 1000:33 directory\n/app/file 640 1000:33 regular file\n/app/link 777 0:0 symbolic link\n/declared 700 5:6 directory\nfrom the image\n/app2:\n\n/plain:\n/etc/passwd\n",
  );
  await exec(world, cwd, "rm /app/file; chmod 711 /app");
  await world.ok(["down"], { cwd });
  await world.ok(["up", "-d"], { cwd });
  assert.is(await exec(world, cwd, "stat -c '%a' /app; ls /app"), "711\nlink\n");
  await world.ok(["down", "-v"], { cwd });
}

async function anonymous(world: World): Promise<void> {
  const spec = (color: string): string => `web: { ${IDLE}, volumes: ["/cache"], environment: { COLOR: ${color} } }`;
  const cwd = await project(world, spec("red"), "");
  await world.ok(["up", "-d"], { cwd });
  await exec(world, cwd, "echo kept > /cache/file");
  writeFileSync(join(cwd, "wharf.yaml"), `name: shop\nservices:\n  ${spec("blue")}\n`);
  await world.ok(["up", "-d"], { cwd });
  assert.is(await exec(world, cwd, "echo $COLOR; cat /cache/file"), "blue\nkept\n");
  await world.ok(["up", "-d", "--force-recreate"], { cwd });
  assert.is(await exec(world, cwd, "cat /cache/file"), "kept\n");
  await world.ok(["up", "-d", "--force-recreate", "-V"], { cwd });
  assert.is(await exec(world, cwd, "ls /cache"), "");
  await world.ok(["down", "-v"], { cwd });
}

async function takenOver(world: World): Promise<void> {
  const cwd = await project(
    world,
    `web: { ${IDLE}, volumes_from: ["db:ro", "container:other"], volumes: ["own:/own"] }\n  db: { ${IDLE}, volumes: ["data:/data", "/anon", "./here:/here"], tmpfs: /scratch }`,
    "volumes: { data: , own: }",
  );
  mkdirSync(join(cwd, "here"));
  const other = await world.project("other", {
    "wharf.yaml": `name: o\nservices: { x: { ${IDLE}, container_name: other, volumes: ["/theirs", "own:/own"] } }\nvolumes: { own: }\n`,
  });
  await world.ok(["up", "-d"], { cwd: other });
  await world.ok(["up", "-d"], { cwd });
  await world.ok(["exec", "-T", "db", "sh", "-c", "echo d > /data/d; echo a > /anon/a; echo h > /here/h"], { cwd });
  assert.is(
    await exec(world, cwd, "cat /data/d /anon/a /here/h; echo t > /theirs/t; echo x > /data/x || true; ls -d /scratch || true"),
    "d\na\nh\n",
  );
  assert.is(await world.ok(["exec", "-T", "x", "cat", "/theirs/t"], { cwd: other }), "t\n");
  const mounts = (await inspect(world, "shop-web-1")).Mounts;
  assert.is(mounts.find(({ Destination }) => Destination === "/own")?.Name, "shop_own");
  assert.match((await world.wharf(["up", "-d"], { cwd })).stderr, /2 unchanged/);
  await world.ok(["up", "-d", "--force-recreate"], { cwd });
  assert.is(await exec(world, cwd, "cat /data/d /anon/a"), "d\na\n");
  await world.ok(["down", "-v"], { cwd });
  await world.ok(["down", "-v"], { cwd: other });
}

async function recursive(world: World): Promise<void> {
  const bind = (name: string, more: string): string => `{ type: bind, source: ./here, target: /${name}, ${more} }`;
  const cwd = await project(
    world,
    `web: { ${IDLE}, volumes: [${bind("usual", "")}, ${bind("flat", "bind: { recursive: disabled }")}, ${bind("sealed", "read_only: true, bind: { recursive: readonly }")}, ${bind("late", "bind: { propagation: rslave }")}, ${bind("never", "bind: { propagation: rprivate, selinux: z }")}] }`,
    "",
  );
  const below = join(cwd, "here", "below");
  mkdirSync(below, { recursive: true });
  execFileSync("mount", ["--bind", join(cwd, "here"), join(cwd, "here")]);
  execFileSync("mount", ["--make-shared", join(cwd, "here")]);
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", below]);
  try {
    writeFileSync(join(below, "file"), "x\n");
    mkdirSync(join(cwd, "here", "later"));
    await world.ok(["up", "-d"], { cwd });
    assert.is(
      await exec(world, cwd, "ls /usual/below /flat/below; echo y > /usual/below/file; echo z > /sealed/below/file || echo refused"),
      "/flat/below:\n\n/usual/below:\nfile\nrefused\n",
    );
    assert.is(readFileSync(join(below, "file"), "utf8"), "y\n");
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", join(cwd, "here", "later")]);
    writeFileSync(join(cwd, "here", "later", "file"), "x\n");
    assert.is(await exec(world, cwd, "ls /late/later /never/later"), "/late/later:\nfile\n\n/never/later:\n");
    await world.ok(["down"], { cwd });
  } finally {
    execFileSync("umount", ["-R", join(cwd, "here")]);
  }
}

async function ofImages(world: World): Promise<void> {
  const tree = tar([
    { path: "site/", type: "directory", mode: 0o755 },
    { path: "site/index.html", content: "<h1>assets</h1>\n", mode: 0o644 },
    { path: "site/out", type: "symlink", target: "/etc" },
  ]);
  await world.ok(["image", "import", "-", "shop/assets:1"], { input: tree });
  const volumes = (part: string): string =>
    `[{ type: image, source: "shop/assets:1", target: /all }, { type: image, source: "shop/assets:1", target: /part, image: { subpath: ${part} } }]`;
  const cwd = await project(world, `web: { ${IDLE}, volumes: ${volumes("site")} }`, "");
  await world.ok(["up", "-d"], { cwd });
  assert.is(
    await exec(world, cwd, "cat /all/site/index.html /part/index.html; echo x > /part/x || echo refused"),
    "<h1>assets</h1>\n<h1>assets</h1>\nrefused\n",
  );
  await world.ok(["restart", "-t", "1"], { cwd });
  assert.is(await exec(world, cwd, "ls /part"), "index.html\nout\n");
  const mounts = (await inspect(world, "shop-web-1")).Mounts;
  assert.equal(mounts.map(({ Type, Destination }) => [Type, Destination]).sort(), [
    ["image", "/all"],
    ["image", "/part"],
  ]);
  assert.match((await world.wharf(["image", "rm", "shop/assets:1"])).stderr, /E_IMAGE_IN_USE[\s\S]*shop-web-1/);
  writeFileSync(join(cwd, "wharf.yaml"), `name: shop\nservices: { web: { ${IDLE}, volumes: ${volumes("site/out")} } }\n`);
  assert.match((await world.wharf(["up", "-d"], { cwd })).stderr, /E_SUBPATH[\s\S]*image docker.io\/shop\/assets:1 has no "site\/out"/);
  writeFileSync(
    join(cwd, "wharf.yaml"),
    `name: shop\nservices: { web: { ${IDLE}, pull_policy: never, volumes: [{ type: image, source: "no/such:1", target: /x }] } }\n`,
  );
  assert.match((await world.wharf(["up", "-d"], { cwd })).stderr, /E_IMAGE_ABSENT[\s\S]*image no\/such:1, which service web mounts/);
  await world.ok(["down"], { cwd });
  await world.ok(["image", "rm", "shop/assets:1"]);
}

async function noSocket(world: World): Promise<void> {
  const cwd = await project(world, `web: { ${IDLE}, volumes: ["./none/docker.sock:/var/run/docker.sock"] }`, "");
  const refused = await world.wharf(["up", "-d"], { cwd });
  assert.match(refused.stderr, /E_BIND_SOURCE[\s\S]*Docker does not run on this machine/);
  assert.not.ok(existsSync(join(cwd, "none")));
  symlinkSync(cwd, join(cwd, "link"));
  assert.ok(statSync(join(cwd, "link")).isDirectory());
  await world.ok(["down"], { cwd });
}

const IDLE = `image: "tools:1", command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.1; done"]`;

function exec(world: World, cwd: string, script: string): Promise<string> {
  return world.ok(["exec", "-T", "web", "sh", "-c", script], { cwd });
}

async function project(world: World, services: string, top: string): Promise<string> {
  await world.ok(["image", "import", "-", "tools:1", ...(BUSYBOX_CONFIG.Env?.flatMap((env) => ["--env", env]) ?? [])], {
    input: busyboxRootfs(),
  });
  return world.project("shop", { "wharf.yaml": `name: shop\nservices:\n  ${services}\n${top}\n` });
}
