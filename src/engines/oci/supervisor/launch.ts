import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, statSync, utimesSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { holderOf } from "../../../lib/file-lock.ts";
import { identify, isAlive, type ProcessIdentity } from "../../../lib/process-identity.ts";
import type { Layout } from "../layout.ts";
import { readIfThere } from "../processes.ts";
import { allContainers, type ContainerRecord } from "../records.ts";
import { hasPolicy } from "../restarts.ts";
import { signalIfThere } from "../runtime.ts";
import { Journal } from "./journal.ts";

/** What a supervisor of a project has. */
export interface SupervisorFiles {
  /** Held while it works, as lib/file-lock writes it. */
  readonly lock: string;
  readonly log: string;
}

export function supervisorFiles(layout: Layout, project: string): SupervisorFiles {
  return { lock: join(layout.supervisors, `${project}.lock`), log: join(layout.supervisors, `${project}.log`) };
}

/** Touched by whoever changed what supervisors look after. It lies where monitors write that containers ended: one place to watch. */
const pokeFile = (layout: Layout): string => join(layout.exits, ".poke");

/** Asks every supervisor of this world to look again. */
export function poke(layout: Layout): void {
  const now = new Date();
  try {
    utimesSync(pokeFile(layout), now, now);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    mkdirSync(layout.exits, { recursive: true, mode: 0o700 });
    closeSync(openSync(pokeFile(layout), "a", 0o600));
  }
}

/** Supervisors that this process has started, by their lock: one that is still coming up holds none yet. */
const started = new Map<string, ProcessIdentity>();

/**
 * Makes sure that a project has a supervisor: a look at its lock where it has one, else a process that is started and not waited for. Call it once
 * the start of a container that wants one is marked: a supervisor that is about to end looks once more after it gave its lock back.
 */
export async function ensureSupervisor({ layout }: { readonly layout: Layout }, project: string): Promise<void> {
  const { lock } = supervisorFiles(layout, project);
  const holder = await holderOf(lock);
  if (holder !== null && holder.purpose === purpose()) return;
  if (holder !== null) signalIfThere(holder.pid, "SIGTERM"); // of another version of wharf: the one that follows takes its work over
  const mine = started.get(lock);
  if (mine !== undefined && isAlive(mine)) return;
  const { command, args } = supervisorCommand(layout, project);
  const child = spawn(command, args, { cwd: "/", detached: true, stdio: "ignore", env: ENVIRONMENT });
  child.once("error", () => {}); // no memory or no processes left: the next command tries again
  child.unref();
  const identity = child.pid === undefined ? null : identify(child.pid);
  if (identity !== null) started.set(lock, identity);
}

/** Whether a project has a supervisor, or one that comes up, or somebody who waits to start it again. Looks through all processes where it has none. */
export async function isAttended(layout: Layout, project: string): Promise<boolean> {
  if ((await holderOf(supervisorFiles(layout, project).lock)) !== null) return true;
  const { command, args } = supervisorCommand(layout, project);
  const program = args.indexOf(process.execPath);
  // The shell has the words of the program, and the program its own ones. Only a monitor has more of them, for later.
  const words = args.slice(program + 1).join("\0");
  return readdirSync("/proc").some((name) => {
    const line = /^\d+$/.test(name) ? (readIfThere(`/proc/${name}/cmdline`) ?? "") : "";
    const [first] = line.split("\0", 1);
    return (first === command || first === process.execPath) && line.includes(`\0${words}\0`);
  });
}

/**
 * What a monitor runs when a container has ended that comes back or goes by itself, empty for others: a shell that starts the project's supervisor if that was killed.
 * A live one, told from a later process with its number by its start time, has seen the end already.
 */
export function exitCommand(layout: Layout, record: ContainerRecord): readonly string[] {
  if (!hasPolicy(record) && record.owner === undefined) return [];
  const { project } = record.spec;
  const { command, args } = supervisorCommand(layout, project);
  return ["/bin/sh", "-c", REVIVE, "wharf", supervisorFiles(layout, project).lock, command, ...args];
}

/** One heap for all threads of the allocator: one each would keep megabytes that nobody uses. */
const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  UV_THREADPOOL_SIZE: "2",
  MALLOC_ARENA_MAX: "1",
};

