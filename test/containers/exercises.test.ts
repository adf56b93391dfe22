/** The exercises that must always work, through the built command and on real containers. */
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { page } from "../support/http.ts";
import { inspect, ps } from "../support/listings.ts";
import { freePort, startRegistry } from "../support/registry.ts";
import { busyboxRootfs, WEB_PAGE, webRootfs } from "../support/rootfs.ts";
import { ROOT } from "../support/sources.ts";
import { until } from "../support/until.ts";
import { containerSuite, finish, inWorld, WHARF, type World } from "../support/world.ts";

const it = containerSuite("exercises");

it("two services from one image show the image's colour and their own, and the image stays as it is", inWorld(colours));

it("a service with another command prints the page, ends with 0, and stays listed as exited", inWorld(otherCommand));

it("a service that overrides nothing runs the image's own command", inWorld(defaultCommand));

it("an image with nothing to run says so and how to give it something", inWorld(nothingToRun));

it("five containers run from one image whose layers are on disk once", inWorld(manyFromOne));

it("image ls lists everything in the store, and with a name only that", inWorld(listing));

it("rm -f removes several at once, and without -f a running one is refused by name", inWorld(removing));

it("pull fetches from a registry, shows each layer, and says where the digest came from", inWorld(pulling));

it.run();

async function colours(world: World): Promise<void> {
  const registry = await startRegistry();
  try {
    const [green, blue] = [await freePort(), await freePort()];
    const example = readFileSync(join(ROOT, "examples/colors/wharf.yaml"), "utf8");
    const cwd = await world.project("colors", { "wharf.yaml": example.replace("8080:", `${green}:`).replace("8081:", `${blue}:`) });
    const call = { cwd, env: { REGISTRY: registry.host } };
    const image = `${registry.host}/colors:1`;
    const input = execFileSync(join(ROOT, "examples/colors/rootfs"), { maxBuffer: 64 * 1024 * 1024 });
    await world.ok(["image", "import", "-", image, "--cmd", "/usr/bin/colors", "--env", "COLOR=green", "--expose", "3000"], { input });
    await world.ok(["push", "green"], call);
    await world.ok(["image", "rm", image]);
    await world.ok(["up", "-d"], call);

    assert.match(await page(`http://127.0.0.1:${green}/`), "<h1>green</h1>");
    assert.match(await page(`http://127.0.0.1:${blue}/`), "<h1>blue</h1>");
    assert.ok((await inspect(world, "colors-green-1")).Config.Env.includes("COLOR=green"));
    assert.ok((await inspect(world, "colors-blue-1")).Config.Env.includes("COLOR=blue"));
    const [metadata] = JSON.parse(await world.ok(["image", "inspect", image]));
    assert.ok(metadata.Config.Env.includes("COLOR=green"));
    assert.not.ok(metadata.Config.Env.includes("COLOR=blue"));
    await world.ok(["down"], call);
  } finally {
    await registry.stop();
  }
}

async function otherCommand(world: World): Promise<void> {
  await importWeb(world);
  const cwd = await world.project("page", { "wharf.yaml": "services:\n  print:\n    image: web\n    cmd: cat usr/share/web/index.html\n" });
  await world.ok(["up", "-d"], { cwd });
  await until("the container to end", async () => (await ps(world, ["-a"], { cwd }))[0]?.State === "exited");

  assert.is((await world.ok(["logs", "--no-log-prefix", "print"], { cwd })).trim(), WEB_PAGE.trim());
  const [listed] = await ps(world, ["-a"], { cwd });
  assert.is(listed?.ExitCode, 0);
  assert.equal(await ps(world, [], { cwd }), []);
  assert.equal((await inspect(world, "page-print-1")).Config.Cmd, ["cat", "usr/share/web/index.html"]);
  await world.ok(["down"], { cwd });
}

async function defaultCommand(world: World): Promise<void> {
  await importWeb(world);
  const port = await freePort();
  const cwd = await world.project("plain", { "wharf.yaml": `services:\n  web:\n    image: web\n    ports: ["${port}:3000"]\n` });
  await world.ok(["up", "-d"], { cwd });
  assert.match(await page(`http://127.0.0.1:${port}/`), "<h1>green</h1>");
  await world.ok(["down"], { cwd });
}

async function nothingToRun(world: World): Promise<void> {
  await world.ok(["image", "import", "-", "empty"], { input: busyboxRootfs() });
  const cwd = await world.project("box", { "wharf.yaml": "services:\n  box:\n    image: empty\n" });
  const refused = await world.wharf(["up", "-d"], { cwd });
  assert.is.not(refused.status, 0);
  assert.match(refused.stderr, "E_NOTHING_TO_RUN");
  assert.match(refused.stderr, "cmd: sleep infinity");
  assert.match(refused.stderr, "wharf run -it box sh");

  await world.project("box", { "wharf.yaml": "services:\n  box:\n    image: empty\n    cmd: sleep infinity\n" });
  await world.ok(["up", "-d"], { cwd });
  assert.is((await ps(world, [], { cwd }))[0]?.State, "running");
  const shell = await onTerminal(world, { cwd, command: "exec -it box sh -c 'tty; ls /'" });
  assert.is(shell.status, 0, shell.stdout);
  for (const wanted of ["/dev/pts/", "bin", "etc", "home", "srv", "usr"])
    assert.ok(shell.stdout.includes(wanted), `${wanted} in ${JSON.stringify(shell.stdout)}`);
  await world.ok(["down", "-t", "0"], { cwd });
}

