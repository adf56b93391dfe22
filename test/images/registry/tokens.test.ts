import type { ServerResponse } from "node:http";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fetchBlob } from "../../../src/images/registry/blob.ts";
import { fetchManifest, resolveTag } from "../../../src/images/registry/pull-api.ts";
import { hasBlob } from "../../../src/images/registry/push-api.ts";
import { fetchToken } from "../../../src/images/registry/tokens.ts";
import { openTransport } from "../../../src/images/registry/transport.ts";
import { Secret } from "../../../src/model/secret.ts";
import { type FakeRegistry, type Hook, refuse, type Seen, withFake } from "../../support/fake-registry.ts";
import { image } from "../../support/image-files.ts";
import { basic, fails, withClient, withLogin } from "../../support/repositories.ts";

const it = suite("access tokens");

interface TokenOptions {
  /** Answers a request for a token instead. */
  readonly service?: (seen: Seen, response: ServerResponse, count: number) => boolean;
  /** Members of the answer besides the token. */
  readonly answer?: Readonly<Record<string, unknown>>;
  /** Whether a token is good enough for a request; all are unless told. */
  readonly accepts?: (token: string, seen: Seen) => boolean;
}

/** Lets nobody in without a token `t1`, `t2`, … of its own service. */
function tokens(fake: FakeRegistry, { service = () => false, answer = {}, accepts = () => true }: TokenOptions = {}): Hook {
  let count = 0;
  return (seen, response) => {
    if (seen.path === "/token") {
      count += 1;
      if (service(seen, response, count)) return true;
      response.end(JSON.stringify({ token: `t${count}`, ...answer }));
      return true;
    }
    const [, token] = /^Bearer (.*)$/.exec(seen.headers.authorization ?? "") ?? [];
    if (token !== undefined && accepts(token, seen)) return false;
    const challenge = `Bearer realm="http://${fake.host}/token",service="reg",scope="repository:team/web:pull"`;
    return refuse(response, 401, { headers: { "www-authenticate": challenge } });
  };
}

function ready(fake: FakeRegistry, options?: TokenOptions): string {
  fake.put("team/web", "1", image());
  fake.hook = tokens(fake, options);
  return `${fake.host}/team/web:1`;
}

function says(body: string): NonNullable<TokenOptions["service"]> {
  return (_, response) => {
    response.end(body);
    return true;
  };
}

const tokenRequests = (fake: FakeRegistry): readonly Seen[] => fake.requests.filter(({ path }) => path === "/token");

it(
  "without a login a token is asked for without a name, with the service and one scope each, and serves all requests",
  withFake(async (fake) => {
    await withClient(ready(fake), async ({ repository, options }) => {
      await fetchManifest(repository, "1", options);
      await fetchManifest(repository, "1", options);
    });
    assert.equal(fake.asked(), [
      "GET /v2/team/web/manifests/1",
      "GET /token?service=reg&scope=repository%3Ateam%2Fweb%3Apull",
      "GET /v2/team/web/manifests/1",
      "GET /v2/team/web/manifests/1",
    ]);
    assert.is(tokenRequests(fake)[0]?.headers.authorization, undefined);
  }),
);

it(
  "a token for reading is not used for writing",
  withFake(async (fake) => {
    await withClient(ready(fake), async ({ repository, options }) => {
      const { digest } = await fetchManifest(repository, "1", options);
      await hasBlob(repository, digest, options);
    });
    assert.equal(
      tokenRequests(fake).map(({ query }) => query.getAll("scope")),
      [["repository:team/web:pull"], ["repository:team/web:pull", "repository:team/web:pull,push"]],
    );
  }),
);

it(
  "requests at the same time fetch one token",
  withFake(async (fake) => {
    await withClient(ready(fake), async ({ repository, options }) => {
      await Promise.all([1, 2, 3, 4, 5].map(() => resolveTag(repository, "1", options)));
    });
    assert.is(tokenRequests(fake).length, 1);
  }),
);

