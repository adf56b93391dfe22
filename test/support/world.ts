/** A world of its own for one test: images, containers and networks that nothing else sees, spoken to through the built command. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { constants as os } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { suite, type Test } from "uvu";
import { beginTraces, endTraces, leftovers, note, present } from "./leftovers.ts";
import { ROOT } from "./sources.ts";

export interface World {
  /** WHARF_ROOT and WHARF_RUN. */
  readonly root: string;
  readonly run: string;
  /** The whole environment of its commands. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs `wharf …` to its end. */
  wharf(args: readonly string[], options?: CallOptions): Promise<Finished>;
  /** As `wharf`, but another status than 0 is an error with all that it printed. Gives standard output. */
  ok(args: readonly string[], options?: CallOptions): Promise<string>;
  /** Starts `wharf …` and lets it run. */
  start(args: readonly string[], options?: CallOptions): ChildProcess;
  /** Makes a project's directory from file names and their text; gives its path. */
  project(name: string, files: Readonly<Record<string, string>>): Promise<string>;
  /** Names of what it has in the kernel and on disk, images and volumes left aside, at this moment. */
  has(): readonly string[];
  /** As `has`, after what is ending had a moment to go: nothing after `down`. */
  left(): Promise<readonly string[]>;
  /** Takes everything away, and fails with the names of what its commands left behind. */
  dispose(): Promise<void>;
}

export interface CallOptions {
  readonly cwd?: string;
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds; then it is killed. A minute unless given. */
  readonly timeoutMs?: number;
}

export interface Finished {
  /** 128 + the signal's number for one that was killed. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const WHARF = join(ROOT, "bin", "wharf.cjs");

export async function makeWorld(): Promise<World> {
  const traces = await beginTraces("/tmp/wharf-world-");
  const { directory } = traces;
  const env = {
    PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: join(directory, "home"),
    XDG_CACHE_HOME: join(ROOT, "dist", ".cache"), // one code cache for all
    WHARF_ROOT: traces.root,
    WHARF_RUN: traces.run,
    NO_COLOR: "1",
  };
  await mkdir(env.HOME);
  const start = (args: readonly string[], options: CallOptions = {}): ChildProcess =>
    spawn(process.execPath, [WHARF, ...args], {
      cwd: options.cwd ?? directory,
      env: { ...env, ...options.env },
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
  const wharf = async (args: readonly string[], options: CallOptions = {}): Promise<Finished> => {
    const finished = await finish(start(args, options), options);
    note(traces);
    return finished;
  };
  return {
    root: traces.root,
    run: traces.run,
    env,
    start,
    wharf,
    ok: async (args, options) => {
      const { status, stdout, stderr } = await wharf(args, options);
      if (status !== 0) throw new Error(`wharf ${args.join(" ")} ended with ${status}\n${stdout}\n${stderr}`);
      return stdout;
    },
    project: async (name, files) => {
      const place = join(directory, name);
      for (const [file, text] of Object.entries(files)) {
        await mkdir(dirname(join(place, file)), { recursive: true });
        await writeFile(join(place, file), text);
      }
      return place;
    },
    has: () => {
      note(traces);
      return present(traces);
    },
    left: () => {
      note(traces);
      return leftovers(traces);
    },
    dispose: async () => {
      const left = await endTraces(traces);
      if (left.length > 0) throw new Error(`left behind by this world:\n${left.map((what) => `  ${what}`).join("\n")}`);
    },
  };
}

/** A test's body that has a world to itself. What it leaves behind fails it; where it failed before, only that counts. */
export function inWorld(body: (world: World) => Promise<void>): () => Promise<void> {
  return async () => {
    const world = await makeWorld();
    const outcome = await body(world).then(
      () => null,
      (error: unknown) => ({ error }),
    );
    if (outcome === null) return world.dispose();
    await world.dispose().catch(() => {}); // it was interrupted: of course something is left
    throw outcome.error;
  };
}

/**
 * A suite on real containers. Where they cannot run every test of it is skipped, and the reason is said. `lacks` gives why what else the
 * tests need is not there, `null` where it is; it is asked only where containers can run.
 */
export function containerSuite(
  name: string,
  lacks: () => string | null = () => null,
): Pick<Test, "run" | "skip"> & ((title: string, body: () => Promise<void>) => void) {
  const real = suite(name);
  const reason = whyNot() ?? lacks();
  if (reason === null) return real;
  console.log(`${name}: skipped, ${reason}`);
  return Object.assign((title: string, body: () => Promise<void>) => real.skip(title, body), { run: real.run, skip: real.skip });
}

/** Collects what a child prints until it ends. */
export async function finish(child: ChildProcess, options: CallOptions = {}): Promise<Finished> {
  const clock = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 60_000);
  const out = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (out.stdout += chunk));
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (out.stderr += chunk));
  child.stdin?.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error; // it ended without reading; its status says why
  });
  if (options.input !== undefined) child.stdin?.end(options.input);
  const [code, signal]: [number | null, NodeJS.Signals | null] = await onClose(child);
  clearTimeout(clock);
  return { status: code ?? 128 + (signal === null ? 0 : os.signals[signal]), ...out };
}

function onClose(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve([code, signal]));
  });
}

function whyNot(): string | null {
  if (process.geteuid?.() !== 0) return "only root may make containers";
  const missing = ["runc", "conmon", "nft", "busybox"].filter((program) => !isProgram(program));
  return missing.length === 0 ? null : `${missing.join(", ")} missing (./setup installs what is needed)`;
}

function isProgram(name: string): boolean {
  return [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"].some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch (error) {
      if (error instanceof Error && "code" in error) return false;
      throw error;
    }
  });
}
