import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { identify, type ProcessIdentity } from "../../lib/process-identity.ts";
import type { Logging } from "../../model/logging.ts";
import { cgroupRequest } from "./cgroups.ts";
import { bundleDirectory, containerDirectory, type Layout } from "./layout.ts";
import { bundleFile, killIfThere, type Runtime, startFailure } from "./runtime.ts";

/** What conmon must know of a container. */
export interface Monitored {
  readonly id: string;
  readonly name: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Its standard input stays open when who was attached goes away. */
  readonly keepStdin: boolean;
  readonly logging: Logging | null;
  /** Run by the monitor once it has written how the container ended; empty: nothing. */
  readonly exitCommand: readonly string[];
}

/** A further process of a container at a terminal, whose monitor keeps its files in a directory of its own. */
export interface MonitoredExec {
  /** Of the container. */
  readonly id: string;
  readonly name: string;
  readonly directory: string;
  /** The process, as the runtime reads it. */
  readonly file: string;
  readonly program: string;
  /** Run once it has ended. */
  readonly exitCommand: readonly string[];
}

/** One that waits to begin. */
export interface MonitoredTerminal {
  /** Lets it begin; gives its process. Throws E_START. */
  begin(): Promise<ProcessIdentity | null>;
  /** Its exit status; 255: nobody saw it end. */
  ended(): Promise<number>;
  /** Hears no more of it. */
  leave(): void;
}

export interface Monitoring {
  /** Its first process, made and not begun. */
  readonly process: ProcessIdentity;
  readonly conmon: ProcessIdentity | null;
}

/**
 * Starts a monitor, which makes the container (`runc create`) and stays its parent: it writes the log and the exit status and needs nobody.
 * The bundle must be complete. Throws E_COMMAND_NOT_FOUND, E_COMMAND_NOT_EXECUTABLE or E_START.
 */
export async function monitor(layout: Layout, runtime: Runtime, options: Monitored & { readonly program: string }): Promise<Monitoring> {
  const { id, name } = options;
  const bundle = bundleDirectory(layout, id);
  const errors = openSync(bundleFile(layout, id, "conmon.err"), "w", 0o600);
  const child = spawn(options.program, conmonArguments(layout, runtime, options), {
    cwd: bundle, // conmon 2.1 writes its `oom` file where it stands
    detached: true,
    env: {
      PATH,
      _OCI_SYNCPIPE: "3",
      _OCI_STARTPIPE: "4",
      // runc is written in Go and lives for some fifty milliseconds: it ends before garbage is worth collecting.
      GOGC: "off",
    },
    stdio: ["ignore", "ignore", errors, "pipe", "pipe"],
  });
  closeSync(errors);
  child.unref();
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  const sync = child.stdio[3] as Readable;
  const begin = child.stdio[4] as Writable;
  begin.end("\0");
  const answer = await Promise.race([firstLine(sync), failed]);
  sync.destroy();
  const pid = answer === null ? null : parseAnswer(answer);
  if (pid === null || typeof pid === "string")
    throw startFailure(name, pid ?? (readFileSync(bundleFile(layout, id, "conmon.err"), "utf8").trim() || "its monitor ended early"));
  const started = identify(pid);
  if (started === null) throw startFailure(name, "its process ended before it began");
  const monitorPid = Number(readFileSync(bundleFile(layout, id, "conmon.pid"), "latin1"));
  return { process: started, conmon: identify(monitorPid) };
}

/** Starts the monitor of a further process, and waits until one can be attached to it. Nothing of the process has begun then. */
export async function monitorExec(layout: Layout, runtime: Runtime, options: MonitoredExec): Promise<MonitoredTerminal> {
  const { name, directory, file, program } = options;
  const args = [...commonArguments(layout, runtime, options), "--log-path", "none"];
  args.push("--exec", "--exec-attach", "--exec-process-spec", file, "--terminal", "--stdin", "--leave-stdin-open");
  const errors = openSync(join(directory, "conmon.err"), "w", 0o600);
  const child = spawn(program, args, {
    cwd: directory,
    detached: true,
    env: { PATH, _OCI_SYNCPIPE: "3", _OCI_STARTPIPE: "4", _OCI_ATTACHPIPE: "5" },
    stdio: ["ignore", "ignore", errors, "pipe", "pipe", "pipe"],
  });
  closeSync(errors);
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  const streams: readonly unknown[] = child.stdio;
  const [sync, begin, ready] = [streams[3] as Readable, streams[4] as Writable, streams[5] as Readable];
  begin.on("error", () => {}); // it ended early: its answer, or the lack of one, tells
  begin.write("\0");
  const words = answers(sync);
  const early = (): string => readFileSync(join(directory, "conmon.err"), "utf8").trim() || "its monitor ended early";
  const isReady = await Promise.race([firstLine(ready), failed]);
  ready.destroy();
  if (isReady === null) throw startFailure(name, early());
  return {
    begin: async () => {
      begin.end("\0", () => begin.destroy()); // the monitor keeps its side open
      const pid = (await words.next()).value ?? early();
      if (typeof pid === "string") throw startFailure(name, pid);
      return identify(pid);
    },
    ended: async () => {
      const { value } = await words.next();
      return typeof value === "number" ? value : 255;
    },
    leave: () => {
      begin.destroy();
      sync.destroy();
    },
  };
}

