import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ProjectFile } from "../../src/model/project.ts";
import { Secret } from "../../src/model/secret.ts";
import type { FileGrant } from "../../src/model/service.ts";
import { withDigests } from "../../src/plan/files.ts";
import { configHash } from "../../src/plan/hash.ts";
import { patternOf } from "../../src/plan/making.ts";
import { DEFAULTS, plan } from "../../src/plan/plan.ts";
import { containerOf, project, ready, service } from "../support/build.ts";

const it = suite("files of a project");

const GRANT: FileGrant = { source: "pw", target: "/run/secrets/pw", uid: 0, gid: 0, mode: 0o444 };
const KEY = new Secret("a key");

it("another content is another container, with the name of the file as the reason", () => {
  const [before, after] = [shop("old"), shop("new")];
  const [web = service()] = before.services;
  const container = containerOf(withDigests(before, KEY), withDigests(before, KEY).services[0] ?? web);
  const made = (desired: typeof before) => plan(desired, ready(desired, { containers: [container], secretKey: KEY }), DEFAULTS);
  assert.equal(made(before).steps, []);
  const [change] = made(after).changes.filter(({ kind }) => kind === "replace");
  assert.is(change?.reason, "config changed: secrets.pw");
  assert.not.match(JSON.stringify(made(after)), /old|new|b2xk|bmV3/);
});

it("the digest of a secret says nothing without the key, and differs by name and by key", () => {
  const digestOf = (content: string, key: Secret, name = "pw") => withDigests(shop(content, name), key).services[0]?.secrets[0]?.digest;
  const all = [digestOf("a", KEY), digestOf("b", KEY), digestOf("a", new Secret("other")), digestOf("a", KEY, "pass")];
  assert.is(new Set(all).size, 4);
  assert.is(digestOf("a", KEY), digestOf("a", KEY));
});

it("a service without files has the hash that it always had", () => {
  const { attributes, hash } = patternOf(project(), service());
  assert.equal(Object.keys(attributes), ["image"]);
  assert.is(hash, configHash({ image: "docker.io/library/web:latest" }));
});

it("a file that cannot be had is a problem of a service that is planned, and of no teardown", () => {
  const problem = { code: "E_CONTENT_MISSING", message: "it is not there" } as const;
  const broken = { ...shop("x"), secrets: [{ ...fileOf("x"), content: null, problem }] };
  const made = plan(broken, ready(broken, { secretKey: KEY }), DEFAULTS);
  assert.equal(
    made.problems.map(({ code }) => code),
    ["E_CONTENT_MISSING"],
  );
  assert.equal(made.steps, []);
});

it.run();

function shop(content: string, key = "pw") {
  return project({ services: [service({ secrets: [{ ...GRANT, source: key }] })], secrets: [fileOf(content, key)] });
}

function fileOf(content: string, key = "pw"): ProjectFile {
  return { key, origin: { from: "file", path: "/pw" }, content: new Secret(Buffer.from(content).toString("base64")), problem: null };
}
