import { suite } from "uvu";
import * as assert from "uvu/assert";
import { endOf, landing, type Place } from "../../src/cli/copy.ts";
import type { FileStat } from "../../src/engine/files.ts";

const it = suite("where a copy goes");

it("an end with a colon is a container's, unless it begins as a path", () => {
  assert.equal(endOf("web:/a:b"), { container: "web", path: "/a:b" });
  assert.equal(endOf("web:rel"), { container: "web", path: "rel" });
  for (const path of ["/a:b", "./a:b", "../a:b", "-", "file", ":x"]) assert.equal(endOf(path), { container: null, path });
});

// Docker's table: what is copied, what is at the target, and the outcome.
const FILE = { name: "f", directory: false };
const DIR = { name: "d", directory: true };
const CONTENT = { name: ".", directory: true };

it("a file becomes the name that is not there, takes a file's place, and goes into a directory", () => {
  assert.equal(landing(FILE, nothing("/x/new")), { directory: "/x", as: "new" });
  assert.equal(landing(FILE, there("/x/old", "file")), { directory: "/x", as: "old" });
  assert.equal(landing(FILE, there("/x/dir", "directory")), { directory: "/x/dir", as: "f" });
  assert.equal(landing(FILE, there("/x/dir/", "directory")), { directory: "/x/dir", as: "f" });
});

it("a file does not make the directory that a slash asks for", () => {
  assert.throws(() => landing(FILE, nothing("/x/new/")), /there is no directory/);
  assert.throws(() => landing(FILE, there("/x/old/", "file")), /is not a directory/);
});

it("a directory becomes the name that is not there, with or without a slash, and goes into one that is", () => {
  assert.equal(landing(DIR, nothing("/x/new")), { directory: "/x", as: "new" });
  assert.equal(landing(DIR, nothing("/x/new/")), { directory: "/x", as: "new" });
  assert.equal(landing(DIR, nothing("new")), { directory: ".", as: "new" });
  assert.equal(landing(DIR, there("/x/dir", "directory")), { directory: "/x/dir", as: "d" });
  assert.throws(() => landing(DIR, there("/x/old", "file")), /onto the file/);
});

it("the content of a directory goes where the directory would", () => {
  assert.equal(landing(CONTENT, there("/x/dir", "directory")), { directory: "/x/dir", as: "." });
  assert.equal(landing(CONTENT, nothing("/x/new")), { directory: "/x", as: "new" });
});

it("a link at the target is followed, also to where nothing is yet", () => {
  const link: FileStat = { kind: "symlink", resolved: "/y/real", size: 0 };
  assert.equal(landing(FILE, { path: "/x/l", stat: link, followed: null }), { directory: "/y", as: "real" });
  assert.equal(landing(DIR, { path: "/x/l", stat: link, followed: { kind: "directory", resolved: "/y/real", size: 0 } }), {
    directory: "/y/real",
    as: "d",
  });
});

it.run();

function nothing(path: string): Place {
  return { path, stat: null, followed: null };
}

function there(path: string, kind: FileStat["kind"]): Place {
  const stat: FileStat = { kind, resolved: path.replace(/(?<=.)\/+$/, ""), size: 0 };
  return { path, stat, followed: stat };
}
