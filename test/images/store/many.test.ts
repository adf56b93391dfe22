/** A thousand images: all are listed, each is found. WHARF_TEST_FIGURES=1 takes three thousand, and prints how long that takes. */
import { mkdirSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { namesOf } from "../../../src/images/store/catalog.ts";
import type { LayerRecord } from "../../../src/images/store/records.ts";
import { type Digest, parseDigest } from "../../../src/model/digest.ts";
import { reference } from "../../support/build.ts";
import { digestOf } from "../../support/image-archive.ts";
import { inStore, type TestStore } from "../../support/image-store.ts";

const it = suite("a thousand images");

const FIGURES = process.env["WHARF_TEST_FIGURES"] === "1";
const IMAGES = FIGURES ? 3000 : 1000;
const LAYERS = IMAGES / 10;

it(
  `${IMAGES} images are listed, and one of them is found`,
  inStore(async (test) => {
    await fill(test);
    const [listing, listed] = await timed(() => test.store.list());
    assert.is(listed.length, IMAGES);
    const [finding, found] = await timed(() => test.store.find("shop/image-789:1"));
    const id = digest(found?.id ?? "");
    const [searching, same] = await timed(() => test.store.find(id.slice(7, 23)));
    assert.is(same?.id, id);
    const [naming, names] = await timed(() => namesOf(test.layout, id));
    assert.is(names.length, 1);
    if (FIGURES) console.log({ listing, finding, searching, naming });
  }),
);

it.run();

async function fill({ store, layout }: TestStore): Promise<void> {
  await store.list(); // makes its directories
  const layers: LayerRecord[] = [];
  for (let i = 0; i < LAYERS; i += 1) {
    const key = digest(digestOf(Buffer.from(`layer ${i}`)));
    const name = i.toString(36).padStart(4, "0");
    layers.push({ key, diffId: key, name, size: 1000, unsyncedSince: null, implicit: [], opaque: [], lowerLinks: [] });
    mkdirSync(layout.layer(name));
  }
  for (const record of layers) writeFileSync(layout.layerRecord(record.key), JSON.stringify(record));
  for (let i = 0; i < IMAGES; i += 1) {
    const own = [layers[0], layers[i % LAYERS], layers[(i * 7) % LAYERS]].filter((layer) => layer !== undefined);
    const config = Buffer.from(
      JSON.stringify({
        created: new Date(i * 1000).toISOString(),
        architecture: "amd64",
        os: "linux",
        config: { Env: ["PATH=/usr/bin:/bin", `NUMBER=${i}`], Labels: { number: String(i) } },
        rootfs: { type: "layers", diff_ids: own.map(({ diffId }) => diffId) },
        history: Array.from({ length: 10 }, (_, j) => ({ created_by: `/bin/sh -c step ${j}` })),
      }),
    );
    const id = digest(digestOf(config));
    writeFileSync(layout.blob(id), config);
    const image = {
      id,
      manifest: { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: id },
      layers: own.map(({ key, diffId }) => ({
        key,
        diffId,
        blob: { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: key, size: 1 },
      })),
      origins: [],
    };
    writeFileSync(layout.imageRecord(id), JSON.stringify(image));
    const name = reference(`shop/image-${i}:1`);
    writeFileSync(layout.name(name), JSON.stringify({ reference: name, id, digest: null }));
  }
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [ms: number, made: T]> {
  const began = performance.now();
  const made = await work();
  return [Math.round(performance.now() - began), made];
}

function digest(text: string): Digest {
  const parsed = parseDigest(text);
  if (typeof parsed !== "string") throw new Error(parsed.problem);
  return parsed;
}
