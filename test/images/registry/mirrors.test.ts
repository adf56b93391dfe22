import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fetchBlob } from "../../../src/images/registry/blob.ts";
import { fetchDocument, fetchManifest, resolveTag } from "../../../src/images/registry/pull-api.ts";
import { hasBlob } from "../../../src/images/registry/push-api.ts";
import { parseMirror, type RegistryMirror } from "../../../src/model/registry-settings.ts";
import { type FakeRegistry, refuse, startFake, withFake } from "../../support/fake-registry.ts";
import { descriptor, image } from "../../support/image-files.ts";
import { freePort } from "../../support/registry.ts";
import { basic, type Client, fails, withClient, withLogin } from "../../support/repositories.ts";

const it = suite("mirrors");

const made = image();
const [config] = made.blobs;
if (config === undefined) throw new Error("an image without a configuration");

interface Scene extends Client {
  readonly upstream: FakeRegistry;
  readonly mirror: FakeRegistry;
}

/** A registry and its mirror, both with the image. */
function withMirror(body: (scene: Scene) => Promise<void>, path = ""): () => Promise<void> {
  return withFake(async (upstream) => {
    const mirror = await startFake();
    upstream.put("team/web", "1", made);
    mirror.put(path === "" ? "team/web" : `${path}/team/web`, "1", made);
    const registryMirrors = [mirrorOf(`${upstream.host}=${mirror.host}${path === "" ? "" : `/${path}`}`)];
    try {
      await withLogin({ auths: { [upstream.host]: { auth: basic("ann:upstream") } } }, (env) =>
        withClient(`${upstream.host}/team/web`, (client) => body({ ...client, upstream, mirror }), { registryMirrors, env }),
      );
    } finally {
      await mirror.stop();
    }
  });
}

function mirrorOf(text: string): RegistryMirror {
  const mirror = parseMirror(text);
  if ("problem" in mirror) throw new Error(mirror.problem);
  return mirror;
}

it(
  "a mirror is asked first for all that is read, and told whose images are meant",
  withMirror(async ({ upstream, mirror, repository, options, notes }) => {
    await resolveTag(repository, "1", options);
    await fetchManifest(repository, "1", options);
    await fetchDocument(repository, descriptor(config), options);
    const ns = `?ns=${encodeURIComponent(upstream.host)}`;
    assert.equal(mirror.asked(), [
      `HEAD /v2/team/web/manifests/1${ns}`,
      `GET /v2/team/web/manifests/1${ns}`,
      `GET /v2/team/web/blobs/${config.digest}${ns}`,
    ]);
    assert.equal(upstream.asked(), []);
    assert.equal(notes, []);
  }),
);

it(
  "what is written, and what is looked for to write, goes to the registry itself",
  withMirror(async ({ upstream, mirror, repository, options }) => {
    await hasBlob(repository, config.digest, options);
    assert.is(mirror.asked().length, 0);
    assert.equal(upstream.asked(), [`HEAD /v2/team/web/blobs/${config.digest}`]);
  }),
);

it(
  "a mirror's path goes before the repository's",
  withMirror(async ({ mirror, repository, options }) => {
    await fetchManifest(repository, "1", options);
    assert.match(mirror.asked().join(), /^GET \/v2\/proxy\/hub\/team\/web\/manifests\/1\?ns=/);
  }, "proxy/hub"),
);

it(
  "a mirror that asks for credentials does not get those of the registry",
  withMirror(async ({ upstream, mirror, repository, options, notes }) => {
    mirror.hook = (_, response) => refuse(response, 401, { headers: { "www-authenticate": 'Basic realm="x"' } });
    assert.is((await fetchManifest(repository, "1", options)).host, upstream.host);
    assert.equal(
      mirror.requests.map(({ headers }) => headers.authorization),
      [undefined],
    );
    assert.match(notes.join(), new RegExp(`the mirror ${mirror.host} of ${upstream.host} is left aside: .*does not give access`));
  }),
);

