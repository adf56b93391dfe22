/** Names, as programs in containers see them: with busybox's own tools, against what this machine knows of the networks. */
import { spawn } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { Listener } from "../../src/engines/oci/supervisor/dns/listener.ts";
import { parseQuery, reply } from "../../src/engines/oci/supervisor/dns/message.ts";
import { withMachine } from "../support/machine.ts";
import { withOutside } from "../support/outside.ts";
import { busyboxRootfs } from "../support/rootfs.ts";
import { killSupervisors, supervisors } from "../support/supervisors.ts";
import { until } from "../support/until.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("names");

it(
  "a service, its containers and their numbers are found by name and by address",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d"], { cwd });
    const ask = (...argv: readonly string[]): Promise<string> => inside(world, cwd, ...argv);
    const gateway = gatewayOf(world, "names_default");
    assert.match(await ask("cat", "/etc/resolv.conf"), new RegExp(`^nameserver ${gateway}\n(search .*\n)?options (.* )?ndots:0\n$`));
    const [b = ""] = await addressesIn(ask("nslookup", "b"));
    assert.equal(await addressesIn(ask("nslookup", "names-b-1")), [b]);
    assert.equal(await addressesIn(ask("nslookup", "B.names_default")), [b]);
    assert.match(await ask("nslookup", b), /name = names-b-1\.names_default/);
    assert.is((await addressesIn(ask("nslookup", "c"))).length, 3, "each replica has its address");
    assert.match(await ask("ping", "-c", "1", "-W", "5", "b"), /1 packets received/);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "replicas take turns, and one that is gone is not named any more",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d"], { cwd });
    const found = new Set<string>();
    await until("every replica comes first once", async () => {
      found.add((await addressesIn(inside(world, cwd, "nslookup", "c")))[0] ?? "");
      return found.size === 3;
    });
    await world.ok(["up", "-d", "--scale", "c=1"], { cwd });
    await until("one is left", async () => (await addressesIn(inside(world, cwd, "nslookup", "c"))).length === 1);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "a program that asks as soon as it begins has an answer",
  inWorld(async (world) => {
    await furnish(world);
    const cwd = await world.project("early", {
      "wharf.yaml": `services:
  a: { image: shell }
  b: { image: shell, command: [nslookup, a], depends_on: [a] }
`,
    });
    await world.ok(["up", "-d"], { cwd });
    await world.ok(["wait", "b"], { cwd });
    const logs = await world.ok(["logs", "--no-log-prefix", "b"], { cwd });
    assert.match(logs, /Address:\s+10\./);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "without the supervisor names of one container are still found, and any command brings the rest back",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d"], { cwd });
    killSupervisors(world);
    await until("its end", async () => supervisors(world).length === 0);
    const hosts = await world.ok(["exec", "-T", "a", "cat", "/etc/hosts"], { cwd });
    assert.match(hosts, /^10\.[0-9.]+\t.*\bb\b/m);
    assert.not.match(hosts, /\tc\b| c\b/m, "a hosts file would always give the same one of several");
    await world.ok(["ps"], { cwd });
    await until("names of several", async () => (await addressesIn(inside(world, cwd, "nslookup", "c"))).length === 3);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "what nobody here is called goes to the servers of this machine",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d"], { cwd });
    const [server = ""] = /^nameserver\s+(\S+)/m.exec(readFileSync("/etc/resolv.conf", "utf8"))?.slice(1) ?? [];
    const direct = await outcomeOf(server);
    assert.is(await outcomeOf(gatewayOf(world, "names_default")), direct);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "another project's names are not told",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d", "a"], { cwd });
    await world.ok(["-p", "other", "up", "-d", "b"], { cwd });
    const { status, stdout } = await world.wharf(["exec", "-T", "a", "nslookup", "other-b-1.other_default"], { cwd });
    assert.is.not(status, 0, stdout);
    assert.equal(await addressesIn(world.ok(["-p", "other", "exec", "-T", "b", "nslookup", "b"], { cwd })), [
      ipOf(await world.ok(["-p", "other", "inspect", "other-b-1"], { cwd })),
    ]);
    await world.ok(["down", "-t", "0"], { cwd });
    await world.ok(["-p", "other", "down", "-t", "0"], { cwd });
  }),
);

it(
  "a service's own servers, domains and options count for it",
  inWorld(async (world) => {
    await furnish(world);
    await withOutside(async ({ host }) => {
      const cwd = await world.project("own", {
        "wharf.yaml": `services:
  a: { image: shell, init: true, dns: ${host}, dns_search: [here.example, more.example], dns_opt: ["ndots:1", "timeout:3"] }
  b: { image: shell, init: true }
`,
      });
      const server = await Listener.open({ address: host, port: 53 }, (message) => {
        const query = parseQuery(message);
        if (query === null || typeof query === "number") return null;
        const answers = query.name === "only.here.example" ? [{ type: 1, data: Buffer.of(192, 0, 2, 44) }] : [];
        return reply(query, { code: answers.length > 0 ? 0 : 3, ttl: 1, limit: 512, answers });
      });
      await world.ok(["up", "-d"], { cwd });
      const gateway = gatewayOf(world, "own_default");
      assert.is(
        await inside(world, cwd, "cat", "/etc/resolv.conf"),
        `nameserver ${gateway}\nsearch here.example more.example\noptions ndots:1 timeout:3\n`,
      );
      assert.match(await inside(world, cwd, "nslookup", "-type=a", "only.here.example"), /192\.0\.2\.44/);
      assert.match(await inside(world, cwd, "ping", "-c", "1", "-W", "5", "b"), /1 packets received/);
      const others = await world.wharf(["exec", "-T", "b", "nslookup", "-type=a", "only.here.example"], { cwd });
      assert.not.match(others.stdout, /192\.0\.2\.44/, "they are nobody else's");
      const { HostConfig } = JSON.parse(await world.ok(["inspect", "own-a-1"], { cwd }))[0];
      assert.equal([HostConfig.Dns, HostConfig.DnsSearch], [[host], ["here.example", "more.example"]]);
      await world.ok(["down", "-t", "0"], { cwd });
      server.close();
    });
  }),
);

