import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { identify } from "../../src/lib/process-identity.ts";
import { nothing, type Project } from "../../src/model/project.ts";
import type { Service } from "../../src/model/service.ts";
import { DEFAULTS } from "../../src/plan/plan.ts";
import { approve, operate, prepareOneOff, preview, reconcile } from "../../src/reconcile/reconcile.ts";
import { refused } from "../engines/conformance/stage.ts";
import { dependency, project, service } from "../support/build.ts";
import { image, makeScene, type Scene } from "./scene.ts";

const it = suite<{ scene: Scene }>("runs");

it.before.each(async (context) => {
  context.scene = await makeScene();
});

it.after.each(({ scene }) => scene.dispose());

const db = service({ name: "db", image: "db" });
const web = service({ name: "web", image: "web", dependsOn: [dependency("db")] });
const shop = project({ services: [db, web] });
const gone = nothing("shop", "/srv/shop");

it("up makes and starts everything, dependencies first", async ({ scene }) => {
  const { outcome, summary } = await up(scene, shop);
  assert.equal([outcome, summary], ["converged", { done: 7, failed: 0, skipped: 0 }]);
  const told = scene.told();
  assert.equal(
    told.filter((line) => line.startsWith("container.start")),
    ["container.start shop-db-1: done", "container.start shop-web-1: done"],
  );
  assert.equal(await scene.containers(), ["shop-db-1 running", "shop-web-1 running"]);
});

it("a second up has nothing to do", async ({ scene }) => {
  await up(scene, shop);
  scene.told();
  const { plan, outcome, summary } = await up(scene, shop);
  assert.equal([plan.steps, outcome, summary], [[], "converged", { done: 0, failed: 0, skipped: 0 }]);
  assert.equal(scene.told(), ["converged"]);
  assert.is(scene.events.findLast((event) => event.type === "plan.ready")?.unchanged, 3);
});

it("the end of a run is told once, and last", async ({ scene }) => {
  await up(scene, shop);
  const ends = scene.events.filter(({ type }) => type === "run.finished");
  assert.equal([ends.length, scene.events.at(-1)?.type], [1, "run.finished"]);
});

it("what changed is replaced, and what did not stays the same", async ({ scene }) => {
  await up(scene, shop);
  const before = { db: await scene.idOf("shop-db-1"), web: await scene.idOf("shop-web-1") };
  await up(scene, { ...shop, services: [db, { ...web, environment: { COLOR: "blue" } }] });
  assert.is(await scene.idOf("shop-db-1"), before.db);
  assert.is.not(await scene.idOf("shop-web-1"), before.web);
  assert.equal(await scene.containers(), ["shop-db-1 running", "shop-web-1 running"]);
});

it("what was stopped behind its back is started again", async ({ scene }) => {
  await up(scene, shop);
  await operate(scene.world(), shop, { kind: "stop", graceMs: null }, ["web"]);
  scene.told();
  await up(scene, shop);
  assert.equal(scene.told(), ["container.start shop-web-1: done", "converged"]);
});

it("create makes everything and starts nothing", async ({ scene }) => {
  await up(scene, shop, { start: false });
  assert.equal(await scene.containers(), ["shop-db-1 created", "shop-web-1 created"]);
});

it("down stops dependents first, and removes all but the volumes", async ({ scene }) => {
  const keeping = { ...shop, volumes: [{ key: "data", name: "shop_data", external: false, labels: {} }] };
  const mounts = [{ type: "volume", source: "data", target: "/data", readOnly: false, noCopy: false, subpath: null }] as const;
  await up(scene, { ...keeping, services: [{ ...db, mounts }, web] });
  scene.told();
  await up(scene, gone);
  const told = scene.told();
  assert.ok(told.indexOf("container.stop shop-web-1: done") < told.indexOf("container.stop shop-db-1: done"), told.join("\n"));
  const { containers, networks, volumes } = await observe(scene);
  assert.equal([containers, networks, volumes.map(({ name }) => name)], [[], [], ["shop_data"]]);
  await up(scene, gone, { removeVolumes: true });
  assert.equal((await observe(scene)).volumes, []);
});

