import { suite } from "uvu";
import * as assert from "uvu/assert";
import { subject } from "../../src/model/action.ts";
import { type Sharing, USUAL_ISOLATION } from "../../src/model/isolation.ts";
import type { ObservedContainer } from "../../src/model/observed.ts";
import { DEFAULTS, plan } from "../../src/plan/plan.ts";
import { containerOf, dependency, exited, project, ready, service } from "../support/build.ts";

const it = suite("plans for services that share namespaces");

/** What is done when `db` is in this state and `helper`, which is in its namespaces, runs. */
function steps(db: Partial<ObservedContainer>, sharing: { readonly pid?: Sharing; readonly ipc?: Sharing }): readonly string[] {
  const services = [
    service({ name: "db", isolation: { ...USUAL_ISOLATION, ipc: { type: "shareable" } } }),
    service({ name: "helper", dependsOn: [dependency("db")], isolation: { ...USUAL_ISOLATION, ...sharing } }),
  ] as const;
  const shop = project({ services });
  const world = ready(shop, { containers: [containerOf(shop, services[0], db), containerOf(shop, services[1])] });
  return plan(shop, world, DEFAULTS).steps.map(({ action, reason }) => `${action.kind} ${subject(action)}: ${reason}`);
}

const OF_DB: Sharing = { type: "service", of: "db" };

it("what shares with a container that is started is restarted after it", () => {
  assert.equal(steps(exited, { ipc: OF_DB }), [
    "container.start shop-db-1: exited with 0",
    "container.restart shop-helper-1: db, whose IPC it shares, begins anew; restarted",
  ]);
  assert.equal(
    steps(exited, { pid: OF_DB }).at(-1),
    "container.restart shop-helper-1: db, whose process numbers it shares, begins anew; restarted",
  );
});

it("what shares with one that is replaced is restarted after that", () => {
  const all = steps({ hash: "1:other" }, { pid: OF_DB });
  const at = (start: string): number => all.findIndex((step) => step.startsWith(start));
  assert.ok(at("container.restart shop-helper-1") > at("container.start"), all.join("\n"));
});

it("what shares with one that runs on, or shares nothing, is left alone", () => {
  assert.equal(steps({}, { pid: OF_DB }), []);
  assert.equal(steps(exited, {}), ["container.start shop-db-1: exited with 0"]);
});

it.run();