it(
  "who waits for a token that another request fetches gets his own when that one is called off",
  withFake(async (fake) => {
    const stop = new AbortController();
    const service = (_: Seen, __: ServerResponse, count: number): boolean => {
      if (count === 1) setTimeout(() => stop.abort(), 50);
      return count === 1;
    };
    await withClient(ready(fake, { service }), async ({ repository, options }) => {
      const called = fetchManifest(repository, "1", { ...options, signal: stop.signal }).catch((error: unknown) => error);
      const other = fetchManifest(repository, "1", options);
      assert.is((await other).contentType, "application/vnd.oci.image.manifest.v1+json");
      const error = await called;
      assert.is(error instanceof Error ? error.name : "", "AbortError");
    });
  }),
);

it(
  "a password goes to the token service and not to the registry",
  withFake(async (fake) => {
    const name = ready(fake);
    await withLogin({ auths: { [fake.host]: { auth: basic("ann:pass:word") } } }, (env) =>
      withClient(name, ({ repository, options }) => fetchManifest(repository, "1", options), { env }),
    );
    assert.is(tokenRequests(fake)[0]?.headers.authorization, `Basic ${basic("ann:pass:word")}`);
    assert.equal(
      fake.requests.filter(({ path }) => path !== "/token").map(({ headers }) => headers.authorization),
      [undefined, "Bearer t1"],
    );
  }),
);

it(
  "a token service that knows no GET is asked for a password grant as OAuth 2 has it",
  withFake(async (fake) => {
    const name = ready(fake, { service: ({ method }, response) => method === "GET" && refuse(response, 405) });
    await withLogin({ auths: { [fake.host]: { auth: basic("ann:secret") } } }, (env) =>
      withClient(name, ({ repository, options }) => fetchManifest(repository, "1", options), { env }),
    );
    const [, post] = tokenRequests(fake);
    assert.equal(Object.fromEntries(new URLSearchParams(post?.body.toString())), {
      grant_type: "password",
      username: "ann",
      password: "secret",
      service: "reg",
      client_id: "wharf",
      scope: "repository:team/web:pull",
    });
  }),
);

it(
  "a wrong password is tried once, and the message has the service's words and not the password",
  withFake(async (fake) => {
    const service = (_: Seen, response: ServerResponse): boolean =>
      says('{"details":"incorrect username or password"}')(_, response.writeHead(401), 1);
    const name = ready(fake, { service });
    await withLogin({ auths: { [fake.host]: { auth: basic("ann:hunter2") } } }, (env) =>
      withClient(
        name,
        async ({ repository, options }) => {
          const failure = await fails(fetchManifest(repository, "1", options), "E_REGISTRY_AUTH", /incorrect username or password/);
          assert.not.match(JSON.stringify(failure.diagnostics), /hunter2/);
        },
        { env },
      ),
    );
    assert.is(tokenRequests(fake).length, 1);
  }),
);

it(
  "an identity token is exchanged with a POST",
  withFake(async (fake) => {
    const name = ready(fake, { service: says('{"access_token":"from-oauth"}') });
    await withLogin({ auths: { [fake.host]: { identitytoken: "refresh me" } } }, (env) =>
      withClient(name, ({ repository, options }) => fetchManifest(repository, "1", options), { env }),
    );
    const [post, ...others] = tokenRequests(fake);
    assert.is(others.length, 0);
    assert.is(post?.method, "POST");
    const form = new URLSearchParams(post?.body.toString());
    assert.equal([form.get("grant_type"), form.get("refresh_token")], ["refresh_token", "refresh me"]);
    assert.is(fake.requests.at(-1)?.headers.authorization, "Bearer from-oauth");
  }),
);

for (const status of [400, 401, 404, 405])
  it(
    `a service that answers the exchange of an identity token with ${status} is asked with GET`,
    withFake(async (fake) => {
      const name = ready(fake, { service: ({ method }, response) => method === "POST" && refuse(response, status) });
      await withLogin({ auths: { [fake.host]: { auth: basic("0000:"), identitytoken: "refresh" } } }, (env) =>
        withClient(name, ({ repository, options }) => fetchManifest(repository, "1", options), { env }),
      );
      assert.equal(
        tokenRequests(fake).map(({ method, headers }) => [method, headers.authorization]),
        [
          ["POST", undefined],
          ["GET", `Basic ${basic("0000:refresh")}`],
        ],
      );
    }),
  );