it("down of a project that was never up has nothing to do", async ({ scene }) => {
  const { plan, outcome } = await up(scene, gone);
  assert.equal([plan.steps, outcome], [[], "converged"]);
});

it("another project is left alone", async ({ scene }) => {
  const other = project({ name: "other", services: [service({ name: "db", image: "db" })] });
  await up(scene, other);
  await up(scene, shop, { removeOrphans: true });
  await up(scene, gone, { removeVolumes: true });
  assert.equal(await scene.containers(), ["other-db-1 running"]);
});

it("what needs a step that failed is skipped because of it, the rest is done, and the next up goes on", async ({ scene }) => {
  scene.registry.set("db:latest", null);
  const cache = service({ name: "cache", image: "cache" });
  const all = { ...shop, services: [db, web, cache] };
  const { outcome, diagnostics } = await up(scene, all);
  assert.equal([outcome, diagnostics.map(({ code }) => code)], ["failed", ["E_IMAGE_NOT_FOUND"]]);
  const told = scene.told();
  assert.ok(told.includes("container.create shop-db-1: skipped because of image.pull docker.io/library/db:latest"), told.join("\n"));
  assert.ok(told.includes("container.start shop-web-1: skipped because of container.create shop-db-1"), told.join("\n"));
  assert.equal(await scene.containers(), ["shop-cache-1 running", "shop-web-1 created"]);
  scene.registry.delete("db:latest");
  assert.is((await up(scene, all)).outcome, "converged");
  assert.equal(await scene.containers(), ["shop-cache-1 running", "shop-db-1 running", "shop-web-1 running"]);
});

it("a plan with problems is refused before anything is done", async ({ scene }) => {
  await refused("E_IMAGE_ABSENT", up(scene, shop, { pull: "never" }), "db", "web");
  assert.equal([await scene.containers(), scene.events], [[], []]);
  assert.is((await up(scene, shop)).outcome, "converged"); // and the project is free
});

it("an interruption lets no further step begin, and the next up goes on", async ({ scene }) => {
  scene.stuck.add("db:latest");
  const over = new AbortController();
  const running = reconcile(scene.world({ signal: over.signal }), shop, DEFAULTS);
  setTimeout(() => over.abort(), 50);
  const { outcome, diagnostics } = await running;
  assert.equal([outcome, diagnostics.map(({ code }) => code)], ["cancelled", ["E_CANCELLED"]]);
  assert.ok(scene.told().includes("container.create shop-db-1: skipped because of image.pull docker.io/library/db:latest"));
  scene.stuck.clear();
  assert.is((await up(scene, shop)).outcome, "converged");
  assert.equal(await scene.containers(), ["shop-db-1 running", "shop-web-1 running"]);
});

it("a dependent waits until a task is done", async ({ scene }) => {
  scene.registry.set("migrate:latest", image("sleep 0.1; exit 0"));
  const result = await up(scene, withTask());
  assert.is(result.outcome, "converged");
  const told = scene.told().filter((line) => !line.startsWith("image") && !line.startsWith("network"));
  assert.equal(told.slice(-3), ["container.wait shop-task-1: done", "container.start shop-web-1: done", "converged"]);
  assert.equal(await scene.containers(), ["shop-task-1 exited", "shop-web-1 running"]);
  assert.equal((await up(scene, withTask())).plan.steps, []);
});

it("a task that fails keeps its dependents from starting", async ({ scene }) => {
  scene.registry.set("migrate:latest", image("exit 3"));
  const { outcome, diagnostics } = await up(scene, withTask());
  assert.equal([outcome, diagnostics.map(({ code }) => code)], ["failed", ["E_DEPENDENCY_FAILED"]]);
  assert.ok(scene.told().includes("container.start shop-web-1: skipped because of container.wait shop-task-1"));
  assert.equal(await scene.containers(), ["shop-task-1 exited", "shop-web-1 created"]);
});

it("a task that may fail is only waited for", async ({ scene }) => {
  scene.registry.set("migrate:latest", image("sleep 0.1; exit 3"));
  const { outcome } = await up(scene, withTask({ required: false }));
  assert.is(outcome, "converged");
  assert.equal(await scene.containers(), ["shop-task-1 exited", "shop-web-1 running"]);
});