it(
  "what a mirror lacks comes from the registry, without a word, and the mirror is asked again for the rest",
  withMirror(async ({ upstream, mirror, repository, options, notes }) => {
    mirror.hook = (seen, response) => seen.path.includes("manifests") && refuse(response, 404);
    assert.is(await resolveTag(repository, "1", options), made.top.digest);
    await fetchManifest(repository, "1", options);
    await fetchDocument(repository, descriptor(config), options);
    assert.equal(notes, []);
    assert.is(upstream.requests.length, 2);
    assert.is(mirror.requests.length, 3);
  }),
);

it(
  "a mirror that fails is left aside, after one attempt and with one word",
  withMirror(async ({ upstream, mirror, repository, options, notes }) => {
    mirror.hook = (_, response) => refuse(response, 503, { message: "tired" });
    await fetchManifest(repository, "1", options);
    await fetchDocument(repository, descriptor(config), options);
    assert.is(mirror.requests.length, 1);
    assert.is(upstream.requests.length, 2);
    assert.is(notes.length, 1);
    assert.match(notes.join(), /left aside.*tired/);
  }),
);

it(
  "a mirror that is down is left aside",
  withFake(async (upstream) => {
    upstream.put("web", "1", made);
    const registryMirrors = [mirrorOf(`${upstream.host}=127.0.0.1:${await freePort()}`)];
    await withClient(
      `${upstream.host}/web`,
      async ({ repository, options, notes }) => {
        await fetchManifest(repository, "1", options);
        assert.match(notes.join(), /left aside: .*connection refused/);
      },
      { registryMirrors },
    );
  }),
);

it(
  "a mirror that sends a wrong manifest or configuration is left aside",
  withMirror(async ({ upstream, mirror, repository, options, notes }) => {
    mirror.hook = (_, response) => {
      response.end("{}");
      return true;
    };
    assert.equal((await fetchManifest(repository, made.top.digest, options)).host, upstream.host);
    assert.match(notes.join(), /should have the digest/);
  }),
);

it(
  "a blob that breaks off at a mirror goes on at the registry",
  withMirror(async ({ upstream, mirror, repository, options }) => {
    mirror.hook = (_, response) => {
      response.writeHead(200, { "content-length": config.bytes.length });
      response.write(config.bytes.subarray(0, 40), () => response.destroy());
      return true;
    };
    const chunks: Uint8Array[] = [];
    for await (const chunk of fetchBlob(repository, descriptor(config), options)) chunks.push(chunk);
    assert.equal(Buffer.concat(chunks), config.bytes);
    assert.is(upstream.requests.at(-1)?.headers.range, "bytes=40-");
    assert.is(mirror.requests.length, 1);
  }),
);

it(
  "a wrong blob from a mirror is fetched from the registry",
  withMirror(async ({ upstream, mirror, repository, options, notes }) => {
    mirror.hook = (_, response) => {
      response.end(Buffer.alloc(config.bytes.length));
      return true;
    };
    assert.equal(await fetchDocument(repository, descriptor(config), options), config.bytes);
    assert.is(upstream.requests.length, 1);
    assert.match(notes.join(), /sent something else than was asked for/);
  }),
);

it(
  "when both fail it is the registry's word that counts",
  withMirror(async ({ upstream, mirror, repository, options }) => {
    mirror.hook = (_, response) => refuse(response, 403, { message: "mirror" });
    upstream.hook = (_, response) => refuse(response, 404, { message: "upstream" });
    await fails(fetchManifest(repository, "1", options), "E_IMAGE_NOT_FOUND", /upstream/);
  }),
);

it("a mirror is written as REGISTRY=[http://]HOST[:PORT][/PATH]", () => {
  const mirror = { of: "docker.io", host: "m.example:5000", scheme: null, prefix: "" };
  assert.equal(parseMirror("docker.io=m.example:5000"), mirror);
  assert.equal(parseMirror("docker.io=http://m.example:5000/"), { ...mirror, scheme: "http" });
  assert.equal(parseMirror("ghcr.io=https://[::1]:443/a/b"), { of: "ghcr.io", host: "[::1]:443", scheme: "https", prefix: "a/b" });
  for (const text of [
    "",
    "docker.io",
    "=m",
    "docker.io=",
    "docker.io=ftp://m",
    "docker.io=http://a:b@m",
    "a b=m",
    "docker.io=m/UP",
    "x=m?q",
    "x=m/../y",
  ])
    assert.ok("problem" in parseMirror(text), text);
});

it.run();
