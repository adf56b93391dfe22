/** Programs in containers at a real terminal: attach, run -it, exec -it. */
import type { ChildProcess } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { Attachment } from "../../src/engines/oci/attach.ts";
import { bundleDirectory, openLayout } from "../../src/engines/oci/layout.ts";
import { IDLE, idleProject } from "../support/idle.ts";
import { ps } from "../support/listings.ts";
import { atTerminal } from "../support/terminal.ts";
import { until } from "../support/until.ts";
import { containerSuite, finish, inWorld, type World } from "../support/world.ts";

const it = containerSuite("terminals");

it("attach passes keys on, follows the terminal's size, and leaves a program alone at ctrl-p ctrl-q", inWorld(attaching));

it("attach without a terminal passes input, output and signals on, and ends with the program's status", inWorld(plain));

it("what is interrupted before it begins to listen ends as well", inWorld(early));

it("attach refuses what does not run, and keys that are none", inWorld(refusals));

it("run -it has keys, size, status and detach as a terminal has them", inWorld(running));

it("exec -it has keys, size and status as a terminal has them", inWorld(executing));

it("exec -it detaches from a program that goes on, also where its caller is killed; hung up on it ends", inWorld(leaving));

it("run takes Compose's flags", inWorld(flags));

it.run();

const SHELL = `image: "tools:1", command: [sh], tty: true, stdin_open: true`;

