/** Configs and secrets through the built command: what the container sees, what the host has of it, and when a change counts. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { inspect } from "../support/listings.ts";
import { BUSYBOX_CONFIG, busyboxRootfs } from "../support/rootfs.ts";
import { until } from "../support/until.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("configs and secrets");

it("a container sees its files with owner and mode, read-only, also on a read-only root", inWorld(seenInside));

it("what a secret holds is written nowhere, only root may look where it is held, and it goes with its container", inWorld(keptSecret));

it("secrets are there again after a stop, a restart and an end by itself, without the variable that they came from", inWorld(lasting));

it("after a reboot a secret from a file is read again, and one from a variable has to be given again", inWorld(rebooted));

it("a change of what a file holds replaces the containers that have it, and says which file it was", inWorld(changed));

it("what cannot be had is told with its place before anything is touched, and hinders no down", inWorld(missing));

it("a one-off gets the files too", inWorld(oneOff));

it("a way back takes the configs of then and the secrets of now, and no revision holds a secret", inWorld(wayBack));

it("a plan kept in a file holds no secret, and is carried out only while they are the same", inWorld(saved));

it.run();

const ENV = { TOKEN: "s3cr3t-token" };

async function seenInside(world: World): Promise<void> {
  const cwd = await shop(world, "read_only: true, user: '1000:1000',");
  await world.ok(["up", "-d"], { cwd, env: ENV });
  const text = await world.ok(["exec", "-T", "web", "stat", "-c", "%a %u:%g %s %n", ...FILES], { cwd, env: ENV });
  assert.equal(text.trim().split("\n"), [
    "444 0:0 9 /app.conf",
    "400 1000:0 8 /etc/x/inline.conf",
    "444 0:0 8 /run/secrets/pw",
    "440 1000:1000 12 /run/secrets/tok",
    "444 0:0 3 /key.bin",
  ]);
  assert.is(
    await world.ok(["exec", "-T", "web", "cat", "/app.conf", "/etc/x/inline.conf", "/run/secrets/pw", "/run/secrets/tok"], {
      cwd,
      env: ENV,
    }),
    "a config\nport=80\nhunter2\ns3cr3t-token",
  );
  assert.match(await world.ok(["exec", "-T", "web", "hexdump", "-C", "/key.bin"], { cwd, env: ENV }), /00 ff 0a/);
  for (const file of FILES)
    assert.is.not((await world.wharf(["exec", "-T", "-u", "root", "web", "sh", "-c", `echo x > ${file}`], { cwd })).status, 0, file);
  const mounts = await world.ok(["exec", "-T", "web", "grep", "secrets/", "/proc/self/mountinfo"], { cwd, env: ENV });
  assert.match(mounts, / \/run\/secrets\/pw ro,nosuid,nodev,noexec.* - tmpfs /);
  await world.ok(["down"], { cwd });
}

async function keptSecret(world: World): Promise<void> {
  const cwd = await shop(world, "");
  const progress = await world.wharf(["--progress", "json", "up", "-d"], { cwd, env: ENV });
  assert.is(progress.status, 0, progress.stderr);
  const document = await world.ok(["inspect", "shop-web-1"]);
  const plan = await world.ok(["plan", "--format", "json", "--full"], { cwd, env: { TOKEN: "another-token" } });
  assert.match(plan, /secrets\.token/);
  for (const text of [progress.stderr, document, plan]) assert.not.match(text, /hunter2|s3cr3t|another-token/);
  const held = join(world.run, "secrets");
  assert.equal(tell([world.root, world.run], ["hunter2", ENV.TOKEN], [held]), []);
  assert.is(statSync(held).mode & 0o777, 0o700);
  const [own = ""] = readdirSync(held);
  assert.is(statSync(join(held, own)).mode & 0o777, 0o700);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const ours = mounts.filter((line) => line.includes(` ${join(held, own)} `));
  assert.equal(
    ours.map((line) => / - (\w+) /.exec(line)?.[1] === "tmpfs"),
    [false, true],
  );
  // What is mounted on a private mount is told to no other namespace.
  for (const line of ours) assert.not.match(line, /shared:|master:/);
  const nobody = execFileSync("setpriv", [
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "sh",
    "-c",
    `ls ${held}/${own} 2>&1 || true`,
  ]);
  assert.match(String(nobody), /denied/);
  await world.ok(["down"], { cwd });
  assert.equal(readdirSync(held), []);
  assert.not.match(readFileSync("/proc/self/mountinfo", "utf8"), new RegExp(world.run));
}

async function lasting(world: World): Promise<void> {
  const cwd = await shop(world, "restart: always,");
  await world.ok(["up", "-d"], { cwd, env: ENV });
  const token = async () => world.ok(["exec", "-T", "web", "cat", "/run/secrets/tok"], { cwd });
  await world.ok(["stop", "-t", "1"], { cwd });
  await world.ok(["start"], { cwd });
  assert.is(await token(), ENV.TOKEN);
  await world.ok(["restart", "-t", "1"], { cwd });
  assert.is(await token(), ENV.TOKEN);
  const { State: before } = await inspect(world, "shop-web-1");
  process.kill(before.Pid, "SIGKILL");
  const again = async () => (await inspect(world, "shop-web-1")).State;
  await until("its return by itself", async () => {
    const { Pid, Status } = await again();
    return Status === "running" && Pid !== before.Pid;
  });
  assert.is(await token(), ENV.TOKEN);
  await world.ok(["kill"], { cwd });
  await world.ok(["start"], { cwd });
  assert.is(await token(), ENV.TOKEN);
  await world.ok(["down"], { cwd });
}

async function rebooted(world: World): Promise<void> {
  const cwd = await shop(world, "");
  await world.ok(["up", "-d"], { cwd, env: ENV });
  await world.ok(["stop", "-t", "1"], { cwd });
  forget(world);
  const refused = await world.wharf(["start"], { cwd });
  assert.match(refused.stderr, /E_SECRET_GONE[\s\S]*shop-web-1: the secret token is not there: it came from the variable TOKEN/);
  await writeFile(join(cwd, "pw.txt"), "hunter3\n");
  await world.ok(["start"], { cwd, env: ENV });
  assert.is(await world.ok(["exec", "-T", "web", "cat", "/run/secrets/tok", "/run/secrets/pw"], { cwd }), "s3cr3t-tokenhunter3\n");
  assert.match((await world.wharf(["up", "-d"], { cwd, env: ENV })).stderr, /shop-web-1/); // what it was made with was another one
  assert.is((await world.wharf(["up", "-d"], { cwd, env: ENV })).status, 0);
  await world.ok(["stop", "-t", "1"], { cwd });
  forget(world);
  await world.ok(["up", "-d"], { cwd, env: ENV });
  assert.is(await world.ok(["exec", "-T", "web", "cat", "/run/secrets/tok"], { cwd }), ENV.TOKEN);
  await world.ok(["down"], { cwd });
}

async function changed(world: World): Promise<void> {
  const cwd = await shop(world, "");
  await world.ok(["up", "-d"], { cwd, env: ENV });
  const { Id } = await inspect(world, "shop-web-1");
  assert.match((await world.wharf(["up", "-d"], { cwd, env: ENV })).stderr, /1 unchanged/);
  assert.is((await inspect(world, "shop-web-1")).Id, Id);
  await writeFile(join(cwd, "app.conf"), "another config\n");
  assert.match(await world.ok(["plan"], { cwd, env: ENV }), /replace +container\/shop-web-1 +config changed: configs\.app\.conf\n/);
  assert.match(await world.ok(["plan"], { cwd, env: { TOKEN: "other" } }), /config changed: configs\.app\.conf, secrets\.token\n/);
  await world.ok(["up", "-d"], { cwd, env: ENV });
  assert.is(await world.ok(["exec", "-T", "web", "cat", "/app.conf"], { cwd }), "another config\n");
  await writeFile(join(cwd, "pw.txt"), "hunter3\n");
  assert.match(await world.ok(["plan"], { cwd, env: ENV }), /config changed: secrets\.pw\n/);
  assert.match(await world.ok(["plan"], { cwd, env: { ...ENV, PORT: "81" } }), /config changed: configs\.inline, secrets\.pw\n/);
  await world.ok(["down"], { cwd });
}

async function missing(world: World): Promise<void> {
  const cwd = await shop(world, "");
  await world.ok(["up", "-d"], { cwd, env: ENV });
  rmSync(join(cwd, "pw.txt"));
  const refused = await world.wharf(["up", "-d"], { cwd });
  assert.is(refused.status, 3);
  assert.match(refused.stderr, /E_CONTENT_MISSING[\s\S]*`secrets\.pw`: the file `pw\.txt` does not exist\n +--> wharf\.yaml:\d+:\d+/);
  assert.match(refused.stderr, /E_CONTENT_MISSING[\s\S]*`secrets\.token`: the variable `TOKEN` is not set/);
  await world.ok(["ps"], { cwd });
  await world.ok(["down"], { cwd });
  const clustered = await world.project("clustered", {
    "wharf.yaml": 'name: c\nservices: { web: { image: "tools:1", secrets: [s] } }\nsecrets: { s: { external: true } }\n',
  });
  assert.match((await world.wharf(["up", "-d"], { cwd: clustered })).stderr, /E_CONTENT_UNSUPPORTED[\s\S]*`secrets\.s` is external/);
}

async function oneOff(world: World): Promise<void> {
  const cwd = await shop(world, "");
  assert.is(
    await world.ok(["run", "--rm", "-T", "web", "cat", "/run/secrets/tok", "/app.conf"], { cwd, env: ENV }),
    "s3cr3t-tokena config\n",
  );
  assert.equal(readdirSync(join(world.run, "secrets")), []);
  await world.ok(["down"], { cwd });
}

async function wayBack(world: World): Promise<void> {
  const cwd = await shop(world, "");
  await world.ok(["up", "-d"], { cwd, env: ENV });
  await writeFile(join(cwd, "app.conf"), "another config\n");
  await world.ok(["up", "-d"], { cwd, env: { TOKEN: "a-newer-token" } });
  assert.match(await world.ok(["history"], { cwd }), /web: configs\.app\.conf, secrets\.token/);
  assert.equal(tell([world.root], ["hunter2", ENV.TOKEN, "a-newer-token"], []), []);
  assert.match(
    (await world.wharf(["rollback"], { cwd })).stderr,
    /E_CONTENT_MISSING[\s\S]*secret token: the variable that holds it is not set/,
  );
  await world.ok(["rollback"], { cwd, env: { TOKEN: "a-newer-token" } });
  assert.is(await world.ok(["exec", "-T", "web", "cat", "/app.conf", "/run/secrets/tok"], { cwd }), "a config\na-newer-token");
  await world.ok(["down"], { cwd });
}

async function saved(world: World): Promise<void> {
  const cwd = await shop(world, "");
  await world.ok(["plan", "-o", "plan.json"], { cwd, env: ENV });
  assert.not.match(readFileSync(join(cwd, "plan.json"), "utf8"), /hunter2|s3cr3t/);
  const stale = await world.wharf(["up", "-d", "--plan", "plan.json"], { cwd, env: { TOKEN: "other" } });
  assert.match(stale.stderr, /E_PLAN_STALE[\s\S]*secret token is not what it was/);
  await world.ok(["up", "-d", "--plan", "plan.json"], { cwd, env: ENV });
  assert.is(await world.ok(["exec", "-T", "web", "cat", "/run/secrets/tok", "/etc/x/inline.conf"], { cwd }), "s3cr3t-tokenport=80\n");
  await world.ok(["down"], { cwd });
}

const FILES = ["/app.conf", "/etc/x/inline.conf", "/run/secrets/pw", "/run/secrets/tok", "/key.bin"];

/** A project whose one service has files of every origin. */
async function shop(world: World, attributes: string): Promise<string> {
  await world.ok(["image", "import", "-", "tools:1", ...(BUSYBOX_CONFIG.Env?.flatMap((env) => ["--env", env]) ?? [])], {
    input: busyboxRootfs(),
  });
  const cwd = await world.project("shop", { "wharf.yaml": specOf(attributes), "app.conf": "a config\n", "pw.txt": "hunter2\n" });
  await writeFile(join(cwd, "key.bin"), Buffer.from([0, 255, 10]));
  return cwd;
}

