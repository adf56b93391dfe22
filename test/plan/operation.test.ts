import { suite } from "uvu";
import * as assert from "uvu/assert";
import { subject } from "../../src/model/action.ts";
import type { Plan } from "../../src/model/plan.ts";
import { nothing } from "../../src/model/project.ts";
import { planOperation } from "../../src/plan/operation.ts";
import { DEFAULTS, type Operation, plan } from "../../src/plan/plan.ts";
import { containerOf, dependency, exited, project, ready, service } from "../support/build.ts";

const it = suite("operations and what depends on what");

const db = service({ name: "db", image: "db" });
const init = service({ name: "init", image: "init", dependsOn: [dependency("db", { condition: "healthy" })] });
const web = service({
  name: "web",
  image: "web",
  dependsOn: [dependency("init", { condition: "completed" }), dependency("db", { condition: "healthy" })],
});
const extra = service({ name: "extra", image: "extra", dependsOn: [dependency("web", { condition: "healthy", required: false })] });
const shop = project({ services: [db, init, web, extra] });

const world = (stopped: readonly string[]) =>
  ready(shop, { containers: shop.services.map((one) => containerOf(shop, one, stopped.includes(one.name) ? exited : {})) });

/** Steps with all that must be behind them, directly or not: `stop web: extra`. */
function behind({ steps }: Plan, kind: string): Readonly<Record<string, readonly string[]>> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const all = (id: number): readonly number[] => {
    const step = byId.get(id);
    return [...(step?.after ?? []), ...(step?.afterAnyway ?? [])].flatMap((before) => [before, ...all(before)]);
  };
  const name = (id: number): string => {
    const action = byId.get(id)?.action;
    return action === undefined ? "" : `${action.kind.slice("container.".length)} ${subject(action).slice("shop-".length, -2)}`;
  };
  return Object.fromEntries(
    steps.flatMap(({ id, action }) => (action.kind === kind ? [[name(id).split(" ")[1], [...new Set(all(id).map(name))].sort()]] : [])),
  );
}

const operated = (
  operation: Operation,
  { names = null, stopped = [] }: { names?: readonly string[] | null; stopped?: readonly string[] } = {},
) => planOperation(shop, world(stopped), operation, { names, healthchecks: true });

it("stop goes from dependents to what they depend on", () => {
  assert.equal(behind(operated({ kind: "stop", graceMs: null }), "container.stop"), {
    extra: [],
    web: ["stop extra"],
    init: ["stop extra", "stop web"],
    db: ["stop extra", "stop init", "stop web"],
  });
});

it("so does down, and what is not asked for is left out of it", () => {
  const all = plan(nothing("shop", shop.directory), world([]), DEFAULTS);
  assert.ok(behind(all, "container.stop")["db"]?.includes("stop web"));
  const some = plan(nothing("shop", shop.directory), world([]), { ...DEFAULTS, services: ["web", "init"] });
  assert.equal(behind(some, "container.stop"), { web: [], init: ["stop web"] });
});

it("restart begins a dependent when what it waits for is healthy, or has done its work, again", () => {
  assert.equal(behind(operated({ kind: "restart", graceMs: null }), "container.restart"), {
    db: [],
    init: ["restart db", "wait db"],
    web: ["restart db", "restart init", "wait db", "wait init"],
    extra: ["restart db", "restart init", "restart web", "wait db", "wait init", "wait web"],
  });
});

it("restart of one waits for nobody that is left as it is", () => {
  assert.equal(behind(operated({ kind: "restart", graceMs: null }, { names: ["web"] }), "container.restart"), { web: [] });
});

it("a dependency that is not required is waited for, well or not", () => {
  const { steps } = operated({ kind: "restart", graceMs: null }, { names: ["web", "extra"] });
  const [extraStep] = steps.filter(({ action }) => action.kind === "container.restart" && action.container === "shop-extra-1");
  const wait = steps.find(({ action }) => action.kind === "container.wait");
  assert.equal(extraStep?.afterAnyway, [wait?.id]);
});

it("start waits for what runs already and is not healthy yet, and for nothing where there is nothing to start", () => {
  const started = operated({ kind: "start" }, { names: ["web"], stopped: ["web", "init"] });
  assert.equal(behind(started, "container.start"), { init: ["wait db"], web: ["start init", "wait db", "wait init"] });
  assert.equal(operated({ kind: "start" }).steps, []);
});

it.run();
