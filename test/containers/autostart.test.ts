/** What comes back after a reboot. No machine is started anew here: what a reboot leaves is made by hand. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { ps } from "../support/listings.ts";
import { busyboxRootfs } from "../support/rootfs.ts";
import { killSupervisors, supervisors } from "../support/supervisors.ts";
import { until } from "../support/until.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("autostart");

it(
  "after a reboot always and unless-stopped come back, dependencies first; what was stopped by hand as Docker has it",
  inWorld(async (world) => {
    const cwd = await project(world);
    await world.ok(["up", "-d"], { cwd });
    await world.ok(["stop", "-t", "0", "always_stopped", "unless_stopped"], { cwd });
    await reboot(world);
    const before = await ps(world, ["-a"], { cwd });
    assert.equal([...new Set(before.map(({ State }) => State))], ["exited"], "nothing comes back by being looked at");
    const listed = await world.ok(["autostart", "status", "--directory", join(world.root, "units")]).catch((error: Error) => error.message);
    assert.match(listed, /after a reboot 3 containers of 1 project come back/);
    await world.ok(["autostart", "run"]);
    const states = Object.fromEntries((await ps(world, ["-a"], { cwd })).map(({ Service, State }) => [Service, State]));
    assert.equal(states, { always: "running", always_stopped: "running", back: "running", never: "exited", unless_stopped: "exited" });
    assert.ok(startedAt(world, "boot-back-1") < startedAt(world, "boot-always-1"), "back, which always depends on, is first");
    assert.match((await world.wharf(["autostart", "run"])).stderr, /nothing is to be started/);
    await until("a supervisor", async () => supervisors(world).length === 1);
    await world.ok(["down", "-t", "0"], { cwd });
  }),
);

it(
  "enable writes a unit or a line for cron, status knows it, disable takes it back",
  inWorld(async (world) => {
    const directory = join(world.root, "units");
    for (const starter of ["systemd", "cron"]) {
      const flags = ["--directory", directory];
      assert.is((await world.wharf(["autostart", "status", ...flags])).status, 1);
      assert.match(await world.ok(["autostart", "enable", "--with", starter, ...flags]), /^wrote .*\nno container in .* comes back/);
      assert.match(await world.ok(["autostart", "enable", "--with", starter, ...flags]), /^kept /);
      const [file = ""] = readdirSync(directory);
      const text = readFileSync(join(directory, file), "utf8");
      assert.is(file, starter === "systemd" ? "wharf-autostart.service" : "wharf-autostart");
      assert.match(
        text,
        starter === "systemd" ? /\nExecStart="\/.*" "\/.*wharf\.cjs" "autostart" "run"\n/ : /\n@reboot root .*wharf\.cjs autostart run\n$/,
      );
      assert.ok(text.includes(`WHARF_ROOT=${world.root}`));
      assert.match(await world.ok(["autostart", "status", ...flags]), new RegExp(`^enabled by ${starter}: `));
      await world.ok(["autostart", "disable", ...flags]);
      assert.not.ok(existsSync(join(directory, file)));
    }
    rmSync(directory, { recursive: true });
  }),
);

it.run();

async function project(world: World): Promise<string> {
  await world.ok(["image", "import", "-", "shell", "--cmd", "sleep 1000"], { input: busyboxRootfs() });
  const service = (name: string, text: string) => `  ${name}: {image: shell, init: true, ${text}}`;
  const services = [
    service("always", "restart: always, depends_on: [back]"),
    service("always_stopped", "restart: always"),
    service("back", "restart: unless-stopped"),
    service("never", "restart: 'no'"),
    service("unless_stopped", "restart: unless-stopped"),
  ];
  return world.project("boot", { "wharf.yaml": `services:\n${services.join("\n")}\n` });
}

/** Ends everything at once, and has the last starts be of an earlier boot. */
async function reboot(world: World): Promise<void> {
  killSupervisors(world);
  const pids: number[] = [];
  for (const id of readdirSync(join(world.root, "containers"))) {
    const path = join(world.root, "containers", id, "state.json");
    const state = JSON.parse(readFileSync(path, "utf8"));
    for (const identity of [state.conmon, state.process]) if (existsSync(`/proc/${identity.pid}`)) pids.push(identity.pid);
    for (const identity of [state.conmon, state.process]) identity.boot = "an-earlier-boot";
    writeFileSync(path, JSON.stringify(state));
    rmSync(join(world.root, "containers", id, "exit"), { force: true });
  }
  for (const pid of pids) process.kill(pid, "SIGKILL");
  await until("their ends", async () => pids.every((pid) => !existsSync(`/proc/${pid}`)));
}

function startedAt(world: World, name: string): string {
  for (const id of readdirSync(join(world.root, "containers"))) {
    const { name: own } = JSON.parse(readFileSync(join(world.root, "containers", id, "container.json"), "utf8"));
    if (own === name) return JSON.parse(readFileSync(join(world.root, "containers", id, "state.json"), "utf8")).startedAt;
  }
  throw new Error(`no container ${name}`);
}
