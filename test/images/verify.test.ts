import {
  chmodSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Damage } from "../../src/engine/images.ts";
import type { ImageUsers } from "../../src/images/store/remove.ts";
import { setXattr } from "../../src/images/unpack/special.ts";
import { parseDigest } from "../../src/model/digest.ts";
import { reference } from "../support/build.ts";
import { digestOf, type ImageOfLayers, idOf } from "../support/image-archive.ts";
import { inStore, layer, NO_USERS, SIGNAL, type TestStore, unfinished } from "../support/image-store.ts";
import { startRegistry } from "../support/registry.ts";
import { rejects } from "../support/rejects.ts";

const it = suite("verifying images");

const BASE = layer({ "etc/base": "the base" });
const WEB: ImageOfLayers = { layers: [BASE, layer({ web: "web" })], names: ["docker.io/library/web:1"] };

/** With what can be lost without a file's size telling. */
const LINKED = layer({}, [
  { path: "etc/", type: "directory", mtime: 1_600_000_000 },
  { path: "etc/base", content: "the base", mtime: 1_600_000_000 },
  { path: "etc/hard", type: "hardlink", target: "etc/base" },
  { path: "etc/link", type: "symlink", target: "base", mtime: 1_600_000_000 },
]);

/** Puts something else where a file was. */
function replace(path: string, make: (path: string) => void): void {
  const { atime, mtime } = lstatSync(path);
  rmSync(path);
  make(path);
  lutimesSync(path, atime, mtime);
}

const verify = ({ store }: TestStore, repair = false, users: ImageUsers = NO_USERS): Promise<readonly Damage[]> =>
  store.verify([], { repair, progress: () => {}, users, signal: SIGNAL });

it(
  "an image that is whole has nothing to tell",
  inStore(async (test) => {
    await test.load(WEB);
    assert.equal(await verify(test), []);
    await rejects(
      test.store.verify(["nothing"], { repair: false, progress: () => {}, users: NO_USERS, signal: SIGNAL }),
      "no image nothing",
    );
  }),
);

it(
  "a layer that lost its files is made again from its blob, under the name that containers know",
  inStore(async (test) => {
    await test.load(WEB);
    const before = (await test.store.find("web:1"))?.layers;
    truncateSync(join(test.layout.layers, before?.[1] ?? "", "etc/base"), 0);
    rmSync(join(test.layout.layers, before?.[0] ?? ""), { recursive: true });
    assert.is(await test.store.find("web:1"), null);
    assert.equal(
      (await verify(test)).map(({ image, part, problem }) => `${image}: ${part} ${problem}`),
      [
        `web:1: layer ${short(BASE)} is not as its archive says: "etc/base" has 0 bytes, not 8`,
        `web:1: layer ${short(WEB.layers[1])} is missing`,
      ],
    );
    assert.equal(
      (await verify(test, true)).map(({ repaired }) => repaired),
      [true, true],
    );
    assert.equal(await verify(test), []);
    assert.equal((await test.store.find("web:1"))?.layers, before);
    assert.is(readFileSync(join(test.layout.layers, before?.[1] ?? "", "etc/base"), "utf8"), "the base");
  }),
);

for (const [what, damage, words] of [
  ["another mode", (base) => chmodSync(join(base, "etc/base"), 0o600), '"etc/base" has the mode 0600, not 0644'],
  ["another owner", (base) => lchownSync(join(base, "etc/base"), 7, 8), '"etc/base" belongs to 7:8, not to 0:0'],
  [
    "another content of the same size",
    (base) => writeFileSync(join(base, "etc/base"), "THE BASE"),
    '"etc/base" was changed at another time',
  ],
  ["a file too many", (base) => writeFileSync(join(base, "etc/more"), ""), '"etc/more" is not of the layer'],
  ["a file too few", (base) => rmSync(join(base, "etc/base")), '"etc/base" is missing'],
  ["a directory for a file", (base) => replace(join(base, "etc/base"), mkdirSync), '"etc/base" is another kind of file'],
  [
    "a link that leads elsewhere",
    (base) => replace(join(base, "etc/link"), (path) => symlinkSync("esab", path)),
    '"etc/link" leads elsewhere',
  ],
  ["other attributes", (base) => setXattr(join(base, "etc"), "user.a", Buffer.from("b")), '"etc" has other extended attributes'],
  [
    "one name of a file with two replaced",
    (base) => replace(join(base, "etc/hard"), (path) => writeFileSync(path, "the base")),
    '"etc/hard" is no longer the file',
  ],
] as const satisfies readonly (readonly [string, (base: string) => void, string])[])
  it(
    `a layer with ${what} is damaged, and repaired`,
    inStore(async (test) => {
      await test.load({ layers: [LINKED], names: ["docker.io/library/web:1"] });
      assert.equal(await verify(test), []);
      const [name = ""] = (await test.store.find("web:1"))?.layers ?? [];
      damage(join(test.layout.layers, name));
      const [found] = await verify(test, true);
      assert.match(found?.problem ?? "", words);
      assert.is(found?.repaired, true);
      assert.equal(await verify(test), []);
      assert.equal(await unfinished(test.layout), []);
    }),
  );

