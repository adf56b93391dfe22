import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fetchBlob } from "../../../src/images/registry/blob.ts";
import { fetchDocument, fetchManifest, resolveTag } from "../../../src/images/registry/pull-api.ts";
import { hasBlob } from "../../../src/images/registry/push-api.ts";
import { type FakeRegistry, redirect, refuse, sendBlob, startFake, withFake } from "../../support/fake-registry.ts";
import { descriptor, image } from "../../support/image-files.ts";
import { basic, fails, withClient, withLogin } from "../../support/repositories.ts";

const it = suite("redirects");

/** A registry whose blobs lie on another host. */
function withStorage(body: (fake: FakeRegistry, storage: FakeRegistry) => Promise<void>): () => Promise<void> {
  return withFake(async (fake) => {
    const storage = await startFake();
    try {
      await body(fake, storage);
    } finally {
      await storage.stop();
    }
  });
}

const made = image();
const [config] = made.blobs;
if (config === undefined) throw new Error("an image without a configuration");

it(
  "a redirect to another host is not told the credentials",
  withStorage(async (fake, storage) => {
    fake.hook = (seen, response) => {
      if (seen.headers.authorization === undefined)
        return refuse(response, 401, { headers: { "www-authenticate": 'Basic realm="x"', "set-cookie": "a=b" } });
      return redirect(response, `http://${storage.host}/bucket/key?signature=a%2Fb`);
    };
    storage.hook = (seen, response) => sendBlob(seen, response, config.bytes);
    await withLogin({ auths: { [fake.host]: { auth: basic("ann:secret") } } }, (env) =>
      withClient(`${fake.host}/web`, ({ repository, options }) => fetchDocument(repository, descriptor(config), options), { env }),
    );
    assert.equal(storage.asked(), ["GET /bucket/key?signature=a%2Fb"]);
    assert.equal(
      storage.requests.map(({ headers }) => [headers.authorization, headers.cookie]),
      [[undefined, undefined]],
    );
  }),
);

it(
  "a redirect on the same host keeps the credentials, and one that comes back from elsewhere does not get them again",
  withStorage(async (fake, storage) => {
    fake.hook = (seen, response) => {
      if (seen.headers.authorization === undefined && seen.path.startsWith("/v2/"))
        return refuse(response, 401, { headers: { "www-authenticate": 'Basic realm="x"' } });
      if (seen.path === "/there") return redirect(response, `http://${storage.host}/hop`);
      return seen.path === "/back" ? sendBlob(seen, response, config.bytes) : redirect(response, "/there", 302);
    };
    storage.hook = (_, response) => redirect(response, `http://${fake.host}/back`);
    await withLogin({ auths: { [fake.host]: { auth: basic("ann:secret") } } }, (env) =>
      withClient(`${fake.host}/web`, ({ repository, options }) => fetchDocument(repository, descriptor(config), options), { env }),
    );
    assert.equal(
      fake.requests.map(({ path, headers }) => [path.replace(/^\/v2.*/, "/v2"), headers.authorization !== undefined]),
      [
        ["/v2", false],
        ["/v2", true],
        ["/there", true],
        ["/back", false],
      ],
    );
  }),
);

it(
  "another host that asks for credentials does not get the registry's",
  withStorage(async (fake, storage) => {
    fake.hook = (_, response) => redirect(response, `http://${storage.host}/key`);
    storage.hook = (seen, response) =>
      seen.path === "/key" && refuse(response, 401, { headers: { "www-authenticate": `Bearer realm="http://${storage.host}/token"` } });
    await withLogin({ auths: { [fake.host]: { auth: basic("ann:secret") } } }, (env) =>
      withClient(
        `${fake.host}/web`,
        ({ repository, options }) => fails(fetchDocument(repository, descriptor(config), options), "E_REGISTRY_AUTH"),
        { env },
      ),
    );
    assert.equal(storage.asked(), ["GET /key"]);
  }),
);

