import { suite } from "uvu";
import * as assert from "uvu/assert";
import { planOperation } from "../../src/plan/operation.ts";
import { containerOf, dependency, exited, project, ready, service } from "../support/build.ts";

const it = suite("who follows a restart");

const db = service({ name: "db", image: "db" });
const web = service({ name: "web", image: "web", dependsOn: [dependency("db", { restart: true })] });
const edge = service({ name: "edge", image: "edge", dependsOn: [dependency("web", { restart: true })] });
const other = service({ name: "other", image: "other", dependsOn: [dependency("db")] });
const shop = project({ services: [db, web, edge, other] });

it("a restart takes along who asked for that with depends_on.restart, and who follows these, behind what they follow", () => {
  assert.equal(restarted(["db"]), ["shop-db-1", "shop-web-1", "shop-edge-1"]);
  assert.equal(restarted(["web"]), ["shop-web-1", "shop-edge-1"]);
  assert.equal(restarted(["edge"]), ["shop-edge-1"]);
});

it("--no-deps restarts those that are named alone", () => {
  assert.equal(restarted(["db"], null, true), ["shop-db-1"]);
});

it("one that does not run is left alone", () => {
  assert.equal(restarted(["db"], "web"), ["shop-db-1", "shop-edge-1"]);
});

it.run();

/** Names of the containers that a restart of these services restarts, in order. */
function restarted(names: readonly string[], stopped: string | null = null, alone = false): readonly string[] {
  const operation = { kind: "restart", graceMs: null, alone } as const;
  const containers = shop.services.map((one) => containerOf(shop, one, one.name === stopped ? exited : {}));
  const { steps } = planOperation(shop, ready(shop, { containers }), operation, { names, healthchecks: true });
  return steps.flatMap(({ action }) => (action.kind === "container.restart" ? [action.container] : []));
}