it(
  "a layer that a running container stands on is left alone",
  inStore(async (test) => {
    await test.load(WEB);
    const [top = ""] = (await test.store.find("web:1"))?.layers ?? [];
    truncateSync(join(test.layout.layers, top, "web"), 0);
    const [damage] = await verify(test, true, new Map([[idOf(WEB), [{ name: "shop-web-1", running: true }]]]));
    assert.is(damage?.repaired, false);
    assert.match(damage?.why ?? "", "shop-web-1 runs on it");
  }),
);

it(
  "what no registry has cannot be repaired, and it is said",
  inStore(async (test) => {
    await test.load(WEB);
    for (const hex of readdirSync(test.layout.blobs[0] ?? "")) truncateSync(join(test.layout.blobs[0] ?? "", hex), 5);
    const damages = await verify(test, true);
    assert.equal(new Set(damages.map(({ repaired }) => repaired)), new Set([false]));
    assert.match(damages[0]?.why ?? "", "no registry is known");
  }),
);

it(
  "damaged content of every kind is fetched again from where the image came from",
  inStore(async (test) => {
    const registry = await startRegistry();
    try {
      const name = reference(`${registry.host}/shop/web:1`);
      await test.load({ ...WEB, names: [name] });
      await test.store.push(name, () => {}, SIGNAL);
      await test.store.remove(name, { force: false, users: NO_USERS });
      const pull = { platform: null, policy: "always", progress: () => {}, note: () => {}, signal: SIGNAL } as const;
      const { layers } = await test.store.pull(name, pull);
      const blobs = test.layout.blobs[0] ?? "";
      for (const hex of readdirSync(blobs)) writeFileSync(join(blobs, hex), "damaged");
      for (const layerName of layers) rmSync(join(test.layout.layers, layerName), { recursive: true });
      const damages = await verify(test, true);
      assert.equal(damages.map(({ part }) => part.split(" ")[0]).sort(), [
        "configuration",
        "content",
        "content",
        "layer",
        "layer",
        "manifest",
      ]);
      assert.equal(
        damages.filter(({ repaired }) => !repaired),
        [],
      );
      assert.equal(await verify(test), []);

      for (const hex of readdirSync(blobs)) writeFileSync(join(blobs, hex), "damaged");
      rmSync(join(test.layout.layers, layers[0] ?? ""), { recursive: true });
      await test.store.pull(name, pull);
      assert.equal(await verify(test), [], "pull mends all that is missing or has another size");
    } finally {
      await registry.stop();
    }
  }),
);

it(
  "a layer that a power cut may have emptied counts as missing",
  inStore(async (test) => {
    await test.load(WEB);
    const path = test.layout.layerRecord(digest(digestOf(BASE)));
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), unsyncedSince: "another boot" }));
    assert.is(await test.store.find("web:1"), null);
    assert.equal(
      (await verify(test, true)).map(({ repaired }) => repaired),
      [true],
    );
    assert.is((await test.store.find("web:1"))?.id, idOf(WEB));
    assert.equal(await unfinished(test.layout), []);
  }),
);

it(
  "torn records are told of; until they are taken away nothing is collected",
  inStore(async (test) => {
    await test.load(WEB, { layers: [layer({ db: "db" })], names: ["docker.io/library/db:1"] });
    writeFileSync(test.layout.imageRecord(digest(idOf(WEB))), "");
    assert.equal(
      (await test.store.list()).map((image) => image.reference),
      [reference("db:1")],
    );
    await rejects(test.store.remove("db:1", { force: false, users: NO_USERS }), "it is damaged");
    const found = await verify(test, true);
    assert.equal(
      found.map(({ part }) => part),
      ["record", "name"],
    );
    assert.equal(await verify(test), []);
    await test.load(WEB);
    assert.is((await test.store.find("web:1"))?.id, idOf(WEB));
  }),
);

it(
  "locks, leases and claims that a power cut has emptied are nobody's, and go",
  inStore(async (test) => {
    await test.load(WEB);
    await test.store.close();
    mkdirSync(test.layout.locks, { recursive: true });
    mkdirSync(test.layout.layer("zzzz"));
    for (const path of [
      test.layout.storeLock,
      test.layout.claim("zzzz"),
      join(test.layout.leases, "one.json"),
      join(test.layout.drafts, "one.1"),
    ])
      writeFileSync(path, "");
    const store = test.again();
    await store.tag("web:1", reference("web:2"));
    await store.close();
    assert.equal(await unfinished(test.layout), []);
  }),
);

it.run();

function short(content: Buffer | undefined): string {
  return digestOf(content ?? Buffer.alloc(0)).slice(7, 19);
}

function digest(text: string) {
  const parsed = parseDigest(text);
  if (typeof parsed !== "string") throw new Error(parsed.problem);
  return parsed;
}
