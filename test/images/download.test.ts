import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { download, StaleDownload } from "../../src/images/download.ts";
import { mismatch } from "../../src/images/registry/digests.ts";
import { type Layout, layoutOf, prepare } from "../../src/images/store/layout.ts";
import { Partial } from "../../src/images/store/partial.ts";
import { type FakeRegistry, type Hook, refuse, sendBlob, withFake } from "../support/fake-registry.ts";
import { type Document, descriptor, document } from "../support/image-files.ts";
import { fails, withClient } from "../support/repositories.ts";

const it = suite("downloads");

const MB = 1 << 20;
const small = document("application/octet-stream", randomBytes(5 * MB));
const large = document("application/octet-stream", randomBytes(33 * MB));

interface Place {
  readonly fake: FakeRegistry;
  readonly layout: Layout;
  /** Downloads a blob whole and verified; gives what came of it in which order. */
  get(blob: Document, signal?: AbortSignal): Promise<string>;
}

function inPlace(body: (place: Place) => Promise<void>): () => Promise<void> {
  return withFake(async (fake) => {
    const directory = await mkdtemp(join(tmpdir(), "wharf-download-"));
    const layout = layoutOf(directory);
    const get = (blob: Document, signal = AbortSignal.timeout(30_000)): Promise<string> =>
      withClient(`${fake.host}/web`, ({ repository }) =>
        download(
          { layout, repository, descriptor: descriptor(blob) },
          { what: "web", signal, progress: () => {} },
          {
            consume: async (bytes) => {
              const hash = createHash("sha256");
              for await (const chunk of bytes) hash.update(chunk);
              return `sha256:${hash.digest("hex")}`;
            },
            verify: (got) => {
              if (got !== blob.digest) throw mismatch("it", { expected: blob.digest, got, host: fake.host });
            },
          },
        ),
      );
    try {
      await prepare(layout);
      await body({ fake, layout, get });
      assert.equal(await readdir(layout.partials), []);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
}

const serves = (blob: Document): Hook => {
  return (seen, response) => sendBlob(seen, response, blob.bytes);
};
const ranges = (fake: FakeRegistry): readonly string[] => fake.requests.map(({ headers }) => headers.range ?? "whole");

/** Leaves what a killed download leaves. */
async function leave(
  layout: Layout,
  blob: Document,
  upTo: number,
  { bytes = blob.bytes, segmentSize = blob.bytes.length }: { readonly bytes?: Uint8Array; readonly segmentSize?: number } = {},
): Promise<void> {
  const partial = await Partial.open(layout, blob.digest, { size: blob.bytes.length, segmentSize });
  const [segment] = partial.segments;
  if (segment === undefined) throw new Error("a blob without segments");
  await partial.write(segment, bytes.subarray(0, upTo));
  await partial.note();
  await partial.close();
}

it(
  "a small blob comes with one request, and is then in the store",
  inPlace(async ({ fake, layout, get }) => {
    fake.hook = serves(small);
    assert.is(await get(small), small.digest);
    assert.equal(await readFile(layout.blob(small.digest)), small.bytes);
    assert.equal(ranges(fake), ["whole"]);
  }),
);

it(
  "a large blob that is waited for comes in several parts at once, none of them twice",
  inPlace(async ({ fake, layout, get }) => {
    let now = 0;
    let most = 0;
    fake.hook = async (seen, response) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 400));
      now -= 1;
      return sendBlob(seen, response, large.bytes);
    };
    assert.is(await get(large), large.digest);
    assert.equal(await readFile(layout.blob(large.digest)), large.bytes);
    const parts = [0, 8, 16, 24, 32].map((from) => `bytes=${from * MB}-${Math.min(from + 8, 33) * MB - 1}`);
    assert.equal([...ranges(fake)].sort(), [...parts.slice(0, -1), `bytes=${32 * MB}-`].sort());
    assert.ok(most > 1 && most <= 4, `${most} at once`);
  }),
);

it(
  "a large blob from a registry that knows no ranges comes with one request",
  inPlace(async ({ fake, get }) => {
    fake.hook = (_, response) => {
      response.writeHead(200, { "content-length": large.bytes.length }).end(large.bytes);
      return true;
    };
    assert.is(await get(large), large.digest);
    assert.is(fake.requests.length, 1);
  }),
);

it(
  "a registry that knows ranges only sometimes does no harm",
  inPlace(async ({ fake, layout, get }) => {
    fake.hook = (seen, response) => {
      if (fake.requests.length % 2 === 1) return sendBlob(seen, response, large.bytes);
      response.writeHead(200, { "content-length": large.bytes.length }).end(large.bytes);
      return true;
    };
    assert.is(await get(large), large.digest);
    assert.equal(await readFile(layout.blob(large.digest)), large.bytes);
  }),
);

it(
  "a part that cannot be had ends the others, and the next attempt goes on from what came",
  inPlace(async ({ fake, get }) => {
    fake.hook = (seen, response) =>
      seen.headers.range === `bytes=${16 * MB}-${24 * MB - 1}` ? refuse(response, 403) : sendBlob(seen, response, large.bytes);
    await fails(get(large), "E_REGISTRY_AUTH");
    fake.requests.length = 0;
    fake.hook = serves(large);
    assert.is(await get(large), large.digest);
    assert.not.ok(ranges(fake).includes("whole"));
  }),
);

