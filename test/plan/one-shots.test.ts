import { suite } from "uvu";
import * as assert from "uvu/assert";
import { subject } from "../../src/model/action.ts";
import type { ObservedContainer } from "../../src/model/observed.ts";
import { NO_RESTART, type Service } from "../../src/model/service.ts";
import { DEFAULTS, plan } from "../../src/plan/plan.ts";
import { containerOf, dependency, exited, project, ready, service } from "../support/build.ts";

const it = suite("services that do something and end");

/** What is planned for a migration that a web server waits for, in short: steps, then codes of notices. */
function planned(migrate: Partial<Service>, had: Partial<ObservedContainer>): readonly string[] {
  const one = service({ name: "migrate", image: "migrate", ...migrate });
  const web = service({ dependsOn: [dependency("migrate", { condition: "completed" })] });
  const shop = project({ services: [one, web] });
  const world = ready(shop, { containers: [containerOf(shop, one, had), containerOf(shop, web)] });
  const { steps, notices } = plan(shop, world, DEFAULTS);
  return [...steps.map(({ action }) => `${action.kind} ${subject(action)}`), ...notices.map(({ code }) => code)];
}

it("one that ended with 0 is started again, as Compose does, and that is told of with the way to have it once", () => {
  assert.equal(planned({}, exited), ["container.start shop-migrate-1", "W_RUNS_AGAIN"]);
  assert.equal(planned({ run: "always" }, exited), ["container.start shop-migrate-1"]);
});

it("run: once leaves it alone", () => {
  assert.equal(planned({ run: "once" }, exited), []);
});

it("run: once starts again what failed, what was stopped, and what was made and not started", () => {
  for (const had of [{ ...exited, exitCode: 3 }, { ...exited, stopped: true }, { state: "created", pid: null } as const])
    assert.equal(planned({ run: "once" }, had), ["container.start shop-migrate-1"]);
});

it("run: once runs for another spec", () => {
  const kinds = planned({ run: "once" }, { ...exited, hash: "1:other" });
  assert.ok(kinds.includes("container.create shop-migrate-1.next"));
  assert.ok(kinds.includes("container.start shop-migrate-1.next"));
});

it("nothing is said of what was stopped, nor of what a policy keeps running", () => {
  assert.equal(planned({}, { ...exited, stopped: true }), ["container.start shop-migrate-1"]);
  const restart = { ...NO_RESTART, name: "unless-stopped" } as const;
  assert.equal(planned({ restart }, exited), ["container.start shop-migrate-1"]);
});

it.run();
