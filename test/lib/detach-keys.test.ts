import { suite } from "uvu";
import * as assert from "uvu/assert";
import { KeyWatch, parseDetachKeys } from "../../src/lib/detach-keys.ts";

const it = suite("keys that detach");

it("keys are characters, or ctrl with a letter or a sign", () => {
  assert.equal(parseDetachKeys("ctrl-p,ctrl-q"), [16, 17]);
  assert.equal(parseDetachKeys("ctrl-P,x"), [16, 120]);
  assert.equal(parseDetachKeys("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_"), [0, 27, 28, 29, 30, 31]);
  for (const bad of ["", "ctrl-", "ctrl-1", "ab", "ctrl-p,", "é"]) assert.is(parseDetachKeys(bad), null, bad);
});

it("the keys are found wherever the chunks are cut, and nothing else is lost", () => {
  const told = (keys: readonly number[], chunks: readonly string[]): readonly [string, boolean] => {
    const watch = new KeyWatch(keys);
    let passed = "";
    for (const chunk of chunks) {
      const taken = watch.take(Buffer.from(chunk));
      passed += taken.passed.toString();
      if (taken.detached) return [passed, true];
    }
    return [passed, false];
  };
  const pq = [16, 17];
  assert.equal(told(pq, ["ab\x10\x11rest"]), ["ab", true]);
  assert.equal(told(pq, ["ab\x10", "\x11"]), ["ab", true]);
  assert.equal(told(pq, ["\x10", "x"]), ["\x10x", false]);
  assert.equal(told(pq, ["\x10", "\x10", "\x11"]), ["\x10", true]);
  assert.equal(told(pq, ["\x11"]), ["\x11", false]);
  assert.equal(told([120], ["abx"]), ["ab", true]);
});

it.run();
