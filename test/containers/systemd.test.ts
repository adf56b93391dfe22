/** Control groups that systemd makes, under a systemd of the test's own. Skipped where there is none. */
import { spawn } from "node:child_process";
import { basename, dirname } from "node:path";
import * as assert from "uvu/assert";
import { IDLE, idleProject } from "../support/idle.ts";
import { hasSystemd, startSystemd } from "../support/systemd.ts";
import { containerSuite, type Finished, finish, inWorld, WHARF, type World } from "../support/world.ts";

const it = containerSuite("systemd's control groups");

it("where it does not run, asking for it is refused before anything is made", inWorld(refused));

const NAME = "containers are scopes of systemd, in the slices that they name, with their limits, and go with their ends";
if (hasSystemd()) it(NAME, inWorld(scopes));
else it.skip(NAME);

it.run();

async function refused(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [`web: { ${IDLE} }`]);
  const { status, stderr } = await world.wharf(["up", "-d"], { cwd, env: { WHARF_CGROUP_MANAGER: "systemd" } });
  assert.is.not(status, 0);
  assert.match(stderr, /E_MACHINE[\s\S]*WHARF_CGROUP_MANAGER is systemd/);
  assert.match((await world.wharf(["ps"], { cwd, env: { WHARF_CGROUP_MANAGER: "other" } })).stderr, /E_USAGE[\s\S]*cgroupfs/);
  assert.equal(await world.left(), []);
}

async function scopes(world: World): Promise<void> {
  const cwd = await idleProject(world, "shop", [
    `web: { ${IDLE}, mem_limit: 64m, pids_limit: 50, restart: always, healthcheck: { test: "true", interval: 200ms } }`,
    `db: { ${IDLE}, cgroup_parent: shop-inner.slice, network_mode: none }`,
  ]);
  const systemd = await startSystemd(basename(dirname(world.root)));
  const beside = (program: string, ...args: readonly string[]): Promise<Finished> => {
    const [command = "", ...words] = systemd.words;
    const env = { ...world.env, WHARF_CGROUP_MANAGER: "systemd" };
    return finish(spawn(command, [...words, `--wd=${cwd}`, program, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] }));
  };
  const wharf = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await beside(process.execPath, WHARF, ...args);
    if (status !== 0) throw new Error(`wharf ${args.join(" ")} ended with ${status}\n${stdout}\n${stderr}`);
    return stdout;
  };
  try {
    await wharf("up", "-d", "--wait");
    const scope = async (name: string): Promise<string> => `wharf-${JSON.parse(await wharf("inspect", name))[0].Id.slice(0, 12)}.scope`;
    const [web, db] = [await scope("shop-web-1"), await scope("shop-db-1")];
    const show = async (unit: string): Promise<string> =>
      (await beside("systemctl", "show", unit, "-p", "ActiveState,Slice,TasksMax,ControlGroup", "--value")).stdout;
    assert.equal((await show(web)).trim().split("\n").sort(), ["50", "active", "system.slice", `/system.slice/${web}`].sort());
    assert.match(await show(db), new RegExp(`/shop.slice/shop-inner.slice/${db}`));
    assert.match(await wharf("exec", "-T", "web", "cat", "/proc/self/cgroup"), new RegExp(`/system.slice/${web}`));
    assert.match(await wharf("top", "web"), /sleep 0.1/);
    assert.match(await wharf("stats", "--no-stream", "web"), /64MiB/);
    await wharf("pause", "web");
    assert.match(await wharf("ps"), /\(Paused\)/);
    await wharf("unpause", "web");
    await wharf("restart", "-t", "0", "web");
    assert.match(await show(web), /^active$/m);
    await wharf("stop", "-t", "0");
    assert.match(await show(web), /^inactive$/m);
    await wharf("start");
    await wharf("down", "-t", "0");
    assert.match(await show(db), /^inactive$/m);
    assert.is((await beside("sh", "-c", "ls -d /sys/fs/cgroup/*/system.slice/wharf-* 2>/dev/null")).stdout, "");
  } finally {
    await systemd.stop();
  }
}