it(
  "a registry token from a login file is sent as it is, with every request after the first",
  withFake(async (fake) => {
    const name = ready(fake);
    await withLogin({ auths: { [fake.host]: { registrytoken: "mine" } } }, (env) =>
      withClient(
        name,
        async ({ repository, options }) => {
          await fetchManifest(repository, "1", options);
          await fetchManifest(repository, "1", options);
        },
        { env },
      ),
    );
    assert.equal(
      fake.requests.map(({ headers }) => headers.authorization),
      [undefined, "Bearer mine", "Bearer mine"],
    );
  }),
);

it(
  "a token that is turned down in the middle of a pull is replaced, once for all requests at the same time",
  withFake(async (fake) => {
    let good = "t1";
    const name = ready(fake, { accepts: (token) => token === good });
    const { blobs } = image();
    const [config, layer] = blobs;
    if (config === undefined || layer === undefined) throw new Error("an image without blobs");
    await withClient(name, async ({ repository, options }) => {
      await fetchManifest(repository, "1", options);
      good = "t2";
      const read = async (span?: { from: number; to: number }): Promise<number> => {
        let size = 0;
        const blob = { mediaType: layer.mediaType, digest: layer.digest, size: layer.bytes.length };
        for await (const chunk of fetchBlob(repository, blob, { ...options, ...(span && { span }) })) size += chunk.length;
        return size;
      };
      assert.equal(await Promise.all([read(), read({ from: 10, to: 20 }), read({ from: 20, to: 30 })]), [layer.bytes.length, 10, 10]);
    });
    assert.is(tokenRequests(fake).length, 2);
  }),
);

it(
  "a token that has run out is replaced before it is sent",
  withFake(async (fake) => {
    const name = ready(fake, { answer: { expires_in: 60 } });
    const now = Date.now;
    try {
      await withClient(name, async ({ repository, options }) => {
        await fetchManifest(repository, "1", options);
        Date.now = () => now() + 58_000;
        await fetchManifest(repository, "1", options);
      });
    } finally {
      Date.now = now;
    }
    assert.equal(
      fake.requests.map(({ path, headers }) => (path === "/token" ? "token" : (headers.authorization ?? "nothing"))),
      ["nothing", "token", "Bearer t1", "token", "Bearer t2"],
    );
  }),
);

for (const status of [401, 403])
  it(
    `a ${status} that names the scope that is lacking is answered once with that scope`,
    withFake(async (fake) => {
      const name = ready(fake);
      const given = fake.hook;
      fake.hook = async (seen, response, request) => {
        if (seen.headers.authorization !== "Bearer t1" && seen.headers.authorization !== "Bearer t2") return given(seen, response, request);
        const more = `Bearer realm="http://${fake.host}/token",error="insufficient_scope",scope="registry:catalog:*"`;
        return refuse(response, status, { headers: { "www-authenticate": more } });
      };
      await withClient(name, ({ repository, options }) => fails(fetchManifest(repository, "1", options), "E_REGISTRY_AUTH"));
      assert.equal(
        tokenRequests(fake).map(({ query }) => query.getAll("scope")),
        [["repository:team/web:pull"], ["registry:catalog:*", "repository:team/web:pull"]],
      );
      assert.is(fake.requests.length, 5);
    }),
  );

it(
  "a registry that turns down a token that it just got is not asked again and again",
  withFake(async (fake) => {
    const name = ready(fake, { accepts: () => false });
    await withClient(name, ({ repository, options }) => fails(fetchManifest(repository, "1", options), "E_REGISTRY_AUTH", /log in/));
    assert.is(fake.requests.length, 3);
  }),
);

