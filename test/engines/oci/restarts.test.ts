import { suite } from "uvu";
import * as assert from "uvu/assert";
import { afterEnd, FRESH, type RestartState } from "../../../src/engines/oci/restarts.ts";
import { NO_RESTART, type RestartPolicy } from "../../../src/model/service.ts";

const it = suite("restart policies");

const always: RestartPolicy = { ...NO_RESTART, name: "always" };
const FAILED = { exitCode: 1, lastedMs: 20 };

it("waits 100 ms, then twice as long each time, a minute at most", () => {
  assert.equal(waits(always, 12), [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
});

it("begins with 100 ms again after a run of ten seconds, whatever its status", () => {
  const late = { ...FRESH, delayMs: 25_600 };
  assert.is(afterEnd(always, late, { exitCode: 0, lastedMs: 10_000 })?.delayMs, 100);
  assert.is(afterEnd(always, late, { exitCode: 1, lastedMs: 9_999 })?.delayMs, 51_200);
});

it("always and unless-stopped bring back what ended well, on-failure does not, no nothing", () => {
  const well = { exitCode: 0, lastedMs: 20 };
  const comesBack = (["always", "unless-stopped", "on-failure", "no"] as const).map((name) => [
    afterEnd({ ...NO_RESTART, name }, FRESH, well) !== null,
    afterEnd({ ...NO_RESTART, name }, FRESH, FAILED) !== null,
  ]);
  assert.equal(comesBack, [
    [true, true],
    [true, true],
    [false, true],
    [false, false],
  ]);
});

it("a limit counts restarts, and a window makes it count anew", () => {
  const limited: RestartPolicy = { ...NO_RESTART, name: "on-failure", limit: 3 };
  assert.is(waits(limited, 10).length, 3);
  const windowed: RestartPolicy = { ...limited, limit: 1, windowMs: 5_000 };
  const once = afterEnd(windowed, FRESH, FAILED);
  assert.is(once?.attempts, 1);
  assert.is(afterEnd(windowed, once ?? FRESH, FAILED), null);
  assert.is(afterEnd(windowed, once ?? FRESH, { exitCode: 1, lastedMs: 5_000 })?.attempts, 1);
});

it("a delay of its own is always the same", () => {
  assert.equal(waits({ ...always, delayMs: 750 }, 3), [750, 750, 750]);
});

it.run();

/** The waits of a container that fails again and again. */
function waits(policy: RestartPolicy, times: number): readonly number[] {
  const found: number[] = [];
  for (let state: RestartState | null = FRESH; found.length < times; ) {
    state = afterEnd(policy, state, FAILED);
    if (state === null) break;
    found.push(state.delayMs);
  }
  return found;
}