async function manyFromOne(world: World): Promise<void> {
  await importWeb(world);
  const cwd = await world.project("many", { "wharf.yaml": "services:\n  web:\n    image: web\n" });
  const before = diskUsage(join(world.root, "images"));
  await world.ok(["up", "-d", "--scale", "web=5"], { cwd });

  const containers = await ps(world, [], { cwd });
  assert.equal(
    containers.map(({ Name }) => Name).sort(),
    [1, 2, 3, 4, 5].map((number) => `many-web-${number}`),
  );
  assert.is(new Set(containers.map(({ Image }) => Image)).size, 1);
  assert.is(diskUsage(join(world.root, "images")), before);
  assert.ok(diskUsage(join(world.root, "containers")) < before, "containers hold no copy of the layers");
  await world.ok(["down"], { cwd });
}

async function listing(world: World): Promise<void> {
  await importWeb(world, "web:1");
  await importWeb(world, "registry.example/shop/web:2");
  await world.ok(["image", "import", "-", "empty"], { input: busyboxRootfs() });

  const all = await world.ok(["image", "ls"]);
  const [heading = "", ...rows] = all.trimEnd().split("\n");
  assert.equal(heading.trim().split(/ {2,}/), ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]);
  assert.is(rows.length, 3);
  assert.match(all, /registry\.example\/shop\/web +2 /);
  assert.match(all, /empty +latest /);
  const some = await world.ok(["image", "ls", "web"]);
  assert.match(some, /^web +1 /m);
  assert.not.match(some, "empty");
}

async function removing(world: World): Promise<void> {
  await importWeb(world);
  const spec = ["a", "b", "c"].map((name) => `  ${name}:\n    image: web\n    name: exercise-${name}\n`).join("");
  const cwd = await world.project("removing", { "wharf.yaml": `services:\n${spec}` });
  await world.ok(["up", "-d"], { cwd });
  await world.ok(["stop", "c"], { cwd });

  const refused = await world.wharf(["rm", "exercise-a"], { cwd });
  assert.is.not(refused.status, 0);
  assert.match(refused.stderr, "exercise-a");
  assert.is((await ps(world, ["-a"], { cwd })).length, 3);
  await world.ok(["rm", "-f", "exercise-a", "exercise-b", "exercise-c"], { cwd });
  assert.equal(await ps(world, ["-a"], { cwd }), []);
  await world.ok(["down"], { cwd });
}

async function pulling(world: World): Promise<void> {
  const registry = await startRegistry();
  try {
    const image = `${registry.host}/web:1`;
    const cwd = await world.project("pull", { "wharf.yaml": `services:\n  web:\n    image: ${image}\n` });
    await importWeb(world, image);
    await world.ok(["push"], { cwd });
    await world.ok(["image", "rm", image]);
    const { status, stderr } = await world.wharf(["--progress", "json", "pull"], { cwd });
    assert.is(status, 0, stderr);
    const events: { type: string; item?: string; phase?: string; message?: string }[] = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.ok(
      events.some(({ type, item, phase }) => type === "step.progress" && item !== undefined && phase === "download"),
      "progress of a layer",
    );
    assert.ok(
      events.some(({ type, message }) => type === "step.note" && message?.includes("sha256:") && message.includes(registry.host)),
      "where the digest came from",
    );
    assert.match(await world.ok(["image", "ls", image]), "web");
  } finally {
    await registry.stop();
  }
}

/** Runs a command of wharf on a terminal of its own. */
function onTerminal(world: World, options: { readonly cwd: string; readonly command: string }): ReturnType<typeof finish> {
  const { cwd, command } = options;
  const child = spawn("script", ["-qec", `"${process.execPath}" "${WHARF}" ${command}`, "/dev/null"], {
    cwd,
    env: { ...world.env, TERM: "xterm" },
  });
  return finish(child, { input: "" });
}

async function importWeb(world: World, name = "web"): Promise<void> {
  await world.ok(["image", "import", "-", name, "--cmd", "/usr/bin/colors", "--env", "COLOR=green", "--expose", "3000"], {
    input: webRootfs(),
  });
}

/** KiB. */
function diskUsage(path: string): number {
  return Number(execFileSync("du", ["-sk", path], { encoding: "utf8" }).split("\t")[0]);
}
