import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type BlobOptions, fetchBlob } from "../../../src/images/registry/blob.ts";
import { type FakeRegistry, type Hook, refuse, sendBlob, withFake } from "../../support/fake-registry.ts";
import { descriptor, document } from "../../support/image-files.ts";
import { fails, withClient } from "../../support/repositories.ts";

const it = suite("blobs from registries");

const blob = document("application/octet-stream", randomBytes(3 << 20));

/** What comes of the blob from a registry that answers so. */
async function read(fake: FakeRegistry, hook: Hook, options: Partial<BlobOptions> = {}): Promise<Buffer> {
  fake.hook = hook;
  return withClient(`${fake.host}/web`, async (client) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of fetchBlob(client.repository, descriptor(blob), { ...client.options, ...options })) chunks.push(chunk);
    return Buffer.concat(chunks);
  });
}

/** Sends so much of an answer, and breaks the connection. */
function broken(response: ServerResponse, bytes: Buffer, headers: Readonly<Record<string, string | number>>, status = 200): true {
  response.writeHead(status, headers);
  response.write(bytes, () => response.destroy());
  return true;
}

const ranges = (fake: FakeRegistry): readonly (string | undefined)[] => fake.requests.map(({ headers }) => headers.range);
const whole = { "content-length": blob.bytes.length };

it(
  "a blob is asked for as it is, without an encoding",
  withFake(async (fake) => {
    assert.equal(await read(fake, (seen, response) => sendBlob(seen, response, blob.bytes)), blob.bytes);
    assert.is(fake.requests[0]?.headers["accept-encoding"], "identity");
    assert.is(fake.requests[0]?.headers.range, undefined);
  }),
);

it(
  "a connection that breaks is taken up where it broke, again and again",
  withFake(async (fake) => {
    const got = await read(fake, (seen, response) => {
      const from = Number(/bytes=(\d+)/.exec(seen.headers.range ?? "")?.[1] ?? 0);
      if (from === 2 << 20) return sendBlob(seen, response, blob.bytes);
      const headers =
        from === 0
          ? whole
          : { "content-length": blob.bytes.length - from, "content-range": `bytes ${from}-${blob.bytes.length - 1}/${blob.bytes.length}` };
      return broken(response, blob.bytes.subarray(from, from + (1 << 20)), headers, from === 0 ? 200 : 206);
    });
    assert.equal(got, blob.bytes);
    assert.equal(ranges(fake), [undefined, "bytes=1048576-", "bytes=2097152-"]);
  }),
);

it(
  "a registry that knows no ranges begins again, and what is here already is passed over",
  withFake(async (fake) => {
    const got = await read(fake, (_, response) => {
      if (fake.requests.length === 1) return broken(response, blob.bytes.subarray(0, 1 << 20), whole);
      response.writeHead(200, whole).end(blob.bytes);
      return true;
    });
    assert.equal(got, blob.bytes);
    assert.equal(ranges(fake), [undefined, "bytes=1048576-"]);
  }),
);

it(
  "an answer without a length that ends too early is taken up like a broken one",
  withFake(async (fake) => {
    const got = await read(fake, (seen, response) => {
      if (fake.requests.length > 1) return sendBlob(seen, response, blob.bytes);
      response.writeHead(200).end(blob.bytes.subarray(0, 1000));
      return true;
    });
    assert.equal(got, blob.bytes);
  }),
);

it(
  "a connection that always breaks is given up, also when a few bytes come each time",
  withFake(async (fake) => {
    const random = Math.random;
    Math.random = () => 0;
    try {
      for (const bytes of [0, 10]) {
        fake.requests.length = 0;
        const work = read(fake, (seen, response) => {
          const from = Number(/bytes=(\d+)/.exec(seen.headers.range ?? "")?.[1] ?? 0);
          const range = { "content-range": `bytes ${from}-${blob.bytes.length - 1}/${blob.bytes.length}` };
          return broken(response, blob.bytes.subarray(from, from + bytes), range, from === 0 ? 200 : 206);
        });
        await fails(work, "E_REGISTRY_UNREACHABLE");
        assert.is(fake.requests.length, 6);
      }
    } finally {
      Math.random = random;
    }
  }),
);

