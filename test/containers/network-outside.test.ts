/** The way between containers and another machine, of both families. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as assert from "uvu/assert";
import { inspect } from "../support/listings.ts";
import { inside, project } from "../support/network-projects.ts";
import { type Outside, withOutside } from "../support/outside.ts";
import { until } from "../support/until.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("networks and another machine");
const hasIpv6 = existsSync("/proc/sys/net/ipv6");

it("who leaves has this machine's address, or its own where that is asked for; from an internal network nobody leaves", inWorld(leaving));

it("nobody gets in but by published ports", inWorld(entering));

it.run();

async function leaving(world: World): Promise<void> {
  const cwd = await project(world, {
    services: { web: "networks: [open]", plain: "networks: [bare]", inner: "networks: [closed]" },
    networks: `open: { enable_ipv6: ${hasIpv6} }, bare: { driver_opts: { com.docker.network.bridge.enable_ip_masquerade: "false" } }, closed: { internal: true }`,
  });
  await withOutside(async (outside) => {
    await world.ok(["up", "-d"], { cwd });
    await withMirror(outside, async () => {
      const ask = (service: string, address: string) => inside(world, cwd, service, `timeout 3 nc ${address} 7100 < /dev/null`);
      assert.is(await ask("web", outside.address), `${outside.host}\n`);
      const own = (await inspect(world, "shop-plain-1")).NetworkSettings.Networks["shop_bare"]?.IPAddress;
      assert.is(await ask("plain", outside.address), `${own}\n`);
      assert.is(await ask("inner", outside.address), "");
      if (hasIpv6) assert.is(await ask("web", outside.address6), `${outside.host6}\n`);
    });
    await world.ok(["down"], { cwd });
  });
}

async function entering(world: World): Promise<void> {
  const cwd = await project(world, {
    services: { web: "networks: [open]\n    ports: ['7000']", plain: "networks: [bare]" },
    networks: `open: { enable_ipv6: ${hasIpv6} }, bare: { driver_opts: { com.docker.network.bridge.enable_ip_masquerade: "false" } }`,
  });
  await withOutside(async (outside) => {
    await world.ok(["up", "-d"], { cwd });
    for (const service of ["web", "plain"])
      await world.ok(["exec", "-d", service, "nc", "-ll", "-p", "7000", "-e", "echo", service], { cwd });
    const seen = (await inspect(world, "shop-web-1")).NetworkSettings.Networks["shop_open"];
    const [, port = ""] = (await world.ok(["port", "web", "7000"], { cwd })).trim().split(":");
    await until("its port answers", async () => hear(outside, outside.host, port) === "web\n");
    assert.is(hear(outside, seen?.IPAddress ?? "", "7000"), "");
    const bare = (await inspect(world, "shop-plain-1")).NetworkSettings.Networks["shop_bare"]?.IPAddress ?? "";
    await until("it serves within", async () => (await inside(world, cwd, "plain", "nc 127.0.0.1 7000 < /dev/null")) === "plain\n");
    assert.is(hear(outside, bare, "7000"), "");
    if (hasIpv6) assert.is(hear(outside, seen?.GlobalIPv6Address ?? "", "7000"), "");
    await world.ok(["down"], { cwd });
  });
}

/** What a server says to the other machine. */
function hear(outside: Outside, address: string, port: string): string {
  return outside.run(["busybox", "timeout", "2", "sh", "-c", `busybox nc ${address} ${port} < /dev/null`]).stdout;
}

/** While the body runs the other machine tells everybody on port 7100 the address that they come from. */
async function withMirror(outside: Outside, body: () => Promise<void>): Promise<void> {
  const script = `require("node:net").createServer((s) => s.end(s.remoteAddress.replace("::ffff:", "") + "\\n")).listen(7100, "::", () => console.log("listening"))`;
  const [command = "", ...argv] = [...outside.prefix, process.execPath, "-e", script];
  const mirror = spawn(command, argv, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await new Promise((resolve) => mirror.stdout.once("data", resolve));
    await body();
  } finally {
    mirror.kill("SIGKILL");
  }
}
