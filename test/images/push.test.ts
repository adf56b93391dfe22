import { randomBytes } from "node:crypto";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { openStore } from "../../src/images/images.ts";
import { reference } from "../support/build.ts";
import { image } from "../support/image-files.ts";
import { withPulls } from "../support/pulls.ts";
import { startRegistry } from "../support/registry.ts";
import { basic, fails, rootSuite, withLogin } from "../support/repositories.ts";
import { tar } from "../support/tar.ts";

const it = rootSuite("pushes");

const made = image();
const short = (asked: readonly string[]): readonly string[] =>
  asked.map((request) => request.replace(/sha256(:|%3A)[0-9a-f]{64}/g, "DIGEST").replace(/uploads\/u\d+/g, "uploads/U"));

async function* archive(content: string | Buffer): AsyncGenerator<Uint8Array> {
  yield tar([{ path: "file", content }]);
}

it(
  "what a registry has already is not sent: only the manifest is",
  withPulls(async ({ fake, pull, push }) => {
    fake.put("web", "1", made);
    await pull("web:1");
    fake.asked();
    assert.equal(await push("web:1"), ["there already", "there already"]);
    assert.equal([...short(fake.asked())].sort(), ["HEAD /v2/web/blobs/DIGEST", "HEAD /v2/web/blobs/DIGEST", "PUT /v2/web/manifests/1"]);
    assert.equal(fake.requests.at(-1)?.body, made.top.bytes);
  }),
);

it(
  "a digest cannot be pushed to",
  withPulls(async ({ fake, pull, push }) => {
    fake.put("web", "1", made);
    await pull("web:1");
    fake.asked();
    await fails(push(`web@${made.top.digest}`), "E_PUSH_DIGEST", /a name with a tag/);
    assert.equal(fake.asked(), []);
  }),
);

it(
  "an image that is not here cannot be pushed",
  withPulls(async ({ push }) => {
    await fails(push("web:1"), "E_IMAGE_ABSENT", /no image/);
  }),
);

it(
  "an image goes to a real registry with a password, and comes back the same to who has it",
  withPulls(async ({ directory, notes }) => {
    const registry = await startRegistry({ auth: { user: "ann", password: "secret" } });
    const signal = AbortSignal.timeout(30_000);
    const options = { platform: null, policy: "always", progress: () => {}, note: (text: string) => notes.push(text), signal } as const;
    try {
      await withLogin({ auths: { [registry.host]: { auth: basic("ann:secret") } } }, async (env) => {
        const name = reference(`${registry.host}/team/web:1`);
        const ours = openStore({ directory: join(directory, "ours"), env, insecureRegistries: [] });
        const theirs = openStore({ directory: join(directory, "theirs"), env, insecureRegistries: [] });
        const nobody = openStore({ directory: join(directory, "nobody"), env: {}, insecureRegistries: [] });
        try {
          const id = await ours.import(archive(randomBytes(3 << 20)), { reference: name, config: {}, platform: null }, signal);
          const pushed = await ours.push(name, () => {}, signal);
          const pulled = await theirs.pull(name, options);
          assert.equal([pulled.id, pulled.digest], [id, pushed.digest]);
          await fails(nobody.pull(name, options), "E_REGISTRY_AUTH", /log in/);
        } finally {
          for (const store of [ours, theirs, nobody]) await store.close();
        }
      });
    } finally {
      await registry.stop();
    }
  }),
);

it.run();
