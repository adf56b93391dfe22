import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadFiles, onlyError, serviceText, web } from "./support.ts";

const it = suite("healthchecks of a spec");

const NOTHING = {
  test: null,
  intervalMs: null,
  timeoutMs: null,
  startPeriodMs: null,
  startIntervalMs: null,
  retries: null,
  restart: false,
};

it("tests in every form", async () => {
  const testOf = async (text: string) => (await web(`healthcheck: ${text}`)).healthcheck?.test;
  assert.equal(await testOf("{test: curl -f localhost}"), { kind: "shell", line: "curl -f localhost" });
  assert.equal(await testOf("{test: [CMD, curl, -f, localhost]}"), { kind: "command", argv: ["curl", "-f", "localhost"] });
  assert.equal(await testOf("{test: [CMD-SHELL, 'a || b']}"), { kind: "shell", line: "a || b" });
  assert.equal(await testOf("{test: [NONE]}"), { kind: "none" });
  assert.equal(await testOf("{disable: true}"), { kind: "none" });
  assert.is((await web("user: root")).healthcheck, null);
});

it("numbers, and nothing where the image may have a word", async () => {
  const text = "healthcheck: {interval: 1m30s, timeout: 10s, retries: 4, start_period: 40s, start_interval: 500ms}";
  const numbers = { intervalMs: 90_000, timeoutMs: 10_000, retries: 4, startPeriodMs: 40_000, startIntervalMs: 500 };
  assert.equal((await web(text)).healthcheck, { ...NOTHING, ...numbers });
});

it("probes from outside beside the usual numbers", async () => {
  const check = async (text: string) => (await web(`x-wharf: {healthcheck: ${text}}\nhealthcheck: {interval: 2s}`)).healthcheck;
  const http = { kind: "http", scheme: "http", port: 8080, path: "/", headers: {} };
  assert.equal(await check("{http: 8080}"), { ...NOTHING, intervalMs: 2_000, test: http });
  assert.equal((await check("{http: 8080/up?x=1}"))?.test, { ...http, path: "/up?x=1" });
  assert.equal(await check("{http: 'https://localhost:8443/up', restart: true}"), {
    ...NOTHING,
    intervalMs: 2_000,
    restart: true,
    test: { ...http, scheme: "https", port: 8443, path: "/up" },
  });
  assert.equal((await check("{http: {port: 80, path: up, headers: {X-A: b}}}"))?.test, {
    ...http,
    port: 80,
    path: "/up",
    headers: { "X-A": "b" },
  });
  assert.equal((await check("{tcp: 5432}"))?.test, { kind: "tcp", port: 5432 });
});

it("what is no probe is refused with its place", async () => {
  const wrong = (text: string) => onlyError(serviceText(`x-wharf: {healthcheck: ${text}}`));
  assert.match(await wrong("{http: 'http://elsewhere.example/up'}"), /E_VALUE .*x-wharf\.healthcheck\.http` is .*: it must be a port/);
  assert.match(await wrong("{tcp: 70000}"), /E_VALUE .*must be a port, 1 to 65535/);
  assert.match(await wrong("{tcp: 1, http: 2}"), /E_CONFLICT .*both `http` and `tcp`/);
  assert.match(await wrong("{htpp: 2}"), /htpp/);
});

it("waiting for health is no longer said to be in vain", async () => {
  const { warnings } = await loadFiles(
    "services:\n  web: {image: x, depends_on: {db: {condition: service_healthy}}}\n  db: {image: x, x-wharf: {healthcheck: {tcp: 1}}}\n",
  );
  assert.equal(warnings, []);
});

it.run();
