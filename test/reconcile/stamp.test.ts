import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Stamped } from "../../src/model/event.ts";
import { stamping } from "../../src/reconcile/stamp.ts";

const it = suite("stamps");

it("events are numbered from 1 and carry the time at which they were emitted", () => {
  const seen: Stamped[] = [];
  const times = ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.000Z"];
  const emit = stamping(
    (event) => seen.push(event),
    () => new Date(times.shift() ?? ""),
  );
  emit({ type: "step.started", step: 7 });
  emit({ type: "step.done", step: 7, ms: 1000 });
  assert.equal(seen, [
    { type: "step.started", step: 7, seq: 1, at: "2026-01-01T00:00:00.000Z" },
    { type: "step.done", step: 7, ms: 1000, seq: 2, at: "2026-01-01T00:00:01.000Z" },
  ]);
});

it.run();
