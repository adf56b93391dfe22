import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hostsText } from "../../../../src/engines/oci/network/hosts.ts";

const it = suite("hosts files");
const none = { base: null, own: [], peers: [], extra: [], gateways: [] };
const linesOf = (text: string): string[] => text.trimEnd().split("\n");

it("localhost is there before anything else", () => {
  assert.is(linesOf(hostsText(none))[0], "127.0.0.1\tlocalhost");
});

it("a container finds itself and its peers by each of their names, named once", () => {
  const text = hostsText({
    ...none,
    own: [{ address: "10.0.0.2", names: ["abc", "web", "abc"] }],
    peers: [{ address: "10.0.0.3", names: ["db", "p-db-1"] }],
  });
  assert.equal(linesOf(text).slice(-2), ["10.0.0.2\tabc web", "10.0.0.3\tdb p-db-1"]);
});

it("host-gateway is the gateway, and nothing where there is no network", () => {
  const extra = [
    { name: "host.docker.internal", address: "host-gateway" },
    { name: "far", address: "203.0.113.9" },
  ];
  assert.ok(
    hostsText({ ...none, extra, gateways: ["10.0.0.1", "fd00::1"] }).includes(
      "10.0.0.1\thost.docker.internal\nfd00::1\thost.docker.internal\n203.0.113.9\tfar\n",
    ),
  );
  assert.not(hostsText({ ...none, extra }).includes("host.docker.internal"));
});

it.run();
