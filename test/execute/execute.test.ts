import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ApplyContext, Engine } from "../../src/engine/engine.ts";
import { createMemoryEngine } from "../../src/engines/memory/engine.ts";
import { type ExecuteOptions, execute } from "../../src/execute/execute.ts";
import { Failure } from "../../src/model/diagnostic.ts";
import type { Event } from "../../src/model/event.ts";
import type { Step } from "../../src/model/plan.ts";
import { familiar } from "../../src/model/reference.ts";
import { reference } from "../support/build.ts";

const it = suite("carrying out steps");

it("a step begins when all it comes after are done", async () => {
  const { events, outcome } = await carryOut([step(1), step(2), step(3, { after: [1, 2] })], { 1: slow(20), 2: slow(5) });
  assert.equal(outcome, "converged");
  assert.equal(told(events), ["started 1", "started 2", "done 2", "done 1", "started 3", "done 3"]);
});

it("steps that do not wait for each other go on at once", async () => {
  let most = 0;
  let now = 0;
  const busy = async () => {
    most = Math.max(most, ++now);
    await sleep(5);
    now--;
  };
  await carryOut([step(1), step(2), step(3)], { 1: busy, 2: busy, 3: busy });
  assert.is(most, 3);
});

it("no more steps go on at once than the limit says, and each gets its turn", async () => {
  let most = 0;
  let now = 0;
  const busy = async () => {
    most = Math.max(most, ++now);
    await sleep(5);
    now--;
  };
  const steps = [1, 2, 3, 4, 5].map((id) => step(id));
  const { summary } = await carryOut(steps, { 1: busy, 2: busy, 3: busy, 4: busy, 5: busy }, { limit: 2 });
  assert.is(most, 2);
  assert.is(summary.done, 5);
});

it("what comes after a step that failed is skipped, and says because of which", async () => {
  const { events, outcome, summary, diagnostics } = await carryOut([step(1), step(2, { after: [1] }), step(3, { after: [2] })], {
    1: fail,
  });
  assert.equal(told(events), ["started 1", "failed 1", "skipped 2 because of 1", "skipped 3 because of 2"]);
  assert.equal([outcome, summary], ["failed", { done: 0, failed: 1, skipped: 2 }]);
  assert.equal(
    diagnostics.map(({ code, message }) => [code, message]),
    [["E_START", "it failed"]],
  );
});

it("what does not come after a step that failed is done all the same", async () => {
  const { events, summary } = await carryOut([step(1), step(2), step(3, { after: [2] })], { 1: fail });
  assert.ok(told(events).includes("done 3"));
  assert.equal(summary, { done: 2, failed: 1, skipped: 0 });
});

it("what only comes behind a step waits for its end and minds no failure", async () => {
  const failing = async () => {
    await sleep(10);
    return fail();
  };
  const { events } = await carryOut([step(1), step(2, { afterAnyway: [1] })], { 1: failing });
  assert.equal(told(events), ["started 1", "failed 1", "started 2", "done 2"]);
});

it("what only comes behind a skipped step goes on too", async () => {
  const { events } = await carryOut([step(1), step(2, { after: [1] }), step(3, { afterAnyway: [2] })], { 1: fail });
  assert.equal(told(events), ["started 1", "failed 1", "skipped 2 because of 1", "started 3", "done 3"]);
});

it("once it is interrupted no step begins, and the one in hand ends as the engine ends it", async () => {
  const over = new AbortController();
  const interrupted = async () => over.abort(); // and is done all the same
  const { events, outcome, summary, diagnostics } = await carryOut(
    [step(1), step(2, { after: [1] }), step(3, { after: [2] })],
    { 1: interrupted },
    { signal: over.signal },
  );
  assert.equal(told(events), ["started 1", "done 1", "skipped 2 because of nothing", "skipped 3 because of nothing"]);
  assert.equal([outcome, summary, diagnostics], ["cancelled", { done: 1, failed: 0, skipped: 2 }, []]);
});

it("a step that is broken off by the interruption says so, and how to go on", async () => {
  const over = new AbortController();
  setTimeout(() => over.abort(), 10);
  const { outcome, diagnostics } = await carryOut(
    [step(1)],
    { 1: ({ signal }) => sleep(10_000, undefined, { signal }) },
    {
      signal: over.signal,
    },
  );
  assert.is(outcome, "cancelled");
  assert.equal(
    diagnostics.map(({ code, message }) => [code, message]),
    [["E_CANCELLED", `${reference("step-1")} is not done: the command was interrupted`]],
  );
});

it("a step that fails of something else while it is interrupted says what", async () => {
  const over = new AbortController();
  const failing = async () => {
    over.abort();
    return fail();
  };
  const { diagnostics } = await carryOut([step(1)], { 1: failing }, { signal: over.signal });
  assert.equal(
    diagnostics.map(({ code }) => code),
    ["E_START"],
  );
});

it("an interruption that came when all was done changes nothing", async () => {
  const over = new AbortController();
  const { outcome } = await carryOut([step(1)], { 1: async () => over.abort() }, { signal: over.signal });
  assert.is(outcome, "converged");
});

it("nothing to do has converged", async () => {
  const { events, outcome, summary } = await carryOut([], {});
  assert.equal([events, outcome, summary], [[], "converged", { done: 0, failed: 0, skipped: 0 }]);
});

it("what an engine throws that is no failure of ours is told as an internal error", async () => {
  const { diagnostics } = await carryOut([step(1)], { 1: () => Promise.reject(new TypeError("x is not a function")) });
  assert.equal(diagnostics, [{ code: "E_INTERNAL", message: "x is not a function" }]);
});

