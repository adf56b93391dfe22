import { accessSync, closeSync, constants, existsSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../../lib/process.ts";
import { isAlive, type ProcessIdentity } from "../../lib/process-identity.ts";
import { removeFile } from "../../lib/remove-file.ts";
import { Failure, FULL_DISK_HINT } from "../../model/diagnostic.ts";
import { type CgroupMode, parseCgroupMode } from "./kernel-facts.ts";
import { bundleDirectory, type Layout } from "./layout.ts";

/** The OCI runtime of this machine. */
export interface Runtime {
  readonly name: "runc" | "crun";
  readonly path: string;
}

/** Directories that programs of an administrator lie in, even where a user's PATH leaves them out. */
const PROGRAMS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Absolute path of a program, or `null`. */
export function findProgram(name: string): string | null {
  for (const directory of PROGRAMS) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "EACCES" && code !== "ENOTDIR") throw error;
    }
  }
  return null;
}

let mode: CgroupMode | undefined;

/** How control groups are mounted here. */
export function cgroupMode(): CgroupMode {
  mode ??= parseCgroupMode(readFileSync("/proc/self/mountinfo", "utf8"));
  return mode;
}

/** runc, or crun where only that is there and it can work. `null`: neither. */
export function findRuntime(): Runtime | null {
  const runc = findProgram("runc");
  if (runc !== null) return { name: "runc", path: runc };
  const crun = findProgram("crun");
  return crun !== null && crunWorksHere() ? { name: "crun", path: crun } : null;
}

/** crun refuses a hybrid layout whose unified side has controllers. */
export function crunWorksHere(): boolean {
  if (cgroupMode() !== "hybrid") return true;
  const controllers = "/sys/fs/cgroup/unified/cgroup.controllers";
  return !existsSync(controllers) || readFileSync(controllers, "latin1").trim() === "";
}

/** Lets a created container's process begin. Throws E_COMMAND_NOT_FOUND, E_COMMAND_NOT_EXECUTABLE or E_START. */
export async function runtimeStart(
  layout: Layout,
  runtime: Runtime,
  {
    id,
    name,
    process,
    hasHooks,
  }: { readonly id: string; readonly name: string; readonly process: ProcessIdentity; readonly hasHooks: boolean },
): Promise<void> {
  // What is to run once the program has begun the runtime runs, nobody else.
  if (runtime.name === "runc" && !hasHooks && (await openGate(join(layout.runtime, id, "exec.fifo"), () => isAlive(process)))) return;
  const finished = await run(runtime.path, ["--root", layout.runtime, "start", id]);
  if (finished.status !== 0) throw startFailure(name, finished.stderr.trim());
}

/**
 * Does what `runc start` does, without the cost of another process of its size: a created container's first process waits to write one byte into
 * a FIFO, and the FIFO's removal marks it as started (libcontainer/container_linux.go of runc 1.1). Gives `false` where that did not come about,
 * so that the runtime itself is asked and says why. `alive` tells whether the process is still there: one that is over in no time has written its
 * byte all the same.
 */
export async function openGate(fifo: string, alive: () => boolean): Promise<boolean> {
  const gate = openIfThere(fifo);
  if (gate === null) return false;
  try {
    const byte = Buffer.alloc(1);
    while (!readNow(gate, byte)) {
      if (alive()) await sleep(1);
      else if (readNow(gate, byte)) break;
      else return false;
    }
    removeFile(fifo);
    return true;
  } finally {
    closeSync(gate);
  }
}

function openIfThere(fifo: string): number | null {
  try {
    return openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Whether there was a byte to read. */
function readNow(descriptor: number, byte: Buffer): boolean {
  try {
    return readSync(descriptor, byte) === 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false;
    throw error;
  }
}

/**
 * Waits until the runtime's own first process has become the container's program. The runtime says "started" a moment earlier, and a signal sent
 * in that moment would meet the runtime, which ends by it or loses it. Nothing to wait for when the process is gone already.
 */
export async function programBegun(pid: number): Promise<void> {
  const deadline = Date.now() + BEGIN_LIMIT_MS;
  while (RUNTIME_INIT.test(readOrEmpty(`/proc/${pid}/comm`)) && Date.now() < deadline) await sleep(1);
}

const BEGIN_LIMIT_MS = 2000;
const RUNTIME_INIT = /^(runc:\[|crun\n)/;

/** A runtime's words, turned into ours. */
export function startFailure(name: string, words: string): Failure {
  const [, program] = /exec:? \\?"([^"\\]+)\\?"/.exec(words) ?? [];
  const subject = program ?? "its command";
  const isMount = /\bmount/.test(words);
  if (!isMount && /executable file not found|no such file or directory/i.test(words) && /exec|start container process/.test(words)) {
    return new Failure({
      code: "E_COMMAND_NOT_FOUND",
      message: `${name}: the image has no program ${subject}`,
      hint: "check cmd and entrypoint; `wharf run SERVICE sh` shows what the image holds",
    });
  }
  if (/permission denied/i.test(words) && /exec/.test(words)) {
    return new Failure({
      code: "E_COMMAND_NOT_EXECUTABLE",
      message: `${name}: ${subject} may not be executed`,
      hint: "make the file executable in the image, or run it with its interpreter",
    });
  }
  if (/no space left on device|disk quota exceeded/i.test(words))
    return new Failure({ code: "E_DISK_FULL", message: `${name} did not start: ${words}`, hint: FULL_DISK_HINT });
  return new Failure({
    code: "E_START",
    message: `${name} did not start: ${words || "the runtime gave no reason"}`,
    hint: "wharf doctor checks this machine",
  });
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return "";
    throw error;
  }
}

/** SIGKILL for a process; that it is gone already is as good. */
export function killIfThere(pid: number): void {
  signalIfThere(pid, "SIGKILL");
}

/** Sends a signal; gives `false` when there is no such process. */
export function signalIfThere(pid: number, signal: NodeJS.Signals | number): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Path of a file that the runtime or conmon writes in the bundle. */
export const bundleFile = (layout: Layout, id: string, name: string): string => join(bundleDirectory(layout, id), name);
