/** A machine of its own for one test, as far as networks go: what is done to its firewall is done to nobody else's. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { type CallOptions, type Finished, finish, WHARF, type World } from "./world.ts";

export interface Machine {
  /** The words before a command that make it run there. */
  readonly prefix: readonly string[];
  /** Runs a command to its end; gives its standard output. */
  run(...argv: readonly string[]): string;
  /** Runs `wharf …` of a world to its end. Its containers live there. */
  wharf(world: World, args: readonly string[], options?: CallOptions): Promise<Finished>;
  /** As `wharf`, but another status than 0 is an error. Gives standard output. */
  ok(world: World, args: readonly string[], options?: CallOptions): Promise<string>;
}

/**
 * What others unmount goes here too: their worlds must not stay mounted for this one. /sys shows the interfaces of whoever mounted it; the control groups below it stay where they are.
 */
const BEGIN = `set -e
ip link set lo up
hold=$(mktemp -d)
mount --rbind /sys/fs/cgroup "$hold"
mount -t sysfs sysfs /sys
mount --move "$hold" /sys/fs/cgroup
rmdir "$hold"
echo up
exec sleep 100000`;

export async function withMachine<T>(body: (machine: Machine) => Promise<T>): Promise<T> {
  const holder = spawn("unshare", ["-n", "-m", "--propagation", "slave", "sh", "-c", BEGIN], { stdio: ["ignore", "pipe", "inherit"] });
  const gone = once(holder, "exit");
  try {
    await Promise.race([once(holder.stdout, "data"), gone.then(() => Promise.reject(new Error("no machine could be made")))]);
    const prefix = ["nsenter", "-t", String(holder.pid), "-n", "-m"];
    const [nsenter = "", ...inside] = prefix;
    const wharf = (world: World, args: readonly string[], options: CallOptions = {}): Promise<Finished> =>
      finish(
        spawn(nsenter, [...inside, `--wd=${options.cwd ?? "/"}`, process.execPath, WHARF, ...args], {
          env: { ...world.env, ...options.env },
          stdio: ["ignore", "pipe", "pipe"],
        }),
        options,
      );
    return await body({
      prefix,
      run: (...argv) => execFileSync(nsenter, [...inside, ...argv], { encoding: "utf8" }),
      wharf,
      ok: async (world, args, options) => {
        const { status, stdout, stderr } = await wharf(world, args, options);
        if (status !== 0) throw new Error(`wharf ${args.join(" ")} ended with ${status}\n${stdout}\n${stderr}`);
        return stdout;
      },
    });
  } finally {
    holder.kill("SIGKILL");
    await gone;
  }
}