it("every problem of a step is told, in the order of their happening", async () => {
  const two = () =>
    Promise.reject(
      new Failure([
        { code: "E_MOUNT", message: "one" },
        { code: "E_PORTS", message: "two" },
      ]),
    );
  const later = async () => {
    await sleep(10);
    return fail();
  };
  const { diagnostics } = await carryOut([step(1), step(2)], { 1: later, 2: two });
  assert.equal(
    diagnostics.map(({ message }) => message),
    ["one", "two", "it failed"],
  );
});

it("notes are handed on, and of progress what a person can see, its end always", async () => {
  const talking = async ({ note, progress }: ApplyContext) => {
    note("chose port 8080");
    for (let done = 0; done <= 1000; done++) progress("abc", "download", done, 1000);
    progress("def", "download", 5, null);
  };
  const { events } = await carryOut([step(1)], { 1: talking });
  const [note, ...progress] = events.filter(({ type }) => type === "step.note" || type === "step.progress");
  assert.equal(note, { type: "step.note", step: 1, message: "chose port 8080" });
  assert.ok(progress.length < 20, `${progress.length} events`);
  assert.equal(progress.slice(-2), [
    { type: "step.progress", step: 1, item: "abc", phase: "download", done: 1000, total: 1000 },
    { type: "step.progress", step: 1, item: "def", phase: "download", done: 5, total: null },
  ]);
});

it("when a step of an attempt fails, those before it are undone, the last one first, and what comes after is skipped", async () => {
  const undone: string[] = [];
  const back = (id: number) => ({ attempt: { name: "web", undo: step(id + 10).action } });
  const note = (id: string) => async () => void undone.push(id);
  const { events, outcome, diagnostics } = await carryOut(
    [
      step(1, back(1)),
      step(2, { after: [1], ...back(2) }),
      step(3, { after: [2], ...back(3) }),
      step(4, { after: [3] }),
      step(5), // has nothing to do with it
    ],
    { 3: fail, 11: note("1"), 12: note("2"), 13: note("3") },
  );
  assert.equal(undone, ["2", "1"]);
  assert.equal(outcome, "failed");
  assert.ok(told(events).includes("skipped 4 because of 3"));
  assert.ok(told(events).includes("done 5"));
  assert.equal(
    told(events).filter((event) => event.startsWith("undone")),
    ["undone 2", "undone 1"],
  );
  assert.is(diagnostics.length, 1);
});

it("an attempt that is done to its end is never undone, whatever fails behind it", async () => {
  const undone: string[] = [];
  const back = { attempt: { name: "web", undo: step(11).action } };
  await carryOut([step(1, back), step(2, { after: [1] })], { 2: fail, 11: async () => void undone.push("1") });
  assert.equal(undone, []);
});

it("an interruption, or a dependency that fails, leaves no attempt half-way", async () => {
  for (const kind of ["interrupted", "gate"] as const) {
    const undone: string[] = [];
    const over = new AbortController();
    const back = (id: number) => ({ attempt: { name: "web", undo: step(id + 10).action } });
    await carryOut(
      [step(1), step(2, back(2)), step(3, { after: [1, 2], ...back(3) })],
      {
        1: async (): Promise<void> => {
          await sleep(10);
          if (kind === "gate") return fail();
          over.abort();
        },
        12: async () => void undone.push("2"),
      },
      { signal: over.signal },
    );
    assert.equal(undone, ["2"], kind);
  }
});

it("what cannot be taken back is told, and the rest is taken back all the same", async () => {
  const undone: string[] = [];
  const back = (id: number) => ({ attempt: { name: "web", undo: step(id + 10).action } });
  const { diagnostics } = await carryOut([step(1, back(1)), step(2, { after: [1], ...back(2) }), step(3, { after: [2], ...back(3) })], {
    3: fail,
    12: fail,
    11: async () => void undone.push("1"),
  });
  assert.equal(undone, ["1"]);
  assert.is(diagnostics.length, 2);
});

it.run();

/** What an engine does in a step, by the step's id; nothing where it is not said. */
type Deeds = Readonly<Record<number, (context: ApplyContext) => Promise<unknown>>>;

async function carryOut(steps: readonly Step[], deeds: Deeds, options: Partial<ExecuteOptions> = {}) {
  const events: Event[] = [];
  const { signal } = new AbortController();
  const result = await execute(steps, engineThat(deeds), { signal, emit: (event) => events.push(event), ...options });
  return { events, ...result };
}

function engineThat(deeds: Deeds): Engine {
  return {
    ...createMemoryEngine(),
    apply: async (action, context) => {
      const id = action.kind === "image.pull" ? Number(/step-(\d+)/.exec(familiar(action.reference))?.[1]) : 0;
      await deeds[id]?.(context);
    },
  };
}

/** A step that the engine knows by its image. */
function step(id: number, given: Partial<Step> = {}): Step {
  const action = { kind: "image.pull", reference: reference(`step-${id}`), platform: null, policy: "missing" } as const;
  return { id, after: [], reason: "", service: null, action, ...given };
}

function slow(ms: number): () => Promise<void> {
  return () => sleep(ms);
}

function fail(): Promise<never> {
  return Promise.reject(new Failure({ code: "E_START", message: "it failed" }));
}

function told(events: readonly Event[]): readonly string[] {
  return events.flatMap((event) => {
    switch (event.type) {
      case "step.started":
      case "step.done":
      case "step.undone":
      case "step.failed":
        return [`${event.type.slice("step.".length)} ${event.step}`];
      case "step.skipped":
        return [`skipped ${event.step} because of ${event.because ?? "nothing"}`];
      default:
        return [];
    }
  });
}
