import { suite } from "uvu";
import * as assert from "uvu/assert";
import { configOfChanges } from "../../src/cli/commit.ts";
import { type ImportFlags, importOptions } from "../../src/cli/image-config.ts";
import { parseTime } from "../../src/cli/logs.ts";
import { Failure } from "../../src/model/diagnostic.ts";

const NONE: ImportFlags = {
  name: "colors:1",
  cmd: undefined,
  entrypoint: undefined,
  env: [],
  expose: [],
  workdir: undefined,
  user: undefined,
  label: [],
  platform: undefined,
};

const refused = (flags: Partial<ImportFlags>): boolean => {
  try {
    importOptions({ ...NONE, ...flags });
    return false;
  } catch (error) {
    if (error instanceof Failure) return error.has("E_USAGE");
    throw error;
  }
};

const it = suite("values of flags");

it("a command is words as for a shell, or a JSON list", () => {
  assert.equal(importOptions({ ...NONE, cmd: "httpd -f -h 'a b'" }).config.Cmd, ["httpd", "-f", "-h", "a b"]);
  assert.equal(importOptions({ ...NONE, cmd: '["sh", "-c", "echo $X"]' }).config.Cmd, ["sh", "-c", "echo $X"]);
  assert.ok(refused({ cmd: "echo 'open" }));
  assert.ok(refused({ cmd: "[1, 2]" }));
  assert.ok(refused({ cmd: "[broken" }));
});

it("what is not given is not in the image's configuration", () => {
  assert.equal(importOptions(NONE), { reference: "docker.io/library/colors:1", platform: null, config: {} });
});

it("ports, variables and labels get the form that images have", () => {
  const { config } = importOptions({ ...NONE, expose: ["3000", "53/udp"], env: ["COLOR=red=ish"], label: ["a=b"] });
  assert.equal(config, { Env: ["COLOR=red=ish"], ExposedPorts: { "3000/tcp": {}, "53/udp": {} }, Labels: { a: "b" } });
});

it("what means nothing is refused", () => {
  for (const flags of [
    { expose: ["70000"] },
    { expose: ["x"] },
    { env: ["=x"] },
    { workdir: "tmp" },
    { platform: "a/b/c/d" },
    { name: "UP:1" },
  ])
    assert.ok(refused(flags), JSON.stringify(flags));
});

it("a line of a Dockerfile that means nothing is refused, not passed over", () => {
  assert.equal(configOfChanges(['ENV A="two words" B=2', "ENV C the rest"]).Env, ["A=two words", "B=2", "C=the rest"]);
  const checked = (line: string) => configOfChanges([line]).Healthcheck;
  assert.equal(checked("HEALTHCHECK NONE"), { Test: ["NONE"] });
  assert.equal(checked(`HEALTHCHECK --timeout=1.5s --start-period=0 --start-interval=2s cmd ["a", "b c"]`), {
    Test: ["CMD", "a", "b c"],
    Timeout: 1_500_000_000,
    StartPeriod: 0,
    StartInterval: 2_000_000_000,
  });
  assert.equal(configOfChanges([`SHELL ["/bin/bash", "-ec"]`, "CMD echo $A"]).Cmd, ["/bin/bash", "-ec", "echo $A"]);
  assert.equal(configOfChanges(["ONBUILD RUN a  b", "ONBUILD COPY . /"]).OnBuild, ["RUN a  b", "COPY . /"]);
  for (const line of [
    "HEALTHCHECK",
    "HEALTHCHECK NONE x",
    "HEALTHCHECK --interval=1us CMD a",
    "HEALTHCHECK --often CMD a",
    "HEALTHCHECK CMD []",
  ])
    assert.throws(() => configOfChanges([line]), /is not understood/, line);
  for (const line of ["SHELL /bin/sh -c", "SHELL []", "ONBUILD RUN", "ONBUILD ONBUILD RUN a", "ONBUILD FROM a"])
    assert.throws(() => configOfChanges([line]), /is not understood/, line);
  for (const line of ['ENV A="open', "LABEL 'open", "ENV =1", "EXPOSE 0", "RUN true", "CMD [broken", "WORKDIR here"])
    assert.throws(() => configOfChanges([line]), /is not understood/, line);
});

it("times are ages, seconds or dates", () => {
  const now = Date.parse("2026-01-01T00:10:00Z");
  assert.is(parseTime("since", "10m", now), Date.parse("2026-01-01T00:00:00Z"));
  assert.is(parseTime("since", "2026-01-01T00:00:00Z", now), Date.parse("2026-01-01T00:00:00Z"));
  assert.is(parseTime("since", "1767225600", now), Date.parse("2026-01-01T00:00:00Z"));
  assert.throws(() => parseTime("since", "yesterday", now), /neither a time nor a duration/);
});

it.run();
