/** Networks as containers see them from inside and this machine from outside, through the built command. */
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import * as assert from "uvu/assert";
import { inspect } from "../support/listings.ts";
import { hears, inside, project } from "../support/network-projects.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("networks");
const hasIpv6 = existsSync("/proc/sys/net/ipv6");

it("a service is on each of its networks, in Compose's order, and finds there who else is on it", inWorld(several));

it("an address, a hardware address and an interface's name are had as asked for, and kept by a replacement", inWorld(fixed));

it("an internal network has no way out and none in, and this machine reaches it", inWorld(internal));

it("IPv6 addresses are given and used, and there is a way out for them", inWorld(ipv6));

it("networks do not reach each other, nor containers of one that keeps them apart", inWorld(isolation));

it("a network of this machine's, none, another container's, or the one that all projects share", inWorld(modes));

it.run();

async function several(world: World): Promise<void> {
  const cwd = await project(world, {
    services: {
      web: "networks: { back: { aliases: [page] }, front: { priority: 5 } }",
      db: "networks: { back: }",
      proxy: "networks: [front]",
    },
    networks: "back: , front: { driver_opts: { com.docker.network.driver.mtu: 1280 } }, nobody: ",
  });
  await world.ok(["up", "-d"], { cwd });
  const address = await inside(
    world,
    cwd,
    "web",
    "ip -o -4 addr show | cut -d' ' -f2 | tr '\\n' ' '; cat /sys/class/net/eth*/mtu | tr '\\n' ' '",
  );
  assert.is(address.trim(), "lo eth0 eth1 1280 1500");
  const networks = (await inspect(world, "shop-web-1")).NetworkSettings.Networks;
  assert.equal(Object.keys(networks), ["shop_front", "shop_back"]);
  // The way out is by name, whatever was joined first.
  const gateway = networks["shop_back"]?.Gateway ?? "";
  assert.match(await inside(world, cwd, "web", "ip route | grep default"), new RegExp(`default via ${gateway} dev eth1`));
  assert.is(await inside(world, cwd, "db", "ping -c1 -W2 page > /dev/null && echo page"), "page\n");
  assert.is(await inside(world, cwd, "proxy", "ping -c1 -W2 web > /dev/null && echo web; grep -c -w page /etc/hosts"), "web\n0\n");
  assert.is(await inside(world, cwd, "proxy", "grep -c -w db /etc/hosts"), "0\n");
  assert.not.ok(existsSync(`${world.root}/networks/shop_nobody.json`));
  await world.ok(["down"], { cwd });
}

async function fixed(world: World): Promise<void> {
  const spec = (color: string) => ({
    services: {
      db: `environment: { COLOR: ${color} }\n    networks: { back: { ipv4_address: 10.211.7.2, interface_name: data0, mac_address: "02:42:0A:D3:07:77", driver_opts: { com.docker.network.endpoint.sysctls: "net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.neigh.IFNAME.retrans_time_ms=2000" } } }`,
      web: "networks: [back]",
      log: "networks: [back]",
    },
    networks:
      "back: { ipam: { config: [ { subnet: 10.211.7.0/24, ip_range: 10.211.7.0/29, gateway: 10.211.7.254, aux_addresses: { r: 10.211.7.1 } } ] } }",
  });
  const option = "com.docker.network.endpoint.sysctls: net.ipv4.conf.IFNAME.nothing_of_that_name=1";
  const odd = await project(world, { services: { web: `networks: { default: { driver_opts: { ${option} } } }` } });
  assert.match((await world.wharf(["up", "-d"], { cwd: odd })).stderr, /E_MACHINE[\s\S]*nothing_of_that_name/);
  const cwd = await project(world, spec("red"));
  await world.ok(["up", "-d"], { cwd });
  const look =
    "ip -o addr show data0 | grep -o '10[0-9.]*/24'; cat /sys/class/net/data0/address; cat /proc/sys/net/ipv4/conf/data0/log_martians /proc/sys/net/ipv4/neigh/data0/retrans_time_ms; ip route | grep default";
  const seen = "10.211.7.2/24\n02:42:0a:d3:07:77\n1\n2000\ndefault via 10.211.7.254 dev data0 \n";
  assert.is(await inside(world, cwd, "db", look), seen);
  const others = await Promise.all(
    ["web", "log"].map((service) => inside(world, cwd, service, "ip -o -4 addr show eth0 | grep -o '10[0-9.]*/24'")),
  );
  assert.equal(others.sort(), ["10.211.7.3/24\n", "10.211.7.4/24\n"]);
  await project(world, spec("blue"));
  await world.ok(["up", "-d"], { cwd });
  assert.is(await inside(world, cwd, "db", look), seen);
  assert.is(await inside(world, cwd, "web", "ping -c1 -W2 db > /dev/null && echo db"), "db\n");
  const { Networks } = (await inspect(world, "shop-db-1")).NetworkSettings;
  assert.equal(Networks["shop_back"]?.IPAMConfig, { IPv4Address: "10.211.7.2" });
  await world.ok(["down"], { cwd });
}