it("health is waited for where the engine checks it, and else named as unchecked", async ({ scene }) => {
  const healthy = { ...shop, services: [db, { ...web, dependsOn: [dependency("db", { condition: "healthy" })] }] };
  assert.is((await up(scene, healthy)).outcome, "converged");
  assert.ok(scene.told().includes("W_HEALTH_NOT_CHECKED"));
  const checking = await makeScene({ healthchecks: "client" });
  assert.is((await up(checking, healthy)).outcome, "converged");
  assert.ok(checking.told().includes("container.wait shop-db-1: done"));
  await checking.dispose();
});

it("a pull that brings something new makes a second round that replaces what ran before", async ({ scene }) => {
  await up(scene, shop);
  const before = { db: await scene.idOf("shop-db-1"), web: await scene.idOf("shop-web-1") };
  scene.told();
  scene.events.length = 0;
  scene.registry.set("web:latest", image("trap 'exit 0' TERM; sleep 1000"));
  const { plan, outcome, summary } = await up(scene, shop, { pull: "always" });
  assert.is(outcome, "converged");
  const rounds = scene.events.flatMap((event) => (event.type === "plan.ready" ? [event.steps.map(({ id }) => id)] : []));
  assert.equal(rounds.length, 2);
  assert.equal(
    rounds.flat(),
    plan.steps.map(({ id }) => id),
  );
  assert.equal(
    rounds.flat(),
    [...rounds.flat().keys()].map((index) => index + 1),
  );
  assert.is(summary.done, rounds.flat().length);
  assert.is(await scene.idOf("shop-db-1"), before.db);
  assert.is.not(await scene.idOf("shop-web-1"), before.web);
  assert.equal(await scene.containers(), ["shop-db-1 running", "shop-web-1 running"]);
});

it("a pull that brings nothing new makes no second round", async ({ scene }) => {
  await up(scene, shop);
  const before = await scene.idOf("shop-web-1");
  scene.events.length = 0;
  const { outcome, plan } = await up(scene, shop, { pull: "always" });
  assert.equal([outcome, plan.steps.map(({ action }) => action.kind)], ["converged", ["image.pull", "image.pull"]]);
  assert.is(scene.events.filter(({ type }) => type === "plan.ready").length, 1);
  assert.is(await scene.idOf("shop-web-1"), before);
});

it("what is replaced by force is replaced once, also when its image is asked for anew", async ({ scene }) => {
  await up(scene, shop);
  scene.registry.set("web:latest", image("trap 'exit 0' TERM; sleep 1000"));
  const { plan } = await up(scene, shop, { pull: "always", recreate: "always" });
  assert.is(plan.steps.filter(({ action }) => action.kind === "container.create").length, 2);
  assert.equal((await up(scene, shop)).plan.steps, []);
});

it("after a pull that failed there is no second round", async ({ scene }) => {
  await up(scene, shop);
  scene.events.length = 0;
  const before = await scene.idOf("shop-db-1");
  scene.registry.set("db:latest", image("trap 'exit 0' TERM; sleep 1000"));
  scene.registry.set("web:latest", null);
  const { outcome } = await up(scene, shop, { pull: "always" });
  assert.is(await scene.idOf("shop-db-1"), before);
  assert.equal([outcome, scene.events.filter(({ type }) => type === "plan.ready").length], ["failed", 1]);
  assert.equal(await scene.containers(), ["shop-db-1 running", "shop-web-1 running"]);
});

it("what a pull brought that cannot run ends the run as failed, and what ran before runs on", async ({ scene }) => {
  await up(scene, shop);
  scene.told();
  scene.registry.set("web:latest", {});
  const { outcome, summary, diagnostics } = await up(scene, shop, { pull: "always" });
  assert.equal([outcome, diagnostics.map(({ code }) => code)], ["failed", ["E_NOTHING_TO_RUN"]]);
  assert.equal(summary, { done: 2, failed: 0, skipped: 0 });
  assert.equal(scene.told().slice(-2), ["E_NOTHING_TO_RUN", "failed"]);
  assert.equal(await scene.containers(), ["shop-db-1 running", "shop-web-1 running"]);
});

