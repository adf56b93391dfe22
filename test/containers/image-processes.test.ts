/** Several processes on one store, and such that are killed at any moment. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { reference } from "../support/build.ts";
import { type CountingProxy, startCountingProxy } from "../support/counting-proxy.ts";
import { type ImageOfLayers, idOf } from "../support/image-archive.ts";
import { inStore, makeStore, NO_USERS, SIGNAL, type TestStore, unfinished } from "../support/image-store.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { startStoreProcess } from "../support/store-processes.ts";
import { type TarEntry, tar } from "../support/tar.ts";

const it = suite("processes on one store");

const KILLS = 5;
const PULLERS = 4;

const BASE = big("base");
const images: Readonly<Record<string, ImageOfLayers>> = {
  one: { layers: [BASE, big("one"), big("one-more")], names: [] },
  two: { layers: [BASE, big("two")], names: [] },
  three: { layers: [BASE, big("three")], names: [] },
};

let registry: Registry;
let proxy: CountingProxy;

it.before(async () => {
  registry = await startRegistry();
  proxy = await startCountingProxy(registry.host);
  const { store, load, dispose } = await makeStore();
  for (const [name, image] of Object.entries(images)) {
    const at = `${registry.host}/${name}:1`;
    await load({ ...image, names: [at] });
    await store.push(reference(at), () => {}, SIGNAL);
  }
  await dispose();
});

it.after(async () => {
  await proxy.stop();
  await registry.stop();
});

it(
  "a pull that is killed at any moment leaves nothing that the next one does not clear away or use",
  inStore(async (test) => {
    const name = `${registry.host}/one:1`;
    const took = await timed(await startStoreProcess(test.directory, "pull", name));
    for (let round = 0; round < KILLS; round += 1) {
      await empty(test, name);
      await killed(await startStoreProcess(test.directory, "pull", name), took * ((round + Math.random()) / KILLS));
      const store = test.again();
      const pulled = await store.pull(reference(name), {
        platform: null,
        policy: "always",
        progress: () => {},
        note: () => {},
        signal: SIGNAL,
      });
      await store.close();
      assert.is(pulled.id, idOf(images["one"] ?? { layers: [], names: [] }));
      await isWhole(test);
    }
  }),
);

it(
  "an import that is killed at any moment leaves nothing behind once another command worked",
  inStore(async (test) => {
    const archive = join(test.directory, "archive.tar");
    await writeFile(archive, big("import"));
    const took = await timed(await startStoreProcess(test.directory, "import", archive, "made"));
    for (let round = 0; round < KILLS; round += 1) {
      await empty(test, "made");
      await killed(await startStoreProcess(test.directory, "import", archive, "made"), took * ((round + Math.random()) / KILLS));
      const again = await startStoreProcess(test.directory, "import", archive, "made");
      again.go();
      assert.match(String(await again.made), "sha256:");
      await isWhole(test);
    }
  }),
);

it(
  "processes that pull the same image at once fetch each blob once",
  inStore(async (test) => {
    const name = `${proxy.host}/one:1`;
    const before = new Map(proxy.counts);
    const pullers = await Promise.all(Array.from({ length: PULLERS }, () => startStoreProcess(test.directory, "pull", name)));
    for (const puller of pullers) puller.go();
    const ids = await Promise.all(pullers.map(({ made }) => made));
    assert.equal(new Set(ids).size, 1);
    assert.equal(fetchedTwice(before, 3), []);
    await isWhole(test);
  }),
);

it(
  "processes that pull images with common layers at once fetch those once",
  inStore(async (test) => {
    const before = new Map(proxy.counts);
    const pullers = await Promise.all(
      Object.keys(images).map((name) => startStoreProcess(test.directory, "pull", `${proxy.host}/${name}:1`)),
    );
    for (const puller of pullers) puller.go();
    await Promise.all(pullers.map(({ made }) => made));
    assert.equal(fetchedTwice(before, 5), []);
    assert.is((await test.store.list()).length, 3);
    await isWhole(test);
  }),
);

it(
  "a prune that runs while others pull takes nothing that they need",
  inStore(async (test) => {
    const names = Object.keys(images).map((name) => `${registry.host}/${name}:1`);
    const pullers = await Promise.all(names.map((name) => startStoreProcess(test.directory, "pull", name)));
    let pulling = true;
    const pruning = (async (): Promise<number> => {
      let count = 0;
      for (const store = test.again(); pulling; count += 1) {
        await store.prune({ all: true, matches: () => true, dryRun: false, users: NO_USERS });
        await sleep(5);
      }
      return count;
    })();
    for (const puller of pullers) puller.go();
    await Promise.all(pullers.map(({ made }) => made)); // none of them misses a layer
    pulling = false;
    assert.ok((await pruning) > 3);
    await isWhole(test);
  }),
);

it.run();

/** A layer of a few megabytes, with a few files. */
function big(name: string): Buffer {
  const files = Array.from({ length: 40 }, (_, i): TarEntry => ({ path: `${name}/file-${i}`, content: randomBytes(48 * 1024) }));
  return tar([{ path: `${name}/`, type: "directory" }, ...files]);
}

type Started = Awaited<ReturnType<typeof startStoreProcess>>;

async function timed(started: Started): Promise<number> {
  const began = performance.now();
  started.go();
  if ((await started.made) === null) throw new Error("it made nothing");
  return performance.now() - began;
}

async function killed(started: Started, after: number): Promise<void> {
  started.go();
  await sleep(after);
  started.kill();
  await started.made;
}

async function empty(test: TestStore, name: string): Promise<void> {
  const store = test.again();
  if ((await store.find(name)) !== null) await store.remove(name, { force: true, users: NO_USERS });
  await store.prune({ all: true, matches: () => true, dryRun: false, users: NO_USERS });
  await store.close();
}

async function isWhole(test: TestStore): Promise<void> {
  const store = test.again();
  assert.equal(await store.verify([], { repair: false, progress: () => {}, users: NO_USERS, signal: SIGNAL }), []);
  await store.close();
  assert.equal(await unfinished(test.layout), []);
  assert.ok(existsSync(test.layout.layers));
}

/** Layers that were fetched more than once since then; `least` of them were fetched at all. */
function fetchedTwice(before: ReadonlyMap<string, number>, least: number): readonly string[] {
  const configurations = new Set(Object.values(images).map(idOf));
  const fetched = [...proxy.counts]
    .filter(([what]) => what.startsWith("GET ") && what.includes("/blobs/"))
    .map(([what, count]) => [what.slice(what.lastIndexOf("/") + 1), count - (before.get(what) ?? 0)] as const)
    .filter(([digest, count]) => count > 0 && !configurations.has(digest));
  assert.ok(fetched.length >= least, `${fetched.length} layers were fetched`);
  const times = new Map<string, number>();
  for (const [digest, count] of fetched) times.set(digest, (times.get(digest) ?? 0) + count);
  return [...times].filter(([, count]) => count > 1).map(([digest]) => digest);
}