async function internal(world: World): Promise<void> {
  const cwd = await project(world, {
    services: { inner: "networks: [back]\n    ports: ['127.0.0.1::7000']", other: "networks: [back]", outer: "" },
    networks: "back: { internal: true }, default: ",
  });
  await world.ok(["up", "-d"], { cwd });
  const { Networks } = (await inspect(world, "shop-inner-1")).NetworkSettings;
  const address = Networks["shop_back"]?.IPAddress ?? "";
  await world.ok(["exec", "-d", "inner", "nc", "-ll", "-p", "7000", "-e", "echo", "hello"], { cwd });
  assert.is(await inside(world, cwd, "inner", "ip route | grep -c default"), "0\n");
  assert.is(await inside(world, cwd, "other", "nc inner 7000 < /dev/null"), "hello\n");
  assert.is(await hears(address, 7000), "hello\n");
  // Even one that gives itself a way out finds none.
  const outer = (await inspect(world, "shop-outer-1")).NetworkSettings.Networks["shop_default"]?.IPAddress ?? "";
  const tries = await world.wharf(
    [
      "exec",
      "-T",
      "--privileged",
      "inner",
      "sh",
      "-c",
      `ip route add default via ${Networks["shop_back"]?.Gateway}; ping -c1 -W1 ${outer}`,
    ],
    { cwd },
  );
  assert.match(tries.stdout, /100% packet loss/);
  await world.ok(["down"], { cwd });
}

async function ipv6(world: World): Promise<void> {
  if (!hasIpv6) return console.log("networks: IPv6 skipped, this kernel has none");
  const cwd = await project(world, {
    services: {
      db: 'networks: { six: { ipv6_address: "fd4e:9::10" } }',
      web: "networks: { six: , chosen: }",
      only: "networks: { bare: }",
      plain: "networks: { four: }",
    },
    networks:
      'six: { enable_ipv6: true, ipam: { config: [ { subnet: "fd4e:9::/64", gateway: "fd4e:9::fe" } ] } }, chosen: { enable_ipv6: true }, bare: { enable_ipv4: false, enable_ipv6: true }, four: ',
  });
  await world.ok(["up", "-d"], { cwd });
  assert.is(await inside(world, cwd, "db", "ip -o -6 addr show dev eth0 scope global | grep -o 'fd[0-9a-f:/]*'"), "fd4e:9::10/64\n");
  assert.match(await inside(world, cwd, "db", "ip -6 route | grep default"), /default via fd4e:9::fe dev eth0/);
  assert.is(
    await inside(world, cwd, "web", "ping -6 -c1 -W2 fd4e:9::10 > /dev/null && echo six; grep -w db /etc/hosts | cut -f1"),
    `six\n${await hostsOf(world, "shop-db-1", "shop_six")}`,
  );
  const chosen = (await inspect(world, "shop-web-1")).NetworkSettings.Networks["shop_chosen"];
  assert.match(chosen?.GlobalIPv6Address ?? "", /^fd[0-9a-f:]+::2$/);
  assert.is(chosen?.GlobalIPv6PrefixLen, 64);
  assert.is(await inside(world, cwd, "only", "ip -o -4 addr show dev eth0; ip -o -6 addr show dev eth0 scope global | wc -l"), "1\n");
  assert.is(await inside(world, cwd, "plain", "ip -o -6 addr show dev eth0"), "");
  await world.ok(["exec", "-d", "db", "nc", "-ll", "-p", "7006", "-e", "echo", "six"], { cwd });
  assert.is(await hears("fd4e:9::10", 7006), "six\n");
  // What is not on its networks is out of reach.
  const only = (await inspect(world, "shop-only-1")).NetworkSettings.Networks["shop_bare"]?.GlobalIPv6Address ?? "";
  assert.match((await world.wharf(["exec", "-T", "web", "ping", "-6", "-c1", "-W1", only], { cwd })).stdout, /100% packet loss/);
  await world.ok(["down"], { cwd });
}

