import * as assert from "uvu/assert";
import type { ExecOptions, LogLine } from "../../../src/engine/engine.ts";
import { LABEL } from "../../../src/model/labels.ts";
import { until } from "../../support/until.ts";
import { ALL_LINES, type Case, FOREVER, refused, type Stage, soon } from "./stage.ts";

/** What containers print, what is run in them, and their documents. */
export function outputCases(it: Case): void {
  it("a log has each line with its container, its stream and its time", async (stage) => {
    const { id, startedAt } = await stage.finish("echo to you; echo to all >&2");
    const lines = await stage.logs([id]);
    assert.equal(lines.map(({ container, stream, text, complete }) => [container, stream, text, complete]).sort(), [
      [id, "stderr", "to all", true],
      [id, "stdout", "to you", true],
    ]);
    for (const { time } of lines) {
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
      assert.ok(Date.parse(time) >= Date.parse(startedAt ?? "") - 1_000, `${time} is before the start at ${startedAt}`);
    }
  });

  it("a last line without a newline is told as such", async (stage) => {
    const { id } = await stage.finish("echo whole; printf half");
    assert.equal(
      (await stage.logs([id])).map(({ text, complete }) => [text, complete]),
      [
        ["whole", true],
        ["half", false],
      ],
    );
  });

  it("an empty line is a line", async (stage) => {
    const { id } = await stage.finish("echo one; echo; echo three");
    assert.equal(texts(await stage.logs([id])), ["one", "", "three"]);
  });

  it("what never ran has printed nothing", async (stage) => {
    const { id } = await stage.find(await stage.create(FOREVER));
    assert.equal(await stage.logs([id]), []);
  });

  it("of the tail only the last lines of each container come", async (stage) => {
    const first = await stage.finish("echo a1; echo a2; echo a3");
    const second = await stage.finish("echo b1; echo b2; echo b3", { name: "db" });
    assert.equal(texts(await stage.logs([first.id, second.id], { tail: 2 })), ["a2", "a3", "b2", "b3"]);
    assert.equal(await stage.logs([first.id], { tail: 0 }), []);
  });

  it("lines from a time on, and lines before it, are all lines", async (stage) => {
    const { id } = await stage.finish("echo one; sleep 0.1; echo two; sleep 0.1; echo three");
    const [, second] = await stage.logs([id]);
    const time = Date.parse(second?.time ?? "");
    assert.equal(texts(await stage.logs([id], { since: time })), ["two", "three"]);
    assert.equal(texts(await stage.logs([id], { until: time })), ["one"]);
  });

  it("lines of several containers come in the order in which they were printed", async (stage) => {
    const first = await stage.run("echo a1; sleep 0.3; echo a2; sleep 0.3; echo a3");
    const second = await stage.run("sleep 0.05; echo b1; sleep 0.3; echo b2; sleep 0.3; echo b3", { name: "db" });
    for (const { id } of [first, second]) await stage.engine.wait(id, stage.signal);
    const lines = await stage.logs([second.id, first.id]);
    assert.equal([...texts(lines)].sort(), ["a1", "a2", "a3", "b1", "b2", "b3"]);
    assert.is(texts(lines)[0], "a1");
    const times = lines.map(({ time }) => Date.parse(time));
    assert.equal(
      times,
      [...times].sort((a, b) => a - b),
    );
  });

  it("a follower gets what is there, what comes, and its end with the container's", async (stage) => {
    const { id } = await stage.run("echo one; sleep 0.2; echo two; sleep 0.2; echo three");
    assert.equal(texts(await stage.logs([id], { follow: true })), ["one", "two", "three"]);
  });

  it("a follower of several containers ends with the last of them", async (stage) => {
    const short = await stage.run("echo short");
    const long = await stage.run("sleep 0.3; echo long", { name: "db" });
    assert.equal(texts(await stage.logs([short.id, long.id], { follow: true })), ["short", "long"]);
  });

  it("a follower's tail is only of what is there already", async (stage) => {
    const { id } = await stage.run("echo one; echo two; sleep 1; echo three; echo four; exit 0");
    await until("two lines", async () => (await stage.logs([id])).length === 2);
    assert.equal(texts(await stage.logs([id], { follow: true, tail: 1 })), ["two", "three", "four"]);
  });

  it("a follower that is interrupted ends soon and well", async (stage) => {
    const { id } = await stage.run(`echo one; ${FOREVER}`);
    const over = new AbortController();
    const lines = stage.logs([id], { follow: true }, over.signal);
    await stage.firstLine(id);
    setTimeout(() => over.abort(), 100);
    await soon("the follower", lines);
    assert.equal(texts(await lines), ["one"]);
  });

  it("a follower ends when its container is removed", async (stage) => {
    const { id, name } = await stage.run(`echo one; ${FOREVER}`);
    const lines = stage.logs([id], { follow: true });
    await stage.firstLine(id);
    await stage.remove(name, { force: true });
    await soon("the follower", lines);
  });

  it("a follower that stops reading leaves nothing behind", async (stage) => {
    const { id } = await stage.run(`echo one; echo two; ${FOREVER}`);
    for await (const { text } of stage.engine.logs([id], { ...ALL_LINES, follow: true }, stage.signal)) {
      assert.is(text, "one");
      break;
    }
  });

  it("a program in a running container gives its exit status", async (stage) => {
    const { id } = await stage.run(FOREVER);
    assert.is(await exec(stage, id, "exit 7"), 7);
    assert.is(await exec(stage, id, "exit 0"), 0);
  });

  it("a program in a running container has the container's variables and its own", async (stage) => {
    const { id } = await stage.run(FOREVER, { environment: { SIZE: "big" } });
    const env = { EXTRA: "yes", COLOR: "blue" };
    for (const [key, value] of Object.entries({ SIZE: "big", EXTRA: "yes", COLOR: "blue" }))
      assert.is(await exec(stage, id, `test "$${key}" = ${value}`, { env }), 0, key);
  });

  it("what a program in a container prints is not in the container's log", async (stage) => {
    const { id } = await stage.run(`echo mine; ${FOREVER}`);
    await exec(stage, id, "printf .", { detach: true });
    await stage.firstLine(id);
    assert.equal(texts(await stage.logs([id])), ["mine"]);
  });

  it("a program that is let go of is not waited for", async (stage) => {
    const { id } = await stage.run(FOREVER);
    // Else it would take longer than a test may.
    assert.is(await exec(stage, id, "sleep 1000", { detach: true }), 0);
  });

  it("a program in a container that is interrupted is not waited for", async (stage) => {
    const { id } = await stage.run(FOREVER);
    const over = new AbortController();
    const status = stage.engine.exec(id, { ...EXEC, argv: ["sh", "-c", "sleep 30"] }, over.signal);
    setTimeout(() => over.abort(), 100);
    await soon("the program", status);
  });

  it("nothing is run in a container that does not run", async (stage) => {
    const { id, name } = await stage.finish("exit 0");
    await refused("E_NOT_RUNNING", exec(stage, id, "exit 0"), name);
  });

  it("an attached run starts the container and gives its exit status", async (stage) => {
    const { id, name } = await stage.find(await stage.create("sleep 0.1; exit 4"));
    assert.is(await stage.engine.runAttached(id, { tty: false, stdin: false, detachKeys: [] }, stage.signal), 4);
    assert.equal([(await stage.find(name)).state, (await stage.find(name)).exitCode], ["exited", 4]);
  });

  it("a container's document says what Docker's says of it", async (stage) => {
    const network = await stage.network();
    const { id, name, createdAt, image } = await stage.run(FOREVER, {
      environment: { SIZE: "big" },
      labels: { "a.label": "its value" },
      spec: { networks: [{ name: network, aliases: ["web"] }] },
    });
    const document = await inspect(stage, id);
    assert.equal([document.Id, document.Name, document.Created, document.Image], [id, `/${name}`, createdAt, image.id]);
    assert.equal([document.Path, document.Args], ["sh", ["-c", FOREVER]]);
    assert.equal([document.State.Status, document.State.Running, document.State.ExitCode], ["running", true, 0]);
    assert.equal(document.Config.Env.filter((entry: string) => /^(COLOR|SIZE)=/.test(entry)).sort(), ["COLOR=green", "SIZE=big"]);
    assert.equal([document.Config.Cmd, document.Config.Entrypoint], [["sh", "-c", FOREVER], null]);
    assert.is(document.Config.Image, image.reference);
    assert.equal(
      ["a.label", "of.image", LABEL.project].map((label) => document.Config.Labels[label]),
      ["its value", "yes", stage.project.name],
    );
    assert.equal(Object.keys(document.NetworkSettings.Networks), [network]);
    for (const key of ["HostConfig", "Mounts", "RestartCount", "Platform", "Driver"]) assert.ok(key in document, key);
  });

  it("a container's document follows what becomes of it", async (stage) => {
    const { id } = await stage.find(await stage.create("exit 3"));
    assert.is((await inspect(stage, id)).State.Status, "created");
    await stage.engine.runAttached(id, { tty: false, stdin: false, detachKeys: [] }, stage.signal);
    const { Status, Running, ExitCode } = (await inspect(stage, id)).State;
    assert.equal([Status, Running, ExitCode], ["exited", false, 3]);
  });
}

const EXEC: ExecOptions = { argv: [], tty: false, stdin: false, detach: false, env: {}, user: null, workingDir: null, privileged: false };

function exec({ engine, signal }: Stage, id: string, script: string, options: Partial<ExecOptions> = {}): Promise<number | null> {
  return engine.exec(id, { ...EXEC, argv: ["sh", "-c", script], ...options }, signal);
}

async function inspect({ engine, signal }: Stage, id: string) {
  return JSON.parse(JSON.stringify(await engine.inspect(id, signal)));
}

function texts(lines: readonly LogLine[]): readonly string[] {
  return lines.map(({ text }) => text);
}
