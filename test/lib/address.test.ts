import { isIP } from "node:net";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  formatAddress,
  formatSubnet,
  isAddress,
  lastOf,
  liesIn,
  overlaps,
  parseAddress,
  parseSubnet,
  type Subnet,
} from "../../src/lib/address.ts";

const it = suite("addresses");

it("every form of an address comes out in the one canonical form", () => {
  for (const [written, canonical] of [
    ["10.0.0.1", "10.0.0.1"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["::1", "::1"],
    ["FD00:0:0:0:0:0:0:1", "fd00::1"],
    ["fd00:1:0:0:2:0:0:0", "fd00:1:0:0:2::"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"],
    ["::ffff:10.1.2.3", "::ffff:a01:203"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["fe80::", "fe80::"],
  ] as const) {
    const parsed = parseAddress(written);
    assert.ok(parsed !== null, written);
    if (parsed !== null) assert.is(formatAddress(parsed), canonical);
  }
});

it("what is no address is none", () => {
  for (const text of ["", "10.0.0", "10.0.0.256", "010.0.0.1", "fe80::1%eth0", "::g", "1::2::3", "10.0.0.1/24", " 10.0.0.1"])
    assert.is(parseAddress(text), null, text);
});

it("what is an address is what Node takes for one", () => {
  const part = fc.constantFrom(
    "0",
    "1",
    "ff",
    "abcd",
    "12345",
    ":",
    "::",
    ".",
    "1.2.3.4",
    "256.1.1.1",
    "01.2.3.4",
    "%",
    "%eth0",
    "g",
    "FFFF",
    " ",
    "\n",
  );
  const groups = fc.array(fc.constantFrom("0", "1f", "abcd", "1.2.3.4", ""), { maxLength: 9 }).map((all) => all.join(":"));
  const text = fc.oneof(
    fc.array(part, { maxLength: 9 }).map((all) => all.join("")),
    groups,
  );
  fc.assert(
    fc.property(text, (address) => isAddress(address) === (isIP(address) !== 0)),
    { numRuns: 5000 },
  );
});

it("a subnet is named by its first address, whatever address of it is written", () => {
  assert.is(formatSubnet(subnet("10.5.7.9/16")), "10.5.0.0/16");
  assert.is(formatSubnet(subnet("fd00:1::abcd/64")), "fd00:1::/64");
  assert.is(formatSubnet(subnet("0.0.0.0/0")), "0.0.0.0/0");
  assert.is(formatAddress({ family: 4, value: lastOf(subnet("10.5.0.0/29")) }), "10.5.0.7");
  for (const text of ["10.0.0.0", "10.0.0.0/33", "fd00::/129", "x/8", "10.0.0.0/", "/8"]) assert.is(parseSubnet(text), null, text);
});

it("what lies in a subnet, and what overlaps it, is told apart by family and by bits", () => {
  const address = (text: string) => parseAddress(text) ?? { family: 4 as const, value: -1n };
  assert.ok(liesIn(address("10.5.0.255"), subnet("10.5.0.0/24")));
  assert.not(liesIn(address("10.5.1.0"), subnet("10.5.0.0/24")));
  assert.not(liesIn(address("::1"), subnet("0.0.0.0/0")));
  assert.ok(liesIn(subnet("10.5.0.128/25"), subnet("10.5.0.0/24")));
  assert.not(liesIn(subnet("10.5.0.0/23"), subnet("10.5.0.0/24")));
  assert.ok(overlaps(subnet("10.5.0.0/23"), subnet("10.5.1.0/24")));
  assert.not(overlaps(subnet("10.5.0.0/24"), subnet("10.5.1.0/24")));
  assert.not(overlaps(subnet("::/0"), subnet("0.0.0.0/0")));
});

it.run();

function subnet(text: string): Subnet {
  const parsed = parseSubnet(text);
  if (parsed === null) throw new Error(`${text} is no subnet`);
  return parsed;
}
