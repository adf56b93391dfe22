import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { openStore } from "../../src/images/images.ts";
import { reference } from "../support/build.ts";
import { redirect, refuse, sendBlob, startFake } from "../support/fake-registry.ts";
import { attestation, HERE, image, index, json, TYPES } from "../support/image-files.ts";
import { type Pulls, strays, withPulls } from "../support/pulls.ts";
import { fails, rootSuite } from "../support/repositories.ts";
import { ROOT } from "../support/sources.ts";
import { until } from "../support/until.ts";

const it = rootSuite("pulls");

const made = image();
const says = (word: string, platform = HERE) => image({ platform, layers: [[{ path: "word", content: word }]] });
const word = ({ store }: Pulls, { layers }: { readonly layers: readonly string[] }): string =>
  readFileSync(join(store.layersDirectory, layers[0] ?? "", "word"), "utf8");

it(
  "an image comes with one request for each part of it, and nothing else is left",
  withPulls(async ({ fake, store, directory, pull }) => {
    fake.put("web", "1", made);
    const { digest, layers } = await pull("web:1");
    assert.is(digest, made.top.digest);
    assert.is(readFileSync(join(store.layersDirectory, layers[0] ?? "", "hello"), "utf8"), "hello");
    assert.equal(
      [...fake.asked()].sort(),
      ["GET /v2/web/manifests/1", ...made.blobs.map((blob) => `GET /v2/web/blobs/${blob.digest}`)].sort(),
    );
    assert.equal(strays(directory), []);
  }),
);

it(
  "a layer that is here in other bytes is not unpacked again, and the new bytes are kept for a push",
  withPulls(async ({ fake, store, directory, pull }) => {
    const again = image({ level: 0 });
    fake.put("web", "1", made);
    fake.put("web", "2", again);
    const [first, second] = [await pull("web:1"), await pull("web:2")];
    assert.equal(second.layers, first.layers);
    const options = { repair: false, users: new Map(), progress: () => {}, signal: AbortSignal.timeout(10_000) };
    assert.equal(await store.verify([], options), []);
    assert.equal(strays(directory), []);
  }),
);

it(
  "what a name means is asked with one HEAD, or with the manifest where the registry does not say; nothing is kept",
  withPulls(async ({ fake, store }) => {
    fake.put("web", "1", made);
    const signal = AbortSignal.timeout(10_000);
    assert.is(await store.resolve(reference(`${fake.host}/web:1`), signal), made.top.digest);
    assert.equal(fake.asked(), ["HEAD /v2/web/manifests/1"]);
    fake.hook = ({ method }, response) => {
      if (method === "HEAD") response.writeHead(405).end();
      return method === "HEAD";
    };
    assert.is(await store.resolve(reference(`${fake.host}/web:1`), signal), made.top.digest);
    fake.asked();
    assert.is(await store.resolve(reference(`${fake.host}/web@${made.top.digest}`), signal), made.top.digest);
    assert.equal(fake.asked(), []);
    assert.equal(await store.list(), []);
    await fails(store.resolve(reference(`${fake.host}/web:2`), signal), "E_IMAGE_NOT_FOUND");
  }),
);

it(
  "a tag that did not move costs exactly one HEAD",
  withPulls(async ({ fake, notes, pull }) => {
    fake.put("web", "1", made);
    await pull("web:1");
    fake.asked();
    await pull("web:1");
    assert.equal(fake.asked(), ["HEAD /v2/web/manifests/1"]);
    assert.match(notes.at(-1) ?? "", /web:1 is up to date/);
  }),
);

it(
  "an image that is here is not asked for when it need not be new, and what a digest names never",
  withPulls(async ({ fake, pull }) => {
    fake.put("web", "1", made);
    await pull("web:1");
    await pull(`web@${made.top.digest}`);
    fake.asked();
    await pull("web:1", { policy: "missing" });
    await pull(`web@${made.top.digest}`);
    assert.equal(fake.asked(), []);
  }),
);

it(
  "a tag that moved brings what is new of its image",
  withPulls(async (pulls) => {
    const { fake, pull } = pulls;
    fake.put("web", "1", says("old"));
    await pull("web:1");
    fake.put("web", "1", says("new"));
    assert.is(word(pulls, await pull("web:1")), "new");
  }),
);

