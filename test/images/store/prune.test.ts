import { rmSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type ImageOfLayers, idOf } from "../../support/image-archive.ts";
import { inStore, layer, NO_USERS, type TestStore, unfinished } from "../../support/image-store.ts";
import { rejects } from "../../support/rejects.ts";
import { startStoreProcess } from "../../support/store-processes.ts";

const it = suite("pruning images");

const BASE = layer({ base: "b".repeat(5000) });
const named: ImageOfLayers = { layers: [BASE, layer({ a: "a".repeat(300) })], names: ["docker.io/library/named:1"] };
const dangling: ImageOfLayers = { layers: [BASE, layer({ b: "b".repeat(700) })], names: [] };

const ALL = { all: true, matches: () => true, dryRun: false, users: NO_USERS };
const ids = async ({ store }: TestStore): Promise<readonly string[]> => (await store.list()).map(({ id }) => id);

it(
  "without -a only images without a tag go, with -a all that no container uses; what is shared stays with the last",
  inStore(async (test) => {
    await test.load(named, dangling);
    const wished = await test.store.prune({ ...ALL, all: false, dryRun: true });
    assert.equal((await ids(test)).length, 2);
    const pruned = await test.store.prune({ ...ALL, all: false });
    assert.equal(pruned.removed, [{ kind: "deleted", what: idOf(dangling) }]);
    assert.equal(wished.removed, pruned.removed);
    assert.ok(pruned.freed > 700 && pruned.freed < 5000, `${pruned.freed} bytes`);
    const users = new Map([[idOf(named), [{ name: "shop-web-1", running: false }]]]);
    assert.equal((await test.store.prune({ ...ALL, users })).removed, []);
    assert.equal((await test.store.prune({ ...ALL, matches: () => false })).removed, []);
    const last = await test.store.prune(ALL);
    assert.equal(
      last.removed.map(({ kind }) => kind),
      ["untagged", "deleted"],
    );
    assert.ok(last.freed > 5300);
    assert.equal(await unfinished(test.layout), []);
  }),
);

it(
  "what a command at work holds is neither pruned nor removed, until it ends",
  inStore(async (test) => {
    await test.load(named);
    const other = test.again();
    await other.hold("named:1");
    assert.equal((await test.store.prune(ALL)).removed, []);
    const elsewhere = await startStoreProcess(test.directory, "remove", "named:1");
    elsewhere.go();
    await rejects(elsewhere.made, "another command works on it");
    await other.close();
    assert.is((await test.store.prune(ALL)).removed.length, 2);
  }),
);

it(
  "an image that has lost a layer is pruned as well",
  inStore(async (test) => {
    await test.load(dangling);
    const [top = ""] = (await test.store.find(idOf(dangling)))?.layers ?? [];
    rmSync(test.layout.layer(top), { recursive: true });
    assert.equal((await test.store.prune({ ...ALL, all: false })).removed, [{ kind: "deleted", what: idOf(dangling) }]);
    assert.equal(await unfinished(test.layout), []);
  }),
);

it(
  "what images take is told of each, and shared bytes once of all",
  inStore(async (test) => {
    await test.load(named, dangling);
    const usage = await test.store.usage(new Map([[idOf(named), [{ name: "shop-web-1", running: true }]]]));
    assert.equal(
      new Map(usage.images.map(({ id, size, shared, containers }) => [id, [size, shared, containers]])),
      new Map([
        [idOf(named), [5300, 5000, 1]],
        [idOf(dangling), [5700, 5000, 0]],
      ]),
    );
    assert.is(usage.layers, 6000);
    assert.is(usage.reclaimable, 700);
    assert.ok(usage.content > 0);
  }),
);

it.run();
