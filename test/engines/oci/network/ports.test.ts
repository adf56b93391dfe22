import { suite } from "uvu";
import * as assert from "uvu/assert";
import { rulesText } from "../../../../src/engines/oci/network/ports.ts";
import { PLAIN_NETWORK } from "../../../../src/model/network.ts";

const it = suite("packet filter rules");
const network = {
  bridge: "wh0123456789",
  config: PLAIN_NETWORK,
  ipv4: { subnet: "10.200.1.0", prefix: 24, gateway: "10.200.1.1" },
  ipv6: null,
};
const forward = { protocol: "tcp", host: "0.0.0.0", published: 8080, address: "10.200.1.2", address6: null, target: 80 } as const;

it("a world without networks leaves no table behind", () => {
  assert.is(rulesText({ table: "wharf_x", networks: [], ports: [], had6: false }), "table ip wharf_x {}\ndelete table ip wharf_x\n");
});

it("the whole table is replaced in one transaction", () => {
  assert.ok(
    rulesText({ table: "wharf_x", networks: [network], ports: [], had6: false }).startsWith(
      "table ip wharf_x {}\ndelete table ip wharf_x\ntable ip wharf_x {\n",
    ),
  );
});

it("a port for every address and one for a single address go into different maps", () => {
  const text = rulesText({
    table: "t",
    networks: [network],
    ports: [forward, { ...forward, host: "127.0.0.1", published: 9090, protocol: "udp" }],
    had6: false,
  });
  assert.match(text, /map published \{[^}]*elements = \{ tcp \. 8080 : 10\.200\.1\.2 \. 80 \}/);
  assert.match(text, /map published_on \{[^}]*elements = \{ udp \. 127\.0\.0\.1 \. 9090 : 10\.200\.1\.2 \. 80 \}/);
});

it("IPv6 leads to a container's own address where it has one, and from ::1 nowhere", () => {
  const six = { ...network, ipv6: { subnet: "fd00:1::", prefix: 64, gateway: "fd00:1::1" } };
  const ports = [
    { ...forward, host: "::", address6: "fd00:1::2" },
    { ...forward, host: "::", published: 9090 },
    { ...forward, address6: "fd00:1::2" },
  ];
  const [four = "", rules = ""] = rulesText({ table: "t", networks: [six], ports, had6: false }).split("table ip6 t {}\n");
  assert.match(four, /map published \{[^}]*elements = \{ tcp \. 8080 : 10\.200\.1\.2 \. 80 \}/);
  assert.match(rules, /map published \{[^}]*elements = \{ tcp \. 8080 : fd00:1::2 \. 80 \}/);
  assert.match(rules, /ip6 daddr != ::1 .*jump ports/);
});

it("names that are answered for at another port are led there", () => {
  const text = rulesText({ table: "t", networks: [network], ports: [], had6: false, moved: new Map([["10.200.1.1", 40_053]]) });
  assert.match(text, /map moved \{[^}]*elements = \{ 10\.200\.1\.1 : 40053 \}/);
  assert.match(text, /th dport 53 redirect to :ip daddr map @moved/);
  assert.not.match(rulesText({ table: "t", networks: [network], ports: [], had6: false }), /moved/);
});

it("a map without elements has no empty list, which nft would refuse", () => {
  assert.not.match(rulesText({ table: "t", networks: [network], ports: [], had6: false }), /elements = \{ *\}/);
});

it("IPv6 has a table of its own while a network has it, and none afterwards", () => {
  const six = { ...network, ipv6: { subnet: "fd00:5::", prefix: 64, gateway: "fd00:1::1" } };
  const text = rulesText({ table: "t", networks: [six, network], ports: [forward], had6: true });
  assert.match(text, /table ip6 t \{[\s\S]*ip6 daddr @guarded drop[\s\S]*ip6 saddr @hidden masquerade/);
  assert.is(text.match(/fd00:5::\/64/g)?.length, 3);
  assert.match(rulesText({ table: "t", networks: [network], ports: [], had6: true }), /delete table ip6 t\n$/);
  assert.not.match(rulesText({ table: "t", networks: [network], ports: [], had6: false }), /ip6/);
});

it("an internal network has no way out, one that keeps its containers apart no way within, and one without masquerade is seen as it is", () => {
  const config = { ...PLAIN_NETWORK, internal: true, connected: false };
  const text = rulesText({
    table: "t",
    networks: [
      { ...network, bridge: "inner", config },
      {
        ...network,
        bridge: "open",
        config: { ...PLAIN_NETWORK, masquerade: false },
        ipv4: { subnet: "10.200.2.0", prefix: 24, gateway: "10.200.2.1" },
      },
    ],
    ports: [],
    had6: false,
  });
  assert.match(text, /set internal \{[^}]*elements = \{ "inner" \}/);
  assert.match(text, /set same \{[^}]*elements = \{ "open" \. "open" \}/);
  assert.match(text, /set guarded \{ type ipv4_addr; flags interval; elements = \{ 10\.200\.1\.0\/24 \}/);
  assert.match(text, /set hidden \{ type ipv4_addr; flags interval; {2}\}/);
});

it.run();
