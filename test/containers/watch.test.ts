/** `wharf watch` through the built command: files change, and what runs follows. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { inspect, ps } from "../support/listings.ts";
import { webRootfs } from "../support/rootfs.ts";
import { until } from "../support/until.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("watch");

it("an edit replaces what it is about, and nothing else", inWorld(edit));

it("a spec that is broken leaves what runs as it is and says why, until it is mended", inWorld(breakAndMend));

it("env files are followed, and files that were not there", inWorld(otherFiles));

it("a run that fails is told of, and the next change tries again", inWorld(failAndGoOn));

it("what is wrong from the beginning is waited for, where something can come of it", inWorld(beginBroken));

it("programs follow it by its events, and nothing is done before the first change with --no-up", inWorld(events));

it("up --watch shows logs meanwhile, and stops what it started", inWorld(upWatch));

it.run();

async function edit(world: World): Promise<void> {
  const cwd = await shop(world, { web: "red", other: "grey" });
  await following(world, { argv: ["watch"], cwd }, async (watch) => {
    await watch.says(/^2 created in /m);
    await watch.says(/^watching wharf\.yaml$/m);
    const [web, other] = [await inspect(world, "shop-web-1"), await inspect(world, "shop-other-1")];
    assert.ok(web.Config.Env.includes("COLOR=red"));

    await write(cwd, "wharf.yaml", spec({ web: "blue", other: "grey" }));
    await watch.says(/^\d\d:\d\d:\d\d wharf\.yaml -> 1 replaced, 1 unchanged in \d/m);
    const replaced = await inspect(world, "shop-web-1");
    assert.ok(replaced.Config.Env.includes("COLOR=blue"));
    assert.is.not(replaced.Id, web.Id);
    assert.is((await inspect(world, "shop-other-1")).Id, other.Id);

    await save(cwd, "wharf.yaml", spec({ web: "blue", other: "pink" })); // as editors do
    await watch.says(/ wharf\.yaml -> 1 replaced, 1 unchanged in \d[\s\S]* wharf\.yaml -> 1 replaced, 1 unchanged in \d/);
    await save(cwd, "wharf.yaml", `# words\n${spec({ web: "blue", other: "pink" })}`);
    await watch.says(/ wharf\.yaml -> nothing to do in \d/);

    const { status, text } = await watch.end("SIGINT");
    assert.is(status, 130);
    assert.match(text, /no longer watching; what runs goes on\n$/);
  });
  assert.equal(await states(world, cwd), ["shop-other-1 running", "shop-web-1 running"]);
  await world.ok(["down"], { cwd });
}

async function breakAndMend(world: World): Promise<void> {
  const cwd = await shop(world, { web: "red" });
  await following(world, { argv: ["watch"], cwd }, async (watch) => {
    await watch.says(/^watching /m);
    const { Id } = await inspect(world, "shop-web-1");
    await write(cwd, "wharf.yaml", `${spec({ web: "blue" })}  bad:\n    imag: web\n`);
    await watch.says(/ wharf\.yaml -> 1 problem, what runs is left as it is\n/);
    assert.match(watch.text(), /error\[E_UNKNOWN_KEY\]: .*`imag`.*\n +--> wharf\.yaml:\d+:5\n/);
    assert.match(watch.text(), "did you mean `image`?");
    assert.is((await inspect(world, "shop-web-1")).Id, Id);

    await rm(join(cwd, "wharf.yaml"));
    await watch.says(/E_NO_SPEC[\s\S]* wharf\.yaml -> 1 problem, what runs is left as it is\n/);
    assert.is((await inspect(world, "shop-web-1")).Id, Id);

    await write(cwd, "wharf.yaml", spec({ web: "blue" }));
    await watch.says(/ wharf\.yaml -> fine again: 1 replaced in \d/);
    assert.ok((await inspect(world, "shop-web-1")).Config.Env.includes("COLOR=blue"));
    assert.is((await watch.end("SIGTERM")).status, 143);
  });
  assert.equal(await states(world, cwd), ["shop-web-1 running"]);
  await world.ok(["down"], { cwd });
}

async function otherFiles(world: World): Promise<void> {
  const service = `image: web\n    env_file: [{ path: web.env }, { path: config/more.env, required: false }]\n    environment: { COLOR: "\${COLOUR:-red}" }`;
  const cwd = await shop(world, {});
  await write(cwd, "wharf.yaml", `services:\n  web:\n    ${service}\n`);
  await write(cwd, "web.env", "SIZE=1\n");
  await following(world, { argv: ["watch"], cwd }, async (watch) => {
    await watch.says(/^watching wharf\.yaml, web\.env$/m);
    const has = async (variable: string): Promise<void> => {
      const { Env } = (await inspect(world, "shop-web-1")).Config;
      assert.ok(Env.includes(variable), `${variable} in ${Env.join(" ")}`);
    };
    await has("SIZE=1");
    await save(cwd, "web.env", "SIZE=2\n");
    await watch.says(/ web\.env -> 1 replaced in \d/);
    await has("SIZE=2");
    await write(cwd, ".env", "COLOUR=blue\n");
    await watch.says(/ \.env -> 1 replaced in \d/);
    await has("COLOR=blue");
    await world.project("shop", { "config/more.env": "SHAPE=round\n" }); // and its directory
    await watch.says(/ config(\/more\.env)?( \(\+1\))? -> 1 replaced in \d/);
    await has("SHAPE=round");
    await write(cwd, "wharf.override.yaml", "services:\n  web:\n    environment: { COLOR: pink }\n");
    await watch.says(/ wharf\.override\.yaml -> 1 replaced in \d/);
    await has("COLOR=pink");
    await rm(join(cwd, "wharf.override.yaml"));
    await watch.says(/ wharf\.override\.yaml -> 1 replaced in \d[\s\S]* wharf\.override\.yaml -> 1 replaced in \d/);
    await has("COLOR=blue");
  });
  await world.ok(["down"], { cwd });
}

async function failAndGoOn(world: World): Promise<void> {
  const cwd = await shop(world, { web: "red" });
  await following(world, { argv: ["watch"], cwd }, async (watch) => {
    await watch.says(/^watching /m);
    await write(cwd, "wharf.yaml", `${spec({ web: "blue" })}  more:\n    image: absent\n    pull_policy: never\n`);
    await watch.says(/error\[E_IMAGE_ABSENT\][\s\S]* wharf\.yaml -> failed/);
    await write(cwd, "wharf.yaml", spec({ web: "pink" }));
    await watch.says(/ wharf\.yaml -> 1 replaced in \d/);
    assert.ok((await inspect(world, "shop-web-1")).Config.Env.includes("COLOR=pink"));
  });
  await world.ok(["down"], { cwd });
}

async function beginBroken(world: World): Promise<void> {
  const cwd = await shop(world, {});
  await rm(join(cwd, "wharf.yaml"));
  const nothing = await world.wharf(["watch"], { cwd });
  assert.is(nothing.status, 3, nothing.stderr);
  assert.match(nothing.stderr, "E_NO_SPEC");
  const unknown = await world.wharf(["-f", "-", "watch", "nobody"], { cwd, input: spec({ web: "red" }) });
  assert.is(unknown.status, 1, unknown.stderr);

  await following(world, { argv: ["-f", "shop.yaml", "watch"], cwd }, async (watch) => {
    await watch.says(/E_NO_SPEC[\s\S]*\nwatching; nothing is done before this is mended\n/);
    await write(cwd, "shop.yaml", "services: [\n");
    await watch.says(/E_YAML[\s\S]* shop\.yaml -> \d problems?, what runs is left as it is\n/);
    await write(cwd, "shop.yaml", spec({ web: "red" }));
    await watch.says(/ shop\.yaml -> fine again: 1 created in \d/);
  });
  await world.ok(["-f", "shop.yaml", "down"], { cwd });
}

async function events(world: World): Promise<void> {
  const cwd = await shop(world, { web: "red" });
  await following(world, { argv: ["--progress", "json", "watch", "--no-up"], cwd }, async (watch) => {
    await watch.says(/"watch\.waiting","state":"kept"/);
    assert.equal(await ps(world, ["-a"], { cwd }), []);
    await write(cwd, "wharf.yaml", spec({ web: "blue" }));
    await watch.says(/"run\.finished"[\s\S]*"watch\.waiting","state":"kept"/);
    await write(cwd, "wharf.yaml", "services: 1\n");
    await watch.says(/"watch\.waiting","state":"broken"/);
    const { text } = await watch.end("SIGINT");
    const lines: readonly { readonly type: string; readonly seq: number; readonly files?: readonly string[] }[] = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal(
      lines.map(({ seq }) => seq),
      lines.map((_, index) => index + 1),
    );
    const types = lines.map(({ type }) => type).filter((type) => !type.startsWith("step."));
    const turn = ["watch.changed", "plan.ready", "run.finished", "watch.waiting"];
    assert.equal(types, ["watch.waiting", ...turn, "watch.changed", "notice", "watch.waiting"]);
    assert.equal(lines.find(({ type }) => type === "watch.changed")?.files, [join(cwd, "wharf.yaml")]);
  });
  await write(cwd, "wharf.yaml", spec({ web: "blue" }));
  assert.equal(await states(world, cwd), ["shop-web-1 running"]);
  await world.ok(["down"], { cwd });
}

async function upWatch(world: World): Promise<void> {
  const cwd = await shop(world, { web: "red" });
  await following(world, { argv: ["up", "--watch"], cwd }, async (watch) => {
    await watch.says(/^web-1 {2}\| showing red/m);
    await write(cwd, "wharf.yaml", spec({ web: "blue", more: "pink" }));
    await watch.says(/^web-1 {3}\| showing blue/m);
    await watch.says(/^more-1 {2}\| showing pink/m);
    const { status, text } = await watch.end("SIGINT");
    assert.is(status, 130);
    assert.match(text, "stopping …");
  });
  assert.equal(await states(world, cwd), ["shop-more-1 exited", "shop-web-1 exited"]);
  await world.ok(["down"], { cwd });
}

interface Watch {
  /** All that it printed so far, on either stream. */
  text(): string;
  /** Waits until it has printed something. */
  says(pattern: RegExp): Promise<void>;
  /** Sends a signal and waits for its end. */
  end(signal: NodeJS.Signals): Promise<{ readonly status: number | null; readonly text: string }>;
}

