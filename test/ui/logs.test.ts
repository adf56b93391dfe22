import { suite } from "uvu";
import * as assert from "uvu/assert";
import { logFormatter, tame } from "../../src/ui/logs.ts";
import { colourPlan } from "../../src/ui/plan.ts";
import { styleOf } from "../../src/ui/style.ts";

const names = new Map([
  ["1", "web-1"],
  ["2", "database-1"],
]);
const line = { container: "1", time: "2026-01-02T03:04:05.000000001Z", text: "GET /", complete: true };
const look = { style: styleOf(false), names, prefix: true, timestamps: false };

const it = suite("logs and plans");

it("prefixes are aligned to the longest name", () => {
  assert.is(logFormatter(look)(line), "web-1       | GET /\n");
  assert.is(logFormatter(look)({ ...line, container: "2" }), "database-1  | GET /\n");
});

it("times stand behind the prefix", () => {
  assert.is(logFormatter({ ...look, timestamps: true })(line), "web-1       | 2026-01-02T03:04:05.000000001Z GET /\n");
});

it("without prefix a program's bytes come out as they went in, also without a last newline", () => {
  const format = logFormatter({ ...look, prefix: false });
  assert.is(format(line), "GET /\n");
  assert.is(format({ ...line, text: "no newline", complete: false }), "no newline");
});

it("colour is put on the prefix only", () => {
  const text = logFormatter({ ...look, style: styleOf(true) })(line);
  assert.match(text, /^\x1b\[\d+mweb-1 {7}\| \x1b\[39mGET \/\n$/);
});

it("a terminal gets colours of what programs write, and nothing else that it would obey", () => {
  assert.is(tame("plain\ttext"), "plain\ttext");
  assert.is(tame("\x1b[31mred\x1b[0m ünï"), "\x1b[31mred\x1b[0m ünï\x1b[0m");
  assert.is(tame("a\x1b[2Kb\x1b[1;1Hc\x1b[?1049hd\x1bcx"), "abcdx");
  assert.is(tame("\x1b]0;title\x07t\x1b]52;c;Zm9v\x1b\\u\x1b]8;;http://x"), "tu");
  assert.is(tame("10%\r50%\rdone\r"), "done");
  assert.is(tame("a\x9b2Jb\x00\x7fc\u202ed"), "a2Jbcd");
  assert.is(logFormatter({ ...look, terminal: true })({ ...line, text: "x\x1b[2J" }), "web-1       | x\n");
});

it("a plan is coloured by its signs and says the same without colour", () => {
  const text =
    "  +   create    container/shop-web-1  not there yet\n        image: 1 -> 2\n  -   remove    container/x  down\n\nshop: 1 to create";
  assert.is(colourPlan(text, styleOf(false)), text);
  const coloured = colourPlan(text, styleOf(true)).split("\n");
  assert.match(coloured[0] ?? "", /^\x1b\[32m/);
  assert.match(coloured[2] ?? "", /^\x1b\[31m/);
  assert.is(coloured[1], "        image: 1 -> 2");
});

it.run();
