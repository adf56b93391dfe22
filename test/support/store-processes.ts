/** Starts processes that work on an image store. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { ROOT } from "./sources.ts";

export interface StoreProcess {
  /** Lets it begin. */
  go(): void;
  /** What it made. Throws what it failed with; `null` when it was killed. */
  readonly made: Promise<unknown>;
  kill(): void;
}

/** Resolves when the process is ready to begin. */
export async function startStoreProcess(directory: string, ...words: readonly string[]): Promise<StoreProcess> {
  const program = join(ROOT, "test", "support", "store-process.ts");
  const child: ChildProcess = spawn(process.execPath, ["--import", "tsx", program, directory, ...words], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let said = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.stdin?.on("error", () => {}); // it may be killed before it reads
  const closed = once(child, "close");
  while (!said.startsWith("ready\n")) {
    const ended = await Promise.race([once(child.stdout ?? child, "data").then(() => false), closed.then(() => true)]);
    if (ended) throw new Error(`a process ended before it was ready: ${words.join(" ")}`);
  }
  const made = closed.then((): unknown => {
    const line = said.split("\n")[1] ?? "";
    if (line === "") return null;
    const { made: thing, failed }: { readonly made?: unknown; readonly failed?: string } = JSON.parse(line);
    if (failed !== undefined) throw new Error(failed);
    return thing;
  });
  made.catch(() => {}); // who waits for it is told
  return { go: () => child.stdin?.write("go\n"), made, kill: () => child.kill("SIGKILL") };
}