/**
 * One that was killed is on its way out before it is dead: SIGKILL is pending (the ninth bit of a mask), then the kernel takes it apart (bit 4 of the
 * seventh word after its name), then it is a zombie. Looked at in this order, it cannot slip by.
 *
 * A monitor has an environment of its own, and is spared where memory runs out: what it starts is to have neither from it.
 */
const REVIVE = `cd /
isKilled() {
  while read -r key mask; do
    case $key$mask in S[ih]*Pnd:*[13579bdf]??) return 0 ;; esac
  done 2>/dev/null <"/proc/$1/status"
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
  set -- \${stat##*) }
  case $1 in [ZX]*) return 0 ;; esac
  [ $(($7 & 4)) -ne 0 ]
}
lock=$(cat "$1" 2>/dev/null)
pid=\${lock#*'"pid":'} pid=\${pid%%,*} start=\${lock#*'"start":"'} start=\${start%%'"'*}
shift
if [ -n "$lock" ] && ! isKilled "$pid"; then
  for field in \${stat##*) }; do [ "$field" = "$start" ] && exit 0; done
fi
exec </dev/null >/dev/null 2>&1
echo 0 >/proc/self/oom_score_adj
env -i ${Object.entries(ENVIRONMENT)
  .map(([name, value]) => `${name}=${value}`)
  .join(" ")} setsid "$@" &
`;

/** Where a project has no container any more: waits until its supervisor has ended, two seconds at most, and takes away what it said. */
export async function supervisorGone(layout: Layout, project: string): Promise<void> {
  const { lock, log } = supervisorFiles(layout, project);
  const holder = (await holderOf(lock)) ?? started.get(lock) ?? null;
  if (allContainers(layout).some(({ record }) => record.spec.project === project)) return;
  if (holder !== null) {
    poke(layout);
    for (const deadline = Date.now() + GONE_LIMIT_MS; isAlive(holder) && Date.now() < deadline; ) await sleep(2);
    if (isAlive(holder)) return;
  }
  new Journal(log).remove(); // of one that ended while there were containers still
}

const GONE_LIMIT_MS = 2000;

let stamp: string | undefined;

/** What a supervisor holds its lock for: it names the program, so that one of another version is known. */
export function purpose(): string {
  stamp ??= import.meta.url.endsWith(".ts") ? "from sources" : String(statSync(fileURLToPath(bundle())).mtimeMs);
  return `supervise (${stamp})`;
}

const bundle = (): URL => new URL("./supervisor.cjs", import.meta.url);

/** V8 is told to keep its heap small: there is little to do, and it may take its time. */
const FRUGAL = ["--max-semi-space-size=1", "--max-old-space-size=128", "--optimize-for-size"];

/** The program and its words, under a shell that waits for its end: where it was killed, and did not end by itself, that starts it again. */
export function supervisorCommand(layout: Layout, project: string): { readonly command: string; readonly args: readonly string[] } {
  const { file, words } = program();
  return { command: "/bin/sh", args: ["-c", KEEP, file, process.execPath, ...words, layout.root, layout.run, project] };
}

/**
 * At once, then ever more seldom, as long as there is something to run: wharf or Node may have been removed. One that has worked for ten minutes is
 * started at once again. It is told the shell's number, to take it along where it goes.
 */
export const KEEP = `pause=0
while began=$(date +%s); "$@" $$; [ $? -ne 0 ] && [ -e "$0" ] && [ -e "$1" ]; do
  [ $(($(date +%s) - began)) -lt 600 ] || pause=0
  sleep $pause
  [ $pause -gt 60 ] || pause=$((2 * pause + 1))
done
`;

/** The file that a build puts beside the bundle, or straight from the sources, and Node's words to run it. */
function program(): { readonly file: string; readonly words: readonly string[] } {
  const isBuilt = !import.meta.url.endsWith(".ts");
  const file = fileURLToPath(isBuilt ? bundle() : new URL("./main.ts", import.meta.url));
  return { file, words: [...(isBuilt ? FRUGAL : ["--import", createRequire(import.meta.url).resolve("tsx")]), file] };
}
