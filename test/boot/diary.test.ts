import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readDiary } from "../support/diary.ts";

const it = suite("the diary of a process of tests");

it("what began and is not gone is to be swept, each container and bridge with its world", () => {
  const { worlds, spaces } = readDiary(
    "world /tmp/a\ncontainer /tmp/a 11\nworld /tmp/b\nbridge /tmp/b wharf0\nspace out-1\nspace out-2\ngone /tmp/a\ngone out-1\ncontainer /tmp/b 22\n",
  );
  assert.equal([...worlds], [["/tmp/b", { containers: new Set(["22"]), bridges: new Set(["wharf0"]) }]]);
  assert.equal([...spaces], ["out-2"]);
});

it("a line that was not written to its end does not count", () => {
  assert.equal([...readDiary("world /tmp/a\nworld /tmp/").worlds.keys()], ["/tmp/a"]);
});

it("what is no diary is not acted on", () => {
  assert.throws(() => readDiary("world /tmp/a\nremove /\n"), "no line of a diary");
});

it.run();
