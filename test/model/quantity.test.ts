import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formatDuration, parseBytes, parseDuration } from "../../src/model/quantity.ts";

const it = suite("quantity");

it("a duration is a sum of numbers with units, in milliseconds", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["0", 0],
    ["0s", 0],
    ["10s", 10_000],
    ["1m30s", 90_000],
    ["1h30m", 5_400_000],
    ["1.5s", 1500],
    [".5s", 500],
    ["1.s", 1000],
    ["10us", 0.01],
    ["10µs", 0.01],
    ["250ms", 250],
    ["1d", 86_400_000],
    ["2w", 1_209_600_000],
  ];
  for (const [text, ms] of cases) assert.is(parseDuration(text), ms, text);
});

it("what is no duration is refused with the reason", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /empty/],
    ["10", /needs a unit \(10s, 10m\)/],
    ["10x", /"x" is no unit/],
    ["s", /numbers with units/],
    ["1m 30s", /numbers with units|no unit/],
    ["-5s", /negative/],
    ["1e3s", /no unit/],
    ["99999999w", /at most/],
  ];
  for (const [text, expected] of cases) {
    const parsed = parseDuration(text);
    assert.type(parsed, "object", text);
    if (typeof parsed === "object") assert.match(parsed.problem, expected);
  }
});

it("a duration prints as Compose prints it", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0s"],
    [10_000, "10s"],
    [90_000, "1m30s"],
    [3_600_000, "1h0m0s"],
    [1500, "1.5s"],
    [250, "250ms"],
    [0.01, "10µs"],
    [60_000, "1m0s"],
  ];
  for (const [ms, text] of cases) assert.is(formatDuration(ms), text);
});

it("every whole number of milliseconds survives printing and reading", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 1_000_000_000 }), (ms) => parseDuration(formatDuration(ms)) === ms));
});

it("a size is a number with a unit of 1024", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["512", 512],
    ["64m", 64 * 1024 ** 2],
    ["64MB", 64 * 1024 ** 2],
    ["64MiB", 64 * 1024 ** 2],
    ["1gb", 1024 ** 3],
    ["1.5k", 1536],
    ["1 k", 1024],
    ["8b", 8],
  ];
  for (const [text, bytes] of cases) assert.is(parseBytes(text), bytes, text);
});

it("what is no size is refused", () => {
  for (const text of ["", "m", "1x", "-1", "1e9", "1..5k", "99999999p"]) assert.type(parseBytes(text), "object", text);
});

it("no text makes the parsers throw or give anything but a number or a problem", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const parsed of [parseDuration(text), parseBytes(text)])
        assert.ok(typeof parsed === "number" ? parsed >= 0 && Number.isFinite(parsed) : parsed.problem !== "");
    }),
  );
});

it.run();
