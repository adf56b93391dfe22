import { suite } from "uvu";
import * as assert from "uvu/assert";
import { reference } from "../../support/build.ts";
import { idOf } from "../../support/image-archive.ts";
import { inStore, layer, NO_USERS, SIGNAL, unfinished } from "../../support/image-store.ts";
import { startRegistry } from "../../support/registry.ts";
import { rejects } from "../../support/rejects.ts";

const it = suite("names of images");

const ONE = { layers: [layer({ a: "1" })], names: ["docker.io/library/web:1"] };
const OTHER = { layers: [layer({ a: "2" })], names: ["docker.io/library/web:1"] };

it(
  "a tag that moves leaves the image that had it, listed without a name",
  inStore(async ({ store, load }) => {
    await load(ONE);
    await load(OTHER);
    const listed = await store.list();
    assert.equal(
      new Map(listed.map(({ id, reference: name }) => [id, name])),
      new Map([
        [idOf(OTHER), reference("web:1")],
        [idOf(ONE), null],
      ]),
    );
  }),
);

it(
  "tag gives a further name, and takes one from another image",
  inStore(async ({ store, load }) => {
    await load(ONE);
    await store.tag("web:1", reference("shop/web:2"));
    assert.is((await store.find("shop/web:2"))?.id, idOf(ONE));
    await load({ ...OTHER, names: ["docker.io/library/other:1"] });
    await store.tag("other:1", reference("shop/web:2"));
    assert.is((await store.find("shop/web:2"))?.id, idOf(OTHER));
    await rejects(store.tag("nothing", reference("x")), "there is no image nothing");
  }),
);

it(
  "rm takes one name off, and with the last one the image and its layers go",
  inStore(async ({ store, layout, load }) => {
    await load(ONE);
    await store.tag("web:1", reference("web:2"));
    const options = { force: false, users: NO_USERS };
    assert.equal(await store.remove("web:1", options), [{ kind: "untagged", what: "web:1" }]);
    assert.equal(await store.remove("web:2", options), [
      { kind: "untagged", what: "web:2" },
      { kind: "deleted", what: idOf(ONE) },
    ]);
    assert.equal(await store.list(), []);
    assert.equal(await unfinished(layout), []);
  }),
);

it(
  "rm by id wants -f where the image has several names",
  inStore(async ({ store, load }) => {
    await load(ONE);
    await store.tag("web:1", reference("web:2"));
    await rejects(store.remove(idOf(ONE), { force: false, users: NO_USERS }), "has several names: web:1, web:2");
    assert.is((await store.remove(idOf(ONE).slice(7, 19), { force: true, users: NO_USERS })).length, 3);
  }),
);

it(
  "rm of an image with containers names them; -f takes the name and leaves what they need",
  inStore(async ({ store, load }) => {
    await load(ONE);
    const users = new Map([[idOf(ONE), [{ name: "shop-web-1", running: false }]]]);
    await rejects(store.remove("web:1", { force: false, users }), "container shop-web-1 is using its image");
    assert.equal(await store.remove("web:1", { force: true, users }), [{ kind: "untagged", what: "web:1" }]);
    assert.is((await store.find(idOf(ONE)))?.layers.length, 1);
  }),
);

it(
  "rm by id of an image that runs cannot be forced",
  inStore(async ({ store, load }) => {
    await load(ONE);
    const users = new Map([[idOf(ONE), [{ name: "shop-web-1", running: true }]]]);
    await rejects(store.remove(idOf(ONE), { force: true, users }), "container shop-web-1 is using its image");
  }),
);

it(
  "ids are found by their beginning, and one that fits several is told so",
  inStore(async ({ store, load }) => {
    await load(ONE, { ...OTHER, names: [] });
    assert.is((await store.find(idOf(OTHER).slice(7, 15)))?.id, idOf(OTHER));
    assert.is(await store.find("0000"), null);
  }),
);

it(
  "a tag that moves in its registry leaves the name that the old digest gives, which goes with the last tag",
  inStore(async ({ store, load }) => {
    const registry = await startRegistry();
    try {
      const name = reference(`${registry.host}/web:1`);
      const pull = { platform: null, policy: "always", progress: () => {}, note: () => {}, signal: SIGNAL } as const;
      const digests: string[] = [];
      for (const image of [ONE, OTHER]) {
        await load({ ...image, names: [name] });
        digests.push((await store.push(name, () => {}, SIGNAL)).digest);
        await store.remove(name, { force: true, users: NO_USERS });
        await store.pull(name, pull);
      }
      const old = reference(`${registry.host}/web@${digests[0]}`);
      assert.equal(
        new Map((await store.list()).map((image) => [image.id, image.reference])),
        new Map([
          [idOf(ONE), old],
          [idOf(OTHER), name],
        ]),
      );
      await store.tag(old, reference(`${registry.host}/web:old`));
      assert.is((await store.find(`${registry.host}/web:old`))?.digest, digests[0]);
      const removed = await store.remove(`${registry.host}/web:old`, { force: false, users: NO_USERS });
      assert.equal(
        removed.map(({ kind }) => kind),
        ["untagged", "untagged", "deleted"],
      );
    } finally {
      await registry.stop();
    }
  }),
);

it.run();
