/** Published ports from everywhere that they may be asked from, and from where they may not. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { run } from "../../src/lib/process.ts";
import { inspect, ps } from "../support/listings.ts";
import { withMachine } from "../support/machine.ts";
import { type Outside, withOutside } from "../support/outside.ts";
import { freePort } from "../support/registry.ts";
import { busyboxRootfs } from "../support/rootfs.ts";
import { until } from "../support/until.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("published ports");
const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ family }) => family === "IPv6"));

it(
  "a port is open at every address of this machine, for others on the wire, and for containers",
  inWorld(async (world) => {
    await withOutside(async (outside) => {
      const port = await freePort();
      const cwd = await project(world, `ports: ["${port}:80"]`);
      await world.ok(["up", "-d"], { cwd });
      const gateway = /^nameserver (\S+)/m.exec(await world.ok(["exec", "-T", "web", "cat", "/etc/resolv.conf"], { cwd }))?.[1] ?? "";
      for (const host of ["127.0.0.1", "127.9.9.9", outside.host, gateway]) await answers(`http://${host}:${port}/`);
      if (HAS_IPV6) for (const host of ["[::1]", `[${outside.host6}]`]) await answers(`http://${host}:${port}/`);
      assert.is(from(outside, `http://${outside.host}:${port}/`), "hello\n");
      if (HAS_IPV6) assert.is(from(outside, `http://[${outside.host6}]:${port}/`), "hello\n");
      for (const service of ["web", "other"])
        assert.is(await world.ok(["exec", "-T", service, "wget", "-q", "-O", "-", `http://${gateway}:${port}/`], { cwd }), "hello\n");
      await world.ok(["down", "-t", "0"], { cwd });
    });
  }),
);

it(
  "a container with an address of IPv6 is reached by it",
  inWorld(async (world) => {
    if (!HAS_IPV6) return;
    await withOutside(async (outside) => {
      const port = await freePort();
      const cwd = await project(world, `ports: ["${port}:80"]`, "networks: { default: { enable_ipv6: true } }\n");
      await world.ok(["up", "-d"], { cwd });
      for (const host of ["127.0.0.1", "[::1]", `[${outside.host6}]`]) await answers(`http://${host}:${port}/`);
      assert.is(from(outside, `http://[${outside.host6}]:${port}/`), "hello\n");
      const { stderr: log } = await world.wharf(["logs", "--no-log-prefix", "web"], { cwd });
      assert.match(log, new RegExp(outside.address6), `it sees who asks: ${log}`);
      await world.ok(["down", "-t", "0"], { cwd });
    });
  }),
);

it(
  "a port leads to a container only once that is connected: who comes earlier is refused, and does not wait",
  inWorld(async (world) => {
    const port = await freePort();
    const cwd = await project(world, `ports: ["${port}:80"]`);
    await world.ok(["create"], { cwd });
    const { Id } = await inspect(world, "ports-web-1");
    const table = `wharf_${createHash("sha256").update(realpathSync(world.root)).digest("hex").slice(0, 8)}`;
    let isOver = false;
    const started = world.ok(["start"], { cwd }).finally(() => {
      isOver = true;
    });
    for (let isLed = false; !isOver && !isLed; ) {
      const { stdout } = await run("nft", ["list", "table", "ip", table]);
      isLed = stdout.includes(`tcp . ${port} :`);
      if (isLed) assert.ok(existsSync(`/sys/class/net/wv${Id.slice(0, 10)}0`), "it has its interface");
    }
    await started;
    await answers(`http://127.0.0.1:${port}/`);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "a port on loopback is closed for everybody else, and an unpublished one for everybody but containers",
  inWorld(async (world) => {
    await withOutside(async (outside) => {
      const [four, six] = [await freePort(), await freePort()];
      const cwd = await project(world, `ports: ["127.0.0.1:${four}:80", "[::1]:${six}:80"]`);
      await world.ok(["up", "-d"], { cwd });
      await answers(`http://127.0.0.1:${four}/`);
      if (HAS_IPV6) await answers(`http://[::1]:${six}/`);
      const address = /"IPAddress": "(10\.[^"]+)"/.exec(await world.ok(["inspect", "ports-web-1"], { cwd }))?.[1] ?? "";
      const closed = [`127.0.0.1:${four}`, `${outside.host}:${four}`, `[${outside.host6}]:${six}`, `${address}:80`];
      for (const place of closed) assert.is(from(outside, `http://${place}/`), null, place);
      await world.ok(["down", "-t", "0"], { cwd });
    });
  }),
);

it(
  "others see that the port is taken, and that it is free again as soon as stop is back",
  inWorld(async (world) => {
    const port = await freePort();
    const cwd = await project(world, `ports: ["${port}:80"]`);
    await world.ok(["up", "-d"], { cwd });
    for (const host of HAS_IPV6 ? ["0.0.0.0", "127.0.0.1", "::", "::1"] : ["0.0.0.0", "127.0.0.1"])
      await until(`${host} is taken`, async () => (await listen(host, port)) === "EADDRINUSE");
    await world.ok(["up", "-d", "--force-recreate"], { cwd });
    await answers(`http://127.0.0.1:${port}/`);
    await world.ok(["stop", "-t", "0"], { cwd });
    assert.is(await listen("0.0.0.0", port), null);
    await world.ok(["down"], { cwd });
  }),
);

it(
  "who has a port is named before anything is made, whatever family it listens at",
  inWorld(async (world) => {
    for (const host of HAS_IPV6 ? ["0.0.0.0", "::", "::1"] : ["0.0.0.0"]) {
      const server = createServer();
      server.listen(0, host);
      await once(server, "listening");
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const cwd = await project(world, `ports: ["${port}:80"]`);
      const { status, stderr } = await world.wharf(["up", "-d"], { cwd });
      assert.is.not(status, 0);
      assert.match(stderr, new RegExp(`process ${process.pid} \\(`), host);
      assert.equal(await ps(world, ["-a"], { cwd }), []);
      server.close();
      await once(server, "close");
    }
  }),
);

it(
  "datagrams come and go, by IPv6 too",
  inWorld(async (world) => {
    const port = await freePort();
    const cwd = await project(world, `ports: ["${port}:9/udp"]`);
    await world.ok(["up", "-d"], { cwd });
    const clients = (HAS_IPV6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"]).map((host) => new Client(host, port));
    await echoing(world, cwd, async () => {
      for (const client of clients) await until(`an answer at ${client.host}`, async () => (await client.ask()) === "pong ping");
    });
    // A client that goes on sending from where it did is led to the new container.
    await world.ok(["up", "-d", "--force-recreate", "-t", "0", "web"], { cwd });
    await echoing(world, cwd, async () => {
      for (const client of clients)
        await until(`an answer of the next one at ${client.host}`, async () => (await client.ask()) === "pong ping");
    });
    for (const client of clients) client.close();
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "one port of two addresses is had by two containers, and one of them goes to a third address in place",
  inWorld(async (world) => {
    const number = await freePort();
    const api = (host: string): string =>
      `  api: {image: shell, init: true, command: [sh, -c, "mkdir -p /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www"], ports: ["${host}:${number}:80"]}`;
    const ports = (host: string): string => `ports: ["${host}:${number}:80"]`;
    const cwd = await project(world, ports("127.0.0.1"), api("127.0.0.2"));
    await world.ok(["up", "-d"], { cwd });
    const { Id, State } = await inspect(world, "ports-web-1");
    for (const host of ["127.0.0.1", "127.0.0.2"]) await answers(`http://${host}:${number}/`);
    const move = (from: string, to: string): void =>
      writeFileSync(join(cwd, "wharf.yaml"), readFileSync(join(cwd, "wharf.yaml"), "utf8").replace(ports(from), ports(to)));
    move("127.0.0.1", "127.0.0.3");
    await world.ok(["up", "-d"], { cwd });
    for (const host of ["127.0.0.3", "127.0.0.2"]) await answers(`http://${host}:${number}/`);
    const after = await inspect(world, "ports-web-1");
    assert.equal([after.Id, after.State.Pid], [Id, State.Pid]);
    move("127.0.0.3", "0.0.0.0");
    assert.match((await world.wharf(["up", "-d"], { cwd })).stderr, /E_PORT_CONFLICT/);
    await world.ok(["-p", "ports", "down", "-t", "0"], { cwd: world.root });
  }),
);

it(
  "every address of both families is shown where nothing is said of them",
  inWorld(async (world) => {
    const [any, four] = [await freePort(), await freePort()];
    const cwd = await project(world, `ports: ["${any}:80", "0.0.0.0:${four}:81"]`);
    await world.ok(["up", "-d"], { cwd });
    const { NetworkSettings, HostConfig } = JSON.parse(await world.ok(["inspect", "ports-web-1"], { cwd }))[0];
    const both = [{ HostIp: "0.0.0.0", HostPort: String(any) }, ...(HAS_IPV6 ? [{ HostIp: "::", HostPort: String(any) }] : [])];
    assert.equal(NetworkSettings.Ports, { "80/tcp": both, "81/tcp": [{ HostIp: "0.0.0.0", HostPort: String(four) }] });
    assert.equal(HostConfig.PortBindings["80/tcp"], [{ HostIp: "", HostPort: String(any) }]);
    const lines = [`0.0.0.0:${any}`, ...(HAS_IPV6 ? [`[::]:${any}`] : [])];
    assert.is(await world.ok(["port", "web", "80"], { cwd }), `${lines.join("\n")}\n`);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "a container may serve port 53 of this machine, and names go on being found",
  inWorld(async (world) => {
    await withMachine(async (machine) => {
      const cwd = await project(world, 'ports: ["53:80", "53:9/udp"]');
      await machine.ok(world, ["up", "-d"], { cwd });
      await until("a name", async () => (await machine.wharf(world, ["exec", "-T", "other", "nslookup", "web"], { cwd })).status === 0);
      await until("an answer at port 53", async () => {
        const { stdout } = await machine.wharf(world, ["exec", "-T", "other", "wget", "-q", "-O", "-", "http://web/"], { cwd });
        return stdout === "hello\n";
      });
      assert.is(machine.run("busybox", "wget", "-q", "-O", "-", "http://127.0.0.1:53/"), "hello\n");
      await machine.ok(world, ["down", "-t", "0"], { cwd });
    });
  }),
);

it.run();

/** A service that says hello on port 80, and one beside it. */
async function project(world: World, attributes: string, more = ""): Promise<string> {
  await world.ok(["image", "import", "-", "shell", "--cmd", "sleep 1000"], { input: busyboxRootfs() });
  return world.project("ports", {
    "wharf.yaml": `services:
  web:
    image: shell
    init: true
    command: [sh, -c, "mkdir -p /www && echo hello > /www/index.html && exec httpd -vv -f -p 80 -h /www"]
    ${attributes}
  other: { image: shell, init: true }
${more}`,
  });
}

