import { suite } from "uvu";
import * as assert from "uvu/assert";
import { resolveUser } from "../../../src/engines/oci/user.ts";
import { Failure } from "../../../src/model/diagnostic.ts";

const it = suite("who a process is");

const files = {
  image: "docker.io/library/colors:latest",
  passwd: [
    "root:x:0:0:root:/root:/bin/sh",
    "# a comment",
    "broken:x:none:0::/:",
    "web:x:1000:1000:Web:/home/web:/bin/sh",
    "twin:x:1000:2000::/home/twin:/bin/sh",
    "web:x:3000:3000::/home/other:/bin/sh",
    "1234:x:4000:4000::/home/number:/bin/sh",
  ].join("\n"),
  group: "root:x:0:\nweb:x:1000:\nwheel:x:10:root,web\nlogs:x:20:web\nbroken:x:none:web\n",
};

it("nobody named is root with root's groups and home", () => {
  for (const spec of [null, "", ":"])
    assert.equal(resolveUser(spec, files), { uid: 0, gid: 0, additionalGids: [0, 10], home: "/root", name: "root" });
});

it("a name has the ids of its first line and every group that lists it", () => {
  assert.equal(resolveUser("web", files), { uid: 1000, gid: 1000, additionalGids: [1000, 10, 20], home: "/home/web", name: "web" });
});

it("a number takes the first line with that number, and is never looked up as a name", () => {
  assert.is(resolveUser("1000", files).name, "web");
  assert.equal(resolveUser("1234", files), { uid: 1234, gid: 0, additionalGids: [0], home: "/", name: null });
});

it("an explicit group, by name or number, is the only one", () => {
  assert.equal(resolveUser("web:wheel", files).additionalGids, [10]);
  assert.equal(resolveUser("web:4711", files).additionalGids, [4711]);
  assert.equal(resolveUser(":20", files), { uid: 0, gid: 20, additionalGids: [20], home: "/root", name: "root" });
});

it("further groups come on top", () => {
  assert.equal(resolveUser("web:wheel", { ...files, groupAdd: ["logs", "99", "10"] }).additionalGids, [10, 20, 99]);
});

it("numbers work in an image without passwd and group", () => {
  const bare = { image: "bare", passwd: null, group: null };
  assert.equal(resolveUser("1000:1000", bare), { uid: 1000, gid: 1000, additionalGids: [1000], home: "/", name: null });
  assert.equal(resolveUser(null, bare), { uid: 0, gid: 0, additionalGids: [0], home: "/", name: null });
});

it("an unknown user, an unknown group and a number out of range are errors that name them and the image", () => {
  for (const [spec, words] of [
    ["nobody", /image docker\.io\/library\/colors:latest has no user "nobody" in its \/etc\/passwd/],
    ["broken", /no user "broken"/],
    ["web:staff", /no group "staff" in its \/etc\/group/],
    ["4294967295", /user 4294967295 is out of range/],
    ["-1", /no user "-1"/],
  ] as const) {
    try {
      resolveUser(spec, files);
      assert.unreachable(spec);
    } catch (error) {
      assert.instance(error, Failure);
      assert.match(String(error), words);
    }
  }
});

it.run();
