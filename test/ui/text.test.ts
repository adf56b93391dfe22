import { suite } from "uvu";
import * as assert from "uvu/assert";
import { styleOf } from "../../src/ui/style.ts";
import { clean, clip, pad, width } from "../../src/ui/text.ts";
import { age, bytes, elapsed } from "../../src/ui/units.ts";

const it = suite("text");

it("width counts columns: wide characters two, combining marks and escape sequences none", () => {
  assert.equal(["abc", "日本", "e\u0301", "\x1b[31mred\x1b[39m", "🚀", ""].map(width), [3, 4, 1, 3, 2, 0]);
});

it("clip never exceeds its columns and shows that something is missing", () => {
  assert.is(clip("shop-web-1", 10), "shop-web-1");
  assert.is(clip("shop-web-1", 6), "shop-…");
  assert.is(clip("日本語", 4), "日…");
  assert.is(clip("anything", 0), "");
});

it("clean takes escape sequences and line breaks out of what comes from outside", () => {
  assert.is(clean("a\x1b[31mb\nc\x07d\u202ee"), "ab c d e");
});

it("pad counts columns, not characters", () => {
  assert.is(pad("日", 4), "日  ");
});

it("sizes have three digits and decimal units", () => {
  assert.equal([0, 999, 1000, 4_264_000, 12_345_678, 187_400_000, 999_600_000].map(bytes), [
    "0B",
    "999B",
    "1kB",
    "4.26MB",
    "12.3MB",
    "187MB",
    "1GB",
  ]);
});

it("times are short in seconds and long in words", () => {
  assert.equal([40, 1234, 125_000, 7_300_000].map(elapsed), ["0.0 s", "1.2 s", "2m 5s", "2h 1m"]);
  const second = 1000;
  const day = 86_400 * second;
  assert.equal(
    [0, second, 59 * second, 60 * second, 150 * second, 3600 * second, 5 * 3600 * second, 3 * day, 20 * day, 90 * day, 800 * day].map(age),
    [
      "Less than a second",
      "1 second",
      "59 seconds",
      "About a minute",
      "2 minutes",
      "About an hour",
      "5 hours",
      "3 days",
      "2 weeks",
      "3 months",
      "2 years",
    ],
  );
});

it("a name has the same colour in every run, and near names have different ones", () => {
  const style = styleOf(true);
  assert.is(style.named("web-1", "x"), style.named("web-1", "x"));
  const colours = new Set(["web-1", "web-2", "db-1", "cache-1", "api-1", "mail-1"].map((name) => style.named(name, "x")));
  assert.ok(colours.size >= 4, `only ${colours.size} colours for six names`);
});

it.run();