interface Call {
  readonly argv: readonly string[];
  readonly cwd: string;
}

/** Does something while a command watches, and ends it in any case. */
async function following(world: World, { argv, cwd }: Call, body: (watch: Watch) => Promise<void>): Promise<void> {
  const child = world.start(argv, { cwd });
  const closed = once(child, "close");
  const text = collect(child);
  try {
    await body({
      text,
      says: async (pattern) => {
        try {
          await until(String(pattern), async () => pattern.test(text()));
        } catch (error) {
          throw new Error(`${String(error)}\nwharf ${argv.join(" ")} printed:\n${text()}`);
        }
      },
      end: async (signal) => {
        child.kill(signal);
        const [status]: (number | null)[] = await closed;
        return { status: status ?? null, text: text() };
      },
    });
  } finally {
    child.kill("SIGINT");
    await closed;
  }
}

function collect(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return () => text;
}

/** A project `shop` with one service a colour, and the image that its services run. */
async function shop(world: World, colours: Readonly<Record<string, string>>): Promise<string> {
  await world.ok(["image", "import", "-", "web", "--cmd", "/usr/bin/colors"], { input: webRootfs() });
  return world.project("shop", { "wharf.yaml": spec(colours) });
}

function spec(colours: Readonly<Record<string, string>>): string {
  const services = Object.entries(colours).map(([name, colour]) => `  ${name}:\n    image: web\n    environment: { COLOR: ${colour} }\n`);
  return `services:\n${services.join("")}`;
}

async function states(world: World, cwd: string): Promise<readonly string[]> {
  return (await ps(world, ["-a"], { cwd })).map(({ Name, State }) => `${Name} ${State}`).sort();
}

function write(cwd: string, file: string, text: string): Promise<void> {
  return writeFile(join(cwd, file), text);
}

/** As editors do: a new file takes the place of the old one. */
async function save(cwd: string, file: string, text: string): Promise<void> {
  await write(cwd, `${file}.new`, text);
  await rename(join(cwd, `${file}.new`), join(cwd, file));
}