/** Ends monitors and runtimes that a killed command left working on a container: nothing may make it while it is taken apart. */
export async function killMonitors(id: string): Promise<void> {
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const words = (await commandLine(entry)).split("\0");
    if (words.includes(id) && /(^|\/)(conmon|runc|crun)$/.test(words[0] ?? "")) killIfThere(Number(entry));
  }
}

function conmonArguments(layout: Layout, runtime: Runtime, options: Monitored): string[] {
  const { id, tty, stdin, keepStdin, logging } = options;
  const args = commonArguments(layout, runtime, { ...options, directory: bundleDirectory(layout, id) });
  args.push("--persist-dir", containerDirectory(layout, id), "--exit-dir", layout.exits);
  for (const path of logPaths(layout, id, logging)) args.push("--log-path", path);
  if (tty) args.push("--terminal");
  if (stdin) args.push("--stdin");
  if (stdin && keepStdin) args.push("--leave-stdin-open");
  return args;
}

function commonArguments(
  layout: Layout,
  runtime: Runtime,
  { id, name, directory, exitCommand }: Pick<Monitored, "id" | "name" | "exitCommand"> & { readonly directory: string },
): string[] {
  const file = (base: string): string => join(directory, base);
  const args = ["--api-version", "1", "--cid", id, "--cuuid", id, "--name", name, "--runtime", runtime.path, "--bundle", directory];
  args.push("--container-pidfile", file("pid"), "--conmon-pidfile", file("conmon.pid"));
  args.push("--log-level", "error", "--full-attach", "--no-new-keyring");
  for (const word of ["--root", layout.runtime, "--log-format", "json", "--log", file("runtime.log"), ...cgroupRequest(layout, id).words])
    args.push("--runtime-arg", word);
  const [program, ...words] = exitCommand;
  if (program !== undefined) args.push("--exit-command", program, ...words.flatMap((word) => ["--exit-command-arg", word]));
  return args;
}

/** Where output goes. The journal gets a copy, where there is one: what is kept here is what `logs` reads. */
function logPaths(layout: Layout, id: string, logging: Logging | null): readonly string[] {
  if (logging?.driver === "none") return ["none"];
  const journal = logging?.driver === "journald" && existsSync(JOURNAL) ? ["journald"] : [];
  return [`k8s-file:${containerDirectory(layout, id)}/log`, ...journal];
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const JOURNAL = "/run/systemd/journal/socket";

/** What conmon says, one after the other: a process id or an exit status, or the runtime's words on what went wrong. */
function parseAnswer(line: string): number | string {
  const answer = JSON.parse(line) as { readonly data: number; readonly message?: string };
  if (answer.data > 0) return answer.data;
  const words = (answer.message ?? "").trim().split("\n").at(-1) ?? "";
  try {
    return (JSON.parse(words) as { readonly msg?: string }).msg ?? words;
  } catch (error) {
    if (error instanceof SyntaxError) return words; // not every runtime writes JSON
    throw error;
  }
}

/** Its answers until it says no more. */
async function* answers(stream: Readable): AsyncGenerator<number | string, undefined> {
  for await (const line of createInterface({ input: stream })) {
    const { data } = JSON.parse(line) as { readonly data: number };
    yield data >= 0 ? data : parseAnswer(line);
  }
  return undefined;
}

function firstLine(stream: Readable): Promise<string | null> {
  return new Promise((resolve, reject) => {
    let text = "";
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
    });
    stream.on("end", () => resolve(text === "" ? null : text));
    stream.on("error", reject);
  });
}

async function commandLine(pid: string): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/cmdline`, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return "";
    throw error;
  }
}