it(
  "what an earlier process got is not asked for again",
  inPlace(async ({ fake, layout, get }) => {
    await leave(layout, small, 2 * MB);
    fake.hook = serves(small);
    assert.is(await get(small), small.digest);
    assert.equal(ranges(fake), [`bytes=${2 * MB}-`]);
  }),
);

it(
  "a blob that came whole before its process died is only read again",
  inPlace(async ({ fake, layout, get }) => {
    await leave(layout, small, 5 * MB);
    assert.is(await get(small), small.digest);
    assert.equal(ranges(fake), []);
  }),
);

it(
  "what an earlier process left is discarded when it turns out to be wrong",
  inPlace(async ({ fake, layout, get }) => {
    await leave(layout, small, 2 * MB, { bytes: randomBytes(2 * MB) });
    fake.hook = serves(small);
    const error = await get(small).catch((problem: unknown) => problem);
    assert.instance(error, StaleDownload);
    assert.is(await get(small), small.digest);
    assert.equal(ranges(fake), [`bytes=${2 * MB}-`, "whole"]);
  }),
);

it(
  "a note of more than there is, or one that makes no sense, begins the blob anew",
  inPlace(async ({ fake, layout, get }) => {
    fake.hook = serves(small);
    const path = layout.partial(small.digest);
    const ways: readonly (() => Promise<void>)[] = [
      () => rm(path),
      () => truncate(path, 100),
      () => writeFile(`${path}.json`, "[209715"),
      () => writeFile(`${path}.json`, '{"a":1}'),
      () => writeFile(`${path}.json`, "[-1]"),
      () => writeFile(`${path}.json`, "[1,2]"),
      () => writeFile(`${path}.json`, `[${6 * MB}]`),
    ];
    for (const damage of ways) {
      fake.requests.length = 0;
      await leave(layout, small, 2 * MB);
      await damage();
      assert.is(await get(small), small.digest);
      assert.equal(ranges(fake), ["whole"]);
    }
  }),
);

it(
  "wrong content is not kept, and nothing of it is left for the next attempt",
  inPlace(async ({ fake, layout, get }) => {
    fake.hook = (seen, response) => sendBlob(seen, response, Buffer.alloc(small.bytes.length));
    await fails(get(small), "E_DIGEST_MISMATCH");
    assert.is(existsSync(layout.blob(small.digest)), false);
  }),
);

it(
  "an interruption keeps what came",
  inPlace(async ({ fake, layout, get }) => {
    const stop = new AbortController();
    fake.hook = (_, response) => {
      response.writeHead(200, { "content-length": small.bytes.length });
      response.write(small.bytes.subarray(0, 3 * MB));
      setTimeout(() => stop.abort(), 200);
      return true;
    };
    const error = await get(small, stop.signal).catch((problem: unknown) => problem);
    assert.is(error instanceof Error ? error.name : "", "AbortError");
    assert.ok(existsSync(layout.partial(small.digest)));
    fake.requests.length = 0;
    fake.hook = serves(small);
    await get(small);
    assert.match(ranges(fake).join(), /^bytes=[1-9]\d+-$/);
  }),
);

for (const [what, stop, begin] of [
  ["keeps up", 0, 0],
  ["falls behind", 1200, 0],
  ["goes on where an earlier process stopped", 0, 100_001],
] as const)
  it(
    `a reader that ${what} gets all bytes in their order, and so does the file`,
    inPlace(async ({ layout }) => {
      const { digest, bytes } = small;
      if (begin > 0) await leave(layout, small, begin, { segmentSize: 3 * MB });
      const partial = await Partial.open(layout, digest, { size: bytes.length, segmentSize: 3 * MB });
      const read = async (): Promise<Buffer> => {
        const parts: Uint8Array[] = [];
        for await (const part of partial.bytes()) {
          parts.push(part);
          if (parts.length === 2 && stop > 0) await new Promise((resolve) => setTimeout(resolve, stop));
        }
        return Buffer.concat(parts);
      };
      const write = async (): Promise<void> => {
        for (const segment of partial.segments)
          for (let step = 1; segment.got < segment.to; step = (step * 7) % 300_007)
            await partial.write(segment, bytes.subarray(segment.got, Math.min(segment.got + step, segment.to)));
      };
      const [seen] = await Promise.all([read(), write()]);
      assert.ok(seen.equals(bytes));
      await partial.commit(layout.blob(digest));
      assert.ok((await readFile(layout.blob(digest))).equals(bytes));
    }),
  );

it(
  "two downloads of one blob at the same time do not write over each other",
  inPlace(async ({ fake, layout, get }) => {
    fake.hook = serves(small);
    assert.equal(await Promise.all([get(small), get(small)]), [small.digest, small.digest]);
    assert.equal(await readFile(layout.blob(small.digest)), small.bytes);
  }),
);

it.run();