for (const [what, body, words] of [
  ["is no JSON", "<html>", /not JSON/],
  ["has no token", "{}", /its token/],
  ["would end a header line", JSON.stringify({ token: "a\r\nx: y" }), /its token/],
  ["is no text", JSON.stringify({ token: ["a"] }), /not a string/],
  ["is longer than tokens are", JSON.stringify({ token: "a".repeat(2 << 20) }), /longer than/],
] as const)
  it(
    `an answer of a token service that ${what} is refused`,
    withFake(async (fake) => {
      const name = ready(fake, { service: says(body) });
      await withClient(name, ({ repository, options }) => fails(fetchManifest(repository, "1", options), "E_REGISTRY_ANSWER", words));
    }),
  );

for (const [what, realm] of [
  ["no address", "nowhere"],
  ["a file", "file:///etc/passwd"],
  ["nothing", ""],
] as const)
  it(
    `a challenge that names ${what} as its token service is refused`,
    withFake(async (fake) => {
      fake.hook = (_, response) => refuse(response, 401, { headers: { "www-authenticate": `Bearer realm="${realm}"` } });
      await withClient(`${fake.host}/web`, ({ repository, options }) =>
        fails(fetchManifest(repository, "1", options), "E_REGISTRY_ANSWER", /token service that is no address/),
      );
    }),
  );

it("a token service without TLS is told nothing by a registry that has it", async () => {
  const challenge = { scheme: "bearer", parameters: new Map([["realm", "http://127.0.0.1:1/token"]]) };
  const credential = { kind: "password", username: "ann", password: new Secret("secret") } as const;
  const wanted = { repository: "web", scopes: ["repository:web:pull"], lax: false, insecure: false, signal: AbortSignal.timeout(5000) };
  const transport = openTransport({});
  await fails(fetchToken(transport, challenge, { credential, wanted }), "E_REGISTRY_ANSWER", /token service is not on https/);
  transport.close();
});

it(
  "a token service that is busy is asked again",
  withFake(async (fake) => {
    const name = ready(fake, { service: (_, response, count) => count === 1 && refuse(response, 503) });
    await withClient(name, ({ repository, options }) => fetchManifest(repository, "1", options));
    assert.is(tokenRequests(fake).length, 2);
  }),
);

it(
  "a registry that says only at its root what it asks for is answered",
  withFake(async (fake) => {
    fake.put("web", "1", image());
    fake.hook = (seen, response) => {
      if (seen.headers.authorization === `Basic ${basic("ann:secret")}`) return false;
      return refuse(response, 401, seen.path === "/v2/" ? { headers: { "www-authenticate": 'Basic realm="x"' } } : {});
    };
    await withLogin({ auths: { [fake.host]: { auth: basic("ann:secret") } } }, (env) =>
      withClient(`${fake.host}/web:1`, ({ repository, options }) => fetchManifest(repository, "1", options), { env }),
    );
    assert.equal(fake.asked(), ["GET /v2/web/manifests/1", "GET /v2/", "GET /v2/web/manifests/1"]);
  }),
);

it(
  "each of several challenge headers counts: what is not known is passed over",
  withFake(async (fake) => {
    fake.put("web", "1", image());
    fake.hook = (seen, response) =>
      seen.headers.authorization === undefined &&
      refuse(response, 401, { headers: { "www-authenticate": ["Negotiate", 'Basic realm="a, b"'] } });
    await withLogin({ auths: { [fake.host]: { auth: basic("ann:secret") } } }, (env) =>
      withClient(`${fake.host}/web:1`, ({ repository, options }) => fetchManifest(repository, "1", options), { env }),
    );
    assert.is(fake.requests.at(-1)?.headers.authorization, `Basic ${basic("ann:secret")}`);
  }),
);

it(
  "a wrong password for basic authentication is sent once",
  withFake(async (fake) => {
    fake.hook = (_, response) => refuse(response, 401, { headers: { "www-authenticate": 'Basic realm="x"' }, message: "who are you" });
    await withLogin({ auths: { [fake.host]: { auth: basic("ann:wrong") } } }, (env) =>
      withClient(
        `${fake.host}/web:1`,
        ({ repository, options }) => fails(fetchManifest(repository, "1", options), "E_REGISTRY_AUTH", /who are you/),
        { env },
      ),
    );
    assert.is(fake.requests.length, 2);
  }),
);

it.run();