it("operations do what they say, in the order of dependencies", async ({ scene }) => {
  await up(scene, shop);
  const told = async (operation: Parameters<typeof operate>[2], names: readonly string[] | null = null) => {
    scene.told();
    await operate(scene.world(), shop, operation, names);
    return scene.told().slice(0, -1);
  };
  assert.equal(await told({ kind: "stop", graceMs: null }), ["container.stop shop-web-1: done", "container.stop shop-db-1: done"]);
  assert.equal(await told({ kind: "start" }), ["container.start shop-db-1: done", "container.start shop-web-1: done"]);
  assert.equal(await told({ kind: "restart", graceMs: null }, ["web"]), ["container.restart shop-web-1: done"]);
  assert.equal(await told({ kind: "pause" }, ["web"]), ["container.pause shop-web-1: done"]);
  await refused("E_PAUSED", operate(scene.world(), shop, { kind: "pause" }, ["web"]), "already paused");
  assert.equal(await told({ kind: "unpause" }), ["container.unpause shop-web-1: done"]);
  await refused("E_NOT_PAUSED", operate(scene.world(), shop, { kind: "unpause" }, null), "not paused");
  assert.equal(await told({ kind: "kill", signal: "SIGKILL" }, ["web"]), ["container.kill shop-web-1: done"]);
  assert.equal(await told({ kind: "remove", force: false, stop: false, volumes: false }, ["web"]), ["container.remove shop-web-1: done"]);
  assert.equal(await scene.containers(), ["shop-db-1 running"]);
});

it("what an operation must not do is refused before anything is done", async ({ scene }) => {
  await up(scene, shop);
  const removal = { kind: "remove", force: false, stop: false, volumes: false } as const;
  await refused("E_STILL_RUNNING", operate(scene.world(), shop, removal, ["web"]), "shop-web-1");
  await refused("E_NO_SUCH_SERVICE", operate(scene.world(), shop, { kind: "start" }, ["wbe"]), "no such service: wbe");
});

it("a one-off container is made beside those of its service and not started, its dependencies are", async ({ scene }) => {
  const { outcome } = await prepareOneOff(scene.world(), shop, {
    service: { ...web, command: ["sh", "-c", "exit 0"] },
    slug: "abc",
    name: null,
    dependencies: true,
    recreate: "changed",
    removeOrphans: false,
    ignoreOrphans: false,
    ports: false,
    useAliases: false,
    autoRemove: false,
    pull: null,
  });
  assert.is(outcome, "converged");
  assert.equal(await scene.containers(), ["shop-db-1 running", "shop-web-run-abc created"]);
  await up(scene, shop);
  assert.equal(await scene.containers(), ["shop-db-1 running", "shop-web-1 running", "shop-web-run-abc created"]);
});

it("a preview shows the plan and does nothing of it", async ({ scene }) => {
  const { plan } = await preview(scene.world(), shop, DEFAULTS);
  assert.is(plan.steps.length, 7);
  assert.equal([await scene.containers(), scene.events], [[], []]);
});

it("of two runs on a project the second is refused, or waits for the first", async ({ scene }) => {
  scene.stuck.add("db:latest");
  const over = new AbortController();
  const first = reconcile(scene.world({ signal: over.signal }), shop, DEFAULTS);
  await begun(scene);
  await refused("E_LOCKED", reconcile(scene.world(), shop, DEFAULTS), "shop", "wharf up", String(process.pid));
  scene.stuck.clear();
  const waiting = reconcile(scene.world({ lockTimeoutMs: 5_000 }), shop, DEFAULTS);
  over.abort();
  assert.is((await first).outcome, "cancelled");
  assert.is((await waiting).outcome, "converged");
});

