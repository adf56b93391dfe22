import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { proxyFor } from "../../../src/images/registry/proxy.ts";
import { fetchManifest } from "../../../src/images/registry/pull-api.ts";
import { type FakeRegistry, withFake } from "../../support/fake-registry.ts";
import { image } from "../../support/image-files.ts";
import { freePort } from "../../support/registry.ts";
import { basic, fails, withClient } from "../../support/repositories.ts";

const it = suite("proxies");

interface Proxy {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** First lines of requests, and what they are let in with. */
  readonly seen: (readonly [string, string | undefined])[];
}

/** Leads every request and tunnel to one registry, whatever its name. */
function withProxy(body: (fake: FakeRegistry, proxy: Proxy) => Promise<void>, { tls = false, refuses = false } = {}): () => Promise<void> {
  return withFake(
    async (fake) => {
      const [host, port] = fake.host.split(":");
      const seen: [string, string | undefined][] = [];
      const server = createServer(({ method, url = "", headers }, response) => {
        seen.push([`${method} ${url}`, headers["proxy-authorization"]]);
        const { pathname, search } = new URL(url);
        const onward = httpRequest({ host, port, method, path: pathname + search, headers, agent: false }, (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
          answer.pipe(response);
        });
        onward.end();
      });
      server.on("connect", ({ url, headers }, socket) => {
        seen.push([`CONNECT ${url}`, headers["proxy-authorization"]]);
        if (refuses) {
          socket.end("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
          return;
        }
        const onward = connect(Number(port), host, () => {
          socket.write("HTTP/1.1 200 OK\r\n\r\n");
          onward.pipe(socket).pipe(onward);
        });
        for (const end of [onward, socket]) end.on("error", () => end.destroy());
        socket.on("close", () => onward.destroy());
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
      try {
        await body(fake, { url: `http://127.0.0.1:${address.port}`, seen });
      } finally {
        server.closeAllConnections();
        server.close();
        await once(server, "close");
      }
    },
    { tls },
  );
}

it(
  "https goes through a tunnel that the proxy makes",
  withProxy(
    async (fake, { url, seen }) => {
      fake.put("web", "1", image());
      const env = { HTTPS_PROXY: url.replace("http://", "http://ann:p%40ss@") };
      await withClient(
        "reg.example/web",
        async ({ repository, options }) => {
          await fetchManifest(repository, "1", options);
          await fetchManifest(repository, "1", options);
        },
        { env, insecureRegistries: ["reg.example"] },
      );
      assert.equal(seen, [["CONNECT reg.example:443", `Basic ${basic("ann:p@ss")}`]]);
      assert.is(fake.requests[0]?.headers.host, "reg.example");
      assert.is(fake.requests[0]?.headers["proxy-authorization"], undefined);
    },
    { tls: true },
  ),
);

it(
  "http goes to the proxy with its whole address",
  withProxy(async (fake, { url, seen }) => {
    fake.put("web", "1", image());
    const env = { http_proxy: url.replace("http://", "ann:x@") };
    await withClient("reg.example:5000/web", ({ repository, options }) => fetchManifest(repository, "1", options), {
      env,
      registryMirrors: [{ of: "reg.example:5000", host: "mirror.example", scheme: "http", prefix: "" }],
    });
    assert.equal(seen, [["GET http://mirror.example/v2/web/manifests/1?ns=reg.example%3A5000", `Basic ${basic("ann:x")}`]]);
    assert.is(fake.requests[0]?.headers.host, "mirror.example");
  }),
);

it(
  "a proxy that makes no tunnel is named, and not the registry",
  withProxy(
    async (_, { url }) => {
      await withClient(
        "reg.example/web",
        ({ repository, options }) =>
          fails(
            fetchManifest(repository, "1", options),
            "E_REGISTRY_UNREACHABLE",
            /the proxy 127.0.0.1:\d+ does not connect to reg.example:443: status 407.*HTTPS_PROXY/,
          ),
        { env: { HTTPS_PROXY: url.replace("http://", "http://ann:secret@") } },
      );
    },
    { refuses: true },
  ),
);

it("a proxy that is not there is named", async () => {
  const env = { HTTPS_PROXY: `127.0.0.1:${await freePort()}` };
  await withClient(
    "reg.example/web",
    ({ repository, options }) =>
      fails(fetchManifest(repository, "1", options), "E_REGISTRY_UNREACHABLE", /the proxy 127.0.0.1:\d+ cannot be reached.*NO_PROXY/),
    { env },
  );
});

it("this machine, and what NO_PROXY names, is not asked through a proxy", () => {
  const through = (address: string, no = ""): boolean =>
    proxyFor(new URL(address), { HTTPS_PROXY: "http://p:1", HTTP_PROXY: "http://p:1", NO_PROXY: no }) !== null;
  for (const address of ["http://localhost:5000", "https://127.0.0.1:5000", "https://[::1]:5000"])
    assert.is(through(address), false, address);
  assert.is(through("https://reg.example"), true);
  for (const no of ["*", "reg.example", "example", ".example", "*.example", "a, REG.example ,b", "reg.example:443"])
    assert.is(through("https://reg.example", no), false, no);
  for (const no of ["g.example", "reg.example:80", "reg", "reg.example.com", ",", "."])
    assert.is(through("https://reg.example", no), true, no);
  assert.is(through("https://10.1.2.3", "10.0.0.0/8"), false);
  assert.is(through("https://[fd00::1]:5000", "fd00::/8"), false);
  assert.is(through("https://[fd00::1]:5000", "fd00::1"), false);
  assert.is(through("https://[fd00::1]:5000", "[fd00::1]:5000"), false);
});

it("each scheme has its own proxy, and one that cannot be used is refused by its variable, not by its password", async () => {
  assert.is(proxyFor(new URL("https://a.example"), { HTTP_PROXY: "http://p:1" }), null);
  assert.is(proxyFor(new URL("https://a.example"), { https_proxy: "p:1" })?.href, "http://p:1/");
  assert.throws(
    () => proxyFor(new URL("https://a.example"), { HTTPS_PROXY: "socks5://ann:secret@p:1" }),
    (error: Error) => {
      return /HTTPS_PROXY/.test(error.message) && !/secret/.test(error.message);
    },
  );
});

it.run();
