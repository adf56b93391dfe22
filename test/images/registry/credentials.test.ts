import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Credential, findCredential } from "../../../src/images/registry/credentials.ts";
import { fetchManifest } from "../../../src/images/registry/pull-api.ts";
import { reference } from "../../support/build.ts";
import { refuse, withFake } from "../../support/fake-registry.ts";
import { image } from "../../support/image-files.ts";
import { basic, fails, withClient, withLogin } from "../../support/repositories.ts";

const it = suite("credentials of registries");

/** What was found, with its secret in the open; and what was told. */
async function found(config: unknown, name = "reg.example", helpers: Readonly<Record<string, string>> = {}) {
  return withLogin(config, async (env, directory) => {
    for (const [name, script] of Object.entries(helpers)) await program(join(directory, `docker-credential-${name}`), script);
    const notes: string[] = [];
    return {
      credential: opened(await findCredential(place(name), { env, note: (message) => notes.push(message), helpers: new Map() })),
      notes,
    };
  });
}

/** A repository from its name; one that nothing is said of where it is only the name of a registry. */
function place(name: string) {
  const [domain = "", ...path] = name.split("/");
  return { domain, path: path.join("/") || "some/app" };
}

function opened(credential: Credential | null): readonly string[] | null {
  if (credential === null) return null;
  if (credential.kind === "password") return ["password", credential.username, credential.password.reveal()];
  if (credential.kind === "identity") return ["identity", credential.username, credential.token.reveal()];
  return ["bearer", credential.token.reveal()];
}

async function program(path: string, script: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

const login = (key: string, words = "ann:secret") => ({ auths: { [key]: { auth: basic(words) } } });
const ANN = ["password", "ann", "secret"];

it("a key means its registry with or without a scheme and a path", async () => {
  for (const key of ["reg.example", "https://reg.example", "http://reg.example/", "https://reg.example/v1/", "reg.example/v2/"])
    assert.equal((await found(login(key))).credential, ANN, key);
});

it("Docker Hub has many names", async () => {
  for (const key of ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io", "https://docker.io"])
    assert.equal((await found(login(key), "docker.io")).credential, ANN, key);
});

it("a key is for its own host and port only", async () => {
  for (const key of ["other.example", "reg.example:5000", "sub.reg.example", "reg.example.com", "https://reg.example:5000/v1/"])
    assert.is((await found(login(key))).credential, null, key);
});

it("a key for a part of a registry is not for all of it, and the plain key comes before spelled-out ones", async () => {
  assert.is((await found(login("reg.example/team"))).credential, null);
  const both = { auths: { ...login("https://reg.example", "old:old").auths, ...login("reg.example").auths } };
  assert.equal((await found(both)).credential, ANN);
});

it("the longest key around a repository wins, also over a helper, and none is for its neighbours", async () => {
  const keys = { "reg.example": "all:x", "reg.example/team": "team:x", "reg.example/team/app": "app:x", "reg.example/te": "te:x" };
  const auths = Object.fromEntries(Object.entries(keys).map(([key, words]) => [key, { auth: basic(words) }]));
  const helpers = { h: 'echo \'{"Username":"helper","Secret":"s"}\'' };
  const name = async (of: string, config: unknown = { auths }): Promise<string | undefined> =>
    (await found(config, of, helpers)).credential?.[1];
  assert.is(await name("reg.example/team/app"), "app");
  assert.is(await name("reg.example/team/app/sub"), "app");
  assert.is(await name("reg.example/team/other"), "team");
  assert.is(await name("reg.example/teams"), "all");
  assert.is(await name("reg.example:5000/team/app"), undefined);
  assert.is(await name("reg.example/team/app", { auths, credsStore: "h" }), "app");
  assert.is(await name("reg.example/other", { auths, credsStore: "h" }), "helper");
  assert.is(await name("docker.io/team/app", login("docker.io/team")), "ann");
  assert.is(await name("reg.example/team/app", { auths: { ...auths, "reg.example/team/app": {} } }), "team");
});

it("a password may have colons, and NULs around it do not count", async () => {
  assert.equal((await found(login("reg.example", "ann:a:b:c"))).credential, ["password", "ann", "a:b:c"]);
  assert.equal((await found(login("reg.example", "ann:secret\0\0"))).credential, ANN);
  assert.equal((await found(login("reg.example", "ann:pässword"))).credential, ["password", "ann", "pässword"]);
});

it("a name and password may stand by themselves, as in pull secrets", async () => {
  assert.equal((await found({ auths: { "reg.example": { username: "ann", password: "secret" } } })).credential, ANN);
});

it("an identity token comes before a registry token, and that before a password", async () => {
  const entry = { auth: basic("ann:secret"), registrytoken: "b" };
  assert.equal((await found({ auths: { "reg.example": { ...entry, identitytoken: "i" } } })).credential, ["identity", "ann", "i"]);
  assert.equal((await found({ auths: { "reg.example": entry } })).credential, ["bearer", "b"]);
});

it("empty entries and entries of others are none", async () => {
  for (const config of [{}, { auths: {} }, { auths: { "reg.example": {} } }, { auths: { "reg.example": { auth: "" } } }, { auths: null }])
    assert.is((await found(config)).credential, null);
});

it("a file that is not what it should be is named, not passed over", async () => {
  for (const config of ["", "{", "[]", '"x"', "\u0000", { auths: [] }, { auths: { "reg.example": "x" } }, login("reg.example", "nocolon")])
    await fails(found(config), "E_CREDENTIALS", /config\.json cannot be read/);
  await fails(found({ auths: { "reg.example": { registrytoken: "a\nb" } } }), "E_CREDENTIALS", /registrytoken/);
  await fails(found({ credsStore: "../../tmp/evil" }), "E_CREDENTIALS", /helper/);
});

it("files of containers' tools come before Docker's, and the first that has one wins", async () => {
  await withLogin(login("reg.example", "docker:d"), async (env, directory) => {
    const places = {
      REGISTRY_AUTH_FILE: join(directory, "auth.json"),
      XDG_RUNTIME_DIR: join(directory, "run"),
      XDG_CONFIG_HOME: join(directory, "etc"),
    };
    const write = async (path: string, name: string): Promise<void> => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, JSON.stringify(login("reg.example", `${name}:x`)));
    };
    await write(places.REGISTRY_AUTH_FILE, "given");
    await write(join(places.XDG_RUNTIME_DIR, "containers", "auth.json"), "run");
    await write(join(places.XDG_CONFIG_HOME, "containers", "auth.json"), "etc");
    const name = async (...names: readonly (keyof typeof places)[]): Promise<string | undefined> => {
      const more = Object.fromEntries(names.map((place) => [place, places[place]]));
      return opened(await findCredential(place("reg.example"), { env: { ...env, ...more }, note: () => {}, helpers: new Map() }))?.[1];
    };
    assert.is(await name("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"), "given");
    assert.is(await name("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"), "run");
    assert.is(await name("XDG_CONFIG_HOME"), "etc");
    assert.is(await name(), "docker");
  });
});

