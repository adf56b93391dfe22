import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PLAIN_NETWORK, plainAttachment, plainNetwork } from "../../src/model/network.ts";
import { attributesOf } from "../../src/plan/change.ts";
import { errorsOf, loadFiles, web } from "./support.ts";

const it = suite("networks in a spec");

it("a service that says nothing of networks is on the default one, and its record says nothing of it either", async () => {
  const service = await web("");
  assert.equal(service.networks, [plainAttachment("default")]);
  assert.equal([service.networkMode, service.macAddress, service.domainname, service.links], [null, null, null, []]);
  assert.equal(Object.keys(attributesOf(service)), ["image"]);
});

it("networks are joined by priority, then by name; with all that is said of each", async () => {
  const { project } = await loadFiles(`
services:
  web:
    image: nginx
    networks:
      c: {priority: 5, gw_priority: 2, aliases: [x, y]}
      b: {ipv4_address: 10.9.0.7, ipv6_address: "FD00:9:0:0::7", mac_address: "02-42-0A-09-00-07", interface_name: data0, link_local_ips: [169.254.9.9]}
      a: {driver_opts: {com.docker.network.endpoint.ifname: side0, com.docker.network.endpoint.sysctls: "net.ipv4.conf.IFNAME.log_martians=1, net.ipv6.conf.IFNAME.accept_ra=2", odd: 1}}
networks:
  a:
  b:
    enable_ipv6: true
    ipam: {config: [{subnet: 10.9.1.5/16, gateway: 10.9.255.254, ip_range: 10.9.8.0/24, aux_addresses: {r: 10.9.0.9}}, {subnet: "fd00:9::/64"}]}
  c: {internal: true, labels: {k: v}, driver_opts: {com.docker.network.driver.mtu: 1400, com.docker.network.bridge.name: br-c, com.docker.network.bridge.enable_icc: "false", com.docker.network.bridge.enable_ip_masquerade: "false"}}
  unused: {driver_opts: {odd: 1}}
`);
  const [service] = project.services;
  assert.equal(service?.networks, [
    { ...plainAttachment("c"), priority: 5, gatewayPriority: 2, aliases: ["x", "y"] },
    {
      ...plainAttachment("a"),
      interfaceName: "side0",
      sysctls: { "net.ipv4.conf.IFNAME.log_martians": "1", "net.ipv6.conf.IFNAME.accept_ra": "2" },
    },
    {
      ...plainAttachment("b"),
      ipv4Address: "10.9.0.7",
      ipv6Address: "fd00:9::7",
      macAddress: "02:42:0a:09:00:07",
      interfaceName: "data0",
      linkLocalAddresses: ["169.254.9.9"],
    },
  ]);
  const subnets = [
    { subnet: "10.9.0.0/16", gateway: "10.9.255.254", range: "10.9.8.0/24", reserved: ["10.9.0.9"] },
    { subnet: "fd00:9::/64", gateway: null, range: null, reserved: [] },
  ];
  const apart = { internal: true, mtu: 1400, bridge: "br-c", connected: false, masquerade: false };
  assert.equal(project.networks, [
    plainNetwork("a", "shop_a"),
    { ...plainNetwork("b", "shop_b"), config: { ...PLAIN_NETWORK, ipv6: true, subnets } },
    { ...plainNetwork("c", "shop_c"), labels: { k: "v" }, config: { ...PLAIN_NETWORK, ...apart } },
  ]);
});

it("external networks have the name they were given, the old form too", async () => {
  const { project } = await loadFiles(
    "services: {a: {image: x, networks: [one, two, three]}}\nnetworks: {one: {external: true}, two: {external: true, name: theirs}, three: {external: {name: olds}}}\n",
  );
  assert.equal(
    project.networks.map(({ name, external }) => [name, external]),
    [
      ["one", true],
      ["theirs", true],
      ["olds", true],
    ],
  );
});

it("a network mode is this machine's, none, the shared bridge, another's, or a network by its name", async () => {
  const cases = {
    host: { type: "host" },
    none: { type: "none" },
    bridge: { type: "bridge" },
    "service:db": { type: "service", of: "db" },
    "container:some-db": { type: "container", of: "some-db" },
  } as const;
  for (const [text, mode] of Object.entries(cases)) {
    const { project } = await loadFiles(`services: {web: {image: x, network_mode: '${text}'}, db: {image: x, network_mode: none}}\n`);
    const service = project.services.find(({ name }) => name === "web");
    assert.equal([service?.networkMode, service?.networks], [mode, []]);
    assert.equal(attributesOf(service ?? (await web("")))["network_mode"], text);
  }
  const { project } = await loadFiles(
    "services: {web: {image: x, network_mode: depot_shared}, db: {image: x, network_mode: shop_default}, c: {image: x}}\n",
  );
  assert.equal(
    project.networks.map(({ name, external }) => [name, external]),
    [
      ["shop_default", false],
      ["depot_shared", true],
    ],
  );
  assert.equal(project.services.find(({ name }) => name === "db")?.networks, [plainAttachment("default")]);
});

