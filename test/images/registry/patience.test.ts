import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fetchManifest, resolveTag } from "../../../src/images/registry/pull-api.ts";
import { refuse, withFake } from "../../support/fake-registry.ts";
import { image } from "../../support/image-files.ts";
import { freePort } from "../../support/registry.ts";
import { fails, withClient } from "../../support/repositories.ts";

const it = suite("patience with registries");

for (const status of [408, 429, 500, 502, 503, 504])
  it(
    `a request that is answered with ${status} is sent again`,
    withFake(async (fake) => {
      fake.put("web", "1", image());
      fake.hook = (_, response) => fake.requests.length === 1 && refuse(response, status);
      await withClient(`${fake.host}/web`, ({ repository, options }) => fetchManifest(repository, "1", options));
      assert.is(fake.requests.length, 2);
    }),
  );

for (const [status, code] of [
  [400, "E_REGISTRY_ANSWER"],
  [403, "E_REGISTRY_AUTH"],
  [404, "E_IMAGE_NOT_FOUND"],
  [410, "E_REGISTRY_ANSWER"],
  [501, "E_REGISTRY_ANSWER"],
] as const)
  it(
    `an answer of ${status} is final, and its own words are passed on in one line`,
    withFake(async (fake) => {
      fake.hook = (_, response) => refuse(response, status, { message: "not\n\u001b[31mtoday\u0000" });
      // A server that refuses plain http with 400 may want TLS: this one does not speak it, and is taken at its word.
      await withClient(`${fake.host}/web`, ({ repository, options }) =>
        fails(fetchManifest(repository, "1", options), code, /not \[31mtoday /),
      );
      assert.is(fake.requests.length, 1);
    }),
  );

it(
  "a registry that stays busy is given up after five attempts",
  withFake(async (fake) => {
    fake.hook = (_, response) => refuse(response, 503, { message: "down for repairs" });
    const random = Math.random;
    Math.random = () => 0;
    try {
      await withClient(`${fake.host}/web`, ({ repository, options }) =>
        fails(fetchManifest(repository, "1", options), "E_REGISTRY_ANSWER", /down for repairs/),
      );
    } finally {
      Math.random = random;
    }
    assert.is(fake.requests.length, 5);
  }),
);

it(
  "the wait that a registry asks for in seconds is kept",
  withFake(async (fake) => {
    fake.put("web", "1", image());
    fake.hook = (_, response) => fake.requests.length === 1 && refuse(response, 429, { headers: { "retry-after": "1" } });
    const begun = performance.now();
    await withClient(`${fake.host}/web`, ({ repository, options }) => fetchManifest(repository, "1", options));
    const waited = performance.now() - begun;
    assert.ok(waited >= 990, `${waited}`);
  }),
);

it(
  "the wait that a registry asks for as a date is kept",
  withFake(async (fake) => {
    fake.put("web", "1", image());
    const until = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000);
    fake.hook = (_, response) => fake.requests.length === 1 && refuse(response, 503, { headers: { "retry-after": until.toUTCString() } });
    await withClient(`${fake.host}/web`, ({ repository, options }) => fetchManifest(repository, "1", options));
    assert.ok(Date.now() >= until.getTime());
  }),
);

for (const [what, after] of [
  ["seconds", () => "21600"],
  ["a date", () => new Date(Date.now() + 21_600_000).toUTCString()],
] as const)
  it(
    `a rate limit that lasts for hours, in ${what}, is told at once and with how long it lasts`,
    withFake(async (fake) => {
      fake.hook = (_, response) => refuse(response, 429, { headers: { "retry-after": after() }, message: "too many pulls" });
      await withClient(`${fake.host}/web`, ({ repository, options }) =>
        fails(fetchManifest(repository, "1", options), "E_REGISTRY_RATE_LIMIT", /too many pulls.*wait 360 min, or log in/),
      );
      assert.is(fake.requests.length, 1);
    }),
  );

it(
  "a wait can be interrupted",
  withFake(async (fake) => {
    fake.hook = (_, response) => refuse(response, 503, { headers: { "retry-after": "50" } });
    const begun = performance.now();
    const error = await withClient(`${fake.host}/web`, ({ repository }) => {
      const signal = AbortSignal.timeout(100);
      return fetchManifest(repository, "1", { what: "web", signal }).catch((problem: unknown) => problem);
    });
    assert.ok(error instanceof Error && /AbortError|TimeoutError/.test(error.name));
    assert.ok(performance.now() - begun < 45_000, "it waited as long as the registry said");
  }),
);

it(
  "a connection that breaks before there is an answer is made again",
  withFake(async (fake) => {
    fake.put("web", "1", image());
    let broken = 0;
    fake.early = (request) => {
      if (request.method !== "GET" || broken === 2) return false;
      broken += 1;
      request.socket.destroy();
      return true;
    };
    await withClient(`${fake.host}/web`, async ({ repository, options }) => {
      await resolveTag(repository, "1", options); // how it is spoken to is known from here on
      await fetchManifest(repository, "1", options);
    });
    assert.is(broken, 2);
  }),
);

it("a port where nobody listens is told at once", async () => {
  const port = await freePort();
  const random = Math.random;
  let pauses = 0;
  Math.random = () => {
    pauses += 1; // asked for with each further attempt
    return 0;
  };
  try {
    await withClient(`127.0.0.1:${port}/web`, ({ repository, options }) =>
      fails(fetchManifest(repository, "1", options), "E_REGISTRY_UNREACHABLE", new RegExp(`127.0.0.1:${port} .*connection refused.*port`)),
    );
  } finally {
    Math.random = random;
  }
  assert.ok(pauses <= 1, `it tried ${pauses} times`);
});

it("a name without an address is told as that", async () => {
  await withClient("nowhere.invalid/web", ({ repository, options }) =>
    fails(fetchManifest(repository, "1", options), "E_REGISTRY_UNREACHABLE", /nowhere.invalid:443 .*name has no address.*spelling/),
  );
});

it(
  "what does not speak HTTP is told as that",
  withFake(async (fake) => {
    fake.early = (request) => {
      request.socket.end("SSH-2.0-OpenSSH_9.2\r\n");
      return true;
    };
    await withClient(`${fake.host}/web`, ({ repository, options }) =>
      fails(fetchManifest(repository, "1", options), "E_REGISTRY_UNREACHABLE", /does not speak HTTP/),
    );
  }),
);

it(
  "an error page as long as a film is not read",
  withFake(async (fake) => {
    let sent = 0;
    fake.hook = (_, response) => {
      response.writeHead(404, { "content-length": 1 << 30 });
      const more = (): void => {
        while (!response.destroyed && sent < 1 << 30) {
          sent += 1 << 16;
          if (!response.write(Buffer.alloc(1 << 16))) {
            response.once("drain", more);
            return;
          }
        }
      };
      more();
      return true;
    };
    await withClient(`${fake.host}/web`, ({ repository, options }) => fails(fetchManifest(repository, "1", options), "E_IMAGE_NOT_FOUND"));
    assert.ok(sent < 32 << 20, `${sent}`);
  }),
);

it(
  "every request says what it comes from",
  withFake(async (fake) => {
    fake.put("web", "1", image());
    await withClient(`${fake.host}/web`, ({ repository, options }) => fetchManifest(repository, "1", options));
    assert.is(fake.requests[0]?.headers["user-agent"], "wharf");
  }),
);

it.run();