it(
  "on a network that projects share both find each other, and who is left goes on when the other one is gone",
  inWorld(async (world) => {
    await furnish(world);
    const first = await world.project("first", {
      "wharf.yaml": `services:
  a: { image: shell, init: true, networks: { meeting: { aliases: [speaker] } } }
networks: { meeting: { name: meeting } }
`,
    });
    const second = await world.project("second", {
      "wharf.yaml": `services:
  b: { image: shell, init: true, networks: [meeting, default] }
  c: { image: shell, init: true }
networks: { meeting: { external: true } }
`,
    });
    await world.ok(["up", "-d"], { cwd: first });
    await world.ok(["up", "-d"], { cwd: second });
    const look = (service: string, name: string): Promise<number> =>
      world.wharf(["exec", "-T", service, "nslookup", name], { cwd: service === "a" ? first : second }).then(({ status }) => status);
    assert.is(await look("b", "speaker"), 0);
    assert.is(await look("a", "b"), 0);
    assert.is(await look("b", "c"), 0, "its other network is answered for by its own supervisor");
    assert.is.not(await look("a", "c"), 0, "nobody sees a network that it is not on");
    await world.ok(["rm", "-s", "-f"], { cwd: first });
    await until("an answer of the other supervisor", async () => (await look("b", "b.meeting")) === 0);
    assert.is.not(await look("b", "speaker"), 0);
    await world.ok(["down", "-t", "0"], { cwd: second });
    await world.ok(["down", "-t", "0"], { cwd: first });
  }),
);

it(
  "on an internal network names are found, and nothing is asked outside",
  inWorld(async (world) => {
    await furnish(world);
    const cwd = await world.project("inner", {
      "wharf.yaml": `services:
  a: { image: shell, init: true }
  b: { image: shell, init: true }
networks: { default: { internal: true } }
`,
    });
    await world.ok(["up", "-d"], { cwd });
    assert.match(await inside(world, cwd, "ping", "-c", "1", "-W", "5", "b"), /1 packets received/);
    assert.match((await world.wharf(["exec", "-T", "a", "nslookup", "outside.example"], { cwd })).stdout, /NXDOMAIN/);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "beside a name server of this machine at every address names are found all the same",
  inWorld(async (world) => {
    await withMachine(async (machine) => {
      const [command = "", ...argv] = machine.prefix;
      const script = `const {createSocket}=require("node:dgram"),{createServer}=require("node:net");
createSocket("udp4").bind(53,()=>createServer().listen(53,"0.0.0.0",()=>console.log("up")))`;
      const other = spawn(command, [...argv, process.execPath, "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
      await once(other.stdout, "data");
      const cwd = await project(world);
      await machine.ok(world, ["up", "-d"], { cwd });
      const ask = (): Promise<{ readonly stdout: string }> =>
        machine.wharf(world, ["exec", "-T", "a", "nslookup", "-type=a", "c"], { cwd });
      await until("three addresses", async () => ((await ask()).stdout.match(/^Address: 10\./gm) ?? []).length === 3);
      other.kill();
      await once(other, "exit");
      await machine.ok(world, ["down", "-t", "0"], { cwd });
    });
  }),
);

it.run();

const inside = (world: World, cwd: string, ...argv: readonly string[]): Promise<string> => world.ok(["exec", "-T", "a", ...argv], { cwd });

async function furnish(world: World): Promise<void> {
  await world.ok(["image", "import", "-", "shell", "--cmd", "sleep 1000"], { input: busyboxRootfs() });
}

async function project(world: World): Promise<string> {
  await furnish(world);
  return world.project("names", {
    "wharf.yaml": `services:
  a: { image: shell, init: true }
  b: { image: shell, init: true }
  c: { image: shell, init: true, scale: 3 }
`,
  });
}

/** The addresses that busybox's nslookup prints, without the server's own. */
async function addressesIn(output: Promise<string>): Promise<readonly string[]> {
  return [...(await output).matchAll(/^Address: (\S+)$/gm)].map(([, address = ""]) => address);
}

function gatewayOf(world: World, network: string): string {
  const record: { ipv4: { gateway: string } } = JSON.parse(readFileSync(join(world.root, "networks", `${network}.json`), "utf8"));
  return record.ipv4.gateway;
}

function ipOf(inspected: string): string {
  return /"IPAddress":\s*"([0-9.]+)"/.exec(inspected)?.[1] ?? "";
}

/** What a server says of a name that nobody has. */
async function outcomeOf(server: string): Promise<string> {
  const resolver = new Resolver({ timeout: 6000, tries: 1 });
  resolver.setServers([server]);
  return resolver.resolve4("no-such-name.invalid").then(
    () => "answered",
    (error: NodeJS.ErrnoException) => error.code ?? "unknown",
  );
}
