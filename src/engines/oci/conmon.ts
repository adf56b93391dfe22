import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { identify, type ProcessIdentity } from "../../lib/process-identity.ts";
import type { Logging } from "../../model/logging.ts";
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
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
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
  const monitorPid = Number(await readFile(bundleFile(layout, id, "conmon.pid"), "latin1"));
  return { process: started, conmon: identify(monitorPid) };
}

/** Ends monitors and runtimes that a killed command left working on a container: nothing may make it while it is taken apart. */
export async function killMonitors(id: string): Promise<void> {
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const words = (await commandLine(entry)).split("\0");
    if (words.includes(id) && /(^|\/)(conmon|runc|crun)$/.test(words[0] ?? "")) killIfThere(Number(entry));
  }
}

function conmonArguments(layout: Layout, runtime: Runtime, { id, name, tty, stdin, keepStdin, exitCommand, logging }: Monitored): string[] {
  const file = (base: string): string => bundleFile(layout, id, base);
  const args = [
    "--api-version",
    "1",
    "--cid",
    id,
    "--cuuid",
    id,
    "--name",
    name,
    "--runtime",
    runtime.path,
    "--bundle",
    bundleDirectory(layout, id),
  ];
  args.push("--container-pidfile", file("pid"), "--conmon-pidfile", file("conmon.pid"), "--persist-dir", containerDirectory(layout, id));
  args.push("--exit-dir", layout.exits);
  for (const path of logPaths(layout, id, logging)) args.push("--log-path", path);
  args.push("--log-level", "error", "--full-attach", "--no-new-keyring");
  for (const word of ["--root", layout.runtime, "--log-format", "json", "--log", file("runtime.log")]) args.push("--runtime-arg", word);
  const [program, ...words] = exitCommand;
  if (program !== undefined) args.push("--exit-command", program, ...words.flatMap((word) => ["--exit-command-arg", word]));
  if (tty) args.push("--terminal");
  if (stdin) args.push("--stdin");
  if (stdin && keepStdin) args.push("--leave-stdin-open");
  return args;
}

/** Where output goes. The journal gets a copy, where there is one: what is kept here is what `logs` reads. */
function logPaths(layout: Layout, id: string, logging: Logging | null): readonly string[] {
  if (logging?.driver === "none") return ["none"];
  const journal = logging?.driver === "journald" && existsSync(JOURNAL) ? ["journald"] : [];
  return [`k8s-file:${containerDirectory(layout, id)}/log`, ...journal];
}

const JOURNAL = "/run/systemd/journal/socket";

/** conmon's first answer: a process id, or the runtime's words on what went wrong. */
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