async function answers(url: string): Promise<void> {
  await until(`an answer at ${url}`, async () => {
    try {
      return (await (await fetch(url, { signal: AbortSignal.timeout(2000) })).text()) === "hello\n";
    } catch (error) {
      if (error instanceof Error) return false; // not yet
      throw error;
    }
  });
}

/** What another machine gets; `null`: nothing. */
function from(outside: Outside, url: string): string | null {
  const script = `fetch(${JSON.stringify(url)},{signal:AbortSignal.timeout(2000)}).then(r=>r.text()).then(t=>process.stdout.write(t),()=>process.exit(7))`;
  const { status, stdout } = outside.run([process.execPath, "-e", script]);
  return status === 0 ? stdout : null;
}

/** Why one cannot listen there; `null`: one can. */
async function listen(host: string, port: number): Promise<string | null> {
  const server = createServer();
  const outcome = new Promise<string | null>((resolve) => {
    server.once("listening", () => resolve(null));
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown"));
  });
  server.listen({ host, port, ipv6Only: host.includes(":") });
  const code = await outcome;
  if (code === null) {
    server.close();
    await once(server, "close");
  }
  return code;
}

/** Sends from one place, whoever answers. */
class Client {
  readonly host: string;
  readonly #port: number;
  readonly #socket: Socket;