it(
  "a connection to storage that breaks is taken up through the registry, whose redirects are fresh",
  withStorage(async (fake, storage) => {
    let signature = 0;
    fake.hook = (_, response) => redirect(response, `http://${storage.host}/key?s=${++signature}`);
    storage.hook = (seen, response) => {
      if (seen.headers.range !== undefined) return sendBlob(seen, response, config.bytes);
      response.writeHead(200, { "content-length": config.bytes.length });
      response.write(config.bytes.subarray(0, 50), () => response.destroy());
      return true;
    };
    await withClient(`${fake.host}/web`, ({ repository, options }) => fetchDocument(repository, descriptor(config), options));
    assert.equal(
      storage.requests.map(({ url, headers }) => [url, headers.range]),
      [
        ["/key?s=1", undefined],
        ["/key?s=2", "bytes=50-"],
      ],
    );
  }),
);

for (const status of [403, 404, 405])
  it(
    `a tag whose redirected HEAD is answered with ${status} has to be read to be known`,
    withStorage(async (fake, storage) => {
      fake.hook = (_, response) => redirect(response, `http://${storage.host}/key`);
      storage.hook = (_, response) => refuse(response, status);
      await withClient(`${fake.host}/web`, async ({ repository, options }) => {
        assert.is(await resolveTag(repository, "1", options), null);
      });
    }),
  );

it(
  "a blob whose redirected HEAD is refused is looked for with GET",
  withStorage(async (fake, storage) => {
    fake.hook = (_, response) => redirect(response, `http://${storage.host}/key`);
    storage.hook = (seen, response) => (seen.method === "HEAD" ? refuse(response, 403) : sendBlob(seen, response, Buffer.alloc(4 << 20)));
    await withClient(`${fake.host}/web`, async ({ repository, options }) => {
      assert.is(await hasBlob(repository, config.digest, options), true);
      storage.hook = (_, response) => refuse(response, 404);
      assert.is(await hasBlob(repository, config.digest, options), false);
    });
  }),
);

it(
  "redirects that lead nowhere are ended after ten",
  withFake(async (fake) => {
    fake.hook = (_, response) => redirect(response, "/v2/loop");
    await withClient(`${fake.host}/web`, ({ repository, options }) =>
      fails(fetchManifest(repository, "1", options), "E_REGISTRY_ANSWER", /redirects more than 10 times/),
    );
    assert.is(fake.requests.length, 11);
  }),
);

it(
  "a redirect to something that is no address, or no web address, is refused",
  withFake(async (fake) => {
    for (const location of ["http://", "file:///etc/passwd", "data:text/plain,x"]) {
      fake.hook = (_, response) => redirect(response, location);
      await withClient(`${fake.host}/web`, ({ repository, options }) =>
        fails(fetchManifest(repository, "1", options), "E_REGISTRY_ANSWER", /it redirects/),
      );
    }
  }),
);

it(
  "nothing goes from https down to http",
  withFake(
    async (fake) => {
      const plain = await startFake();
      fake.hook = (_, response) => redirect(response, `http://${plain.host}/key`);
      try {
        await withClient(`${fake.host}/web`, ({ repository, options }) =>
          fails(fetchManifest(repository, "1", options), "E_REGISTRY_ANSWER", /it redirects from https: to http:/),
        );
      } finally {
        await plain.stop();
      }
      assert.equal(plain.requests, []);
    },
    { tls: true },
  ),
);

it(
  "a redirect is followed for reads of any part of a blob",
  withStorage(async (fake, storage) => {
    fake.hook = (_, response) => redirect(response, `http://${storage.host}/key`);
    storage.hook = (seen, response) => sendBlob(seen, response, config.bytes);
    await withClient(`${fake.host}/web`, async ({ repository, options }) => {
      const chunks: Uint8Array[] = [];
      const span = { from: 5, to: 25 };
      for await (const chunk of fetchBlob(repository, descriptor(config), { ...options, span })) chunks.push(chunk);
      assert.equal(Buffer.concat(chunks), config.bytes.subarray(5, 25));
    });
  }),
);

it.run();
