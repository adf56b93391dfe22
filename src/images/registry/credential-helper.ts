/** Runs `docker-credential-…`, which keep passwords where this machine keeps secrets. */
import { spawn } from "node:child_process";
import { inOneLine } from "./problems.ts";

const TIMEOUT_MS = 10_000;
const OUTPUT_LIMIT = 1 << 20;

/** What a helper prints, or in one line why there is nothing. */
export function runHelper(
  program: string,
  key: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly output: Buffer } | { readonly problem: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, ["get"], { env, stdio: ["pipe", "pipe", "ignore"] });
    // Not the option of spawn: its timer goes on where there is no such program, and keeps this process from ending.
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= OUTPUT_LIMIT) chunks.push(chunk);
      else child.kill("SIGKILL");
    });
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ problem: "code" in error && error.code === "ENOENT" ? "it is not installed" : inOneLine(error.message) });
    });
    // What it started may outlive it and keep the pipe open.
    child.on("exit", (_, signal) => {
      if (signal !== null) child.stdout.destroy();
    });
    child.on("close", (status) => {
      clearTimeout(timer);
      const output = Buffer.concat(chunks);
      const [line = ""] = output.toString("utf8").trim().split("\n");
      const ended = status === null ? "it did not end in time, or was killed" : `it ended with ${status}`;
      resolve(status === 0 ? { output } : { problem: status === null ? ended : inOneLine(line) || ended });
    });
    child.stdin.on("error", () => {}); // a helper that does not read is judged by what it prints
    child.stdin.end(`${key}\n`);
  });
}
