import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fetchDocument, fetchManifest, resolveTag } from "../../../src/images/registry/pull-api.ts";
import { withFake } from "../../support/fake-registry.ts";
import { descriptor, document, image, TYPES } from "../../support/image-files.ts";
import { fails, withClient } from "../../support/repositories.ts";

const it = suite("manifests from registries");

const made = image();
const { top } = made;

it(
  "every type of manifest that can be used is asked for, and no other",
  withFake(async (fake) => {
    fake.put("web", "1", made);
    await withClient(`${fake.host}/web`, async ({ repository, options }) => {
      await resolveTag(repository, "1", options);
      await fetchManifest(repository, "1", options);
    });
    for (const { headers } of fake.requests) {
      assert.is.not(headers.accept, undefined);
      assert.equal(headers.accept?.split(", ").sort(), [
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        TYPES.index,
        TYPES.manifest,
      ]);
    }
  }),
);

it(
  "a digest that the registry names without the manifest is believed only if it is one that can be checked",
  withFake(async (fake) => {
    for (const [said, known] of [
      [top.digest, top.digest],
      [undefined, null],
      ["", null],
      ["sha256:abc", null],
      ["md5:d41d8cd98f00b204e9800998ecf8427e", null],
      [`sha256:../../${"a".repeat(50)}`, null],
    ] as const) {
      fake.hook = (_, response) => {
        response.writeHead(200, said === undefined ? {} : { "docker-content-digest": said }).end();
        return true;
      };
      await withClient(`${fake.host}/web`, async ({ repository, options }) => {
        assert.is(await resolveTag(repository, "1", options), known);
      });
    }
  }),
);

it(
  "a manifest is verified against the digest that was asked for, else against the one that the registry names",
  withFake(async (fake) => {
    fake.put("web", "1", made);
    const other = document(TYPES.manifest, Buffer.from("{}"));
    fake.hook = (_, response) => {
      response.writeHead(200, { "content-type": TYPES.manifest, "docker-content-digest": top.digest }).end(other.bytes);
      return true;
    };
    await withClient(`${fake.host}/web`, async ({ repository, options }) => {
      await fails(fetchManifest(repository, "1", options), "E_DIGEST_MISMATCH", /should have the digest/);
      await fails(fetchManifest(repository, top.digest, options), "E_DIGEST_MISMATCH");
      // What it says of a digest that was asked for counts nothing.
      assert.equal((await fetchManifest(repository, other.digest, options)).bytes, other.bytes);
    });
  }),
);

it(
  "a manifest without a named digest has that of its bytes, and its type without parameters",
  withFake(async (fake) => {
    fake.hook = (_, response) => {
      response.writeHead(200, { "content-type": `${TYPES.manifest}; charset=utf-8` }).end(top.bytes);
      return true;
    };
    await withClient(`${fake.host}/web`, async ({ repository, options }) => {
      const { digest, contentType } = await fetchManifest(repository, "1", options);
      assert.equal([digest, contentType], [top.digest, TYPES.manifest]);
    });
  }),
);

it(
  "a manifest of 100 MB is refused without being read",
  withFake(async (fake) => {
    let sent = 0;
    fake.hook = (_, response) => {
      response.writeHead(200, { "content-type": TYPES.manifest });
      const more = (): void => {
        while (!response.destroyed && sent < 100 << 20) {
          sent += 1 << 16;
          if (!response.write(Buffer.alloc(1 << 16, " "))) {
            response.once("drain", more);
            return;
          }
        }
      };
      more();
      return true;
    };
    await withClient(`${fake.host}/web`, ({ repository, options }) =>
      fails(fetchManifest(repository, "1", options), "E_REGISTRY_ANSWER", /longer than 4194304 bytes/),
    );
    assert.ok(sent < 40 << 20, `${sent}`);
  }),
);

it(
  "a manifest in an encoding that was not asked for is refused as that, not as another digest",
  withFake(async (fake) => {
    fake.hook = (_, response) => {
      response.writeHead(200, { "content-type": TYPES.manifest, "content-encoding": "gzip" }).end(top.bytes);
      return true;
    };
    await withClient(`${fake.host}/web`, ({ repository, options }) =>
      fails(fetchManifest(repository, "1", options), "E_REGISTRY_ANSWER", /encoding gzip/),
    );
  }),
);

for (const type of ["application/vnd.docker.distribution.manifest.v1+prettyjws", "application/vnd.docker.distribution.manifest.v1+json"])
  it(
    `Docker's first format is refused by its name: ${type}`,
    withFake(async (fake) => {
      fake.hook = (_, response) => {
        // Its digest is that of its payload, without the signatures.
        response.writeHead(200, { "content-type": type, "docker-content-digest": top.digest }).end('{"schemaVersion":1,"signatures":[]}');
        return true;
      };
      await withClient(`${fake.host}/web`, ({ repository, options }) =>
        fails(fetchManifest(repository, "1", options), "E_IMAGE_SCHEMA1", /first format.*push the image again/),
      );
    }),
  );

it(
  "a configuration is verified, and one that says to be huge is not asked for",
  withFake(async (fake) => {
    fake.put("web", "1", made);
    const [config] = made.blobs;
    if (config === undefined) throw new Error("an image without a configuration");
    await withClient(`${fake.host}/web`, async ({ repository, options }) => {
      assert.equal(await fetchDocument(repository, descriptor(config), options), config.bytes);
      await fails(fetchDocument(repository, { ...descriptor(config), size: 5 << 20 }, options), "E_REGISTRY_ANSWER", /5242880 bytes/);
      const wrong = Buffer.alloc(config.bytes.length);
      fake.hook = (_, response) => {
        response.end(wrong);
        return true;
      };
      await fails(fetchDocument(repository, descriptor(config), options), "E_DIGEST_MISMATCH");
    });
    assert.is(fake.requests.length, 2);
  }),
);

it(
  "what a registry warns of is told once, whoever and however often it says so",
  withFake(async (fake) => {
    fake.put("web", "1", made);
    fake.hook = (_, response) => {
      response.setHeader("warning", ['299 - "old \\"image\\"\u0009here"', '299 - "a", 299 reg "b"', '110 - "stale"', "nonsense"]);
      return false;
    };
    await withClient(`${fake.host}/web`, async ({ repository, notes, options }) => {
      await fetchManifest(repository, "1", options);
      await fetchManifest(repository, "1", options);
      assert.equal(notes, [`${fake.host} warns: old "image" here`, `${fake.host} warns: a`, `${fake.host} warns: b`]);
    });
  }),
);

it(
  "a registry that warns of a thousand things is heard five times",
  withFake(async (fake) => {
    fake.put("web", "1", made);
    fake.hook = (_, response) => {
      response.setHeader(
        "warning",
        Array.from({ length: 50 }, (_, i) => `299 - "${fake.requests.length} ${i}"`),
      );
      return false;
    };
    await withClient(`${fake.host}/web`, async ({ repository, notes, options }) => {
      for (let i = 0; i < 3; i++) await resolveTag(repository, "1", options);
      assert.is(notes.length, 5);
    });
  }),
);

it.run();
