import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ImageConfig } from "../../../src/engine/images.ts";
import { afterProbe, graceOf, type HealthState, healthPlan } from "../../../src/engines/oci/health.ts";
import type { ContainerRecord } from "../../../src/engines/oci/records.ts";
import { answerOf } from "../../../src/engines/oci/supervisor/probe.ts";
import type { Healthcheck } from "../../../src/model/health.ts";
import { service } from "../../support/build.ts";

const it = suite("health");

const NOTHING: Healthcheck = {
  test: null,
  intervalMs: null,
  timeoutMs: null,
  startPeriodMs: null,
  startIntervalMs: null,
  retries: null,
  restart: false,
};
const IMAGE: ImageConfig = {
  Healthcheck: { Test: ["CMD-SHELL", "wget -q localhost"], Interval: 5e9, Retries: 5 },
  Shell: ["/bin/ash", "-c"],
};

it("is looked at as the image says, with Docker's numbers where it says none", () => {
  assert.equal(planOf(null, IMAGE), {
    test: { kind: "command", argv: ["/bin/ash", "-c", "wget -q localhost"] },
    intervalMs: 5_000,
    timeoutMs: 30_000,
    startPeriodMs: 0,
    startIntervalMs: 5_000,
    retries: 5,
    restart: false,
  });
  assert.is(planOf(null, {}), null);
});

it("the service's words win one by one, and none is none", () => {
  const plan = planOf({ ...NOTHING, timeoutMs: 1_000, retries: 2 }, IMAGE);
  assert.equal([plan?.intervalMs, plan?.timeoutMs, plan?.retries], [5_000, 1_000, 2]);
  assert.equal(planOf({ ...NOTHING, test: { kind: "shell", line: "true" } }, {})?.test, {
    kind: "command",
    argv: ["/bin/sh", "-c", "true"],
  });
  assert.is(planOf({ ...NOTHING, test: { kind: "none" } }, IMAGE), null);
});

it("is unhealthy after as many failures in a row, and healthy by one success at any time", () => {
  let state = probed(fresh(), [1, 1]);
  assert.equal([state.status, state.streak], ["starting", 2]);
  state = probed(state, [1]);
  assert.is(state.status, "unhealthy");
  state = probed(state, [0]);
  assert.equal([state.status, state.streak], ["healthy", 0]);
  assert.is(probed(state, [1, 1]).status, "healthy");
  assert.is(probed(state, [1, 1, -1]).status, "unhealthy");
  assert.is(probed(state, [1, 1, 1]).log.length, 5);
});

it("failures before it would have been looked at do not count, successes do", () => {
  const early = probed(fresh(), [1, 1, 1, 1], false);
  assert.equal([early.status, early.streak], ["starting", 0]);
  assert.is(probed(early, [0], false).status, "healthy");
  const plan = planOf(NOTHING, IMAGE);
  assert.is(plan === null ? 0 : graceOf(plan), 5_000);
  assert.is(plan === null ? 0 : graceOf({ ...plan, startPeriodMs: 60_000 }), 60_000);
});

it("an answer over HTTP is well from 200 to 399, and nothing else is", () => {
  assert.equal(
    ["200 OK", "301 Moved", "404 Not Found", "500 Oops", "204"].map((line) => answerOf(`HTTP/1.1 ${line}\r\nA: b\r\n`)?.status),
    [0, 0, 1, 1, 0],
  );
  assert.is(answerOf("HTTP/1.1 20"), null);
  assert.is(answerOf("SSH-2.0-OpenSSH\r\n")?.status, 1);
  assert.is(answerOf("x".repeat(5_000))?.status, 1);
});

it.run();

function planOf(healthcheck: Healthcheck | null, config: ImageConfig) {
  const record = { spec: { service: service({ healthcheck }) }, image: { config } };
  return healthPlan(record as unknown as ContainerRecord);
}

const fresh = (): HealthState => ({ run: "2026-01-01T00:00:00Z", status: "starting", streak: 0, log: [] });

/** The state after probes with these statuses. */
function probed(state: HealthState, statuses: readonly number[], counts = true): HealthState {
  return statuses.reduce(
    (before, ExitCode) => afterProbe(before, { Start: "", End: "", ExitCode, Output: "" }, { retries: 3, counts }),
    state,
  );
}
