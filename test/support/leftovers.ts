/** Finds what a world left in the kernel and on disk, names it, and takes it away. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { type Dirent, existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readDiary, writeDiary } from "./diary.ts";

/** Where a world lies, and what it was seen to have while it lived: kernel objects are found by these names afterwards. */
export interface Traces {
  /** Holds everything of the world; its name is found nowhere else. */
  readonly directory: string;
  readonly root: string;
  readonly run: string;
  /** Ids of its containers, of all times. */
  readonly containers: Set<string>;
  readonly bridges: Set<string>;
}

interface Leftover {
  /** As a person would look for it: `process 812 (conmon …)`. */
  readonly what: string;
  remove(): void;
}

/** A directory `PREFIX…` for a world that is about to begin. */
export async function beginTraces(prefix: string): Promise<Traces> {
  const traces = tracesIn(await mkdtemp(prefix));
  writeDiary(["world", traces.directory]);
  return traces;
}

/** Notes the names of what the world has now. Call it often: what comes and goes between two calls is not known. */
export function note({ directory, root, containers, bridges }: Traces): void {
  const seen = (kind: "container" | "bridge", known: Set<string>, name: string): void => {
    if (known.has(name)) return;
    known.add(name);
    writeDiary([kind, directory, name]);
  };
  for (const { name } of list(join(root, "containers"))) if (/^[0-9a-f]{64}$/.test(name)) seen("container", containers, name);
  for (const { name } of list(join(root, "networks"))) {
    const text = name.endsWith(".json") ? readIfThere(join(root, "networks", name)) : null;
    const bridge = text === null ? undefined : /"bridge":\s*"([^"]+)"/.exec(text)?.[1];
    if (bridge !== undefined) seen("bridge", bridges, bridge);
  }
}

/** Ends a world: takes all of it away and gives the names of what its commands had left behind. */
export async function endTraces(traces: Traces): Promise<readonly string[]> {
  const left = await leftovers(traces);
  if (await sweep(traces)) {
    await rm(traces.directory, { recursive: true, force: true });
    writeDiary(["gone", traces.directory]);
  }
  return left;
}

/** Ends what a process of tests that is no more has begun, by its diary's text, and nothing else. Gives the names of what there was. */
export async function sweepAfter(diary: string): Promise<readonly string[]> {
  const { worlds, spaces } = readDiary(diary);
  const swept: string[] = [];
  for (const [directory, noted] of worlds) {
    const traces: Traces = { ...tracesIn(directory), ...noted };
    note(traces); // what was made since its process last looked
    swept.push(...(await endTraces(traces)), `world ${directory}${existsSync(directory) ? ", but for what is mounted there still" : ""}`);
  }
  for (const name of spaces) {
    runQuietly("ip", ["netns", "delete", name]);
    swept.push(`network namespace ${name}`);
  }
  return swept;
}

export function tracesIn(directory: string): Traces {
  return { directory, root: join(directory, "root"), run: join(directory, "run"), containers: new Set(), bridges: new Set() };
}

/** What is there now. */
export function present(traces: Traces): readonly string[] {
  return find(traces).map(({ what }) => what);
}

/** What is still there, after it had a moment to go (a process that ends takes its namespaces with it a little later). */
export async function leftovers(traces: Traces): Promise<readonly string[]> {
  for (let tries = 0; ; tries++) {
    const found = find(traces);
    if (found.length === 0 || tries === 60) return found.map(({ what }) => what);
    await sleep(50);
  }
}

/** Takes away what is left, processes first. Gives whether the directory can go: nothing is mounted below it any more. */
async function sweep(traces: Traces): Promise<boolean> {
  for (let tries = 0; tries < 5; tries++) {
    const found = find(traces);
    if (found.length === 0) return true;
    for (const leftover of found) leftover.remove();
    await sleep(50);
  }
  return mounts(traces).length === 0;
}

function find(traces: Traces): readonly Leftover[] {
  return [
    ...processes(traces),
    ...mounts(traces),
    ...links(traces),
    ...tables(traces),
    ...rules(traces),
    ...cgroups(traces),
    ...files(traces),
  ];
}

/** Processes that name the world's directory, or that live in a mount namespace with something of it. */
function processes({ directory }: Traces): readonly Leftover[] {
  const ours = readlinkSync("/proc/self/ns/mnt");
  return list("/proc").flatMap(({ name }) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const at = join("/proc", name);
    const cmdline = readIfThere(join(at, "cmdline")) ?? "";
    const belongs =
      cmdline.includes(directory) ||
      (namespaceOf(at) !== ours && isRootedIn(directory, readIfThere(join(at, "mountinfo")) ?? "")) ||
      (readIfThere(join(at, "environ")) ?? "").includes(directory);
    if (!belongs) return [];
    const what = `process ${pid} (${cmdline.replaceAll("\0", " ").trim().slice(0, 120)})`;
    return [{ what, remove: () => ignoring("ESRCH", () => process.kill(pid, "SIGKILL")) }];
  });
}

