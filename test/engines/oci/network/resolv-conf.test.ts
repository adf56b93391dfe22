import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseResolvConf, resolvConfText } from "../../../../src/engines/oci/network/resolv-conf.ts";

const it = suite("resolv.conf");

it("it is read as C libraries read it", () => {
  const text =
    "# a comment\nnameserver 10.0.0.1 # the router\n domain old.example\nsearch a.example b.example\noptions ndots:2  edns0\nnonsense\n";
  assert.equal(parseResolvConf(text), { servers: ["10.0.0.1"], search: ["a.example", "b.example"], options: ["ndots:2", "edns0"] });
});

it("three servers count, and without one it is this machine", () => {
  assert.equal(parseResolvConf("nameserver 1\nnameserver 2\nnameserver 3\nnameserver 4\n").servers, ["1", "2", "3"]);
  assert.equal(parseResolvConf("").servers, ["127.0.0.1"]);
});

it("what is written reads the same", () => {
  const conf = { servers: ["10.0.0.1", "fd00::1"], search: ["a.example"], options: ["ndots:0"] };
  assert.equal(parseResolvConf(resolvConfText(conf)), conf);
});

it.run();
