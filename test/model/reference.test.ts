import { suite } from "uvu";
import * as assert from "uvu/assert";
import { familiar, parseReference, partsOf, type Reference } from "../../src/model/reference.ts";

const it = suite("image references");
const HEX = "ab".repeat(32);

const canonical = (text: string): Reference => {
  const parsed = parseReference(text);
  if (typeof parsed !== "string") throw new Error(parsed.problem);
  return parsed;
};

const problem = (text: string): string => {
  const parsed = parseReference(text);
  return typeof parsed === "string" ? "" : parsed.problem;
};

it("no registry, no project and no tag mean docker.io, library and latest", () => {
  assert.is(canonical("nginx"), "docker.io/library/nginx:latest");
  assert.is(canonical("team/app"), "docker.io/team/app:latest");
  assert.is(canonical("docker.io/nginx:1.27"), "docker.io/library/nginx:1.27");
  assert.is(canonical("index.docker.io/team/app"), "docker.io/team/app:latest");
});

it("a first segment is a registry when it has a dot, a colon, a capital letter, or is localhost", () => {
  assert.is(canonical("ghcr.io/a/b"), "ghcr.io/a/b:latest");
  assert.is(canonical("127.0.0.1:5000/b:1"), "127.0.0.1:5000/b:1");
  assert.is(canonical("localhost/b"), "localhost/b:latest");
  assert.is(canonical("Host/b"), "Host/b:latest");
  assert.is(canonical("[2001:db8::1]:5000/b"), "[2001:db8::1]:5000/b:latest");
  assert.is(canonical("a/b/c"), "docker.io/a/b/c:latest");
});

it("localhost:5000 without a path is the image localhost with the tag 5000", () => {
  assert.is(canonical("localhost:5000"), "docker.io/library/localhost:5000");
});

it("a digest wins over a tag", () => {
  assert.is(canonical(`nginx:1@sha256:${HEX}`), `docker.io/library/nginx@sha256:${HEX}`);
  assert.is(canonical(`nginx@sha512:${HEX}${HEX}`), `docker.io/library/nginx@sha512:${HEX}${HEX}`);
});

it("a canonical reference parses to itself", () => {
  for (const text of ["nginx", "a/b/c:x", "localhost:5000/x", `h.example/x@sha256:${HEX}`])
    assert.is(canonical(canonical(text)), canonical(text));
});

it("a capital letter in a repository is said to be the problem", () => {
  assert.match(problem("team/App"), "must be lowercase");
  assert.match(problem("Nginx"), "must be lowercase");
});

it("an image id is no name", () => assert.match(problem(HEX), "image id"));

it("an unknown or malformed digest is refused", () => {
  assert.match(problem(`nginx@md9:${HEX}`), "md9");
  assert.match(problem(`nginx@sha256:${HEX}00`), "64");
  assert.match(problem(`nginx@sha256:${HEX.toUpperCase()}`), "lower-case");
});

it("what does not fit the grammar is refused", () => {
  for (const text of [
    "",
    "a b",
    "-a",
    "a..b",
    "a//b",
    "a:",
    "a@b",
    "a/b/",
    "_x",
    "a:x:y",
    "nginx\n",
    "[::1]",
    "a___b",
    `a:${"t".repeat(129)}`,
  ])
    assert.is.not(problem(text), "", JSON.stringify(text));
});

it("a name of 255 characters fits and one more does not", () => {
  assert.is(problem(`h.io/${"a".repeat(250)}`), "");
  assert.match(problem(`h.io/${"a".repeat(251)}`), "255");
});

it("the familiar form leaves out what is the default", () => {
  assert.is(familiar(canonical("nginx")), "nginx:latest");
  assert.is(familiar(canonical("team/app:1")), "team/app:1");
  assert.is(familiar(canonical("docker.io/library/a/b")), "library/a/b:latest");
  assert.is(familiar(canonical("127.0.0.1:5000/x")), "127.0.0.1:5000/x:latest");
  assert.is(familiar(canonical(`nginx@sha256:${HEX}`)), `nginx@sha256:${HEX}`);
  assert.is(familiar(canonical("docker.io/localhost/x")), "docker.io/localhost/x:latest");
});

it("the familiar form of any reference parses back to it", () => {
  for (const text of ["nginx", "docker.io/localhost/x", "docker.io/a.b/c", "localhost/library/x", `x@sha256:${HEX}`])
    assert.is(canonical(familiar(canonical(text))), canonical(text));
});

it("a reference has either a tag or a digest", () => {
  assert.equal(partsOf(canonical("127.0.0.1:5000/a/b:1")), { domain: "127.0.0.1:5000", path: "a/b", tag: "1", digest: null });
  assert.equal(partsOf(canonical(`[::1]:80/a@sha256:${HEX}`)), { domain: "[::1]:80", path: "a", tag: null, digest: `sha256:${HEX}` });
});

it.run();