it("a helper is told the registry on its input, and Docker Hub by the key that it is kept under", async () => {
  const echo = 'read key; printf \'{"Username":"%s","Secret":"%s"}\' "$1" "$key"';
  assert.equal((await found({ credsStore: "echo" }, "reg.example", { echo })).credential, ["password", "get", "reg.example"]);
  assert.equal((await found({ credsStore: "echo" }, "docker.io", { echo })).credential?.[2], "https://index.docker.io/v1/");
});

it("a registry's own helper comes before the common one, and an empty one means none", async () => {
  const helpers = { own: 'echo \'{"Username":"own","Secret":"s"}\'', common: 'echo \'{"Username":"common","Secret":"s"}\'' };
  const config = { credsStore: "common", credHelpers: { "reg.example": "own", "none.example": "" } };
  assert.is((await found(config, "reg.example", helpers)).credential?.[1], "own");
  assert.is((await found(config, "other.example", helpers)).credential?.[1], "common");
  assert.is((await found(config, "none.example", helpers)).credential, null);
  assert.is((await found({ credHelpers: { "index.docker.io": "own" } }, "docker.io", helpers)).credential?.[1], "own");
});

it("a helper's secret under the name <token> is an identity token", async () => {
  const token = 'echo \'{"Username":"<token>","Secret":"s"}\'';
  assert.equal((await found({ credsStore: "token" }, "reg.example", { token })).credential, ["identity", "<token>", "s"]);
});

it("a helper that is not installed is told of, and the registry is spoken to without a name", async () => {
  const { credential, notes } = await found({ credsStore: "desktop.exe" });
  assert.is(credential, null);
  assert.match(notes.join(), /docker-credential-desktop\.exe .* gave no credentials for reg\.example: it is not installed/);
});

it("a helper that fails or talks nonsense is told of; one that has nothing is not", async () => {
  const told = async (script: string): Promise<string> => {
    const { credential, notes } = await found({ credsStore: "x" }, "reg.example", { x: script });
    assert.is(credential, null);
    return notes.join();
  };
  assert.is(await told("echo 'credentials not found in native keychain'; exit 1"), "");
  assert.match(await told("echo 'the vault\\033[2J is shut'; exit 1"), /the vault \[2J is shut/);
  assert.match(await told("exit 7"), /it ended with 7/);
  assert.match(await told("echo hello"), /not JSON/);
  assert.match(await told('echo \'{"Username":"a"}\''), /Secret/);
  assert.match(await told("kill -9 $$"), /killed/);
  assert.match(await told("exec yes"), /killed/);
});

it("a login file is used beside a helper that has nothing", async () => {
  const config = { credsStore: "x", ...login("reg.example") };
  assert.equal((await found(config, "reg.example", { x: "exit 1" })).credential, ANN);
});

it(
  "each repository of a registry is asked for with the credentials that are kept for it",
  withFake(async (fake) => {
    for (const path of ["team/web", "other/web"]) fake.put(path, "1", image());
    const seen: string[] = [];
    fake.hook = ({ path, headers }, response) => {
      const [, words = ""] = /^Basic (.*)$/.exec(headers.authorization ?? "") ?? [];
      seen.push(`${path.split("/")[2]} ${Buffer.from(words, "base64").toString()}`);
      return words !== "" ? false : refuse(response, 401, { headers: { "www-authenticate": 'Basic realm="x"' } });
    };
    const auths = { [fake.host]: { auth: basic("ann:a") }, [`${fake.host}/team`]: { auth: basic("bob:b") } };
    await withLogin({ auths }, (env) =>
      withClient(
        `${fake.host}/team/web:1`,
        async ({ repository, registries, options }) => {
          await fetchManifest(repository, "1", options);
          await fetchManifest(
            registries.repository(reference(`${fake.host}/other/web:1`), () => {}),
            "1",
            options,
          );
        },
        { env },
      ),
    );
    assert.equal(seen, ["team ", "team bob:b", "other ann:a"]);
  }),
);

it.run();
