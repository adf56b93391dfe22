/** Runs what `runtimeSpec` writes with the runtime of this machine, without the rest of the engine: a bundle in a temporary directory. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { NOTHING_GIVEN } from "../../src/engines/oci/devices.ts";
import { type KernelFacts, parseKernelFacts } from "../../src/engines/oci/kernel-facts.ts";
import { mergeConfig } from "../../src/engines/oci/process-config.ts";
import { type RuntimeSpecInput, runtimeSpec } from "../../src/engines/oci/runtime-spec.ts";
import type { Service } from "../../src/model/service.ts";
import { service } from "../engines/oci/fixtures.ts";
import { busyboxRootfs } from "../support/rootfs.ts";
import { containerSuite } from "../support/world.ts";

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const it = containerSuite("configurations and the runtime of this machine");
const HOSTNAME = "first-light";

it(
  "an ordinary program runs, as root, with its name, directory and environment",
  inBundle((directory) => {
    const { status, stdout } = sh(directory, "id -u; hostname; pwd; echo $HOME $COLOR; echo $$; cat /etc/hosts", {
      workingDir: "/usr/share",
      environment: { COLOR: "blue" },
    });
    assert.equal([status, stdout.trim().split("\n")], [0, ["0", HOSTNAME, "/usr/share", "/root blue", "1", "hosts of the engine"]]);
  }),
);

it(
  "threads, pipes, sockets and signals work under the filter",
  inBundle((directory) => {
    const script = `ip link set lo up; echo served > /srv/page; httpd -p 80 -h /srv; wget -q -O - http://127.0.0.1/page; seq 3 | sort -r | tr -d '\\n'`;
    const { status, stdout } = sh(directory, script, { capAdd: ["NET_ADMIN"] });
    assert.equal([status, stdout], [0, "served\n321"]);
  }),
);

it(
  "namespaces and mounts are refused",
  inBundle((directory) => {
    for (const command of ["unshare -U true", "unshare -m true", "mount -t tmpfs none /tmp", "mount -o remount,rw /sys", "hostname other"])
      assert.is.not(sh(directory, command).status, 0, command);
  }),
);

it(
  "mounts are possible with SYS_ADMIN",
  inBundle((directory) => {
    assert.is(sh(directory, "mount -t tmpfs none /tmp && unshare -m true", { capAdd: ["SYS_ADMIN"] }).status, 0);
  }),
);

it(
  "the machine's own settings and devices are out of reach",
  inBundle((directory) => {
    for (const command of [
      "echo 1 > /proc/sys/kernel/panic",
      "test -s /proc/kcore",
      "touch /sys/x",
      "mknod /dev/mem c 1 1 && cat /dev/mem",
    ])
      assert.is.not(sh(directory, command).status, 0, command);
    assert.is(
      sh(directory, "echo x > /dev/null && head -c 1 /dev/urandom > /dev/zero && test -c /dev/full && echo y > /dev/shm/y").status,
      0,
    );
  }),
);

it(
  "capabilities are the ones granted and no more",
  inBundle((directory) => {
    const sets = (given: Partial<Service>): readonly string[] =>
      sh(directory, "grep -E 'Cap(Bnd|Eff)' /proc/self/status | cut -f2", given).stdout.trim().split("\n");
    assert.equal(sets({}), ["00000000a80425fb", "00000000a80425fb"]);
    assert.equal(sets({ capDrop: ["ALL"], capAdd: ["CHOWN"] }), ["0000000000000001", "0000000000000001"]);
  }),
);

it(
  "a user without rights has none that takes effect, and its own home and groups",
  inBundle((directory) => {
    const user = { uid: 1000, gid: 1000, additionalGids: [1000, 10], home: "/home/web", name: "web" };
    const { stdout } = sh(directory, "id -u; id -G; echo $HOME; grep CapEff /proc/self/status | cut -f2", {}, { user });
    assert.equal(stdout.trim().split("\n"), ["1000", "1000 10", "/home/web", "0000000000000000"]);
  }),
);

it(
  "a read-only root is read-only but for its mounts",
  inBundle((directory) => {
    const tmpfs = {
      type: "tmpfs",
      source: "",
      target: "/scratch",
      readOnly: false,
      propagation: "",
      options: ["size=64k", "mode=0700"],
    } as const;
    const { status, stdout } = sh(
      directory,
      "touch /x; touch /scratch/x && stat -c %a /scratch; echo more >> /etc/hosts",
      { readOnly: true },
      { mounts: [tmpfs] },
    );
    assert.equal([status, stdout], [1, "700\n"]);
  }),
);

it(
  "binds show the host's files, also one file, also in another bind, and are read-only when asked",
  inBundle((directory) => {
    const bind = (source: string, target: string, readOnly = false) =>
      ({ type: "bind", source: join(directory, source), target, readOnly, propagation: "rprivate", options: [] }) as const;
    mkdirSync(join(directory, "app/inner"), { recursive: true });
    writeFileSync(join(directory, "app/page"), "from the host\n");
    writeFileSync(join(directory, "app/inner/file"), ""); // nothing can be made in what is mounted read-only
    const mounts = [bind("hostname", "/app/inner/file"), bind("app", "/app", true)];
    const { status, stdout } = sh(directory, "cat /app/page /app/inner/file; touch /app/new", {}, { mounts });
    assert.equal([status, stdout], [1, "from the host\nhostname of the engine\n"]);
  }),
);

it(
  "an init is the first process and hands the command's status on",
  inBundle((directory) => {
    const { status, stdout, stderr } = sh(directory, "cat /proc/1/comm; exit 7", { init: true });
    assert.equal([status, stdout, stderr], [7, "docker-init\n", ""]);
  }),
);

it(
  "open files are as many as the engine may give",
  inBundle((directory) => {
    assert.is(Number(sh(directory, "ulimit -n").stdout), Math.min(1_048_576, facts().maxOpenFiles));
  }),
);

it(
  "any port may be served and pings sent by anybody in a network of its own",
  inBundle((directory) => {
    const { stdout } = sh(directory, "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range");
    assert.equal(stdout.trim().split(/\s+/), ["0", "0", "2147483647"]);
  }),
);

/** A test's body with a bundle's directory: a root file system, and the files that an engine keeps. */
function inBundle(body: (directory: string) => void): () => Promise<void> {
  return async () => {
    const directory = mkdtempSync("/tmp/wharf-spec-");
    try {
      mkdirSync(join(directory, "rootfs"));
      execFileSync("tar", ["-xf", "-", "-C", join(directory, "rootfs")], { input: busyboxRootfs() });
      for (const name of ["hosts", "hostname", "resolv.conf"]) writeFileSync(join(directory, name), `${name} of the engine\n`);
      body(directory);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  };
}

let serial = 0;

/** Runs a shell in a container that is gone afterwards. */
function sh(directory: string, script: string, given: Partial<Service> = {}, more: Partial<RuntimeSpecInput> = {}): Ended {
  const id = `wharf-spec-${process.pid}-${serial++}`;
  const wanted = service({ command: ["sh", "-c", script], ...given });
  const spec = runtimeSpec({
    service: wanted,
    process: mergeConfig({}, wanted, { hostname: HOSTNAME, tty: false }),
    user: { uid: 0, gid: 0, additionalGids: [0], home: "/root", name: "root" },
    rootfs: join(directory, "rootfs"),
    hostname: HOSTNAME,
    mounts: [],
    files: { hosts: join(directory, "hosts"), hostname: join(directory, "hostname"), resolvConf: join(directory, "resolv.conf") },
    cgroupsPath: `/${id}`,
    network: "private",
    initProgram: "/usr/bin/tini-static",
    blocks: new Map(),
    devices: NOTHING_GIVEN,
    namespaces: { pid: "private", ipc: "private" },
    sharedMemory: null,
    facts: facts(),
    ...more,
  });
  writeFileSync(join(directory, "config.json"), JSON.stringify(spec));
  const { status, stdout, stderr } = spawnSync("runc", ["--root", join(directory, "runc"), "run", "--bundle", directory, id], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

function facts(): KernelFacts {
  const read = (path: string): string => readFileSync(path, "utf8");
  return parseKernelFacts({
    release: release(),
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    status: read("/proc/self/status"),
    limits: read("/proc/self/limits"),
    mountinfo: read("/proc/self/mountinfo"),
    nrOpen: read("/proc/sys/fs/nr_open"),
  });
}

it.run();
