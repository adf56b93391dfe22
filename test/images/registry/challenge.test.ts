import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bestChallenge, parseChallenges, wantsMore } from "../../../src/images/registry/challenge.ts";

const it = suite("challenges of registries");

const parsed = (header: string) => parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
const best = (...headers: string[]) => bestChallenge(headers.flatMap(parseChallenges))?.scheme ?? null;

it("names are lower case, values are words or quoted, and quotes may hold commas and escaped quotes", () => {
  assert.equal(parsed('Bearer Realm="https://a/token",service=b,scope="repository:x:pull,push"'), [
    ["bearer", { realm: "https://a/token", service: "b", scope: "repository:x:pull,push" }],
  ]);
  assert.equal(parsed('BASIC realm="say \\"hi\\", friend"'), [["basic", { realm: 'say "hi", friend' }]]);
});

it("several challenges may share a header line", () => {
  assert.equal(parsed('Negotiate, Basic realm="a", Bearer realm="https://b"'), [
    ["negotiate", {}],
    ["basic", { realm: "a" }],
    ["bearer", { realm: "https://b" }],
  ]);
});

it("bearer is answered before basic, others are not answered", () => {
  assert.is(best('Basic realm="a"', 'Bearer realm="https://b"'), "bearer");
  assert.is(best("Negotiate", 'Basic realm="a"'), "basic");
  assert.is(best("Negotiate", 'Digest realm="a",nonce="b"'), null);
  assert.is(best(), null);
});

it("a bearer challenge that does not say where tokens are gives way to a basic one", () => {
  assert.is(best("Bearer", 'Basic realm="a"'), "basic");
  assert.is(best('Bearer service="x"', 'Bearer realm="https://b"'), "bearer");
});

it("what is no challenge is passed over, however it is malformed", () => {
  for (const header of [
    "",
    ",,,",
    "=",
    '"',
    'Bearer realm="',
    "Bearer realm=",
    "\\\\",
    "é=ü",
    'Bearer realm="a\\',
    `Bearer ${"a=b,".repeat(2000)}`,
  ])
    parseChallenges(header);
  assert.is(best('Bearer realm="https://a'), "bearer"); // it goes on to fail as one without an address
});

it("more is wanted only where the challenge names the scope that is lacking", () => {
  const wants = (header: string) => wantsMore(parseChallenges(header));
  assert.is(wants('Bearer realm="https://a",error="insufficient_scope",scope="repository:x:pull"'), true);
  assert.is(wants('Bearer realm="https://a",error="insufficient_scope"'), false);
  assert.is(wants('Bearer realm="https://a",error="invalid_token",scope="x"'), false);
});

it.run();
