import { suite } from "uvu";
import * as assert from "uvu/assert";
import { failureOf, judge, lateness } from "../../src/cli/waiting.ts";
import type { ObservedContainer } from "../../src/model/observed.ts";
import { container } from "../support/build.ts";

const it = suite("what comes of a container that is waited for");

const NOW = Date.parse("2026-01-02T03:04:05.000Z");
const ago = (ms: number): string => new Date(NOW - ms).toISOString();
const of = (given: Partial<ObservedContainer>): string => judge(container({ name: "shop-db-1", ...given }), { now: NOW, restarts: 0 });

it("healthy is ready, and so is what runs where nobody looks at its health; an end with 0 is work done", () => {
  assert.is(of({ state: "running", health: "healthy" }), "ready");
  assert.is(of({ state: "running", health: null }), "ready");
  assert.is(of({ state: "running", health: "starting" }), "open");
  assert.is(of({ state: "created" }), "open");
  assert.is(of({ state: "paused", health: null }), "open");
  assert.is(of({ state: "exited", exitCode: 0 }), "done");
});

it("an error, and to be unhealthy, end the wait", () => {
  assert.is(of({ state: "exited", exitCode: 3 }), "failed");
  assert.is(of({ state: "dead" }), "failed");
  assert.is(of({ state: "running", health: "unhealthy" }), "failed");
});

it("one that was stopped meanwhile has done no work, whatever it ended with, and the failure says so", () => {
  assert.is(of({ state: "exited", exitCode: 0, stopped: true }), "failed");
  const db = container({ name: "shop-db-1", state: "exited", exitCode: 0, stopped: true });
  assert.is(failureOf(db).message, "shop-db-1 was stopped while this command waited for it");
});

it("one that its policy brings back is not ready before it ran for a while, and is given up after eight times", () => {
  assert.is(of({ state: "running", health: null, restarts: 1, startedAt: ago(500) }), "open");
  assert.is(of({ state: "running", health: null, restarts: 1, startedAt: ago(10_000) }), "ready");
  assert.is(of({ state: "running", health: "healthy", restarts: 3 }), "ready");
  assert.is(of({ state: "restarting", exitCode: 1, restarts: 7 }), "open");
  assert.is(of({ state: "restarting", exitCode: 1, restarts: 8 }), "failed");
  const old = container({ name: "shop-db-1", state: "restarting", exitCode: 1, restarts: 90 });
  assert.is(judge(old, { now: NOW, restarts: 90 }), "open", "it gets one more try");
  assert.is(judge({ ...old, restarts: 91 }, { now: NOW, restarts: 90 }), "failed");
});

it("a failure and a time-out say which and why", () => {
  const db = container({ name: "shop-db-1", service: "db", state: "restarting", exitCode: 7, restarts: 8 });
  assert.match(failureOf(db).message, /^shop-db-1 ends again and again: .* 8 times, its last end was with 7$/);
  assert.is(lateness(db, 1).message, "application not healthy after 1s: shop-db-1 is still restarting (its last end was with 7)");
  assert.is(
    lateness(container({ name: "a", state: "running", health: "starting" }), 30).message,
    "application not healthy after 30s: a is still starting",
  );
});

it.run();
