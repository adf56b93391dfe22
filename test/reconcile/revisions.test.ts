import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Project } from "../../src/model/project.ts";
import { withDigest } from "../../src/model/reference.ts";
import { DEFAULTS } from "../../src/plan/plan.ts";
import { previewRollback, reconcile, rollBack } from "../../src/reconcile/reconcile.ts";
import { imagesOfRevisions, projectOf, type Revision, revisionsOf } from "../../src/reconcile/revisions.ts";
import { refused } from "../engines/conformance/stage.ts";
import { project, reference, service } from "../support/build.ts";
import { makeScene, type Scene } from "./scene.ts";

const it = suite<{ scene: Scene }>("revisions");

it.before.each(async (context) => {
  context.scene = await makeScene();
});

it.after.each(({ scene }) => scene.dispose());

const coloured = (colour: string): Project =>
  project({
    services: [service({ environment: { COLOR: colour } })],
    sources: { "services.web.environment.COLOR": { file: "/shop/wharf.yaml", line: 4, column: 7 } },
  });
const up = (scene: Scene, of: Project, options = {}) => reconcile(scene.world(), of, { ...DEFAULTS, ...options });
const known = (scene: Scene): Promise<readonly Revision[]> => revisionsOf(scene.world().revisionDirectory, "shop");

it("each up of the whole project that changes what it makes true is a revision, and one that changes nothing is none", async ({
  scene,
}) => {
  await up(scene, coloured("red"));
  await up(scene, coloured("red"));
  await up(scene, coloured("blue"));
  const found = (await known(scene)).map(({ number, of, project: { services } }) => [number, of, services[0]?.environment["COLOR"]]);
  assert.equal(found, [
    [2, null, "blue"],
    [1, null, "red"],
  ]);
});

it("what is not the whole project, not started, or failed is no revision", async ({ scene }) => {
  await up(scene, coloured("red"), { services: ["web"] });
  await up(scene, coloured("red"), { start: false });
  scene.registry.set("web:none", null);
  await up(scene, project({ services: [service({ image: "web:none" })] }));
  assert.equal(await known(scene), []);
});

it("going back makes the old containers again, removes what came since, and is a revision itself", async ({ scene }) => {
  await up(scene, coloured("red"));
  await up(scene, project({ services: [service({ environment: { COLOR: "blue" } }), service({ name: "cache", image: "cache" })] }));
  assert.equal(await scene.containers(), ["shop-cache-1 running", "shop-web-1 running"]);
  const [, first] = await known(scene);
  assert.ok(first);
  const before = await scene.idOf("shop-web-1");
  const way = await previewRollback(scene.world(), first, DEFAULTS);
  assert.ok(way.steps.length > 0);
  const [colour] = way.changes.flatMap(({ attributes }) => attributes);
  assert.equal([colour?.path, colour?.source], ["environment.COLOR", null], "the file says something else by now");
  assert.is(await scene.idOf("shop-web-1"), before); // looking changes nothing
  assert.is((await rollBack(scene.world(), first, DEFAULTS)).outcome, "converged");
  assert.equal(await scene.containers(), ["shop-web-1 running"]);
  assert.is((await known(scene))[0]?.of, 1);
  const again = await up(scene, coloured("red"));
  assert.equal(again.plan.steps, []); // as if it had always been so
});

it("the ten newest are kept, and no number is given twice", async ({ scene }) => {
  for (let i = 1; i <= 12; i++) await up(scene, coloured(`c${i}`));
  const numbers = (await known(scene)).map(({ number }) => number);
  assert.equal(numbers, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
});

it("a project says how many are kept: the others go, with their claims on images, and 0 is none", async ({ scene }) => {
  const directory = scene.world().revisionDirectory;
  const keeping = (revisions: number, colour: string): Project => ({ ...coloured(colour), revisions });
  for (const colour of ["a", "b", "c", "d"]) await up(scene, keeping(2, colour));
  assert.equal(
    (await known(scene)).map(({ number }) => number),
    [4, 3],
  );
  assert.ok((await imagesOfRevisions(directory)).size > 0);
  await up(scene, keeping(1, "d")); // nothing else changed
  assert.equal(
    (await known(scene)).map(({ number }) => number),
    [4],
  );
  await up(scene, keeping(0, "e"));
  assert.equal(await known(scene), []);
  assert.is((await imagesOfRevisions(directory)).size, 0);
  await up(scene, coloured("f"));
  assert.is((await known(scene)).length, 1);
});

it("one that a power cut tore is none, and its number is not given again", async ({ scene }) => {
  await up(scene, coloured("red"));
  await up(scene, coloured("blue"));
  for (const torn of ["", '{"version": 1, "num', "\0\0\0\0"]) {
    writeFileSync(join(scene.world().revisionDirectory, "shop", "2.json"), torn);
    assert.equal(
      (await known(scene)).map(({ number }) => number),
      [1],
    );
  }
  await up(scene, coloured("blue"));
  assert.equal(
    (await known(scene)).map(({ number }) => number),
    [3, 1],
  );
});

it("going back lets none go", async ({ scene }) => {
  await up(scene, { ...coloured("red"), revisions: 1 });
  await up(scene, coloured("blue"));
  const [, first] = await known(scene);
  assert.ok(first);
  await rollBack(scene.world(), first, DEFAULTS);
  assert.is((await known(scene)).length, 3);
});

it("an image whose name leads elsewhere is pinned to the content it had, and one that was made here is refused by name", async () => {
  const revision: Revision = {
    version: 1,
    number: 4,
    at: "2026-01-01T00:00:00Z",
    of: null,
    project: coloured("red"),
    images: { web: { id: "sha256:old", digest: DIGEST } },
    digest: "sha256:0",
  };
  const now = { [reference("web")]: { id: "sha256:new", digest: null, command: [], volumes: [] } };
  assert.is(projectOf(revision, now).services[0]?.pin, `docker.io/library/web@${DIGEST}`);
  const same = { [reference("web")]: { id: "sha256:old", digest: null, command: [], volumes: [] } };
  assert.is(projectOf(revision, same).services[0]?.pin, null);
  const local = { ...revision, images: { web: { id: "sha256:old", digest: null } } };
  await refused(
    "E_REVISION_IMAGE",
    Promise.resolve().then(() => projectOf(local, now)),
    "web",
    "revision 4",
  );
});

it("a pin keeps the repository, its registry's port too", () => {
  assert.is(withDigest(reference("127.0.0.1:5000/a/b:1"), DIGEST), `127.0.0.1:5000/a/b@${DIGEST}`);
  assert.is(withDigest(reference(`web@${DIGEST}`), DIGEST.replace(/a/g, "b")), `docker.io/library/web@${DIGEST.replace(/a/g, "b")}`);
});

const DIGEST = `sha256:${"a".repeat(64)}`;

it.run();
