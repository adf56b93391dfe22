/** Runs the command as it is built from the sources, with the engine that holds no real container, in a world of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMAND_ENV } from "../../scripts/lib/command.ts";
import { ROOT } from "../support/sources.ts";

export interface Called {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Place {
  readonly directory: string;
  call(...argv: readonly string[]): Promise<Called>;
  /** As `call`, with what standard input gives. */
  feed(input: string, ...argv: readonly string[]): Promise<Called>;
  write(file: string, text: string): Promise<void>;
  dispose(): Promise<void>;
}

/** Compiled code, which the command keeps by its build: it is for every place. Nothing else of the command is kept there. */
const CODE_CACHE = join(ROOT, ".tmp", "code-cache");

/** What scripts/test.ts built for this run: one build for all files, since to start from the sources takes eight times as long. */
const command = process.env[COMMAND_ENV];

export async function makePlace(): Promise<Place> {
  if (command === undefined) throw new Error("nothing is built: run this file with `node --import tsx scripts/test.ts unit cli/`");
  const base = await mkdtemp(join(tmpdir(), "wharf-cli-"));
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: base,
    XDG_CACHE_HOME: CODE_CACHE,
    WHARF_ENGINE: "memory",
    WHARF_ROOT: join(base, "root"),
    WHARF_RUN: join(base, "run"),
  };
  const run = async (input: string | null, argv: readonly string[]): Promise<Called> => {
    const child = spawn(process.execPath, [command, ...argv], { cwd: base, env, stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.end(input ?? "");
    const texts = [child.stdout, child.stderr].map(async (stream) => (await stream.toArray()).join(""));
    const [[status], stdout = "", stderr = ""] = await Promise.all([once(child, "exit"), ...texts]);
    return { status: typeof status === "number" ? status : null, stdout, stderr };
  };
  return {
    directory: base,
    call: (...argv) => run(null, argv),
    feed: (input, ...argv) => run(input, argv),
    write: (file, text) => writeFile(join(base, file), text),
    dispose: () => rm(base, { recursive: true, force: true }),
  };
}
