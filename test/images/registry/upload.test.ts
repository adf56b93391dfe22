import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hasBlob, mountBlob, putManifest } from "../../../src/images/registry/push-api.ts";
import { uploadBlob } from "../../../src/images/registry/upload.ts";
import { type FakeRegistry, refuse, withFake } from "../../support/fake-registry.ts";
import { document, image } from "../../support/image-files.ts";
import { startRegistry } from "../../support/registry.ts";
import { basic, type Client, fails, withClient, withLogin } from "../../support/repositories.ts";

const it = suite("uploads to registries");

const short = (asked: readonly string[]): readonly string[] =>
  asked.map((request) => request.replace(/sha256(:|%3A)[0-9a-f]{64}/g, "DIGEST").replace(/uploads\/u\d+/g, "uploads/U"));

/** Sends a blob of so many bytes to a registry, and looks whether it got there. */
async function upload(fake: FakeRegistry, size: number): Promise<readonly number[]> {
  const blob = document("application/octet-stream", randomBytes(size));
  const told: number[] = [];
  await withClient(`${fake.host}/web`, (client) => send(client, blob.bytes, (done) => told.push(done)));
  assert.ok(fake.blob(blob.digest)?.equals(blob.bytes));
  return told;
}

async function send({ repository, options }: Client, bytes: Buffer, progress: (done: number) => void = () => {}): Promise<void> {
  const { digest } = document("", bytes);
  const pieces = function* (from: number, to: number): Generator<Buffer> {
    for (let at = from; at < to; at += 1 << 20) yield bytes.subarray(at, Math.min(at + (1 << 20), to));
  };
  const open = (from: number, to: number): Readable => Readable.from(pieces(from, to), { objectMode: false });
  await uploadBlob(repository, { digest, size: bytes.length, open }, { ...options, progress });
}

it(
  "a small blob goes with the request that ends its upload, whose address is kept as it was given",
  withFake(async (fake) => {
    assert.is((await upload(fake, 1000)).at(-1), 1000);
    assert.equal(short(fake.asked()), ["POST /v2/web/blobs/uploads/", "PUT /v2/web/blobs/uploads/U?_state=a%2Bb==&digest=DIGEST"]);
  }),
);

it(
  "an empty blob can be sent",
  withFake(async (fake) => {
    await upload(fake, 0);
    assert.is(fake.requests.at(-1)?.headers["content-length"], "0");
  }),
);

it(
  "the address of an upload may be absolute, relative or on another host, which is not told the credentials",
  withFake(async (fake) => {
    const locations = [
      (url: string) => url,
      (url: string) => `http://${fake.host}${url}`,
      (url: string) => `http://localhost:${fake.host.split(":")[1]}${url}`,
    ];
    for (const place of locations) {
      fake.requests.length = 0;
      fake.hook = (seen, response) => {
        if (seen.headers.authorization === undefined && seen.headers.host === fake.host)
          return refuse(response, 401, { headers: { "www-authenticate": 'Basic realm="x"' } });
        fake.place = place;
        return false;
      };
      await withLogin({ auths: { [fake.host]: { auth: basic("ann:secret") } } }, (env) =>
        withClient(`${fake.host}/web`, (client) => send(client, randomBytes(100)), { env }),
      );
      const put = fake.requests.find(({ method }) => method === "PUT");
      assert.is(put?.headers.authorization === undefined, put?.headers.host?.startsWith("localhost"));
    }
  }),
);

it(
  "a registry that does not say where an upload goes is refused",
  withFake(async (fake) => {
    fake.hook = (_, response) => {
      response.writeHead(202).end();
      return true;
    };
    await fails(upload(fake, 10), "E_REGISTRY_ANSWER", /where an upload goes/);
  }),
);

/** Breaks the first request of a method in the middle of its body; the registry keeps what came. */
function breakOnce(fake: FakeRegistry, method: string, keep: number): () => boolean {
  let done = false;
  fake.early = (request: IncomingMessage) => {
    if (done || request.method !== method) return false;
    done = true;
    let size = 0;
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size < keep) return;
      fake.continueUpload(request.url ?? "", Buffer.concat(chunks).subarray(0, keep));
      request.socket.destroy();
    });
    request.on("error", () => {});
    return true;
  };
  return () => done;
}

it(
  "a large blob goes in pieces, and one that broke goes on where the registry got to",
  withFake(async (fake) => {
    const MB = 1 << 20;
    const broke = breakOnce(fake, "PATCH", 20 * MB);
    await upload(fake, 130 * MB);
    assert.ok(broke());
    assert.equal(
      fake.requests.map(({ method, headers }) => [method, headers["content-range"] ?? ""]),
      [
        ["POST", ""],
        ["GET", ""],
        ["PATCH", `${20 * MB}-${84 * MB - 1}`],
        ["PUT", `${84 * MB}-${130 * MB - 1}`],
      ],
    );
  }),
);

it(
  "the last piece that broke goes on where the registry got to",
  withFake(async (fake) => {
    const broke = breakOnce(fake, "PUT", 1000);
    await upload(fake, 5000);
    assert.ok(broke());
    assert.equal(
      fake.requests.map(({ method, headers }) => [method, headers["content-range"] ?? ""]),
      [
        ["POST", ""],
        ["GET", ""],
        ["PUT", "1000-4999"],
      ],
    );
  }),
);

