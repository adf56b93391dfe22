/** A systemd of one's own for one test: the first process of namespaces, with control groups of its own, which end with it. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { until } from "./until.ts";

const PROGRAM = "/lib/systemd/systemd";

export interface Systemd {
  /** What goes before a program's words so that it runs beside this systemd. */
  readonly words: readonly string[];
  stop(): Promise<void>;
}

/** Whether there is one, and control groups of the first version that it can be given. */
export function hasSystemd(): boolean {
  return existsSync(PROGRAM) && hierarchies().includes("systemd");
}

/** Version 1 hierarchies and the one of version 2 beside them. */
const hierarchies = (): readonly string[] => {
  const root = "/sys/fs/cgroup";
  return existsSync(root)
    ? readdirSync(root).filter((name) => statSync(`${root}/${name}`).isDirectory() && existsSync(`${root}/${name}/cgroup.procs`))
    : [];
};

/** `name`: of its control groups. */
export async function startSystemd(name: string): Promise<Systemd> {
  const found = hierarchies();
  const groups = found.map((hierarchy) => `/sys/fs/cgroup/${hierarchy}/${name}`);
  const mounts = found.map((hierarchy) => {
    const target = `/sys/fs/cgroup/${hierarchy}`;
    const how =
      hierarchy === "unified" ? "-t cgroup2" : hierarchy === "systemd" ? "-t cgroup -o none,name=systemd" : `-t cgroup -o ${hierarchy}`;
    return `mkdir -p ${target}; mount ${how} none ${target}`;
  });
  for (const group of groups) mkdirSync(group);
  const inside = [
    "mount --make-rprivate /; mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /sys/fs/cgroup",
    ...mounts,
    "mkdir -p /run/lock /run/systemd/system",
    "printf '[Unit]\\nDefaultDependencies=no\\n' >/run/systemd/system/alone.target",
    `container=test exec ${PROGRAM} --unit=alone.target --show-status=0`,
  ].join("\n");
  const script = `${found.map((hierarchy) => prepare(hierarchy, name)).join("\n")}\nexec unshare -p -f --kill-child -m -C -u -i --mount-proc sh -c "$0"`;
  const child = spawn("sh", ["-c", script, inside], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL"); // its first process goes with it, and all the rest with that
    await ended;
    for (const group of groups) await until(`${group} is empty`, async () => isRemoved(group));
  };
  try {
    let pid = "";
    await until("systemd", async () => {
      if (child.exitCode !== null) throw new Error(`systemd did not start: ${said}`);
      pid = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "latin1").trim();
      return pid !== "" && existsSync(`/proc/${pid}/root/run/systemd/private`);
    });
    return { words: ["nsenter", "-t", pid, "-m", "-p", "-C", "-u", "-i"], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The old cpuset hierarchy has no processors for new groups until they are given some. */
function prepare(hierarchy: string, name: string): string {
  const group = `/sys/fs/cgroup/${hierarchy}/${name}`;
  const given = ["cpus", "mems"].map((what) => `cat /sys/fs/cgroup/cpuset/cpuset.${what} >${group}/cpuset.${what}`);
  return [...(hierarchy === "cpuset" ? given : []), `echo $$ >${group}/cgroup.procs`].join("\n");
}

/** Innermost groups first. */
function isRemoved(group: string): boolean {
  if (!existsSync(group)) return true;
  try {
    for (const directory of execFileSync("find", [group, "-depth", "-type", "d"], { encoding: "utf8" }).trim().split("\n"))
      rmdirSync(directory);
    return true;
  } catch (error) {
    if (error instanceof Error && ("status" in error || ("code" in error && (error.code === "EBUSY" || error.code === "ENOENT"))))
      return false;
    throw error;
  }
}
