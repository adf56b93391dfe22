import { suite } from "uvu";
import * as assert from "uvu/assert";
import { missingFrom } from "../../../../src/engines/oci/network/lost-rules.ts";
import { tableText } from "../../../../src/engines/oci/network/ports.ts";
import { PLAIN_NETWORK } from "../../../../src/model/network.ts";

const it = suite("rules that somebody took away");
const network = {
  bridge: "wh0123456789",
  config: PLAIN_NETWORK,
  ipv4: { subnet: "10.200.1.0", prefix: 24, gateway: "10.200.1.1" },
  ipv6: { subnet: "fd00:1::", prefix: 64, gateway: "fd00:1::1" },
};
const port = { protocol: "tcp", host: "0.0.0.0", published: 8080, address: "10.200.1.2", address6: "fd00:1::2", target: 80 } as const;
const ports = [port, { ...port, published: 9090 }, { ...port, host: "::" }];
const rules = { table: "t", networks: [network], ports, had6: false };

/** As nft writes it: sets over several lines, their elements in an order of its own. */
function listing(family: "ip" | "ip6"): string {
  return tableText(rules, family)
    .replace(
      /elements = \{ ([^}]*) \}/g,
      (_, elements: string) => `\n\t\telements = { ${elements.split(", ").reverse().join(",\n\t\t\t     ")} }\n`,
    )
    .replace(/^ +/gm, "\t");
}

it("none is missing of a table that is as it was made, also where it has more", () => {
  for (const family of ["ip", "ip6"] as const) assert.is(missingFrom(listing(family), tableText(rules, family)), null);
  const more = listing("ip").replace("chain local {", "chain other {\n\t\taccept\n\t}\n\tchain local {");
  assert.is(missingFrom(more, tableText(rules, "ip")), null);
});

it("a chain that is empty, lost a rule or is not there is missing", () => {
  const whole = listing("ip");
  const wanted = tableText(rules, "ip");
  assert.is(missingFrom(whole.replace(/chain ports \{[^}]*\}/, "chain ports {\n\t}"), wanted), "chain ports");
  assert.is(missingFrom(whole.replace(/^.*@internal drop.*\n/m, ""), wanted), "chain passing");
  assert.is(missingFrom(whole.replace(/chain local \{/, "chain renamed {"), wanted), "chain local");
});

it("a port that is led nowhere, or elsewhere, is missing", () => {
  const wanted = tableText(rules, "ip");
  assert.is(missingFrom(listing("ip").replace(/tcp \. 9090 : [^,}]*,\s*/, ""), wanted), "map published");
  assert.is(missingFrom(listing("ip").replace("9090 : 10.200.1.2", "9090 : 10.200.1.7"), wanted), "map published");
});

it.run();
