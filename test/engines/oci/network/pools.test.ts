import { createHash } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Lessee, leased, type NetworkRecord } from "../../../../src/engines/oci/network/networks.ts";
import { type AddressPool, choosePools, freeAddress, macOf, type Used, whyNotFixed } from "../../../../src/engines/oci/network/pools.ts";
import { parseSubnet, type Subnet } from "../../../../src/lib/address.ts";
import { Failure } from "../../../../src/model/diagnostic.ts";
import { type NetworkConfig, PLAIN_NETWORK } from "../../../../src/model/network.ts";

const it = suite("addresses of networks");
const nothing: Used = { networks: [], routes: [] };
const seed = createHash("sha256").update("a network").digest();
const small: AddressPool = { subnet: "10.5.0.0", prefix: 29, gateway: "10.5.0.1", range: null, reserved: [], leases: {} };

it("a chosen subnet is always the same one, in the part that wharf uses, and none that is in use", () => {
  const first = pools(PLAIN_NETWORK).ipv4;
  assert.match(first?.subnet ?? "", /^10\.(19[2-9]|2[0-9]{2})\.\d+\.0$/);
  assert.is(first?.prefix, 24);
  assert.equal(pools(PLAIN_NETWORK).ipv4, first);
  const second = pools(PLAIN_NETWORK, { networks: [], routes: [subnet(`${first?.subnet}/24`)] }).ipv4;
  assert.is.not(second?.subnet, first?.subnet);
});

it("an IPv6 subnet that is chosen is a unique local one of its own", () => {
  const { ipv4, ipv6 } = pools({ ...PLAIN_NETWORK, ipv4: false, ipv6: true });
  assert.is(ipv4, null);
  assert.match(ipv6?.subnet ?? "", /^fd[0-9a-f:]+::$/);
  assert.is(ipv6?.prefix, 64);
  const again = pools({ ...PLAIN_NETWORK, ipv6: true }, { networks: [], routes: [subnet(`${ipv6?.subnet}/64`)] }).ipv6;
  assert.is.not(again?.subnet, ipv6?.subnet);
});

it("a subnet that is asked for is had, unless another network or this machine has addresses in it", () => {
  const config = { ...PLAIN_NETWORK, subnets: [{ subnet: "10.5.0.0/16", gateway: null, range: null, reserved: [] }] };
  assert.is(pools(config).ipv4?.gateway, "10.5.0.1");
  assert.is(pools(config, { networks: [], routes: [subnet("10.0.0.0/8")] }).ipv4?.subnet, "10.5.0.0");
  for (const used of [
    { networks: [], routes: [subnet("10.5.3.0/24")] },
    { networks: [{ name: "other", subnet: subnet("10.0.0.0/8") }], routes: [] },
  ])
    assert.throws(
      () => pools(config, used),
      (error: unknown) => error instanceof Failure && error.has("E_SUBNET_TAKEN"),
    );
});

it("addresses are given out from below, but for the gateway's, reserved and avoided ones, and those at the ends", () => {
  assert.is(freeAddress(small), "10.5.0.2");
  assert.is(freeAddress({ ...small, reserved: ["10.5.0.2"] }, ["10.5.0.3"]), "10.5.0.4");
  assert.is(freeAddress({ ...small, gateway: "10.5.0.6" }), "10.5.0.1");
  assert.is(freeAddress({ ...small, range: "10.5.0.4/30" }), "10.5.0.4");
  assert.is(freeAddress({ ...small, range: "10.5.0.0/32" }), null);
  assert.is(freeAddress({ ...small, reserved: ["10.5.0.2", "10.5.0.3", "10.5.0.4", "10.5.0.5", "10.5.0.6"] }), null);
  assert.is(freeAddress({ ...small, subnet: "fd00:5::", prefix: 64, gateway: "fd00:5::1" }), "fd00:5::2");
});

it("a fixed address lies in the subnet, and is not the gateway's nor the subnet's own", () => {
  assert.is(whyNotFixed(small, "10.5.0.6"), null);
  for (const address of ["10.5.0.0", "10.5.0.1", "10.5.0.7", "10.5.0.8"]) assert.type(whyNotFixed(small, address), "string");
  assert.match(whyNotFixed(null, "fd00::2") ?? "", /no IPv6/);
});

it("who has a lease keeps it; one that is full gives away those of containers that are gone", () => {
  const full = network({ ...small, leases: { a: "10.5.0.2", b: "10.5.0.3", c: "10.5.0.4", d: "10.5.0.5", e: "10.5.0.6" } });
  assert.is(leased(full, lessee("a")), full);
  assert.throws(
    () => leased(full, lessee("f")),
    (error: unknown) => error instanceof Failure && error.has("E_NETWORK_FULL"),
  );
  assert.is(leased(full, lessee("f", { exists: (id) => id !== "c" })).ipv4?.leases["f"], "10.5.0.4");
});

it("a fixed address is taken over from one that does not run, and not from one that does", () => {
  const held = network({ ...small, leases: { old: "10.5.0.4" } });
  const next = leased(held, lessee("new", { joined: { name: "n", aliases: [], ipv4Address: "10.5.0.4" }, runs: () => false }));
  assert.equal(next.ipv4?.leases, { new: "10.5.0.4" });
  assert.throws(
    () => leased(held, lessee("new", { joined: { name: "n", aliases: [], ipv4Address: "10.5.0.4" } })),
    (error: unknown) => error instanceof Failure && error.has("E_ADDRESS_TAKEN") && error.message.includes("container old has it"),
  );
});

it("a hardware address belongs to an address, and no address of a group", () => {
  assert.is(macOf("10.5.0.2"), "02:42:0a:05:00:02");
  assert.match(macOf("fd00::2"), /^02:42(:[0-9a-f]{2}){4}$/);
  assert.is.not(macOf("fd00::2"), macOf("fd00::3"));
});

it.run();

function pools(config: NetworkConfig, used: Used = nothing) {
  return choosePools(config, { name: "shop_back", seed, used });
}

function network(ipv4: AddressPool): NetworkRecord {
  const about = {
    version: 2,
    name: "n",
    project: "shop",
    key: "n",
    labels: {},
    createdAt: "2026-01-01T00:00:00Z",
    bridge: "whn",
    mtu: 1500,
  } as const;
  return { ...about, config: PLAIN_NETWORK, attributes: {}, ipv4, ipv6: null };
}

function lessee(id: string, given: Partial<Lessee> = {}): Lessee {
  return { id, joined: { name: "n", aliases: [] }, exists: () => true, runs: () => true, ...given };
}

function subnet(text: string): Subnet {
  const parsed = parseSubnet(text);
  if (parsed === null) throw new Error(`${text} is no subnet`);
  return parsed;
}