it(
  "a registry that does not say a tag's digest is asked for the manifest, and for nothing that is here",
  withPulls(async ({ fake, pull }) => {
    fake.put("web", "1", made);
    fake.hook = (seen, response) => {
      if (seen.method !== "HEAD") return false;
      response.writeHead(200).end();
      return true;
    };
    await pull("web:1");
    fake.asked();
    await pull("web:1");
    assert.equal(fake.asked(), ["HEAD /v2/web/manifests/1", "GET /v2/web/manifests/1"]);
  }),
);

it(
  "a manifest whose redirected HEAD is refused is read",
  withPulls(async ({ fake, pull }) => {
    const storage = await startFake();
    storage.hook = (seen, response) => (seen.method === "HEAD" ? refuse(response, 403) : sendBlob(seen, response, made.top.bytes));
    fake.put("web", "1", made);
    fake.hook = (seen, response) => seen.path.includes("manifests") && redirect(response, `http://${storage.host}/manifest`);
    try {
      await pull("web:1");
      await pull("web:1");
      assert.equal(
        storage.requests.map(({ method }) => method),
        ["GET", "HEAD", "GET"],
      );
    } finally {
      await storage.stop();
    }
  }),
);

it(
  "of an index the image for the platform is taken, and what build tools attach is passed over",
  withPulls(async (pulls) => {
    const others = [{ image: says("s390x", "linux/s390x"), platform: "linux/s390x" }, attestation()];
    pulls.fake.put("web", "1", index([...others, { image: says("here"), platform: HERE }]));
    assert.is(word(pulls, await pulls.pull("web:1")), "here");
    assert.is(word(pulls, await pulls.pull("web:1", { platform: "linux/s390x" })), "s390x");
  }),
);

it(
  "of several variants the best that runs is taken",
  withPulls(async (pulls) => {
    const arm = ["v5", "v6", "v7"].map((variant) => `linux/arm/${variant}`);
    const images = index(arm.map((platform) => ({ image: says(platform, platform), platform })));
    for (const tag of ["1", "2"]) pulls.fake.put("web", tag, images);
    assert.is(word(pulls, await pulls.pull("web:1", { platform: "linux/arm/v6" })), "linux/arm/v6");
    assert.is(word(pulls, await pulls.pull("web:2", { platform: "linux/arm" })), "linux/arm/v7");
  }),
);

it(
  "an index without an image for the platform is refused with those that it has",
  withPulls(async ({ fake, pull }) => {
    fake.put("web", "1", index([{ image: made, platform: "windows/amd64" }, { image: made, platform: "linux/s390x" }, attestation()]));
    await fails(pull("web:1"), "E_IMAGE_PLATFORM", /it has windows\/amd64, linux\/s390x/);
    fake.put("web", "2", index([attestation()]));
    await fails(pull("web:2"), "E_IMAGE_PLATFORM", /none at all/);
  }),
);

it(
  "indexes in an index are looked into, whether or not they say what they are for",
  withPulls(async (pulls) => {
    const inner = index([{ image: says("inner"), platform: HERE }]);
    const other = index([{ image: says("other"), platform: "linux/s390x" }]);
    pulls.fake.put("web", "1", index([{ image: other }, { image: inner }, attestation()]));
    assert.is(word(pulls, await pulls.pull("web:1")), "inner");
    pulls.fake.put("web", "2", index([{ image: inner, platform: HERE }]));
    assert.is(word(pulls, await pulls.pull("web:2")), "inner");
    pulls.fake.put("web", "3", index([{ image: other }, { image: index([{ image: made, platform: "linux/riscv64" }]) }]));
    await fails(pulls.pull("web:3"), "E_IMAGE_PLATFORM", /it has linux\/s390x, linux\/riscv64/);
  }),
);

it(
  "an image without a platform is taken where it is the only one",
  withPulls(async (pulls) => {
    pulls.fake.put("web", "1", index([{ image: says("only") }, attestation()]));
    assert.is(word(pulls, await pulls.pull("web:1")), "only");
  }),
);