async function isolation(world: World): Promise<void> {
  const cwd = await project(world, {
    services: {
      a: "networks: [one]",
      b: "networks: [two]",
      c: "networks: [apart]",
      d: "networks: [apart]\n    ports: ['127.0.0.1:0:7000']",
    },
    networks: 'one: , two: , apart: { driver_opts: { com.docker.network.bridge.enable_icc: "false" } }',
  });
  await world.ok(["up", "-d"], { cwd });
  const address = async (service: string, network: string): Promise<string> =>
    (await inspect(world, `shop-${service}-1`)).NetworkSettings.Networks[`shop_${network}`]?.IPAddress ?? "";
  const reach = async (from: string, to: string): Promise<string> =>
    /(\d+)% packet loss/.exec((await world.wharf(["exec", "-T", from, "ping", "-c1", "-W1", to], { cwd })).stdout)?.[1] ?? "nothing";
  assert.is(await reach("a", await address("b", "two")), "100");
  assert.is(await reach("c", await address("d", "apart")), "100");
  const gateway = (await inspect(world, "shop-c-1")).NetworkSettings.Networks["shop_apart"]?.Gateway ?? "";
  assert.is(await reach("c", gateway), "0");
  await world.ok(["exec", "-d", "d", "nc", "-ll", "-p", "7000", "-e", "echo", "apart"], { cwd });
  assert.is(await hears(await address("d", "apart"), 7000), "apart\n");
  await world.ok(["down"], { cwd });
}

async function modes(world: World): Promise<void> {
  const cwd = await project(world, {
    services: {
      web: "ports: ['127.0.0.1::7000']",
      host: "network_mode: host\n    ports: ['7001:7001']",
      none: "network_mode: none",
      side: "network_mode: service:web",
      named: "network_mode: container:shop-web-1\n    depends_on: [web]",
      bridged: "network_mode: bridge\n    ports: ['127.0.0.1::7002']",
      by_name: "network_mode: shop_default",
    },
  });
  const { stderr } = await world.wharf(["up", "-d"], { cwd });
  assert.match(stderr, /W_PORTS_IGNORED/);
  const namespaces = await Promise.all(
    ["web", "side", "named", "host", "none"].map(async (service) =>
      (await inside(world, cwd, service, "readlink /proc/self/ns/net")).trim(),
    ),
  );
  const [web, side, named, host, none] = namespaces;
  assert.equal([side, named], [web, web]);
  assert.is(host, readlinkSync("/proc/self/ns/net"));
  assert.is(await inside(world, cwd, "none", "ls /sys/class/net; wc -l < /proc/net/route"), "lo\n1\n");
  assert.not.equal(none, host);
  for (const file of ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"])
    assert.is(await inside(world, cwd, "side", `cat ${file}; hostname`), await inside(world, cwd, "web", `cat ${file}; hostname`));
  assert.is(await inside(world, cwd, "host", "hostname"), readFileSync("/proc/sys/kernel/hostname", "utf8"));
  const modesSeen = await Promise.all(
    ["web", "side", "host", "none", "bridged", "by_name"].map(
      async (service) => (await inspect(world, `shop-${service}-1`)).HostConfig["NetworkMode"],
    ),
  );
  assert.equal(modesSeen, ["shop_default", "service:web", "host", "none", "bridge", "shop_default"]);
  assert.is(await inside(world, cwd, "by_name", "ping -c1 -W2 web > /dev/null && echo web"), "web\n");
  assert.is(await inside(world, cwd, "bridged", "grep -c web /etc/hosts; ip -o -4 addr show eth0 | wc -l"), "0\n1\n");
  await world.ok(["exec", "-d", "bridged", "nc", "-ll", "-p", "7002", "-e", "echo", "bridged"], { cwd });
  const [, number] = (await world.ok(["port", "bridged", "7002"], { cwd })).trim().split(":");
  assert.is(await hears("127.0.0.1", Number(number)), "bridged\n");
  await world.ok(["down"], { cwd });
}

/** The addresses of a container in a network, a line each. */
async function hostsOf(world: World, name: string, network: string): Promise<string> {
  const found = (await inspect(world, name)).NetworkSettings.Networks[network];
  return `${found?.IPAddress}\n${found?.GlobalIPv6Address}\n`;
}
