/** Times programs, side by side. */
import { type SpawnOptions, spawn } from "node:child_process";

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Wall clock of one run in milliseconds. Another status than 0 is an error: what failed is no measurement. */
export function time({ command, args, cwd, env }: Program): Promise<number> {
  return new Promise((resolve, reject) => {
    const options: SpawnOptions = { stdio: ["ignore", "ignore", "pipe"], env, ...(cwd === undefined ? {} : { cwd }) };
    let said = "";
    const began = performance.now();
    const child = spawn(command, args, options);
    child.stderr?.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2000)));
    child.on("error", reject);
    // `exit`, not `close`: what the child left running may hold its streams.
    child.on("exit", (status, signal) => {
      const ms = performance.now() - began;
      child.stderr?.destroy();
      if (status === 0) resolve(ms);
      else reject(new Error(`${command} ${args.join(" ")} ended with ${signal ?? status}: ${said.trim()}`));
    });
  });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The caller's environment without what would measure something else: certificates that Node 20 parses at every start. */
export function plainEnvironment(further: Readonly<Record<string, string>> = {}): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && name !== "NODE_EXTRA_CA_CERTS" && !name.startsWith("WHARF_") && !name.startsWith("npm_")) env[name] = value;
  }
  return { ...env, ...further };
}
