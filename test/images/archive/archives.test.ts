import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { reference } from "../../support/build.ts";
import { digestOf, dockerArchive, type ImageOfLayers, idOf, layoutArchive } from "../../support/image-archive.ts";
import { bytesOf, chunksOf, inStore, layer, makeStore, SIGNAL, type TestStore, unfinished } from "../../support/image-store.ts";
import { rejects } from "../../support/rejects.ts";
import { type TarEntry, tar } from "../../support/tar.ts";

const it = suite("archives of images");

const BASE = layer({ "etc/base": "base" });
const WEB: ImageOfLayers = { layers: [BASE, layer({ web: "web" })], names: ["docker.io/library/web:1"] };
const DB: ImageOfLayers = { layers: [BASE, layer({ db: "db" }), BASE], names: ["docker.io/library/db:1", "docker.io/library/db:latest"] };

const load = ({ store }: TestStore, archive: Buffer) => store.load(chunksOf(archive), () => {}, SIGNAL);

for (const [form, make] of [
  ["an OCI layout", layoutArchive],
  ["Docker's old form", dockerArchive],
] as const) {
  it(
    `${form} is read, with several images, shared layers and names`,
    inStore(async (test) => {
      const loaded = await load(test, make([WEB, DB]));
      assert.equal(loaded, [
        { id: idOf(WEB), references: [reference("web:1")] },
        { id: idOf(DB), references: [reference("db:1"), reference("db")] },
      ]);
      const [web, db] = [await test.store.find("web:1"), await test.store.find("db")];
      assert.is(web?.layers.at(-1), db?.layers[0], "the base is there once");
      assert.is(readFileSync(join(test.layout.layers, web?.layers[0] ?? "", "web"), "utf8"), "web");
      assert.equal(await unfinished(test.layout), []);
      assert.equal(await test.store.verify([], { repair: false, progress: () => {}, users: new Map(), signal: SIGNAL }), []);
      assert.equal(await load(test, make([WEB, DB])), loaded, "again");
    }),
  );
}

it(
  "a compressed archive is read as well",
  inStore(async (test) => {
    assert.is((await load(test, gzipSync(dockerArchive([WEB])))).length, 1);
  }),
);

for (const format of ["docker-archive", "oci-archive"] as const) {
  it(
    `what is saved as ${format} is loaded elsewhere as the same images, under the names that were asked for`,
    inStore(async (test) => {
      await load(test, layoutArchive([WEB, DB]));
      const saved = await bytesOf(await test.store.save(["web:1", "db", idOf(WEB)], format, SIGNAL));
      assert.is(
        (await bytesOf(await test.store.save(["web:1", "db", idOf(WEB)], format, SIGNAL))).equals(saved),
        true,
        "the same bytes again",
      );
      assert.equal(await unfinished(test.layout), []);
      const other = await makeStore();
      try {
        const loaded = await load(other, saved);
        assert.equal(loaded, [
          { id: idOf(WEB), references: [reference("web:1")] },
          { id: idOf(DB), references: [reference("db")] },
        ]);
      } finally {
        await other.dispose();
      }
    }),
  );
}

it(
  "a layer that two images have in different compressed forms is unpacked once, and both forms are kept",
  inStore(async (test) => {
    const again = { ...WEB, names: ["docker.io/library/web:2"], config: { author: "somebody" } };
    await load(test, dockerArchive([WEB]));
    await load(test, layoutArchive([again, { ...again, config: { author: "somebody else" }, names: [] }]));
    await bytesOf(await test.store.save(["web:1", "web:2"], "oci-archive", SIGNAL));
    assert.equal((await test.store.find("web:1"))?.layers, (await test.store.find("web:2"))?.layers);
    assert.equal(await test.store.verify([], { repair: false, progress: () => {}, users: new Map(), signal: SIGNAL }), []);
  }),
);

it(
  "an image without a name is saved by its id, and loaded without one",
  inStore(async (test) => {
    assert.equal(await load(test, layoutArchive([{ ...WEB, names: [] }])), [{ id: idOf(WEB), references: [] }]);
    const saved = await bytesOf(await test.store.save([idOf(WEB)], "docker-archive", SIGNAL));
    assert.equal(await load(test, saved), [{ id: idOf(WEB), references: [] }]);
  }),
);

