import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Changes } from "../../src/watch/changes.ts";
import { type Ears, type Keeper, keep } from "../../src/watch/keep.ts";

const it = suite("keeping what runs as it should be");

/** Files that are numbers, and something that should be equal to them. */
class Bench implements Keeper<number>, Ears {
  readonly changes = new Changes({ quietMs: 2, mostMs: 20 });
  readonly abort = new AbortController();
  /** What the file holds now. */
  wanted = 0;
  /** What was made of it, run by run. */
  readonly made: number[] = [];
  readonly reasons: (readonly string[] | null)[] = [];
  paths: readonly string[] = ["/spec"];
  looks = 0;
  #followed: readonly string[] = [];
  #busy = false;
  /** What happens during a run, or while somebody begins to listen. */
  onAct: () => Promise<void> | void = () => {};
  onFollow: () => Promise<void> | void = () => {};

  write(value: number, path = "/spec"): void {
    this.wanted = value;
    if (this.#followed.includes(path)) this.changes.note(path);
  }

  async look(): Promise<{ readonly seen: number; readonly paths: readonly string[] }> {
    this.looks++;
    return { seen: this.wanted, paths: this.paths };
  }

  async act(seen: number, changed: readonly string[] | null): Promise<void> {
    assert.is(this.#busy, false, "runs overlap");
    this.#busy = true;
    this.reasons.push(changed);
    await this.onAct();
    this.made.push(seen);
    this.#busy = false;
  }

  async follow(paths: readonly string[]): Promise<boolean> {
    const more = paths.join() !== this.#followed.join();
    if (more) await this.onFollow();
    this.#followed = paths;
    return more;
  }

  /** Keeps until nothing has happened for a moment. */
  async settle(): Promise<void> {
    const kept = keep(this, this, this.abort.signal);
    for (let before = -1; before !== this.looks + this.made.length; await sleep(15)) before = this.looks + this.made.length;
    this.abort.abort();
    await kept;
  }
}

it("acts once without any change, and then waits", async () => {
  const bench = new Bench();
  await bench.settle();
  assert.equal(bench.made, [0]);
  assert.equal(bench.reasons, [null]);
});

it("what is written before anybody listens is not missed", async () => {
  const bench = new Bench();
  bench.onFollow = () => bench.write(7); // nobody notes it: the follower is not there yet
  await bench.settle();
  assert.equal(bench.made, [7]);
});

it("what is written during a run makes another one, with what was there in the end", async () => {
  const bench = new Bench();
  bench.onAct = async () => {
    bench.onAct = () => {};
    for (const value of [1, 2, 3]) bench.write(value);
  };
  await bench.settle();
  assert.equal(bench.made, [0, 3]);
  assert.equal(bench.reasons, [null, ["/spec"]]);
});

it("a file that the spec refers to since its last change is listened to before it is read for good", async () => {
  const bench = new Bench();
  bench.onAct = () => {
    bench.onAct = () => {};
    bench.paths = ["/spec", "/more.env"];
    bench.write(1);
    bench.onFollow = () => bench.write(2, "/more.env");
  };
  await bench.settle();
  assert.equal(bench.made, [0, 2]);
});

it("what is noted while it begins to listen is part of the same turn", async () => {
  const bench = new Bench();
  bench.onAct = () => {
    bench.onAct = () => {};
    bench.paths = ["/spec", "/more.env"];
    bench.write(1);
    bench.onFollow = () => bench.write(2);
  };
  await bench.settle();
  assert.equal(bench.made, [0, 2]);
  assert.equal(bench.reasons, [null, ["/spec"]]);
});

it("an abort during a run ends with it; none begins any more", async () => {
  const bench = new Bench();
  bench.onAct = () => {
    bench.write(1);
    bench.abort.abort();
  };
  await keep(bench, bench, bench.abort.signal);
  assert.equal(bench.made, [0]);
});

it("an abort before the first look does nothing", async () => {
  const bench = new Bench();
  bench.abort.abort();
  await keep(bench, bench, bench.abort.signal);
  assert.is(bench.looks, 0);
});

it("an error of looking ends it", async () => {
  const bench = new Bench();
  bench.look = () => Promise.reject(new Error("broken glass"));
  try {
    await keep(bench, bench, bench.abort.signal);
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), "broken glass");
  }
});

it("whatever is written whenever, the last run made of it what was written last", async () => {
  const pause = fc.integer({ min: 0, max: 6 });
  await fc.assert(
    fc.asyncProperty(fc.array(pause, { maxLength: 8 }), pause, async (pauses, runMs) => {
      const bench = new Bench();
      bench.onAct = () => sleep(runMs);
      const kept = bench.settle();
      for (const [index, ms] of pauses.entries()) {
        await sleep(ms);
        bench.write(index + 1);
      }
      await kept;
      assert.is(bench.made.at(-1), bench.wanted);
    }),
    { numRuns: 25 },
  );
});

it.run();