async function attaching(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [`sh: { ${SHELL} }`]);
  await world.ok(["up", "-d"], { cwd });
  const first = atTerminal(world, "attach sh", { cwd });
  await first.see(/[#$] /);
  await first.ask("echo $((6*7)); stty size\n", /\n42\r?\n33 99\r?\n/);
  await first.resize(40, 111);
  await first.ask("stty size\n", /\n40 111\r?\n/); // the size travels beside the keys
  first.type("sleep 100\n");
  await until("that it sleeps", async () => (await world.ok(["top", "sh"], { cwd })).includes("sleep 100"));
  first.type("\x03"); // goes to the container's program, not to wharf
  await first.see(/[#$] /);
  first.type("kept=1\x10");
  first.type("\x11");
  assert.is(await first.ended, 0);
  assert.match(first.shown(), /detached from shop-sh-1/);

  const second = atTerminal(world, "attach --detach-keys ctrl-x sh", { cwd });
  await second.see(/[#$] kept=1/); // drawn anew for who comes
  second.type("\necho is $kept\n");
  await second.see(/\nis 1\r?\n/);
  second.type("\x18");
  assert.is(await second.ended, 0);

  const third = atTerminal(world, "attach sh", { cwd });
  await third.see(/[#$] /);
  third.type("\nexit 7\n");
  assert.is(await third.ended, 7);
  await world.ok(["down"], { cwd });
}

async function early(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [`web: { ${IDLE} }`]);
  await world.ok(["up", "-d"], { cwd });
  const [id = ""] = (await readdir(join(world.root, "containers"))).filter((name) => !name.startsWith("."));
  const attachment = new Attachment(bundleDirectory(openLayout(world.root, world.run), id));
  const { stdin, stdout, stderr } = process;
  const copied = attachment.copy(
    { stdin, stdout, stderr },
    { tty: false, stdin: false, detachKeys: [], redraw: false, signal: AbortSignal.abort() },
  );
  assert.is(await Promise.race([copied, sleep(10_000, "it goes on", { ref: false })]), "ended");
  await world.ok(["down"], { cwd });
}

async function plain(world: World): Promise<void> {
  const cat = `image: "tools:1", command: [sh, -c, "trap 'echo got; exit 3' INT; while read -r line; do echo out $$line; echo err $$line >&2; done; exit 5"], stdin_open: true`;
  const cwd = await idleProject(world, "shop", [
    `cat: { ${cat} }`,
    `tick: { image: "tools:1", command: [sh, -c, "while :; do echo tick; sleep 0.1; done"] }`,
  ]);
  await world.ok(["up", "-d"], { cwd });
  const attached = world.start(["attach", "cat"], { cwd, input: "" });
  const finished = finish(attached);
  attached.stdin?.write("one\n");
  await printed(attached, /out one/);
  attached.kill("SIGINT");
  await until("its end", async () => {
    attached.stdin?.write("\n"); // busybox's shell looks at a signal when its read is over
    return attached.exitCode !== null;
  });
  const { status, stdout, stderr } = await finished;
  assert.is(status, 3, stderr);
  assert.match(stdout, /^out one\n/);
  assert.match(stderr, /^err one\n/);

  const looking = world.start(["attach", "--no-stdin", "tick"], { cwd });
  const over = finish(looking);
  await printed(looking, /tick/);
  await world.ok(["kill", "tick"], { cwd });
  assert.is((await over).status, 137);
  await world.ok(["down"], { cwd });
}

/** Waits until a child has printed something. */
async function printed(child: ChildProcess, wanted: RegExp): Promise<void> {
  let text = "";
  child.stdout?.on("data", (chunk: string) => (text += chunk));
  await until(`${wanted} printed`, async () => wanted.test(text));
}

async function refusals(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [`web: { ${IDLE} }`]);
  await world.ok(["up", "-d"], { cwd });
  assert.match((await world.wharf(["attach", "--detach-keys", "ctrl-1", "web"], { cwd })).stderr, /E_USAGE[\s\S]*ctrl-p,ctrl-q/);
  await world.ok(["pause"], { cwd });
  assert.match((await world.wharf(["attach", "web"], { cwd })).stderr, /E_PAUSED/);
  await world.ok(["stop"], { cwd });
  assert.match((await world.wharf(["attach", "web"], { cwd })).stderr, /E_NOT_RUNNING.*exited/);
  await world.ok(["down"], { cwd });
}

async function running(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [`web: { ${IDLE} }`]);
  const run = atTerminal(world, "run --rm web sh", { cwd });
  await run.see(/[#$] /);
  run.type("tty; stty size\n");
  await run.see(/\/dev\/[^\n]*\r?\n33 99\r?\n/);
  await run.resize(20, 70);
  await run.ask("stty size\n", /\n20 70\r?\n/); // the size travels beside the keys
  run.type("exit 9\n");
  assert.is(await run.ended, 9);
  assert.equal(await ps(world, ["-a", "--orphans=true"], { cwd }), []);

  const left = atTerminal(world, "run --rm --name left web sh", { cwd });
  await left.see(/[#$] /);
  left.type("\x10\x11");
  assert.is(await left.ended, 0);
  await world.ok(["exec", "-T", "left", "true"], { cwd });
  await world.ok(["down"], { cwd });
}

async function executing(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [`web: { ${IDLE} }`]);
  await world.ok(["up", "-d"], { cwd });
  const exec = atTerminal(world, "exec web sh", { cwd });
  await exec.see(/[#$] /);
  await exec.ask("tty; stty size; echo $TERM\n", /\/dev\/[^\n]*\r?\n33 99\r?\n/);
  await exec.resize(20, 70);
  await exec.ask("stty size\n", /\n20 70\r?\n/);
  exec.type("sleep 100\n");
  await until("that it sleeps", async () => (await world.ok(["top", "web"], { cwd })).includes("sleep 100"));
  exec.type("\x03");
  await exec.see(/[#$] /);
  exec.type("exit 9\n");
  assert.is(await exec.ended, 9);
  await world.ok(["down"], { cwd });
}

async function leaving(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [`web: { ${IDLE} }`]);
  await world.ok(["up", "-d"], { cwd });
  const begin = async (words: string, mark: string) => {
    const terminal = atTerminal(world, `exec ${words} web sh`, { cwd });
    await terminal.see(/[#$] /);
    await terminal.ask(`stty size; mark=${mark}; trap 'echo hung up >/tmp/${mark}; exit' HUP\n`, /\n33 99\r?\n/);
    terminal.type(`while :; do echo $mark >>/tmp/${mark}; sleep 0.1; done\n`);
    return terminal;
  };
  const written = (mark: string): Promise<string> => world.ok(["exec", "-T", "web", "cat", `/tmp/${mark}`], { cwd });
  const goesOn = async (mark: string): Promise<void> => {
    const before = (await written(mark)).length;
    await until(`${mark} goes on`, async () => (await written(mark)).length > before);
  };
  const left = await begin("", "left");
  await until("the first words", async () => (await world.wharf(["exec", "-T", "web", "test", "-s", "/tmp/left"], { cwd })).status === 0);
  left.type("\x10\x11");
  assert.is(await left.ended, 0);
  assert.match(left.shown(), /detached from sh in shop-web-1, which runs on/);
  await goesOn("left");

  const other = await begin("--detach-keys ctrl-x", "other");
  await until("the first words", async () => (await world.wharf(["exec", "-T", "web", "test", "-s", "/tmp/other"], { cwd })).status === 0);
  await signalExec(world, "SIGKILL");
  await other.ended;
  await goesOn("other");

  const hung = await begin("", "hung");
  await until("the first words", async () => (await world.wharf(["exec", "-T", "web", "test", "-s", "/tmp/hung"], { cwd })).status === 0);
  await signalExec(world, "SIGTERM");
  assert.is(await hung.ended, 143);
  await until("the hangup", async () => /hung up/.test(await written("hung")));
  const [id = ""] = await readdir(join(world.run, "c"));
  const files = async (): Promise<readonly string[]> =>
    (await readdir(join(world.run, "c", id))).filter((name) => /^e(xec-)?[0-9a-f]{12}/.test(name));
  assert.is((await files()).length, 4, "two programs run: each has a directory and a file");
  await world.ok(["exec", "-T", "web", "killall", "-9", "sh"], { cwd }); // but its first process, whom no signal of its own reaches
  await until("nothing of them is left", async () => (await files()).length === 0);
  assert.match((await world.wharf(["exec", "--detach-keys", "ctrl-1", "web", "sh"], { cwd })).stderr, /E_USAGE/);
  await world.ok(["down"], { cwd });
}

/** Sends a signal to the only `wharf exec` at a terminal of a world. */
async function signalExec(world: World, signal: NodeJS.Signals): Promise<void> {
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const [words, env] = await Promise.all(
      ["cmdline", "environ"].map((file) => readFile(`/proc/${pid}/${file}`, "latin1").catch(() => "")),
    );
    const [program = "", , verb] = (words ?? "").split("\0");
    if (/node$/.test(program) && verb === "exec" && (env ?? "").includes(`WHARF_ROOT=${world.root}\0`)) process.kill(Number(pid), signal);
  }
}

async function flags(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [`web: { ${IDLE} }`]);
  await world.project("shop", { "vars.env": "A=file\nB=file\n" });
  const run = (args: readonly string[], command: readonly string[]): Promise<string> =>
    world.ok(["run", "--rm", "-T", ...args, "web", ...command], { cwd });
  assert.is(await run(["--env-from-file", "vars.env", "-e", "B=flag"], ["sh", "-c", "echo $A $B"]), "file flag\n");
  const caps = async (args: readonly string[]): Promise<string> =>
    /CapEff:\s*(\S+)/.exec(await run(args, ["cat", "/proc/self/status"]))?.[1] ?? "";
  const usual = Number.parseInt(await caps([]), 16);
  assert.is(Number.parseInt(await caps(["--cap-drop", "ALL", "--cap-add", "CHOWN"]), 16), 1);
  assert.ok(usual !== 1);
  assert.match((await world.wharf(["run", "--build", "web"], { cwd })).stderr, /E_UNSUPPORTED[\s\S]*build/);
  await world.ok(["up", "-d"], { cwd });
  assert.is((await world.ok(["run", "-d", "--use-aliases", "--name", "alias", "web", "sleep", "100"], { cwd })).trim(), "alias");
  await world.ok(["down"], { cwd });
}
