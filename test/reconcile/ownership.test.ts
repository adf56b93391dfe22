/** Two projects with one name in two directories. */
import { mkdir, mkdtemp, rename, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Diagnostic, Failure } from "../../src/model/diagnostic.ts";
import { nothing, type Project } from "../../src/model/project.ts";
import { DEFAULTS } from "../../src/plan/plan.ts";
import { operate, prepareOneOff, preview, reconcile } from "../../src/reconcile/reconcile.ts";
import { project, service } from "../support/build.ts";
import { makeScene, type Scene } from "./scene.ts";

const it = suite<{ scene: Scene; base: string }>("whose containers are");

it.before.each(async (context) => {
  context.scene = await makeScene();
  context.base = await mkdtemp(join(tmpdir(), "wharf-whose-"));
  for (const side of ["a", "b"]) await mkdir(join(context.base, side, "shop"), { recursive: true });
});

it.after.each(async ({ scene, base }) => {
  await scene.dispose();
  await rm(base, { recursive: true, force: true });
});

/** The project of a directory, that nobody named. */
const of = (directory: string, services = ["web"]): Project => ({
  ...project({ services: services.map((name) => service({ name })), files: [join(directory, "wharf.yaml")] }),
  directory,
  namedAfter: "directory",
});
const named = ({ namedAfter: _, ...given }: Project): Project => given;
const up = (scene: Scene, of: Project, options = {}) => reconcile(scene.world(), of, { ...DEFAULTS, ...options });

it("what one directory made no command in another of that name changes", async ({ scene, base }) => {
  const [a, b] = [of(join(base, "a/shop")), of(join(base, "b/shop"), ["db"])];
  await up(scene, a);
  const before = await scene.idOf("shop-web-1");
  const world = scene.world();
  const tries: readonly (() => Promise<unknown>)[] = [
    () => up(scene, b, { removeOrphans: true }),
    () => reconcile(world, nothing("shop", b.directory, b), { ...DEFAULTS, removeOrphans: true, removeVolumes: true }),
    () => operate(world, b, { kind: "stop", graceMs: 0 }, null),
    () => operate(world, b, { kind: "restart", graceMs: 0 }, null),
    () => operate(world, b, { kind: "remove", force: true, stop: true, volumes: true }, ["shop-web-1"]),
    () => operate(world, b, { kind: "kill", signal: "SIGKILL" }, null),
  ];
  for (const attempt of tries) {
    const [problem] = await refusal(attempt);
    assert.is(problem?.code, "E_OTHER_DIRECTORY");
    assert.match(problem?.message ?? "", `belongs to ${a.directory}, and this is ${b.directory}`);
  }
  assert.equal(await scene.containers(), ["shop-web-1 running"]);
  assert.is(await scene.idOf("shop-web-1"), before);
  assert.ok((await preview(world, b, DEFAULTS)).plan.problems.some(({ code }) => code === "E_OTHER_DIRECTORY"));
  assert.is((await up(scene, a)).outcome, "converged", "the one that made them goes on");
});

it("a name that somebody gave is taken at its word, with a warning where containers of the other directory would change", async ({
  scene,
  base,
}) => {
  const [a, b] = [named(of(join(base, "a/shop"))), named(of(join(base, "b/shop"), ["db"]))];
  await up(scene, a);
  const codes = async (options = {}) => (await preview(scene.world(), b, { ...DEFAULTS, ...options })).plan.notices.map(({ code }) => code);
  assert.equal(await codes(), ["W_ORPHANS"]);
  assert.equal(await codes({ removeOrphans: true }), ["W_OTHER_DIRECTORY"]);
  scene.told();
  assert.is((await up(scene, b, { removeOrphans: true })).outcome, "converged");
  assert.ok(scene.told().includes("W_OTHER_DIRECTORY"));
  assert.equal(await scene.containers(), ["shop-db-1 running"]);
});

it("a directory that was moved keeps its containers, and another way to it is no other directory", async ({ scene, base }) => {
  await up(scene, of(join(base, "a/shop")));
  await symlink(join(base, "a/shop"), join(base, "way"));
  scene.told();
  assert.equal((await up(scene, of(join(base, "way")))).plan.steps, []);
  assert.equal(scene.told(), ["converged"]);
  await rename(join(base, "a"), join(base, "c"));
  const result = await up(scene, of(join(base, "c/shop")));
  assert.is(result.outcome, "converged");
  assert.equal(scene.told(), ["W_PROJECT_MOVED", "converged"]);
});

it("a one-off is not made in another directory's project either", async ({ scene, base }) => {
  await up(scene, of(join(base, "a/shop")));
  const b = of(join(base, "b/shop"));
  const [web] = b.services;
  assert.ok(web);
  const attempt = () =>
    prepareOneOff(scene.world(), b, {
      service: web,
      slug: "0123456789ab",
      name: null,
      dependencies: true,
      ports: false,
      useAliases: false,
      recreate: "changed",
      removeOrphans: false,
      ignoreOrphans: false,
      autoRemove: false,
      pull: null,
    });
  assert.is((await refusal(attempt))[0]?.code, "E_OTHER_DIRECTORY");
});

it.run();

async function refusal(attempt: () => Promise<unknown>): Promise<readonly Diagnostic[]> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof Failure) return error.diagnostics;
    throw error;
  }
  return [];
}
