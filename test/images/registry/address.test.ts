import { suite } from "uvu";
import * as assert from "uvu/assert";
import { basesOf, basesOfMirror, isWithin } from "../../../src/images/registry/address.ts";
import { fetchManifest } from "../../../src/images/registry/pull-api.ts";
import { withFake } from "../../support/fake-registry.ts";
import { image } from "../../support/image-files.ts";
import { fails, withClient } from "../../support/repositories.ts";

const it = suite("addresses of registries");

const bases = (domain: string, insecure: readonly string[] = []): readonly string[] =>
  basesOf(domain, insecure).map((base) => `${base.url.href}${base.insecure ? " any certificate" : ""}`);

it("registries are spoken to over https, and Docker Hub under its own host", () => {
  assert.equal(bases("reg.example"), ["https://reg.example/"]);
  assert.equal(bases("reg.example:5000"), ["https://reg.example:5000/"]);
  assert.equal(bases("10.0.0.1:5000"), ["https://10.0.0.1:5000/"]);
  assert.equal(bases("docker.io"), ["https://registry-1.docker.io/"]);
});

it("registries on this machine are tried over http first, unless their port is that of https", () => {
  for (const domain of ["localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000"])
    assert.equal(bases(domain), [`http://${domain}/`, `https://${domain}/ any certificate`]);
  assert.equal(bases("localhost:443"), ["https://localhost/ any certificate", "http://localhost:443/"]);
});

it("a listed registry may have any certificate or none", () => {
  const lax = ["https://reg.example:5000/ any certificate", "http://reg.example:5000/"];
  assert.equal(bases("reg.example:5000", ["reg.example:5000"]), lax);
  assert.equal(bases("reg.example:5000", ["reg.example"]), lax);
  assert.equal(bases("reg.example:5000", ["reg.example:5001", "example", "example:5000"]), ["https://reg.example:5000/"]);
});

it("a subnet lists the registries of its addresses", () => {
  assert.is(bases("10.1.2.3:5000", ["10.0.0.0/8"]).length, 2);
  assert.is(bases("11.1.2.3:5000", ["10.0.0.0/8"]).length, 1);
  assert.is(bases("[fd00::5]:5000", ["fd00::/8"]).length, 2);
  assert.is(bases("reg.example", ["0.0.0.0/0"]).length, 1);
  for (const nonsense of ["10.0.0.0/33", "x/8", "/", "fd00::/129", "10.0.0.0/"]) isWithin("10.1.2.3", nonsense);
});

it("the scheme that a mirror was given with is the only one", () => {
  const of = (host: string, scheme: "http" | "https" | null) =>
    basesOfMirror({ of: "docker.io", host, scheme, prefix: "" }, []).map(({ url }) => url.href);
  assert.equal(of("m.example", null), ["https://m.example/"]);
  assert.equal(of("m.example", "http"), ["http://m.example/"]);
  assert.equal(of("127.0.0.1:1", "http"), ["http://127.0.0.1:1/"]);
  assert.equal(of("127.0.0.1:1", "https"), ["https://127.0.0.1:1/"]);
});

it(
  "a loopback registry that speaks TLS is found, also by requests at the same time, and then spoken to over TLS alone",
  withFake(
    async (fake) => {
      fake.put("web", "1", image());
      await withClient(`${fake.host}/web`, async ({ repository, options }) => {
        await Promise.all([1, 2, 3].map(() => fetchManifest(repository, "1", options)));
        await fetchManifest(repository, "1", options);
      });
      assert.is(fake.requests.length, 4);
    },
    { tls: true },
  ),
);

it(
  "requests at the same time find a registry over http",
  withFake(async (fake) => {
    fake.put("web", "1", image());
    await withClient(`${fake.host}/web`, async ({ repository, options }) => {
      await Promise.all([1, 2, 3].map(() => fetchManifest(repository, "1", options)));
    });
    assert.is(fake.requests.length, 3);
  }),
);

it(
  "a certificate that nobody signed is refused where https was asked for and the registry is not listed",
  withFake(
    async (fake) => {
      // Under this name it is no loopback registry, as far as the client can see.
      const port = fake.host.split(":")[1];
      const name = `0.0.0.0:${port}`;
      fake.put("web", "1", image());
      await withClient(`${name}/web`, ({ repository, options }) =>
        fails(fetchManifest(repository, "1", options), "E_REGISTRY_TLS", /over TLS.*listed as insecure/),
      );
      await withClient(`${name}/web`, ({ repository, options }) => fetchManifest(repository, "1", options), {
        insecureRegistries: ["0.0.0.0/32"],
      });
    },
    { tls: true },
  ),
);

it.run();
