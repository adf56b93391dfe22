/** `deploy.update_config`: what becomes of an update of which parts fail. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Engine } from "../../src/engine/engine.ts";
import { Failure } from "../../src/model/diagnostic.ts";
import type { Project } from "../../src/model/project.ts";
import type { UpdatePolicy } from "../../src/model/update.ts";
import { DEFAULTS, type PlanOptions, plan } from "../../src/plan/plan.ts";
import { reconcile } from "../../src/reconcile/reconcile.ts";
import { containerOf, project, ready, service } from "../support/build.ts";
import { until } from "../support/until.ts";
import { makeScene, type Scene } from "./scene.ts";

const it = suite<{ scene: Scene }>("updates of which parts fail");

it.before.each(async (context) => {
  context.scene = await makeScene();
});

it.after.each(({ scene }) => scene.dispose());

const REPLICAS = [1, 2, 3, 4];

const coloured = (colour: string, update: Partial<UpdatePolicy>, rollback: UpdatePolicy | null = null): Project =>
  project({
    services: [
      service({
        scale: REPLICAS.length,
        environment: { COLOR: colour },
        rollback,
        update: { order: null, monitorMs: 0, delayMs: 0, parallelism: 1, failureAction: "pause", ...update },
      }),
    ],
  });

/** The engine, in which some of the new containers do not stand. */
const unsteady = (engine: Engine, which: readonly number[], onProve: (number: number) => void = () => {}): Engine => ({
  ...engine,
  apply: async (action, context) => {
    if (action.kind === "container.prove") {
      const number = Number(/-(\d+)(?:\.next)?$/.exec(action.container)?.[1]);
      onProve(number);
      if (which.includes(number)) throw new Failure({ code: "E_NOT_STEADY", message: `${action.container} does not stand` });
    }
    return engine.apply(action, context);
  },
});

interface Update {
  readonly update: Partial<UpdatePolicy>;
  readonly failing: readonly number[];
  readonly options?: Partial<PlanOptions>;
}

/** Which replicas are new after an update, as their numbers; all of them run. */
async function updated(scene: Scene, { update, failing, options }: Update): Promise<string> {
  const ids = () => Promise.all(REPLICAS.map((number) => scene.idOf(`shop-web-${number}`)));
  await reconcile(scene.world(), coloured("red", update), DEFAULTS);
  const before = await ids();
  const engine = unsteady(scene.engine, failing);
  const { outcome } = await reconcile(scene.world({ engine }), coloured("blue", update), { ...DEFAULTS, ...options });
  assert.is(outcome, failing.length === 0 ? "converged" : "failed");
  if (options === undefined)
    assert.equal(
      await scene.containers(),
      REPLICAS.map((number) => `shop-web-${number} running`),
    );
  const after = await ids();
  return REPLICAS.filter((_, i) => before[i] !== after[i]).join();
}

it("pause: those that follow a failure are not begun, those before it stay", async ({ scene }) => {
  assert.is(await updated(scene, { update: {}, failing: [2] }), "1");
  assert.ok(scene.events.some((event) => event.type === "step.note" && event.message.includes("web is paused: 1 failed, and none may")));
});

it("continue: all others are replaced", async ({ scene }) => {
  assert.is(await updated(scene, { update: { failureAction: "continue" }, failing: [2] }), "1,3,4");
});

it("rollback: those that were replaced are put back, too", async ({ scene }) => {
  assert.is(await updated(scene, { update: { failureAction: "rollback" }, failing: [3] }), "");
  assert.ok(scene.events.some((event) => event.type === "step.note" && event.message.includes("web is rolled back")));
});

const goingBack =
  (rollback: Partial<UpdatePolicy>) =>
  (colour: string): Project =>
    coloured(
      colour,
      { failureAction: "rollback" },
      { order: null, monitorMs: 5, delayMs: 0, parallelism: 1, failureAction: "pause", ...rollback },
    );

/** What is undone, and what is watched, in which order. */
async function takenBack(scene: Scene, rollback: Partial<UpdatePolicy>, unwell: readonly string[]): Promise<readonly string[]> {
  const project = goingBack(rollback);
  await reconcile(scene.world(), project("red"), DEFAULTS);
  const deeds: string[] = [];
  const engine: Engine = {
    ...scene.engine,
    apply: async (action, context) => {
      if (action.kind === "container.start" || action.kind === "container.prove")
        deeds.push(`${action.kind.slice(10)} ${action.container}`);
      if (action.kind === "container.prove" && (action.container === "shop-web-4.next" || unwell.includes(action.container)))
        throw new Failure({ code: "E_NOT_STEADY", message: `${action.container} does not stand` });
      return scene.engine.apply(action, context);
    },
  };
  assert.is((await reconcile(scene.world({ engine }), project("blue"), DEFAULTS)).outcome, "failed");
  return deeds.filter((deed) => !deed.endsWith(".next"));
}

it("rollback_config: they are put back lot by lot, and each is watched before the next lot", async ({ scene }) => {
  const [first, ...others] = await takenBack(scene, {}, []);
  assert.is(first, "start shop-web-4"); // the one that failed, at once
  assert.equal(
    others,
    [1, 2, 3].flatMap((number) => [`start shop-web-${number}`, `prove shop-web-${number}`]),
  );
});

