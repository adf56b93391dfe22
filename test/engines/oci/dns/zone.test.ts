import { suite } from "uvu";
import * as assert from "uvu/assert";
import { addressOfPointer, clientAddress, type Resident, Zone } from "../../../../src/engines/oci/supervisor/dns/zone.ts";

const it = suite("dns zone");

const network = (name: string, internal = false) => ({
  name,
  internal,
  holds: (address: string) => address.startsWith(`10.0.${name === "front" ? 1 : 2}.`),
});

const resident = (name: string, places: readonly (readonly [network: string, address: string, names: readonly string[]])[]): Resident => ({
  id: `id-${name}`,
  name,
  places: places.map(([at, address, names]) => ({ network: at, addresses: [address], names: [name, ...names] })),
  settings: { servers: [], ndots: false, links: new Map() },
});

const zone = new Zone(
  [network("front"), network("back", true)],
  [
    resident("web-1", [["front", "10.0.1.2", ["Web"]]]),
    resident("web-2", [["front", "10.0.1.3", ["Web"]]]),
    resident("api-1", [
      ["front", "10.0.1.4", ["api"]],
      ["back", "10.0.2.4", ["api", "backend"]],
    ]),
    resident("db-1", [["back", "10.0.2.5", ["db"]]]),
  ],
);

it("a container finds the names of its networks and no others", () => {
  const web = zone.askerAt("10.0.1.2");
  assert.equal(zone.find("api", web)?.ipv4, ["10.0.1.4"]);
  assert.is(zone.find("db", web), null);
  assert.is(zone.find("backend", web), null);
  const api = zone.askerAt("10.0.1.4");
  assert.equal(zone.find("db", api)?.ipv4, ["10.0.2.5"]);
  assert.equal(zone.find("api", zone.askerAt("10.0.2.5"))?.ipv4, ["10.0.2.4"]);
});

it("whoever it asks at, a container is known by either of its addresses", () => {
  assert.equal(zone.askerAt("10.0.2.4"), zone.askerAt("10.0.1.4"));
});

it("the name of a network behind a name picks the network", () => {
  const api = zone.askerAt("10.0.1.4");
  assert.equal(zone.find("api.back", api)?.ipv4, ["10.0.2.4"]);
  assert.equal(zone.find("api.front", api)?.ipv4, ["10.0.1.4"]);
  assert.is(zone.find("db.back", zone.askerAt("10.0.1.2")), null);
  assert.ok(zone.isOwn("nobody.front", api));
  assert.not.ok(zone.isOwn("nobody.example.com", api));
});

it("replicas take turns", () => {
  const asker = zone.askerAt("10.0.1.4");
  const firsts = Array.from({ length: 4 }, () => zone.find("web", asker)?.ipv4[0]);
  assert.is(new Set(firsts).size, 2);
  assert.is(firsts[0], firsts[2]);
  assert.equal([...(zone.find("web", asker)?.ipv4 ?? [])].sort(), ["10.0.1.2", "10.0.1.3"]);
});

it("addresses have names, in the networks that one shares", () => {
  assert.is(zone.nameOf("10.0.1.3", zone.askerAt("10.0.1.2")), "web-2.front");
  assert.is(zone.nameOf("10.0.2.5", zone.askerAt("10.0.1.2")), null);
});

it("only who is in a network that is not internal may ask outside", () => {
  assert.ok(zone.askerAt("10.0.1.2").outside);
  assert.ok(zone.askerAt("10.0.1.4").outside);
  assert.not.ok(zone.askerAt("10.0.2.5").outside);
  assert.not.ok(zone.askerAt("10.0.2.99").outside);
});

it("an address that no container is known to have yet sees the network that it is in", () => {
  assert.equal(zone.askerAt("10.0.1.77").networks, ["front"]);
  assert.equal(zone.askerAt("192.0.2.1").networks, []);
});

it("reverse names are read in both families", () => {
  assert.is(addressOfPointer("4.1.0.10.in-addr.arpa"), "10.0.1.4");
  assert.is(addressOfPointer(`${["5", ...Array<string>(27).fill("0"), "d", "f", "0", "0"].join(".")}.ip6.arpa`), "fd::5");
  assert.is(addressOfPointer("web"), null);
  assert.is(addressOfPointer("1.2.3.in-addr.arpa"), null);
  assert.is(clientAddress("::ffff:10.0.1.4"), "10.0.1.4");
  assert.is(clientAddress("FD00:0::0005%eth0"), "fd00::5");
});

it.run();