it(
  "indexes in indexes without end are refused",
  withPulls(async ({ fake, pull }) => {
    let nested = made;
    for (let depth = 0; depth < 6; depth++) nested = index([{ image: nested }]);
    fake.put("web", "1", nested);
    await fails(pull("web:1"), "E_IMAGE_MANIFEST", /indexes lead to indexes/);
  }),
);

it(
  "an image for another machine is refused when its platform was asked for, and told of when it is all there is",
  withPulls(async ({ fake, notes, pull }) => {
    fake.put("web", "1", image({ platform: "linux/s390x" }));
    await fails(pull("web:1", { platform: HERE }), "E_IMAGE_PLATFORM", /is for linux\/s390x/);
    await pull("web:1");
    assert.match(notes.join(), /is for linux\/s390x, not for .*: it may not run here/);
  }),
);

it(
  "layers that a registry does not hold are refused, and nothing of the image is fetched",
  withPulls(async ({ fake, pull }) => {
    for (const layerType of [
      "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
      "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    ]) {
      fake.put("web", "1", image({ layerType }));
      fake.asked();
      await fails(pull("web:1"), "E_IMAGE_LAYER_FOREIGN", /its registry does not hold/);
      assert.equal(fake.asked(), ["GET /v2/web/manifests/1"]);
    }
  }),
);

for (const [what, manifest] of [
  ["no layers", { layers: null }],
  [
    "a layer more than its configuration",
    { layers: [...Array(2)].map(() => ({ mediaType: TYPES.layer, digest: made.top.digest, size: 1 })) },
  ],
  ["a layer of less than nothing", { layers: [{ mediaType: TYPES.layer, digest: made.top.digest, size: -1 }] }],
  ["a digest that leaves the store", { layers: [{ mediaType: TYPES.layer, digest: "sha256:../../../etc/passwd", size: 1 }] }],
  [
    "the configuration of something else",
    { config: { mediaType: "application/vnd.cncf.helm.config.v1+json", digest: made.top.digest, size: 1 } },
  ],
] as const)
  it(
    `a manifest with ${what} is refused`,
    withPulls(async ({ fake, directory, pull }) => {
      fake.put("web", "1", image({ manifest }));
      await fails(pull("web:1"), "E_IMAGE_MANIFEST", /not an image that can be used/);
      assert.equal(strays(directory), []);
    }),
  );

it(
  "what is no manifest is refused",
  withPulls(async ({ fake, pull }) => {
    for (const value of [{}, [], "x", { schemaVersion: 1 }]) {
      const top = json(TYPES.manifest, value);
      fake.put("web", "1", { top, documents: [top], blobs: [] });
      await fails(pull("web:1"), typeof value === "object" && "schemaVersion" in value ? "E_IMAGE_SCHEMA1" : "E_IMAGE_MANIFEST");
    }
  }),
);

it(
  "a layer whose content has another diffID than the configuration says is refused, and nothing of it is left",
  withPulls(async ({ fake, directory, pull }) => {
    fake.put("web", "1", image({ config: { rootfs: { type: "layers", diff_ids: [made.top.digest] } } }));
    await fails(pull("web:1"), "E_DIGEST_MISMATCH", /unpacked layer/);
    assert.equal(strays(directory), []);
  }),
);

it(
  "a layer that is damaged on its way is refused, the next pull has it whole",
  withPulls(async (pulls) => {
    const { fake, directory, pull } = pulls;
    const good = says("whole");
    const layer = good.blobs[1];
    if (layer === undefined) throw new Error("an image without a layer");
    fake.put("web", "1", good);
    fake.hook = (seen, response) =>
      seen.path.endsWith(layer.digest) && sendBlob(seen, response, Buffer.concat([layer.bytes.subarray(0, -1), Buffer.from([7])]));
    const error = await pull("web:1").catch((problem: unknown) => problem);
    assert.match(String(error), /digest|compressed|gzip/i);
    assert.equal(strays(directory), []);
    fake.hook = () => false;
    assert.is(word(pulls, await pull("web:1")), "whole");
  }),
);

it(
  "one layer that cannot be had ends the pull with its reason, and is asked for again by the next",
  withPulls(async ({ fake, directory, pull }) => {
    const layers = ["a", "b", "c"].map((name) => [{ path: name, content: randomBytes(50_000) }]);
    const three = image({ layers });
    fake.put("web", "1", three);
    fake.hook = (seen, response) => seen.path.endsWith(three.blobs[2]?.digest ?? "") && refuse(response, 403, { message: "not yours" });
    await fails(pull("web:1"), "E_REGISTRY_AUTH", /not yours/);
    fake.hook = () => false;
    await pull("web:1");
    assert.equal(strays(directory), []);
  }),
);

it(
  "pulls of images that share layers fetch each once",
  withPulls(async ({ fake, pull }) => {
    const base = { path: "base", content: randomBytes(100_000) };
    const names = ["a", "b", "c", "d"];
    for (const name of names) fake.put(name, "1", image({ layers: [[base], [{ path: name, content: name }]] }));
    await Promise.all(names.map((name) => pull(`${name}:1`)));
    const blobs = fake.asked().filter((request) => request.includes("/blobs/"));
    assert.is(new Set(blobs.map((request) => request.replace(/.*\//, ""))).size, 9);
    assert.is(blobs.length, 9);
  }),
);

it(
  "a mirror that sends a wrong layer is left aside, and the layer comes from the registry",
  withPulls(async (pulls) => {
    const mirror = await startFake();
    mirror.hook = (seen, response) => {
      if (!seen.path.includes("/blobs/")) return refuse(response, 404);
      response.end(randomBytes(64));
      return true;
    };
    const registryMirrors = [{ of: pulls.fake.host, host: mirror.host, scheme: "http", prefix: "" }] as const;
    const store = openStore({ directory: join(pulls.directory, "own"), env: {}, insecureRegistries: [], registryMirrors });
    const notes: string[] = [];
    pulls.fake.put("web", "1", says("right"));
    try {
      const signal = AbortSignal.timeout(20_000);
      const options = { platform: null, policy: "always", progress: () => {}, note: (text: string) => notes.push(text), signal } as const;
      assert.is(word({ ...pulls, store }, await store.pull(reference(`${pulls.fake.host}/web:1`), options)), "right");
      assert.match(notes.join("\n"), /left aside/);
    } finally {
      await store.close();
      await mirror.stop();
    }
  }),
);

it(
  "a pull that was killed is taken up where it was",
  withPulls(async ({ fake, directory, pull }) => {
    const big = image({ layers: [[{ path: "big", content: randomBytes(12 << 20) }]] });
    const layer = big.blobs[1];
    if (layer === undefined) throw new Error("an image without a layer");
    fake.put("web", "1", big);
    fake.hook = (seen, response) => {
      if (!seen.path.endsWith(layer.digest)) return false;
      response.writeHead(200, { "content-length": layer.bytes.length });
      response.write(layer.bytes.subarray(0, 9 << 20)); // and no more
      return true;
    };
    const child = spawn(process.execPath, ["--import", "tsx", "-e", PULLER, directory, `${fake.host}/web:1`], {
      cwd: ROOT,
      stdio: "ignore",
    });
    const noted = (): string => {
      try {
        return readFileSync(join(directory, "partials", `${layer.digest.slice(7)}.json`), "utf8");
      } catch {
        return "";
      }
    };
    await until("most of the layer is noted", async () => Number(/\d+/.exec(noted())?.[0]) >= 8 << 20);
    child.kill("SIGKILL");
    await once(child, "exit");
    fake.hook = () => false;
    fake.requests.length = 0;
    await pull("web:1");
    const range = fake.requests.find(({ path }) => path.endsWith(layer.digest))?.headers.range ?? "";
    assert.ok(Number(/bytes=(\d+)-/.exec(range)?.[1]) >= 8 << 20, range);
    // What else the dead process held goes with the next collection.
    assert.equal(
      strays(directory).filter((name) => name.startsWith("partials/")),
      [],
    );
  }),
);

/** No module: what starts its threads reads CommonJS. */
const PULLER = `(async () => {
const { openStore } = await import("./src/images/images.ts");
const { parseReference } = await import("./src/model/reference.ts");
const [directory, name] = process.argv.slice(1);
const store = openStore({ directory, env: {}, insecureRegistries: [] });
const options = { platform: null, policy: "always", progress: () => {}, note: () => {}, signal: new AbortController().signal };
await store.pull(parseReference(name), options);
})()`;

it.run();