it("a run that waits for another process's says for which", async ({ scene }) => {
  const { lockDirectory } = scene.world();
  const lock = join(lockDirectory, "shop.lock");
  const holder = { ...identify(process.ppid), token: "other", purpose: "down", since: "2026-01-01T00:00:00Z" };
  await mkdir(lockDirectory, { recursive: true });
  await writeFile(lock, JSON.stringify(holder));
  await refused("E_LOCKED", up(scene, shop), "shop", "wharf down", String(process.ppid), "2026-01-01T00:00:00Z");
  const waiting = reconcile(scene.world({ lockTimeoutMs: 5_000 }), shop, DEFAULTS);
  setTimeout(() => void rm(lock), 50);
  assert.is((await waiting).outcome, "converged");
  assert.is(scene.told()[0], "W_WAITING");
});

it("a run after one that was killed says so, once", async ({ scene }) => {
  const { lockDirectory } = scene.world();
  const holder = { ...identify(process.pid), start: "1", token: "dead", purpose: "down", since: "2026-01-01T00:00:00Z" };
  await mkdir(lockDirectory, { recursive: true });
  await writeFile(join(lockDirectory, "shop.lock"), JSON.stringify(holder));
  await up(scene, shop);
  const said = scene.events.flatMap((event) => (event.type === "notice" ? [event.diagnostic] : []));
  assert.equal(
    said.map(({ code }) => code),
    ["W_BROKEN_OFF"],
  );
  assert.match(said[0]?.message ?? "", "`wharf down`");
  scene.told();
  await up(scene, shop);
  assert.not.ok(scene.told().includes("W_BROKEN_OFF"));
});

it("an interruption ends the wait for another run", async ({ scene }) => {
  scene.stuck.add("db:latest");
  const over = new AbortController();
  const first = reconcile(scene.world({ signal: over.signal }), shop, DEFAULTS);
  await begun(scene);
  const impatient = AbortSignal.timeout(30);
  // Else it would wait for longer than a test may take.
  await reconcile(scene.world({ lockTimeoutMs: 600_000, signal: impatient }), gone, DEFAULTS).catch((error: unknown) => error);
  over.abort();
  await first;
});

it("runs on two projects do not wait for each other", async ({ scene }) => {
  scene.stuck.add("db:latest");
  const over = new AbortController();
  const first = reconcile(scene.world({ signal: over.signal }), shop, DEFAULTS);
  await begun(scene);
  const other = project({ name: "other", services: [service({ image: "web" })] });
  assert.is((await reconcile(scene.world(), other, DEFAULTS)).outcome, "converged");
  over.abort();
  await first;
});

it("a preview does not wait for a run", async ({ scene }) => {
  scene.stuck.add("db:latest");
  const over = new AbortController();
  const first = reconcile(scene.world({ signal: over.signal }), shop, DEFAULTS);
  await begun(scene);
  assert.ok((await preview(scene.world(), shop, DEFAULTS)).plan.steps.length > 0);
  over.abort();
  await first;
});

it("questions are asked until one is answered with no", async () => {
  const asked: string[] = [];
  const answer = (yes: readonly string[]) => async (question: string) => {
    asked.push(question);
    return yes.includes(question);
  };
  const confirmations = ["one?", "two?", "three?"];
  assert.is(await approve({ confirmations }, answer(["one?"])), false);
  assert.equal(asked, ["one?", "two?"]);
  assert.is(await approve({ confirmations }, answer(confirmations)), true);
});

it.run();

function up(scene: Scene, wanted: Project, options: Partial<typeof DEFAULTS> = {}) {
  return reconcile(scene.world(), wanted, { ...DEFAULTS, ...options });
}

function observe({ engine }: Scene) {
  return engine.observe(shop, AbortSignal.timeout(5_000));
}

/** A web server that waits for a task to be done. */
function withTask(given: Partial<Service["dependsOn"][number]> = {}): Project {
  const task = service({ name: "task", image: "migrate", run: "once" });
  return { ...shop, services: [task, { ...web, dependsOn: [dependency("task", { condition: "completed", ...given })] }] };
}

/** Waits until a run has its plan. */
async function begun({ events }: Scene): Promise<void> {
  while (!events.some(({ type }) => type === "plan.ready")) await new Promise((resolve) => setTimeout(resolve, 5));
}