it(
  "what is not here is not saved, and nothing is written",
  inStore(async ({ store, layout }) => {
    await rejects(store.save(["nothing"], "docker-archive", SIGNAL), "there is no image nothing");
    assert.equal(await unfinished(layout), []);
  }),
);

it("hostile and broken archives are refused, and nothing of them stays", async () => {
  for (const [what, archive, message] of HOSTILE) {
    const test = await makeStore();
    try {
      await rejects(load(test, archive), message);
      assert.equal(await unfinished(test.layout), [], what);
      assert.equal(await test.store.list(), [], what);
      assert.not.ok(existsSync(join(test.directory, "escaped")) || existsSync(join(test.directory, "..", "escaped")), what);
    } finally {
      await test.dispose();
    }
  }
});

it.run();

/** An archive of Docker's form with one entry more, or others than it should have. */
function changed(entries: readonly TarEntry[], manifest: unknown): Buffer {
  return tar([...entries, { path: "manifest.json", content: JSON.stringify(manifest) }]);
}

const HOSTILE: readonly (readonly [what: string, archive: Buffer, message: string | RegExp])[] = [
  ["no archive at all", Buffer.from("no archive at all".repeat(100)), "not an archive of images"],
  ["nothing", Buffer.alloc(0), "neither a manifest.json nor an index.json"],
  ["a root file system", layer({ "etc/passwd": "root" }), "neither a manifest.json nor an index.json"],
  ["cut off", layoutArchive([WEB]).subarray(0, 1500), "ends too early"],
  ["cut off, compressed", gzipSync(layoutArchive([WEB])).subarray(0, 300), "damaged or cut off"],
  ["a manifest that is no JSON", changed([], "{").subarray(0), /not an image that can be used/],
  [
    "a layer that is not there",
    changed([{ path: "c.json", content: configOf([BASE]) }], [{ Config: "c.json", Layers: ["gone"] }]),
    'no "gone"',
  ],
  [
    "links in a circle",
    changed(
      [
        { path: "c.json", content: configOf([BASE]) },
        { path: "a", type: "symlink", target: "b" },
        { path: "b", type: "symlink", target: "a" },
      ],
      [{ Config: "c.json", Layers: ["a"] }],
    ),
    'no "a"',
  ],
  [
    "a link out of the archive",
    changed(
      [
        { path: "c.json", content: configOf([BASE]) },
        { path: "l", type: "symlink", target: "../../../../../../etc/passwd" },
      ],
      [{ Config: "c.json", Layers: ["l"] }],
    ),
    'no "l"',
  ],
  ["a configuration outside", changed([], [{ Config: "/etc/passwd", Layers: [] }]), 'no "/etc/passwd"'],
  [
    "a layer that is another than its configuration says",
    changed(
      [
        { path: "c.json", content: configOf([BASE]) },
        { path: "l", content: layer({ other: "" }) },
      ],
      [{ Config: "c.json", Layers: ["l"] }],
    ),
    "as it says",
  ],
  [
    "a compressed layer that is another than its configuration says",
    changed(
      [
        { path: "c.json", content: configOf([BASE]) },
        { path: "l", content: gzipSync(layer({ other: "" })) },
      ],
      [{ Config: "c.json", Layers: ["l"] }],
    ),
    "as it says",
  ],
  [
    "more layers than its configuration has",
    changed(
      [
        { path: "c.json", content: configOf([BASE]) },
        { path: "l", content: BASE },
      ],
      [{ Config: "c.json", Layers: ["l", "l"] }],
    ),
    "2 layers, and 1",
  ],
  [
    "a layer that leads out of its directory",
    changed(
      [
        { path: "c.json", content: configOf([ESCAPE()]) },
        { path: "l", content: ESCAPE() },
      ],
      [{ Config: "c.json", Layers: ["l"] }],
    ),
    /link|path/,
  ],
  [
    "content under another digest",
    Buffer.from(layoutArchive([WEB]).toString("latin1").replaceAll("/run", "/rob"), "latin1"),
    "not what its name says",
  ],
  [
    "a name that is none",
    changed([{ path: "c.json", content: configOf([]) }], [{ Config: "c.json", Layers: [], RepoTags: ["A B"] }]),
    /lowercase|not an image reference/,
  ],
];

function configOf(layers: readonly Buffer[]): string {
  return JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: layers.map(digestOf) } });
}

function ESCAPE(): Buffer {
  return tar([{ path: "passwd", type: "hardlink", target: "../../../../etc/passwd" }]);
}
