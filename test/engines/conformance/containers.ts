import * as assert from "uvu/assert";
import { LABEL } from "../../../src/model/labels.ts";
import { service } from "../../support/build.ts";
import { type Case, FOREVER, refused, type Stage } from "./stage.ts";

/** What a container is made of, how it is seen, and what it is called. */
export function containerCases(it: Case): void {
  it("a container that was created is there and does not run", async (stage) => {
    const name = await stage.create(FOREVER);
    const { state, exitCode, pid, startedAt, finishedAt, ports } = await stage.find(name);
    assert.equal([state, exitCode, pid, startedAt, finishedAt, ports], ["created", null, null, null, null, []]);
  });

  it("a container is seen as it was made: project, service, number, hash, attributes, labels, image, command", async (stage) => {
    const name = await stage.create("exit 0", {
      name: "api",
      labels: { "a.label": "its value" },
      spec: { number: 3, hash: "1:abc", attributes: { image: "x", ports: [1, null] } },
    });
    const seen = await stage.find(name);
    assert.equal([seen.project, seen.service, seen.number, seen.oneOff], [stage.project.name, "api", 3, false]);
    assert.is(seen.hash, "1:abc");
    assert.equal(seen.attributes, { image: "x", ports: [1, null] });
    assert.is(seen.labels[LABEL.project], stage.project.name);
    assert.is(seen.image.reference, "docker.io/conformance/shell:1");
    assert.match(seen.image.id, /^sha256:[0-9a-f]{64}$/);
    assert.equal(seen.argv, ["sh", "-c", "exit 0"]);
  });

  it("a container has an id of 64 hex digits and the time of its creation", async (stage) => {
    const before = Date.now();
    const { id, createdAt } = await stage.find(await stage.create(FOREVER));
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    assert.ok(Date.parse(createdAt) >= before - 1 && Date.parse(createdAt) <= Date.now() + 1, createdAt);
  });

  it("a one-off container is told from those of the service", async (stage) => {
    const name = await stage.create(FOREVER, { spec: { oneOff: true, number: 0 } });
    const { oneOff, number } = await stage.find(name);
    assert.equal([oneOff, number], [true, 0]);
  });

  it("a container is seen with the networks that it joins", async (stage) => {
    const [front, back] = [await stage.network("front"), await stage.network("back")];
    const networks = [
      { name: front, aliases: ["web"] },
      { name: back, aliases: [] },
    ];
    const { name } = await stage.run(FOREVER, { spec: { networks } });
    assert.equal(
      (await stage.find(name)).networks.map((joined) => joined.name),
      [front, back],
    );
  });

  it("a project sees its own containers, of others only their names, and an engine shows all", async (stage) => {
    const mine = await stage.create(FOREVER);
    const theirs = await stage.create(FOREVER, { spec: { project: stage.other.name } });
    const { containers, foreign } = await stage.observe();
    assert.equal(
      containers.map(({ name }) => name),
      [mine],
    );
    assert.equal(
      foreign.filter(({ name }) => name === theirs),
      [{ name: theirs, project: stage.other.name }],
    );
    const all = (await stage.engine.containers(stage.signal)).map(({ name }) => name);
    assert.ok(all.includes(mine) && all.includes(theirs), all.join(", "));
  });

  it("a project sees the images that its services name, with the command that they have", async (stage) => {
    const id = await stage.image("conformance/command:1", { Entrypoint: ["sh", "-c"], Cmd: ["exit 0"], Volumes: { "/data": {} } });
    const shape = (await stage.observe(withImage(stage, "conformance/command:1"))).images["docker.io/conformance/command:1"];
    assert.equal([shape?.id, shape?.command, shape?.volumes], [id, ["sh", "-c", "exit 0"], ["/data"]]);
    assert.equal((await stage.observe(withImage(stage, "conformance/absent:1"))).images, {});
  });

  it("a name is had once, whoever has it", async (stage) => {
    const name = await stage.create(FOREVER);
    await refused("E_NAME_TAKEN", stage.create(FOREVER), name);
    await refused(
      "E_NAME_TAKEN",
      stage.create(FOREVER, { container: name, spec: { project: stage.other.name } }),
      name,
      stage.project.name,
    );
    assert.is((await stage.observe()).containers.length, 1);
    assert.is((await stage.observe(stage.other)).containers.length, 0);
  });

  it("without its image a container is not made", async (stage) => {
    await refused("E_IMAGE_ABSENT", stage.create(FOREVER, { image: "conformance/absent:1" }), "conformance/absent:1");
    assert.equal((await stage.observe()).containers, []);
  });

  it("without anything to run a container is not made", async (stage) => {
    await refused("E_NOTHING_TO_RUN", stage.create("", { command: null }));
    await refused("E_NOTHING_TO_RUN", stage.create("", { command: [], entrypoint: [] }));
    assert.equal((await stage.observe()).containers, []);
  });

  it("without its network a container is not made, and its name stays free", async (stage) => {
    const networks = [{ name: `${stage.project.name}_absent`, aliases: [] }];
    await refused("E_NO_SUCH_NETWORK", stage.create(FOREVER, { spec: { networks } }), `${stage.project.name}_absent`);
    assert.equal((await stage.observe()).containers, []);
    await stage.create(FOREVER);
  });

  it("a service that gives no command runs the image's own", async (stage) => {
    await stage.image("conformance/whole:1", { Entrypoint: ["sh"], Cmd: ["-c", "exit 4"] });
    const { argv, exitCode } = await stage.finish("", { image: "conformance/whole:1", command: null });
    assert.equal([argv, exitCode], [["sh", "-c", "exit 4"], 4]);
  });

  it("a service's command goes behind the image's entrypoint", async (stage) => {
    await stage.image("conformance/whole:1", { Entrypoint: ["sh"], Cmd: ["-c", "exit 4"] });
    const { argv, exitCode } = await stage.finish("", { image: "conformance/whole:1", command: ["-c", "exit 5"] });
    assert.equal([argv, exitCode], [["sh", "-c", "exit 5"], 5]);
  });

  it("a service's entrypoint shuts out the image's command", async (stage) => {
    await stage.image("conformance/whole:1", { Entrypoint: ["sh"], Cmd: ["-c", "exit 4"] });
    const name = await stage.create("", { image: "conformance/whole:1", entrypoint: ["sleep", "1"], command: null });
    assert.equal((await stage.find(name)).argv, ["sleep", "1"]);
  });

  it("a program has the image's variables and the service's over them", async (stage) => {
    const environment = { SIZE: "big", COLOR: "blue" };
    assert.is((await stage.finish('test "$COLOR" = green')).exitCode, 0);
    assert.is((await stage.finish('test "$COLOR" = blue', { name: "blue", environment })).exitCode, 0);
    assert.is((await stage.finish('test "$SIZE" = big', { name: "big", environment })).exitCode, 0);
  });

  it("a variable that the service takes away is not there", async (stage) => {
    assert.is((await stage.finish('test "$COLOR" = ""', { environment: { COLOR: null } })).exitCode, 0);
  });

  it("a container gets another name and is the same one, running on", async (stage) => {
    const before = await stage.run(FOREVER);
    await stage.apply({ kind: "container.rename", container: before.name, to: `${before.name}.old` });
    const after = await stage.find(`${before.name}.old`);
    assert.equal([after.id, after.state, after.startedAt], [before.id, "running", before.startedAt]);
    assert.is((await stage.observe()).containers.length, 1);
  });

  it("a name that was given up is free", async (stage) => {
    const name = await stage.create(FOREVER);
    await stage.apply({ kind: "container.rename", container: name, to: `${name}.old` });
    await stage.create(FOREVER);
    assert.is((await stage.observe()).containers.length, 2);
  });

  it("a name that is taken is not given", async (stage) => {
    const [name, to] = [await stage.create(FOREVER), await stage.create(FOREVER, { name: "db" })];
    await refused("E_NAME_TAKEN", stage.apply({ kind: "container.rename", container: name, to }), to);
    assert.is((await stage.find(name)).state, "created");
  });

  it("a container that was removed is gone, and its name is free", async (stage) => {
    const { name } = await stage.finish("exit 0");
    await stage.remove(name);
    assert.equal((await stage.observe()).containers, []);
    await stage.create(FOREVER);
  });

  it("a running container is removed only by force", async (stage) => {
    const { name } = await stage.run(FOREVER);
    await refused("E_STILL_RUNNING", stage.remove(name), name);
    assert.is((await stage.find(name)).state, "running");
    await stage.remove(name, { force: true });
    assert.equal((await stage.observe()).containers, []);
  });

  it("nothing is done to a container that is not there", async (stage) => {
    const container = `${stage.project.name}-absent-1`;
    for (const action of [
      { kind: "container.start", container },
      { kind: "container.stop", container, graceMs: null },
      { kind: "container.restart", container, graceMs: null },
      { kind: "container.kill", container, signal: "SIGTERM" },
      { kind: "container.remove", container, volumes: false, force: true },
      { kind: "container.rename", container, to: `${container}.old` },
      { kind: "container.wait", container, until: "completed", required: true },
    ] as const)
      await refused("E_NO_SUCH_CONTAINER", stage.apply(action), container);
  });

  it("an id that no container has is refused", async (stage) => {
    const id = "0".repeat(64);
    const exec = { argv: ["true"], tty: false, stdin: false, detach: false, env: {}, user: null, workingDir: null, privileged: false };
    await refused("E_NO_SUCH_CONTAINER", stage.engine.wait(id, stage.signal));
    await refused("E_NO_SUCH_CONTAINER", stage.engine.inspect(id, stage.signal));
    await refused("E_NO_SUCH_CONTAINER", stage.engine.exec(id, exec, stage.signal));
    await refused("E_NO_SUCH_CONTAINER", stage.engine.runAttached(id, { tty: false, stdin: false, detachKeys: [] }, stage.signal));
  });
}

function withImage({ project }: Stage, image: string) {
  return { ...project, services: [service({ image })] };
}
