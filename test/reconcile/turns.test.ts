/** Commands on one project at a time: who waits for whom. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { nothing, type Project } from "../../src/model/project.ts";
import { DEFAULTS } from "../../src/plan/plan.ts";
import { operate, reconcile } from "../../src/reconcile/reconcile.ts";
import { dependency, project, service } from "../support/build.ts";
import { until } from "../support/until.ts";
import { image, makeScene, type Scene } from "./scene.ts";

const it = suite<{ scene: Scene }>("turns");

it.before.each(async (context) => {
  context.scene = await makeScene();
});

it.after.each(({ scene }) => scene.dispose());

const db = service({ name: "db", image: "db" });
const job = service({ name: "job", image: "job", run: "once" });
const web = service({ name: "web", image: "web", dependsOn: [dependency("db")] });
const late = service({ name: "late", image: "late", dependsOn: [dependency("job", { condition: "completed" })] });
const shop = project({ services: [db, web] });
/** Its second half waits for a job that does not end by itself. */
const waiting = project({ services: [db, job, late] });
const JOB = image("trap 'exit 0' HUP; while :; do sleep 0.05; done");

it("what ends the project goes ahead of a run that only waits, and that one begins nothing more", async ({ scene }) => {
  scene.stuck.add("web:latest");
  const first = up(scene, shop);
  await begun(scene, "image.pull");
  assert.is((await reconcile(patient(scene), nothing("shop", "/srv/shop"), DEFAULTS)).outcome, "converged");
  const { outcome, diagnostics } = await first;
  assert.is(outcome, "failed");
  assert.equal(
    diagnostics.map(({ code, message }) => [code, message]),
    [["E_GAVE_WAY", `project shop is left as \`wharf down\` (process ${process.pid}) leaves it`]],
  );
  assert.is(scene.told().filter((line) => line === "W_WENT_AHEAD").length, 2, "both say so");
  assert.equal(await scene.containers(), []);
});

it("what ends some containers goes ahead of a run that waits, which goes on with the others", async ({ scene }) => {
  scene.registry.set("job:latest", JOB);
  const first = up(scene, { ...waiting, services: [...waiting.services, { ...web, dependsOn: late.dependsOn }] });
  await begun(scene, "container.wait");
  const stopping = await operate(patient(scene), waiting, { kind: "stop", graceMs: null }, ["db", "late"]);
  assert.is(stopping.outcome, "converged");
  // A signal that ends the job is no end of the run.
  await operate(scene.world(), waiting, { kind: "kill", signal: "SIGHUP" }, ["job"]);
  const { outcome, diagnostics } = await first;
  assert.equal([outcome, diagnostics.map(({ code }) => code)], ["failed", ["E_GAVE_WAY"]]);
  assert.match(diagnostics[0]?.message ?? "", /container shop-late-1 is left as `wharf stop` \(process \d+\) left it/);
  assert.equal(await scene.containers(), ["shop-db-1 exited", "shop-job-1 exited", "shop-late-1 created", "shop-web-1 running"]);
});

it("what was waited for and is ended says by whom, and the next run goes on", async ({ scene }) => {
  scene.registry.set("job:latest", JOB);
  const first = up(scene, waiting);
  await begun(scene, "container.wait");
  await operate(patient(scene), waiting, { kind: "remove", force: true, stop: false, volumes: false }, ["job"]);
  const { outcome, diagnostics } = await first;
  assert.equal([outcome, diagnostics.map(({ code }) => code)], ["failed", ["E_GAVE_WAY"]]);
  scene.registry.set("job:latest", image("exit 0"));
  assert.is((await up(scene, waiting, { pull: "always" })).outcome, "converged");
});

it("a signal waits for nobody, also where it is to cut a stop short", async ({ scene }) => {
  scene.registry.set("web:latest", image("trap '' TERM; while :; do sleep 0.05; done"));
  await up(scene, shop);
  const stopping = operate(scene.world(), shop, { kind: "stop", graceMs: 600_000 }, ["web"]);
  await begun(scene, "container.stop");
  assert.is((await operate(scene.world(), shop, { kind: "kill", signal: "SIGKILL" }, ["web"])).outcome, "converged");
  assert.is((await stopping).outcome, "converged");
  assert.equal(await scene.containers(), ["shop-db-1 running", "shop-web-1 exited"]);
});

it("a run that waits for one that went ahead has all the time that this takes", async ({ scene }) => {
  scene.registry.set("job:latest", JOB);
  scene.registry.set("db:latest", image("trap '' TERM; while :; do sleep 0.05; done"));
  const first = reconcile(scene.world({ lockTimeoutMs: 1 }), waiting, DEFAULTS);
  await begun(scene, "container.wait");
  const stopping = operate(patient(scene), waiting, { kind: "stop", graceMs: 600_000 }, ["db"]);
  await begun(scene, "container.stop");
  await operate(scene.world(), waiting, { kind: "kill", signal: "SIGHUP" }, ["job"]);
  await begun(scene, "container.start", "shop-late-1");
  await operate(scene.world(), waiting, { kind: "kill", signal: "SIGKILL" }, ["db"]);
  assert.is((await stopping).outcome, "converged");
  assert.is((await first).outcome, "converged");
});

it("a turn that ends badly is over all the same", async ({ scene }) => {
  scene.stuck.add("web:latest");
  const { lockDirectory, ...world } = scene.world();
  const first = reconcile({ ...world, lockDirectory }, shop, DEFAULTS);
  await begun(scene, "image.pull");
  writeFileSync(join(lockDirectory, "shop.words"), ""); // where a directory should be
  await first.then(
    () => assert.unreachable(),
    (error: NodeJS.ErrnoException) => assert.is(error.code, "ENOTDIR"),
  );
  assert.equal(readdirSync(lockDirectory), []);
});

it.run();

function up(scene: Scene, wanted: Project, options: Partial<typeof DEFAULTS> = {}) {
  return reconcile(scene.world(), wanted, { ...DEFAULTS, ...options });
}

const patient = (scene: Scene) => scene.world({ lockTimeoutMs: 20_000 });

/** Waits until a step of this kind is under way, of whatever or of this. */
async function begun({ events }: Scene, kind: string, of?: string): Promise<void> {
  const steps = (): readonly number[] =>
    events.flatMap((event) =>
      event.type === "plan.ready"
        ? event.steps.flatMap((step) => (step.kind === kind && [step.subject, undefined].includes(of) ? [step.id] : []))
        : [],
    );
  await until(kind, async () => events.some((event) => event.type === "step.started" && steps().includes(event.step)));
}
