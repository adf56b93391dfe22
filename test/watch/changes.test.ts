import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Changes } from "../../src/watch/changes.ts";

const it = suite("changes of a batch");

const NEVER = new AbortController().signal;

it("a burst is one batch, each path once, in the order in which they came", async () => {
  const changes = new Changes({ quietMs: 20, mostMs: 10_000 });
  const batch = changes.take(NEVER);
  for (const path of ["/b", "/a", "/b", "/c"]) {
    changes.note(path);
    await sleep(2);
  }
  assert.equal(await batch, ["/b", "/a", "/c"]);
});

it("a batch is not given out before it has been quiet for a while", async () => {
  const changes = new Changes({ quietMs: 60, mostMs: 10_000 });
  const began = performance.now();
  changes.note("/a");
  setTimeout(() => changes.note("/b"), 30);
  assert.equal(await changes.take(NEVER), ["/a", "/b"]);
  assert.ok(performance.now() - began >= 85, "quiet counts from the last change");
});

it("what changes without end is given out all the same", async () => {
  const changes = new Changes({ quietMs: 10_000, mostMs: 60 });
  const writer = setInterval(() => changes.note("/log"), 5);
  assert.equal(await changes.take(NEVER), ["/log"]);
  clearInterval(writer);
});

it("what came while nobody asked is kept, and given out at once when it is old enough", async () => {
  const changes = new Changes({ quietMs: 20, mostMs: 10_000 });
  changes.note("/a");
  await sleep(40);
  const first = await Promise.race([changes.take(NEVER), setImmediate("something else")]);
  assert.equal(first, ["/a"]);
});

it("what was drained does not come again", async () => {
  const changes = new Changes({ quietMs: 1, mostMs: 10 });
  changes.note("/a");
  assert.equal(changes.drain(), ["/a"]);
  assert.equal(changes.drain(), []);
  changes.note("/b");
  assert.equal(await changes.take(NEVER), ["/b"]);
});

it("an abort ends the wait, whether something is there or not", async () => {
  const changes = new Changes({ quietMs: 10_000, mostMs: 10_000 });
  for (const noted of [false, true]) {
    const abort = new AbortController();
    if (noted) changes.note("/a");
    const batch = changes.take(abort.signal);
    setTimeout(() => abort.abort(), 5);
    assert.equal(await batch, []);
    assert.equal(await changes.take(abort.signal), []);
  }
});

it.run();