it("ports of a service on this machine's own network are left out, with a warning", async () => {
  const { project, warnings } = await loadFiles("services: {web: {image: x, network_mode: host, ports: ['80:80']}}\n");
  assert.equal(project.services[0]?.ports, []);
  assert.equal(
    warnings.map(({ code }) => code),
    ["W_PORTS_IGNORED"],
  );
  const inner = await loadFiles("services: {web: {image: x, networks: [n], ports: ['80:80']}}\nnetworks: {n: {internal: true}}\n");
  assert.match(inner.warnings[0]?.message ?? "", /on internal networks only/);
});

it("links are services, and containers of this machine, under another name", async () => {
  const { project } = await loadFiles(
    "services: {web: {image: x, links: [db, 'db:store'], external_links: ['old_1:legacy']}, db: {image: x}}\n",
  );
  assert.equal(project.services.find(({ name }) => name === "web")?.links, [
    { type: "service", of: "db", alias: "db" },
    { type: "service", of: "db", alias: "store" },
    { type: "container", of: "old_1", alias: "legacy" },
  ]);
});

it("what cannot be is refused where it stands", async () => {
  const withNetwork = (service: string, network: string): string =>
    `services: {web: {image: x, networks: {n: ${service}}}}\nnetworks: {n: ${network}}\n`;
  const pool = "{ipam: {config: [{subnet: 10.9.0.0/24}]}}";
  for (const [text, code, words] of [
    [withNetwork("{ipv4_address: 10.9.1.1}", pool), "E_ADDRESS", "not in a subnet"],
    [withNetwork("{ipv4_address: 10.9.0.1}", "{}"), "E_ADDRESS", "the engine's choice"],
    [withNetwork("{ipv6_address: 'fd00::1'}", pool), "E_ADDRESS", "no IPv6"],
    [withNetwork("{ipv4_address: x}", pool), "E_ADDRESS", "no IPv4 address"],
    [withNetwork("{mac_address: '01:42:0a:09:00:07'}", "{}"), "E_VALUE", "hardware address"],
    [withNetwork("{interface_name: 'more than fifteen'}", "{}"), "E_VALUE", "cannot name an interface"],
    [withNetwork("{interface_name: a0, driver_opts: {com.docker.network.endpoint.ifname: b0}}", "{}"), "E_VALUE", "its interface twice"],
    [
      withNetwork("{driver_opts: {com.docker.network.endpoint.sysctls: net.ipv4.conf.eth0.log_martians=1}}", "{}"),
      "E_VALUE",
      "no kernel parameter",
    ],
    [withNetwork("{driver_opts: {com.docker.network.endpoint.sysctls: 'net.ipv4.conf.IFNAME.log_martians'}}", "{}"), "E_VALUE", "IFNAME"],
    [withNetwork("", "{ipam: {config: [{subnet: 10.9.0.0/33}]}}"), "E_VALUE", "must be a subnet"],
    [withNetwork("", "{ipam: {config: [{subnet: 10.9.0.0/24, gateway: 10.8.0.1}]}}"), "E_VALUE", "not in 10.9.0.0/24"],
    [withNetwork("", "{ipam: {config: [{subnet: 10.9.0.0/24}, {subnet: 10.8.0.0/24}]}}"), "E_VALUE", "second IPv4 subnet"],
    [withNetwork("", "{driver: macvlan}"), "E_NETWORK_DRIVER", "bridge networks"],
    [withNetwork("", "{driver_opts: {com.docker.network.driver.mtu: big}}"), "E_VALUE", "68 to 65535"],
    [withNetwork("", "{enable_ipv4: false}"), "E_VALUE", "neither IPv4 nor IPv6"],
    [
      "services: {web: {image: x, network_mode: 'service:db', ports: ['1:1']}, db: {image: x}}\n",
      "E_CONFLICT",
      "its network is that of service",
    ],
    ["services: {web: {image: x, network_mode: none, links: [db]}, db: {image: x}}\n", "E_CONFLICT", "on no network"],
    [
      `services: {a: {image: x, networks: {n: {ipv4_address: 10.9.0.5}}}, b: {image: x, networks: {n: {ipv4_address: 10.9.0.5}}}}\nnetworks: {n: ${pool}}\n`,
      "E_ADDRESS",
      "service `a` has it",
    ],
    [`services: {a: {image: x, scale: 2, networks: {n: {ipv4_address: 10.9.0.5}}}}\nnetworks: {n: ${pool}}\n`, "E_ADDRESS", "2 containers"],
  ] as const) {
    const [first] = await errorsOf(text);
    assert.is(first?.code, code, text);
    assert.ok(first?.message.includes(words), `${first?.message}: ${words}`);
    assert.ok(first?.source !== undefined, text);
  }
});

it.run();
