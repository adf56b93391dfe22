import * as assert from "uvu/assert";
import type { ImageSummary } from "../../../src/engine/images.ts";
import { Failure } from "../../../src/model/diagnostic.ts";
import { reference } from "../../support/build.ts";
import { type Case, FOREVER, refused, type Stage } from "./stage.ts";

/** What is known of images, and how they come and go. */
export function imageCases(it: Case): void {
  it("an image that was imported is listed with its name, its id, its time and its platform", async (stage) => {
    const before = Date.now();
    const id = await stage.image("conformance/new:1");
    const [found, ...others] = await listed(stage, "conformance/new");
    assert.equal([found?.reference, found?.id, found?.digest, others], ["docker.io/conformance/new:1", id, null, []]);
    assert.match(id, /^sha256:[0-9a-f]{64}$/);
    assert.ok(Date.parse(found?.created ?? "") >= before - 1_000, `created ${found?.created}`);
    assert.is(found?.platform.os, "linux");
    assert.ok((found?.size ?? 0) > 0);
  });

  it("an image's document is found by any spelling of its name, by its id, and by the beginning of that", async (stage) => {
    const id = await stage.image("conformance/new:1", { Cmd: ["sh"], Env: ["A=b"], Labels: { "a.label": "c" } });
    for (const name of ["conformance/new:1", "docker.io/conformance/new:1", id, id.slice(7), id.slice(7, 19)]) {
      const document = await inspect(stage, name);
      assert.is(document.Id, id, name);
      assert.equal([document.Config.Cmd, document.Config.Env, document.Config.Labels], [["sh"], ["A=b"], { "a.label": "c" }]);
      assert.equal(document.RepoTags, ["conformance/new:1"]);
      for (const key of ["Created", "Os", "Architecture", "Size", "RootFS", "RepoDigests"]) assert.ok(key in document, key);
    }
  });

  it("what is not there has no document", async (stage) => {
    assert.is(await stage.engine.images.inspect("conformance/absent:1", stage.signal), null);
    assert.is(await stage.engine.images.inspect("0".repeat(64), stage.signal), null);
  });

  it("a name that is imported again means the new image", async (stage) => {
    const first = await stage.image("conformance/new:1", { Cmd: ["one"] });
    const second = await stage.image("conformance/new:1", { Cmd: ["two"] });
    assert.is.not(first, second);
    assert.is((await inspect(stage, "conformance/new:1")).Id, second);
    await stage.engine.images.remove(first, { force: true }, stage.signal).catch(() => []); // an engine need not keep what has no name
  });

  it("an image without containers is removed with its name", async (stage) => {
    const id = await stage.image("conformance/new:1");
    const removed = await stage.engine.images.remove("conformance/new:1", { force: false }, stage.signal);
    assert.equal(removed, [
      { kind: "untagged", what: "conformance/new:1" },
      { kind: "deleted", what: id },
    ]);
    assert.is(await stage.engine.images.inspect(id, stage.signal), null);
    assert.equal(await listed(stage, "conformance/new"), []);
  });

  it("an image that is not there is not removed", async (stage) => {
    await refused(
      "E_IMAGE_ABSENT",
      stage.engine.images.remove("conformance/absent:1", { force: true }, stage.signal),
      "conformance/absent:1",
    );
  });

  it("an image is kept while containers are made from it, and they are named", async (stage) => {
    await stage.image("conformance/new:1");
    const names = [
      await stage.create(FOREVER, { image: "conformance/new:1" }),
      await stage.create(FOREVER, { image: "conformance/new:1", name: "db" }),
    ];
    await refused("E_IMAGE_IN_USE", stage.engine.images.remove("conformance/new:1", { force: false }, stage.signal), ...names);
    assert.is((await listed(stage, "conformance/new")).length, 1);
  });

  it("by force an image in use only loses its name, and its containers go on", async (stage) => {
    const id = await stage.image("conformance/new:1");
    const { name } = await stage.run(FOREVER, { image: "conformance/new:1" });
    await refused("E_IMAGE_IN_USE", stage.engine.images.remove("conformance/new:1", { force: false }, stage.signal), name);
    const removed = await stage.engine.images.remove("conformance/new:1", { force: true }, stage.signal);
    assert.equal(removed, [{ kind: "untagged", what: "conformance/new:1" }]);
    await stage.apply({ kind: "container.restart", container: name, graceMs: null });
    assert.is((await stage.find(name)).state, "running");
    await stage.remove(name, { force: true });
    await stage.engine.images.remove(id, { force: true }, stage.signal);
  });

  it("of several names one is taken off, and the image stays under the others", async (stage) => {
    const [first, second] = [await stage.image("conformance/new:1"), await stage.image("conformance/new:2")];
    const removed = await stage.engine.images.remove("conformance/new:1", { force: false }, stage.signal);
    assert.equal(removed[0], { kind: "untagged", what: "conformance/new:1" });
    assert.is(removed.length, first === second ? 1 : 2);
    assert.is((await inspect(stage, "conformance/new:2")).Id, second);
  });

  it("an image that is not there is not pushed", async (stage) => {
    const push = stage.engine.images.push(reference("127.0.0.1:9/conformance/absent:1"), () => {}, stage.signal);
    const problem = await push.then(
      () => null,
      (error: unknown) => error,
    );
    assert.ok(problem instanceof Failure, `${problem}`);
  });

  it("an image that is here already is not pulled where it need not be newer", async (stage) => {
    const id = await stage.image("conformance/new:1");
    const pulled = reference("conformance/new:1");
    await stage.apply({ kind: "image.pull", reference: pulled, platform: null, policy: "missing" });
    assert.is((await inspect(stage, "conformance/new:1")).Id, id);
  });
}

async function listed({ engine, signal }: Stage, repository: string): Promise<readonly ImageSummary[]> {
  const all = await engine.images.list(signal);
  return all.filter((image) => image.reference?.startsWith(`docker.io/${repository}:`));
}

async function inspect({ engine, signal }: Stage, name: string) {
  return JSON.parse(JSON.stringify(await engine.images.inspect(name, signal)));
}
