import { suite } from "uvu";
import * as assert from "uvu/assert";
import { algorithmOf, hexOf, parseDigest, shortDigest } from "../../src/model/digest.ts";

const it = suite("digests");
const HEX = "0123456789abcdef".repeat(4);

it("a digest names its algorithm and its hex digits", () => {
  const digest = parseDigest(`sha256:${HEX}`);
  if (typeof digest !== "string") throw new Error(digest.problem);
  assert.is(algorithmOf(digest), "sha256");
  assert.is(hexOf(digest), HEX);
  assert.is(shortDigest(digest), "0123456789ab");
});

it("sha512 has 128 digits", () => {
  assert.type(parseDigest(`sha512:${HEX}${HEX}`), "string");
  assert.type(parseDigest(`sha512:${HEX}`), "object");
});

it("what could leave a directory or is not exact is no digest", () => {
  for (const text of [
    "",
    HEX,
    "sha256:",
    `sha256:${HEX}/..`,
    `sha256:../${HEX}`,
    `sha256:${HEX.toUpperCase()}`,
    `md5:${HEX}`,
    `constructor:${HEX}`,
    `sha256:${HEX}\n`,
  ])
    assert.type(parseDigest(text), "object", JSON.stringify(text));
});

it.run();