  constructor(host: string, port: number) {
    this.host = host;
    this.#port = port;
    this.#socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    this.#socket.on("error", () => {});
  }

  /** The answer to one datagram, or `null` when none comes in half a second. */
  async ask(): Promise<string | null> {
    this.#socket.send("ping", this.#port, this.host);
    return Promise.race([
      once(this.#socket, "message").then(([message]) => String(message)),
      new Promise<null>((resolve) => setTimeout(() => resolve(null), 500)),
    ]);
  }

  close(): void {
    this.#socket.close();
  }
}

/** With a program in the network of the container that sends back what comes to port 9. */
async function echoing(world: World, cwd: string, body: () => Promise<void>): Promise<void> {
  const pid = /"Pid": (\d+)/.exec(await world.ok(["inspect", "ports-web-1"], { cwd }))?.[1] ?? "";
  const echo = `const s=require("node:dgram").createSocket("udp4");s.on("message",(m,f)=>s.send("pong "+m,f.port,f.address));s.bind(9,()=>console.log("up"))`;
  const server = spawn("nsenter", ["-t", pid, "-n", process.execPath, "-e", echo], { stdio: ["ignore", "pipe", "inherit"] });
  await once(server.stdout, "data");
  try {
    await body();
  } finally {
    server.kill();
    await once(server, "exit");
  }
}
