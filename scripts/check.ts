/**
 * `npm run check`: lint, types and the unit tests side by side, for each of them waits much of its time. The tests' totals come last; what fails
 * is shown whole.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";

interface Part {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const PARTS: readonly Part[] = [
  { name: "lint", command: "biome", args: ["ci", "."] },
  { name: "types", command: "tsc", args: ["-p", "."] },
  { name: "tests", command: process.execPath, args: ["--import", "tsx", "scripts/test.ts", "unit"] },
];

const root = join(import.meta.dirname, "..");
const env = { ...process.env, PATH: `${join(root, "node_modules", ".bin")}:${process.env["PATH"] ?? ""}` };
const results = PARTS.map(run);
for (const result of results) {
  const { name, status, output } = await result;
  if (status !== 0) process.exitCode = 1;
  if (name === "tests" || status !== 0) process.stdout.write(output);
  else console.log(`ok   ${name}`);
}

/** Runs one part to its end, with all that it says. */
function run({ name, command, args }: Part): Promise<{ readonly name: string; readonly status: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", reject);
    child.on("close", (status) => resolve({ name, status, output }));
  });
}
