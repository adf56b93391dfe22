import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { Healthcheck } from "../../../src/model/health.ts";
import { type Case, FOREVER, refused, STUBBORN, soon } from "./stage.ts";

/** How containers start, end, and are waited for. */
export function lifeCases(it: Case): void {
  it("a container that was started runs", async (stage) => {
    const before = Date.now();
    const { state, startedAt, finishedAt } = await stage.run(FOREVER);
    assert.equal([state, finishedAt], ["running", null]);
    assert.ok(Date.parse(startedAt ?? "") >= before - 1, `started at ${startedAt}`);
  });

  it("one that runs is started again without complaint, and is not started anew", async (stage) => {
    const { name, startedAt } = await stage.run(FOREVER);
    await stage.start(name);
    const after = await stage.find(name);
    assert.equal([after.state, after.startedAt], ["running", startedAt]);
  });

  it("a program that ends leaves its exit status and the time", async (stage) => {
    const { state, exitCode, startedAt, finishedAt } = await stage.finish("exit 3");
    assert.equal([state, exitCode], ["exited", 3]);
    assert.ok(Date.parse(finishedAt ?? "") >= Date.parse(startedAt ?? ""), `${startedAt} to ${finishedAt}`);
  });

  it("one that has ended starts again", async (stage) => {
    const first = await stage.finish("exit 3");
    await stage.start(first.name);
    assert.is(await stage.engine.wait(first.id, stage.signal), 3);
    const second = await stage.find(first.name);
    assert.is(second.id, first.id);
    assert.ok(Date.parse(second.startedAt ?? "") >= Date.parse(first.finishedAt ?? ""), "it has a new start");
  });

  it("a stop lets the program end as it likes", async (stage) => {
    const { name } = await stage.runListening("trap 'exit 7' TERM");
    await stage.stop(name);
    const { state, exitCode } = await stage.find(name);
    assert.equal([state, exitCode], ["exited", 7]);
  });

  it("a stop sends the signal that the service chose, else the one that the image chose", async (stage) => {
    const traps = "trap 'exit 8' USR1; trap 'exit 9' USR2";
    await stage.image("conformance/signal:1", { StopSignal: "SIGUSR1", Env: ["PATH=/usr/bin:/bin"] });
    const ofImage = await stage.runListening(traps, { image: "conformance/signal:1" });
    const ofService = await stage.runListening(traps, { image: "conformance/signal:1", name: "db", stopSignal: "SIGUSR2" });
    await stage.stop(ofImage.name);
    await stage.stop(ofService.name);
    assert.is((await stage.find(ofImage.name)).exitCode, 8);
    assert.is((await stage.find(ofService.name)).exitCode, 9);
  });

  it("a program that does not hear the stop is killed when its time is over", async (stage) => {
    const { name } = await stage.runListening(STUBBORN);
    await soon("the stop", stage.stop(name, 100));
    const { state, exitCode } = await stage.find(name);
    assert.equal([state, exitCode], ["exited", 137]);
  });

  it("without a word on it a stop waits as long as the service says", async (stage) => {
    const { name } = await stage.runListening(STUBBORN, { stopGraceMs: 100 });
    await soon("the stop", stage.stop(name));
    assert.is((await stage.find(name)).exitCode, 137);
  });

  it("a stop that is interrupted does not wait any longer", async (stage) => {
    const { name } = await stage.runListening(STUBBORN);
    const over = new AbortController();
    const stop = stage.apply({ kind: "container.stop", container: name, graceMs: 60_000 }, over.signal);
    setTimeout(() => over.abort(), 100);
    await soon("the stop", stop);
    assert.is((await stage.find(name)).state, "exited");
  });

  it("what does not run is stopped without complaint", async (stage) => {
    const created = await stage.create(FOREVER);
    await stage.stop(created);
    assert.is((await stage.find(created)).state, "created");
    const { name, exitCode } = await stage.finish("exit 3", { name: "db" });
    await stage.stop(name);
    await stage.stop(name);
    assert.is((await stage.find(name)).exitCode, exitCode);
  });

  it("a killed program ends at once with 137", async (stage) => {
    const { name } = await stage.runListening(STUBBORN);
    await stage.apply({ kind: "container.kill", container: name, signal: "SIGKILL" });
    const { state, exitCode } = await stage.find(name);
    assert.equal([state, exitCode], ["exited", 137]);
  });

  it("a signal is the program's to answer", async (stage) => {
    const { id, name } = await stage.runListening("trap 'exit 6' HUP");
    await stage.apply({ kind: "container.kill", container: name, signal: "SIGHUP" });
    assert.is(await stage.engine.wait(id, stage.signal), 6);
  });

  it("a signal that the program does not mind leaves it running", async (stage) => {
    const { name } = await stage.runListening(STUBBORN);
    await stage.apply({ kind: "container.kill", container: name, signal: "SIGTERM" });
    assert.is((await stage.find(name)).state, "running");
  });

  it("what does not run is not killed", async (stage) => {
    const name = await stage.create(FOREVER);
    await refused("E_NOT_RUNNING", stage.apply({ kind: "container.kill", container: name, signal: "SIGKILL" }), name);
  });

  it("what is paused stands still until it is let go on, both as often as one likes", async (stage) => {
    const { id, name } = await stage.runListening("trap 'exit 6' HUP");
    await stage.apply({ kind: "container.pause", container: name });
    await stage.apply({ kind: "container.pause", container: name });
    assert.is((await stage.find(name)).state, "paused");
    await stage.apply({ kind: "container.unpause", container: name });
    await stage.apply({ kind: "container.unpause", container: name });
    assert.is((await stage.find(name)).state, "running");
    await stage.apply({ kind: "container.kill", container: name, signal: "SIGHUP" });
    assert.is(await stage.engine.wait(id, stage.signal), 6);
  });

  it("what is paused is stopped, killed and removed as what runs", async (stage) => {
    const pause = async (name: string): Promise<void> => stage.apply({ kind: "container.pause", container: name });
    const stopped = await stage.runListening("trap 'exit 7' TERM");
    await pause(stopped.name);
    await stage.stop(stopped.name);
    assert.equal([(await stage.find(stopped.name)).state, (await stage.find(stopped.name)).exitCode], ["exited", 7]);
    const killed = await stage.runListening(STUBBORN, { name: "killed" });
    await pause(killed.name);
    await stage.apply({ kind: "container.kill", container: killed.name, signal: "SIGKILL" });
    assert.is((await stage.find(killed.name)).exitCode, 137);
    const removed = await stage.run(FOREVER, { name: "removed" });
    await pause(removed.name);
    await stage.remove(removed.name, { force: true });
  });

  it("the processes of what runs can be seen, those of what does not cannot", async (stage) => {
    const { id, name } = await stage.runListening(STUBBORN);
    const [first] = await stage.engine.processes(id, stage.signal);
    assert.is(first?.user, "root");
    assert.ok((first?.pid ?? 0) > 0 && Date.parse(first?.startedAt ?? "") > 0 && first?.command !== "");
    await stage.remove(name, { force: true });
    const idle = await stage.create(FOREVER, { name: "idle" });
    await refused("E_NOT_RUNNING", stage.engine.processes((await stage.find(idle)).id, stage.signal), idle);
  });

  it("what a container uses can be seen while it runs", async (stage) => {
    const { id } = await stage.runListening(STUBBORN);
    const first = await stage.engine.usage(id, stage.signal);
    const second = await stage.engine.usage(id, stage.signal);
    assert.ok(first.processes >= 1 && second.at >= first.at && second.cpuMs >= first.cpuMs);
    const idle = await stage.create(FOREVER, { name: "idle" });
    await refused("E_NOT_RUNNING", stage.engine.usage((await stage.find(idle)).id, stage.signal), idle);
  });

  it("what does not run is not paused", async (stage) => {
    const name = await stage.create(FOREVER);
    await refused("E_NOT_RUNNING", stage.apply({ kind: "container.pause", container: name }), name);
  });

  it("a signal that there is not is refused", async (stage) => {
    const { name } = await stage.run(FOREVER);
    await refused("E_SIGNAL_UNKNOWN", stage.apply({ kind: "container.kill", container: name, signal: "SIGNONSENSE" }), "SIGNONSENSE");
    assert.is((await stage.find(name)).state, "running");
  });

  it("a restart ends the program and starts it anew in the same container", async (stage) => {
    const before = await stage.run(FOREVER);
    await sleep(5); // times may have no more digits than milliseconds
    await stage.apply({ kind: "container.restart", container: before.name, graceMs: null });
    const after = await stage.find(before.name);
    assert.equal([after.id, after.state], [before.id, "running"]);
    assert.ok(Date.parse(after.startedAt ?? "") > Date.parse(before.startedAt ?? ""), "it has a new start");
  });

  it("a restart starts what does not run", async (stage) => {
    const name = await stage.create(FOREVER);
    await stage.apply({ kind: "container.restart", container: name, graceMs: null });
    assert.is((await stage.find(name)).state, "running");
  });

  it("a wait gives the exit status, now or later", async (stage) => {
    const { id } = await stage.run("sleep 0.2; exit 5");
    assert.is(await stage.engine.wait(id, stage.signal), 5);
    assert.is(await stage.engine.wait(id, stage.signal), 5);
  });

  it("a wait ends soon when it is interrupted, and the container runs on", async (stage) => {
    const { id, name } = await stage.run(FOREVER);
    const over = new AbortController();
    const waited = stage.engine.wait(id, over.signal);
    setTimeout(() => over.abort(), 50);
    await soon("the wait", waited);
    assert.is((await stage.find(name)).state, "running");
  });

  it("waiting for a completion ends when the program has ended well", async (stage) => {
    const { name } = await stage.run("sleep 0.2; exit 0");
    await stage.apply({ kind: "container.wait", container: name, until: "completed", required: true });
    assert.is((await stage.find(name)).exitCode, 0);
  });

  it("waiting for a completion fails when the program ends badly, unless it need not succeed", async (stage) => {
    const { name } = await stage.run("sleep 0.1; exit 3");
    await refused(
      "E_DEPENDENCY_FAILED",
      stage.apply({ kind: "container.wait", container: name, until: "completed", required: true }),
      name,
    );
    await stage.apply({ kind: "container.wait", container: name, until: "completed", required: false });
  });

  it("waiting for a completion ends soon when it is interrupted", async (stage) => {
    const { name } = await stage.run(FOREVER);
    const over = new AbortController();
    const waited = stage.apply({ kind: "container.wait", container: name, until: "completed", required: true }, over.signal);
    setTimeout(() => over.abort(), 50);
    await soon("the wait", waited);
    assert.is((await stage.find(name)).state, "running");
  });

  it("health is waited for where it is checked, and else refused", async (stage) => {
    const healthcheck: Healthcheck = {
      test: { kind: "command", argv: ["true"] },
      intervalMs: null,
      timeoutMs: null,
      startPeriodMs: null,
      startIntervalMs: null,
      retries: null,
      restart: false,
    };
    const { name } = await stage.run(FOREVER, { healthcheck, spec: { attributes: { healthcheck: true } } });
    const waited = stage.apply({ kind: "container.wait", container: name, until: "healthy", required: true });
    if (stage.engine.capabilities.healthchecks === "none") return refused("E_UNSUPPORTED", waited, name);
    await waited;
    assert.is((await stage.find(name)).health, "healthy");
    await stage.stop(name);
    assert.is((await stage.find(name)).health, null);
  });
}