it("rollback_config: when more fail than may, no further one is put back; with `continue` all are", async ({ scene }) => {
  const paused = await takenBack(scene, {}, ["shop-web-1"]);
  assert.equal(paused, ["start shop-web-4", "start shop-web-1", "prove shop-web-1"]);
  assert.ok(
    scene.events.some((event) => event.type === "step.note" && event.message === "the rollback of web is paused: 1 failed, and none may"),
  );
  await reconcile(scene.world(), coloured("red", {}), DEFAULTS);
  const all = await takenBack(scene, { failureAction: "continue", parallelism: 0 }, ["shop-web-1"]);
  assert.is(all.filter((deed) => deed.startsWith("start")).length, REPLICAS.length);
});

it("rollback_config: an interruption ends its watch and its delay, and what is left is put back at once", async ({ scene }) => {
  for (const rollback of [{ delayMs: 600_000 }, { monitorMs: 600_000 }]) {
    const interruption = new AbortController();
    const project = goingBack(rollback);
    await reconcile(scene.world(), project("red"), DEFAULTS);
    const engine = unsteady(scene.engine, [4]);
    const run = reconcile(scene.world({ engine, signal: interruption.signal }), project("blue"), DEFAULTS);
    const restarted = () => scene.events.filter(({ type }) => type === "step.undone").length;
    const before = restarted();
    await until("the way back", async () => restarted() > before && (await scene.containers()).includes("shop-web-1 running"));
    interruption.abort();
    assert.is((await run).outcome, "cancelled");
    assert.equal(
      await scene.containers(),
      REPLICAS.map((number) => `shop-web-${number} running`),
    );
  }
});

it("rollback_config: it is how a rollback replaces, where it is given", () => {
  const red = coloured("red", {}, { order: "start-first", monitorMs: 7, delayMs: 3, parallelism: 2, failureAction: "pause" });
  const containers = REPLICAS.map((number) => containerOf(red, red.services[0] ?? service(), { number }));
  const blue = { ...red, services: red.services.map((one) => ({ ...one, environment: { COLOR: "blue" } })) };
  const proofs = (back: boolean) =>
    plan(blue, ready(blue, { containers }), { ...DEFAULTS, back }).steps.flatMap(({ action }) =>
      action.kind === "container.prove" ? [[action.monitorMs, action.delayMs]] : [],
    );
  assert.equal(
    proofs(true),
    REPLICAS.map(() => [7, 3]),
  );
  assert.equal(
    proofs(false),
    REPLICAS.map(() => [0, 0]),
  );
});

it("max_failure_ratio: a quarter of four may fail, and no more", async ({ scene }) => {
  const update = { maxFailureRatio: 0.25 };
  assert.is(await updated(scene, { update, failing: [2] }), "1,3,4");
});

it("max_failure_ratio: with the second of four it is more than a quarter, and the update pauses", async ({ scene }) => {
  assert.is(await updated(scene, { update: { maxFailureRatio: 0.25 }, failing: [1, 3] }), "2");
});

it("max_failure_ratio: a rollback comes only when more failed than may", async ({ scene }) => {
  const update = { maxFailureRatio: 0.25, failureAction: "rollback" } as const;
  assert.is(await updated(scene, { update, failing: [2] }), "1,3,4");
});

it("max_failure_ratio: a rollback puts everything back", async ({ scene }) => {
  const update = { maxFailureRatio: 0.25, failureAction: "rollback" } as const;
  assert.is(await updated(scene, { update, failing: [2, 4] }), "");
});

it("several at once: a lot goes to its end, the next is not begun", async ({ scene }) => {
  assert.is(await updated(scene, { update: { parallelism: 2 }, failing: [1] }), "2");
});

it("all at once, and all put back", async ({ scene }) => {
  assert.is(await updated(scene, { update: { parallelism: 0, failureAction: "rollback" }, failing: [4] }), "");
});

it("nothing fails: every policy replaces all", async ({ scene }) => {
  assert.is(await updated(scene, { update: { failureAction: "rollback" }, failing: [] }), "1,2,3,4");
});

it("one that is interrupted puts everything back where a rollback is asked for", async ({ scene }) => {
  const update = { failureAction: "rollback" } as const;
  await reconcile(scene.world(), coloured("red", update), DEFAULTS);
  const before = await scene.idOf("shop-web-1");
  const over = new AbortController();
  const engine = unsteady(scene.engine, [], (number) => {
    if (number === 3) over.abort();
  });
  const { outcome } = await reconcile(scene.world({ engine, signal: over.signal }), coloured("blue", update), DEFAULTS);
  assert.is(outcome, "cancelled");
  assert.is(await scene.idOf("shop-web-1"), before);
  assert.equal(
    await scene.containers(),
    REPLICAS.map((number) => `shop-web-${number} running`),
  );
});

it("without ways back an update pauses all the same, and what failed is left to be looked at", async ({ scene }) => {
  const update = { failureAction: "rollback", order: "start-first" } as const;
  await updated(scene, { update, failing: [2], options: { rollback: false } });
  const names = await scene.containers();
  assert.ok(names.includes("shop-web-2.next running"));
  assert.not.ok(names.some((name) => name.startsWith("shop-web-3.next")));
});

it.run();
