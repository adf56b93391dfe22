/** Beside other firewalls, each test on a machine of its own: what they drop by default is let through for containers, and what they flush comes back. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type Machine, withMachine } from "../support/machine.ts";
import { withOutside } from "../support/outside.ts";
import { busyboxRootfs } from "../support/rootfs.ts";
import { until } from "../support/until.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("beside other firewalls");

it(
  "where forwarding is dropped as Docker does, and input as ufw does, containers are reached and look names up",
  inWorld(async (world) => {
    if (!hasIptables()) return;
    await withMachine(async (machine) => {
      for (const rule of ["-P FORWARD DROP", "-N DOCKER-USER", "-A FORWARD -j DOCKER-USER", "-A DOCKER-USER -j RETURN", "-P INPUT DROP"])
        machine.run("iptables", ...rule.split(" "));
      machine.run("iptables", "-A", "INPUT", "-i", "lo", "-j", "ACCEPT");
      const before = machine.run("iptables", "-S");
      const cwd = await project(world);
      await withOutside(async (outside) => {
        await machine.ok(world, ["up", "-d"], { cwd });
        const url = `http://${outside.host}:8099/`;
        await until("an answer outside", async () => outside.run(["busybox", "wget", "-q", "-O", "-", url]).stdout === "hello\n");
        await until(
          "a name inside",
          async () => (await machine.wharf(world, ["exec", "-T", "other", "nslookup", "web"], { cwd })).status === 0,
        );
        assert.match(machine.run("iptables", "-S", "DOCKER-USER"), /--comment wharf -j ACCEPT\n-A DOCKER-USER -j RETURN\n$/);
      }, machine.prefix);
      await machine.ok(world, ["down", "-t", "0"], { cwd });
      assert.is(machine.run("iptables", "-S"), before, "no rule stays");
    });
  }),
);

it(
  "rules that somebody flushed are put back",
  inWorld(async (world) => {
    await withMachine(async (machine) => {
      const cwd = await project(world);
      await withOutside(async (outside) => {
        await machine.ok(world, ["up", "-d"], { cwd });
        const here = (): string => quietly(machine, ["busybox", "wget", "-q", "-O", "-", "http://127.0.0.1:8099/"]);
        await until("an answer", async () => here() === "hello\n");
        await until("the port is held", async () => machine.run("cat", "/proc/net/tcp").includes("00000000:1FA3 ")); // 8099
        machine.run("nft", "flush", "ruleset");
        assert.is(here(), "hello\n", "the supervisor carries meanwhile");
        await until("its table", async () => machine.run("nft", "list", "tables").includes("wharf_"));
        const url = `http://${outside.host}:8099/`;
        await until("an answer outside", async () => outside.run(["busybox", "wget", "-q", "-O", "-", url]).stdout === "hello\n");
        assert.match(readFileSync(join(world.run, "supervisors", "guarded.log"), "utf8"), /put back/);
        machine.run("nft", "flush", "ruleset"); // they are the last ones that the supervisor put in place, and not there all the same
        await until("its table again", async () => machine.run("nft", "list", "tables").includes("wharf_"));
      }, machine.prefix);
      await machine.ok(world, ["down", "-t", "0"], { cwd });
      assert.is(machine.run("nft", "list", "tables"), "");
    });
  }),
);

it.run();

async function project(world: World): Promise<string> {
  await world.ok(["image", "import", "-", "shell", "--cmd", "sleep 1000"], { input: busyboxRootfs() });
  return world.project("guarded", {
    "wharf.yaml": `services:
  web:
    image: shell
    init: true
    command: [sh, -c, "mkdir -p /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www"]
    ports: ["8099:80"]
  other: { image: shell, init: true }
`,
  });
}

function quietly(machine: Machine, argv: readonly string[]): string {
  try {
    return machine.run(...argv);
  } catch (error) {
    if (error instanceof Error && "status" in error) return "";
    throw error;
  }
}

function hasIptables(): boolean {
  try {
    execFileSync("iptables", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    console.log("no iptables here: nobody can be beside us by it");
    return false;
  }
}