const specOf = (attributes: string): string => `name: shop
services:
  web:
    { image: "tools:1", ${attributes} command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.1; done"],
      configs: [app.conf, { source: inline, target: /etc/x/inline.conf, uid: "1000", mode: 0400 }],
      secrets: [pw, { source: token, target: tok, uid: "1000", gid: "1000", mode: "0440" }, { source: key, target: /key.bin }] }
configs:
  app.conf: { file: ./app.conf }
  inline: { content: "port=\${PORT:-80}\\n" }
secrets:
  pw: { file: ./pw.txt }
  token: { environment: TOKEN }
  key: { file: ./key.bin }
`;

/** What a reboot does to them. */
function forget(world: World): void {
  const held = join(world.run, "secrets");
  for (const name of readdirSync(held)) execFileSync("umount", ["-l", join(held, name)]);
  for (const name of readdirSync(held)) execFileSync("umount", ["-l", join(held, name)]);
}

/** Files below these directories that have one of the words in them, but those below `except`. */
function tell(directories: readonly string[], words: readonly string[], except: readonly string[]): readonly string[] {
  const coded = words.flatMap((word) => [word, Buffer.from(word).toString("base64").replace(/=+$/, "").slice(0, -1)]);
  return directories.flatMap((directory) =>
    readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
      const path = join(directory, entry.name);
      if (except.includes(path) || entry.name === "rootfs") return [];
      if (entry.isDirectory()) return tell([path], words, except);
      return entry.isFile() && coded.some((word) => readFileSync(path).includes(word)) ? [path] : [];
    }),
  );
}