for (const [what, range, words] of [
  ["begins elsewhere", "bytes 1-1048575/3145728", /another part/],
  ["has another length", "bytes 0-1048575/9999999", /9999999 bytes of a blob that should have 3145728/],
  ["makes no sense", "bytes */3145728", /another part/],
  ["counts something else", "lines 0-10/20", /another part/],
] as const)
  it(
    `a part of a blob whose range ${what} is refused`,
    withFake(async (fake) => {
      const work = read(
        fake,
        (_, response) => {
          response.writeHead(206, { "content-range": range }).end(blob.bytes.subarray(0, 1 << 20));
          return true;
        },
        { span: { from: 0, to: 1 << 20 } },
      );
      await fails(work, "E_REGISTRY_ANSWER", words);
      assert.is(fake.requests.length, 1);
    }),
  );

it(
  "a part without a range is refused",
  withFake(async (fake) => {
    const work = read(fake, (_, response) => {
      response.writeHead(206).end(blob.bytes);
      return true;
    });
    await fails(work, "E_REGISTRY_ANSWER", /another part/);
  }),
);

it(
  "a length that is another than the manifest says is refused before anything is read",
  withFake(async (fake) => {
    for (const length of [blob.bytes.length - 1, blob.bytes.length + 1, 1 << 30]) {
      const work = read(fake, (_, response) => broken(response, blob.bytes, { "content-length": length }));
      await fails(work, "E_REGISTRY_ANSWER", new RegExp(`${length} bytes of a blob that should have ${blob.bytes.length}`));
    }
  }),
);

it(
  "more bytes than the manifest says are refused, also where the length is not told",
  withFake(async (fake) => {
    const work = read(fake, (_, response) => {
      response.writeHead(200).write(blob.bytes);
      response.end("x");
      return true;
    });
    await fails(work, "E_DIGEST_MISMATCH", /sent more/);
  }),
);

it(
  "an encoding that was not asked for is refused",
  withFake(async (fake) => {
    const work = read(fake, (_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(blob.bytes);
      return true;
    });
    await fails(work, "E_REGISTRY_ANSWER", /encoding gzip/);
  }),
);

it(
  "a blob that is gone is told as that",
  withFake(async (fake) => {
    await fails(
      read(fake, (_, response) => refuse(response, 404, { message: "blob unknown" })),
      "E_IMAGE_NOT_FOUND",
      /blob unknown/,
    );
  }),
);

it(
  "a span is cut out of an answer that is the whole blob, unless all of it is welcome",
  withFake(async (fake) => {
    const hook: Hook = (_, response) => {
      response.writeHead(200, whole).end(blob.bytes);
      return true;
    };
    const span = { from: 100, to: 300 };
    assert.equal(await read(fake, hook, { span }), blob.bytes.subarray(100, 300));
    const answers: boolean[] = [];
    assert.equal(await read(fake, hook, { span, onAnswer: (all) => answers.push(all) }), blob.bytes.subarray(100));
    assert.equal(answers, [true]);
  }),
);

it(
  "a registry that knows ranges only sometimes gives exactly the span",
  withFake(async (fake) => {
    const answers: boolean[] = [];
    const span = { from: 0, to: 2 << 20 };
    const got = await read(
      fake,
      (_, response) => {
        const range = { "content-range": `bytes 0-${span.to - 1}/${blob.bytes.length}` };
        if (fake.requests.length === 1) return broken(response, blob.bytes.subarray(0, 1 << 20), range, 206);
        response.writeHead(200, whole).end(blob.bytes);
        return true;
      },
      { span, onAnswer: (all) => answers.push(all) },
    );
    assert.equal(got, blob.bytes.subarray(0, span.to));
    assert.equal(answers, [false]);
  }),
);

it(
  "an empty blob is one",
  withFake(async (fake) => {
    const empty = document("application/octet-stream", Buffer.alloc(0));
    fake.hook = (seen, response) => sendBlob(seen, response, empty.bytes);
    await withClient(`${fake.host}/web`, async ({ repository, options }) => {
      for await (const _ of fetchBlob(repository, descriptor(empty), options)) throw new Error("bytes of an empty blob");
    });
  }),
);

it.run();