/**
 * Whether the root of a mount namespace is one of this directory's. To have a mount of it somewhere means nothing: a container of another world
 * that is being made has a copy of all that this machine has mounted.
 */
function isRootedIn(directory: string, mountinfo: string): boolean {
  return mountinfo.split("\n").some((line) => line.split(" ")[4] === "/" && line.includes(directory));
}

function mounts({ directory }: Traces): readonly Leftover[] {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => (line.split(" ")[4] ?? "").replace(/\\040/g, " "))
    .filter((point) => point.startsWith(`${directory}/`));
  return points.reverse().map((point) => ({ what: `mount ${point}`, remove: () => runQuietly("umount", ["-l", point]) }));
}

/** Bridges by name, and the host's ends of the containers' links. */
function links({ bridges, containers }: Traces): readonly Leftover[] {
  const ends = [...containers].map((id) => id.slice(0, 10));
  return list("/sys/class/net")
    .map(({ name }) => name)
    .filter((name) => bridges.has(name) || ends.some((end) => name.startsWith(`wv${end}`)))
    .map((name) => ({ what: `link ${name}`, remove: () => runQuietly("ip", ["link", "delete", name]) }));
}

function tables({ root }: Traces): readonly Leftover[] {
  const world = createHash("sha256")
    .update(existsSync(root) ? realpathSync(root) : root)
    .digest("hex")
    .slice(0, 8);
  return execFileSync("nft", ["list", "tables"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.endsWith(` wharf_${world}`))
    .map((line) => ({ what: `nft ${line}`, remove: () => runQuietly("nft", ["delete", ...line.split(" ")]) }));
}

/** Rules in other firewalls that let a bridge of the world through. */
function rules({ bridges }: Traces): readonly Leftover[] {
  return ["iptables", "ip6tables"].flatMap((tool) =>
    outputOf(tool, ["-S"])
      .split("\n")
      .filter((line) => [...bridges].some((bridge) => line.includes(` ${bridge} `)))
      .map((line) => ({ what: `${tool} ${line}`, remove: () => runQuietly(tool, line.replace("-A", "-D").split(" ")) })),
  );
}

/** Nothing where there is no such command. */
function outputOf(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch (error) {
    if (!(error instanceof Error && ("status" in error || "code" in error))) throw error;
    return "";
  }
}

function cgroups({ containers }: Traces): readonly Leftover[] {
  const names = new Set([...containers].map((id) => `wharf-${id.slice(0, 12)}`));
  const controllers = [
    "/sys/fs/cgroup",
    ...list("/sys/fs/cgroup")
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `/sys/fs/cgroup/${name}`),
  ];
  return controllers.flatMap((controller) =>
    list(controller)
      .filter(({ name }) => names.has(name))
      .map(({ name }) => ({
        what: `cgroup ${controller}/${name}`,
        remove: () => ignoring("EBUSY", () => rmdirSync(join(controller, name))),
      })),
  );
}

/** Records of containers and networks, and what ran them. Images, volumes and locks' directories may stay. */
function files({ root, run }: Traces): readonly Leftover[] {
  const directories = [
    join(root, "containers"),
    join(root, "names"),
    join(root, "networks"),
    join(run, "c"),
    join(run, "runtime"),
    join(run, "secrets"),
    join(run, "mounts"),
    join(run, "volumes"),
    join(run, "exits"),
  ];
  return directories.flatMap((directory) =>
    list(directory)
      .filter(({ name }) => name !== ".poke")
      .map(({ name }) => ({ what: `file ${join(directory, name)}`, remove: () => {} })),
  );
}

function list(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

function namespaceOf(process: string): string | null {
  try {
    return readlinkSync(join(process, "ns", "mnt"));
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** Processes end while one looks at them; what lists as a directory may be a file. */
function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && ["ENOENT", "ESRCH", "ENOTDIR", "EINVAL", "EACCES"].includes(String(error.code));
}

function ignoring(code: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === code)) throw error;
  }
}

/** Clearing up after a failure: the next look tells whether it worked. */
function runQuietly(command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { stdio: "ignore" });
  } catch (error) {
    if (!(error instanceof Error && "status" in error)) throw error;
  }
}
