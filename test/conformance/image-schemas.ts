/**
 * Holds what we write of images (manifest, configuration, index, layout) against the published JSON Schemas of the OCI image specification,
 * `oci-image-schema` below `$WHARF_FIXTURES`.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { TarReader } from "../../src/images/unpack/tar-reader.ts";
import { reference } from "../support/build.ts";
import { dockerArchive, layoutArchive } from "../support/image-archive.ts";
import { bytesOf, chunksOf, inStore, layer, SIGNAL, type TestStore } from "../support/image-store.ts";

const it = suite("images and the published schemas");
const directory = join(process.env["WHARF_FIXTURES"] ?? join(import.meta.dirname, "../../../shared/fixtures"), "oci-image-schema");

const IMAGE = { layers: [layer({ a: "a" }), layer({ b: "b" })], names: ["docker.io/library/web:1", "registry.example:5000/shop/web:2"] };
const CONFIG = { Cmd: ["/run"], Env: ["A=b"], ExposedPorts: { "80/tcp": {} }, Labels: { a: "b" }, User: "1000", WorkingDir: "/srv" };

const MAKE: Readonly<Record<string, (test: TestStore) => Promise<readonly string[]>>> = {
  "an imported image": async ({ store }) => [
    await store.import(
      chunksOf(IMAGE.layers[0] ?? Buffer.alloc(0)),
      { reference: reference("web"), platform: null, config: CONFIG },
      SIGNAL,
    ),
  ],
  "an imported image for another platform": async ({ store }) => [
    await store.import(
      chunksOf(IMAGE.layers[0] ?? Buffer.alloc(0)),
      { reference: reference("web"), platform: { os: "linux", architecture: "arm", variant: "v7" }, config: {} },
      SIGNAL,
    ),
  ],
  "an image of Docker's archive": async ({ store }) => {
    await store.load(chunksOf(dockerArchive([IMAGE])), () => {}, SIGNAL);
    return IMAGE.names;
  },
  "an image of an image layout": async ({ load }) => {
    await load(IMAGE);
    return IMAGE.names;
  },
  "an image without a name": async ({ store }) =>
    (await store.load(chunksOf(layoutArchive([{ ...IMAGE, names: [] }])), () => {}, SIGNAL)).map(({ id }) => id),
};

if (!existsSync(directory)) {
  console.log("skipped: oci-image-schema/*.json is not in $WHARF_FIXTURES (../shared/fixtures when unset)");
} else {
  const problems = compile();
  it("the schemas refuse what is wrong", () => {
    assert.not.equal(problems("image-manifest", { schemaVersion: 1 }), []);
    assert.not.equal(problems("config", { architecture: "amd64" }), []);
  });
  for (const [what, make] of Object.entries(MAKE))
    for (const format of ["docker-archive", "oci-archive"] as const)
      it(
        `${what}, saved as ${format}`,
        inStore(async (test) => {
          const files = filesOf(await bytesOf(await test.store.save(await make(test), format, SIGNAL)));
          const json = (name: string) => JSON.parse(files.get(name)?.toString() ?? "null");
          const blob = (digest: string): string => `blobs/${digest.replace(":", "/")}`;
          assert.equal(problems("image-layout", json("oci-layout")), []);
          const index = json("index.json");
          assert.equal(problems("image-index", index), []);
          for (const { digest } of index.manifests) {
            const manifest = json(blob(digest));
            assert.equal(problems("image-manifest", manifest), []);
            assert.equal(problems("config", json(blob(manifest.config.digest))), []);
            for (const { digest: content, size } of manifest.layers) assert.is(files.get(blob(content))?.length, size);
          }
        }),
      );
}

/** Gives what is wrong with a document, in words. Of draft 4 the schemas use what draft 7 reads alike, but for their names. */
function compile(): (schema: string, document: unknown) => readonly string[] {
  const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false, validateFormats: false, logger: false });
  for (const name of readdirSync(directory).filter((file) => file.endsWith(".json"))) {
    const own = (key: string, value: unknown): unknown => (key === "id" && typeof value === "string" ? undefined : value);
    const { $schema: _, ...schema }: Record<string, unknown> = JSON.parse(readFileSync(join(directory, name), "utf8"), own);
    ajv.addSchema({ ...schema, $id: `file:///${name}` });
  }
  return (schema, document) => {
    ajv.validate(`file:///${schema}-schema.json`, document);
    return (ajv.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

function filesOf(archive: Buffer): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  let name = "";
  const reader = new TarReader({
    entry: ({ type, path }) => {
      name = path;
      if (type === "file") files.set(name, Buffer.alloc(0));
    },
    data: (chunk) => files.set(name, Buffer.concat([files.get(name) ?? Buffer.alloc(0), chunk])),
    end: () => {},
  });
  reader.write(archive);
  reader.finish({ requireEnd: true });
  return files;
}

it.run();
