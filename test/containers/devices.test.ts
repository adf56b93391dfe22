/** Devices as a container meets them, through the built command. */
import { existsSync } from "node:fs";
import { mkdir, rm, rmdir, writeFile } from "node:fs/promises";
import * as assert from "uvu/assert";
import { box, boxSpec } from "../support/box.ts";
import { inspect } from "../support/listings.ts";
import { containerSuite, inWorld, type World } from "../support/world.ts";

const it = containerSuite("devices");

it("devices of the machine are in the container, by their own name or another, and can be used as far as is said", inWorld(mapped));

it("what a vendor's file says comes with its device: nodes, mounts, environment", inWorld(named));

it("a device that is not there is told of while planning", inWorld(missing));

it.run();

async function mapped(world: World): Promise<void> {
  // Those of /dev/net or /dev/mapper are a directory; two of everybody's under other names show the rest.
  const cwd = await box(world, "devices: ['/dev/zero:/dev/nothing:r', '/dev/kmsg:/dev/messages:w', /dev/net]");
  await world.ok(["up", "-d"], { cwd });
  const inside = await world.wharf(
    [
      "exec",
      "-T",
      "web",
      "sh",
      "-c",
      "stat -c '%F %t:%T' /dev/nothing; head -c 3 /dev/nothing | wc -c; head -c 1 /dev/messages; ls /dev/net; mknod /dev/other c 1 11; head -c 1 /dev/other; echo end",
    ],
    { cwd },
  );
  assert.equal(inside.stdout.trim().split("\n"), [
    "character special file 1:5",
    "3",
    ...(existsSync("/dev/net/tun") ? ["tun"] : []),
    "end",
  ]);
  assert.match(inside.stderr, /\/dev\/messages: Operation not permitted/);
  assert.match(inside.stderr, /\/dev\/other: Operation not permitted/);
  assert.equal((await inspect(world, "shop-web-1")).HostConfig["Devices"], [
    { PathOnHost: "/dev/zero", PathInContainer: "/dev/nothing", CgroupPermissions: "r" },
    { PathOnHost: "/dev/kmsg", PathInContainer: "/dev/messages", CgroupPermissions: "w" },
    { PathOnHost: "/dev/net", PathInContainer: "/dev/net", CgroupPermissions: "rwm" },
  ]);
  await world.project("shop", { "wharf.yaml": boxSpec("device_cgroup_rules: ['c 10:237 r']\ncap_add: [MKNOD]") });
  await world.ok(["up", "-d", "-t", "1"], { cwd });
  await world.ok(["exec", "-T", "web", "sh", "-c", "mknod /dev/other c 10 237 && : < /dev/other"], { cwd });
  await world.ok(["down", "-t", "1"], { cwd });
}

async function named(world: World): Promise<void> {
  const kind = `wharf-test.org/thing${process.pid}`;
  const cwd = await box(world, `devices: ['${kind}=one']`, "");
  const file = `/var/run/cdi/wharf-test-${process.pid}.yaml`;
  const made = await mkdir("/var/run/cdi", { recursive: true });
  await writeFile(
    file,
    `cdiVersion: "0.6.0"\nkind: ${kind}\ncontainerEdits:\n  env: [THING=yes]\n  mounts: [{hostPath: ${cwd}, containerPath: /opt/thing, options: [ro, bind]}]\ndevices:\n- name: one\n  containerEdits:\n    deviceNodes: [{path: /dev/thing, hostPath: /dev/zero, permissions: r}]\n    hooks: [{hookName: createContainer, path: /bin/touch, args: [touch, ${cwd}/hooked]}]\n    additionalGids: [4242]\n`,
  );
  try {
    await world.ok(["up", "-d"], { cwd });
    const inside = await world.ok(
      [
        "exec",
        "-T",
        "web",
        "sh",
        "-c",
        "head -c 2 /dev/thing | wc -c; tr '\\0' '\\n' < /proc/1/environ | grep THING; ls /opt/thing; touch /opt/thing/x 2>&1 || grep Groups /proc/1/status",
      ],
      { cwd },
    );
    assert.match(inside, /^2\nTHING=yes\nhooked\nwharf\.yaml\n[\s\S]*Groups:.*\b4242\b/);
    await world.ok(["down", "-t", "1"], { cwd });
  } finally {
    await rm(file);
    if (made !== undefined)
      await rmdir("/var/run/cdi").catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOTEMPTY") throw error;
      });
  }
}

async function missing(world: World): Promise<void> {
  const cwd = await box(world, "devices: [/dev/no-such-thing, 'wharf-test.org/nothing=one']\ngpus: [{driver: wharftest}]");
  const { status, stderr } = await world.wharf(["up", "-d"], { cwd });
  assert.is(status, 1);
  assert.match(stderr, /service web wants the device \/dev\/no-such-thing, which this machine does not have/);
  assert.match(stderr, /wants the device wharf-test\.org\/nothing=one, which no file in \/etc\/cdi or \/var\/run\/cdi describes/);
  assert.match(stderr, /wants a wharftest with the capabilities gpu, and no file in/);
  assert.match(stderr, /E_MACHINE/);
}
