import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { coalesce } from "../../src/lib/coalesce.ts";

const it = suite("coalesce");

it("requests made while a run is under way share the one run after it", async () => {
  let runs = 0;
  const request = coalesce(async () => {
    runs += 1;
    await sleep(5);
  });
  await Promise.all([request(), request(), request(), request()]);
  assert.is(runs, 2);
});

it("whoever asks sees a run that began after it asked", async () => {
  let level = 0;
  let seen = -1;
  const request = coalesce(async () => {
    seen = level;
    await sleep(5);
  });
  const first = request();
  level = 1;
  await request();
  assert.is(seen, 1);
  await first;
});

it("a run that fails fails those who asked for it, and the next one runs all the same", async () => {
  let fail = true;
  const request = coalesce(async () => {
    await sleep(1);
    if (fail) throw new Error("no");
  });
  const results = await Promise.allSettled([request(), request()]);
  assert.equal(
    results.map((r) => r.status),
    ["rejected", "rejected"],
  );
  fail = false;
  await request();
});

it.run();