it(
  "an upload that ended although its answer was lost is done, and one that was forgotten begins anew",
  withFake(async (fake) => {
    for (const lands of [true, false]) {
      let cut = false;
      fake.requests.length = 0;
      fake.hook = (seen, response) => {
        if (seen.method !== "PUT" || cut) return false;
        cut = true;
        fake.forgetUploads(lands ? seen.body : null);
        response.destroy();
        return true;
      };
      await upload(fake, 5000);
      const methods = fake.requests.map(({ method }) => method);
      assert.equal(methods, lands ? ["POST", "PUT", "GET", "HEAD"] : ["POST", "PUT", "GET", "HEAD", "POST", "PUT"]);
    }
  }),
);

it(
  "a registry that takes nothing is given up, and one that forbids it at once",
  withFake(async (fake) => {
    const random = Math.random;
    Math.random = () => 0;
    try {
      fake.hook = (seen, response) => seen.method === "PUT" && refuse(response, 500, { message: "disk full" });
      await fails(upload(fake, 10), "E_REGISTRY_ANSWER", /disk full/);
      assert.is(fake.requests.filter(({ method }) => method === "PUT").length, 5);
      fake.requests.length = 0;
      fake.hook = (_, response) => refuse(response, 403, { message: "read only" });
      await fails(upload(fake, 10), "E_REGISTRY_AUTH", /read only/);
      assert.is(fake.requests.length, 1);
    } finally {
      Math.random = random;
    }
  }),
);

it(
  "a blob that cannot be read is no fault of the registry",
  withFake(async (fake) => {
    const blob = document("application/octet-stream", randomBytes(100));
    const open = (): Readable =>
      new Readable({
        read() {
          this.destroy(new Error("the disk is gone"));
        },
      });
    const error = await withClient(`${fake.host}/web`, ({ repository, options }) =>
      uploadBlob(repository, { digest: blob.digest, size: 100, open }, { ...options, progress: () => {} }),
    ).catch((problem: unknown) => problem);
    assert.match(String(error), /the disk is gone/);
  }),
);

const blob = document("application/octet-stream", randomBytes(5000));

it(
  "a mount is asked for with the right to read there, and done when the registry says so",
  withFake(async (fake) => {
    fake.hook = (_, response) => {
      response.writeHead(201).end();
      return true;
    };
    await withClient(`${fake.host}/web`, async ({ repository, options }) => {
      assert.is(await mountBlob(repository, { digest: blob.digest, from: "team/base" }, options), true);
    });
    assert.equal(short(fake.asked()), ["POST /v2/web/blobs/uploads/?mount=DIGEST&from=team%2Fbase"]);
  }),
);

it(
  "an upload that a registry began instead of a mount is cancelled, whatever it says to that",
  withFake(async (fake) => {
    await withClient(`${fake.host}/web`, async ({ repository, options }) => {
      assert.is(await mountBlob(repository, { digest: blob.digest, from: "base" }, options), false);
      assert.match(short(fake.asked()).join(), /POST [^,]*,DELETE .*uploads\/U/);
      fake.hook = (seen, response) => seen.method === "DELETE" && refuse(response, 500);
      assert.is(await mountBlob(repository, { digest: blob.digest, from: "base" }, options), false);
    });
    assert.is(fake.requests.length, 4);
  }),
);

for (const status of [400, 401, 403, 404, 405])
  it(
    `a mount that is answered with ${status} is none`,
    withFake(async (fake) => {
      fake.hook = (_, response) => refuse(response, status);
      await withClient(`${fake.host}/web`, async ({ repository, options }) => {
        assert.is(await mountBlob(repository, { digest: blob.digest, from: "base" }, options), false);
      });
    }),
  );

it(
  "a registry that took another manifest than was sent is not trusted",
  withFake(async (fake) => {
    const { top } = image();
    fake.hook = (_, response) => {
      response.writeHead(201, { "docker-content-digest": blob.digest }).end();
      return true;
    };
    await withClient(`${fake.host}/web`, ({ repository, options }) =>
      fails(putManifest(repository, { named: "1", ...top }, options), "E_DIGEST_MISMATCH"),
    );
  }),
);

it("a real registry takes blobs in pieces, and mounts what another of its repositories has", async () => {
  const registry = await startRegistry();
  try {
    await withClient(`${registry.host}/team/base`, (client) => send(client, Buffer.concat([blob.bytes, Buffer.alloc(70 << 20)])));
    await withClient(`${registry.host}/team/base`, (client) => send(client, blob.bytes));
    await withClient(`${registry.host}/team/web`, async ({ repository, options }) => {
      assert.is(await hasBlob(repository, blob.digest, options), false);
      assert.is(await mountBlob(repository, { digest: image().top.digest, from: "team/base" }, options), false);
      assert.is(await mountBlob(repository, { digest: blob.digest, from: "team/base" }, options), true);
      assert.is(await hasBlob(repository, blob.digest, options), true);
    });
  } finally {
    await registry.stop();
  }
});

it.run();
