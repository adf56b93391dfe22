/** Runs the command from its sources, with the engine that holds no real container, in a world of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

const TSX = join(ROOT, "node_modules/tsx/dist/esm/index.mjs");
const MAIN = join(ROOT, "src/cli/main.ts");

export async function makePlace(): Promise<Place> {
  const base = await mkdtemp(join(tmpdir(), "wharf-cli-"));
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: base,
    WHARF_ENGINE: "memory",
    WHARF_ROOT: join(base, "root"),
    WHARF_RUN: join(base, "run"),
  };
  const run = async (input: string | null, argv: readonly string[]): Promise<Called> => {
    const child = spawn(process.execPath, ["--import", TSX, MAIN, ...argv], { cwd: base, env, stdio: ["pipe", "pipe", "pipe"] });
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
