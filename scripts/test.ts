/**
 * Runs groups of test files and ends with one line: `N passed, N failed, N skipped`.
 *
 *   node --import tsx scripts/test.ts [unit] [containers] [conformance] [part of a path…]
 *
 * uvu has no timeout, and says nothing of a file that runs no test: both are failures here. Quick files share a process, since starting one
 * costs more than what they do; those on real containers and the conformance suites have one each.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type BuiltCommand, buildCommand, COMMAND_ENV } from "./lib/command.ts";
import { type Result, runFiles } from "./lib/run-files.ts";
import { ensureValidator } from "./lib/validator.ts";

interface Group {
  readonly has: (path: string) => boolean;
  /** Files in one process. */
  readonly batch: number;
  /** Wall clock of one process, in milliseconds. */
  readonly timeoutMs: number;
  /** Processes at a time: unit tests wait for one another's ends of the wire more than they compute. */
  readonly atOnce: number;
}

interface Job {
  readonly files: readonly string[];
  readonly group: GroupName;
}

type GroupName = keyof typeof GROUPS;

const GROUPS = {
  unit: { has: (path) => path.endsWith(".test.ts") && !path.startsWith("test/containers/"), batch: 16, timeoutMs: 240_000, atOnce: 3 },
  containers: { has: (path) => path.endsWith(".test.ts") && path.startsWith("test/containers/"), batch: 1, timeoutMs: 300_000, atOnce: 2 },
  conformance: { has: isConformance, batch: 1, timeoutMs: 300_000, atOnce: 2 },
} as const satisfies Record<string, Group>;

const root = join(import.meta.dirname, "..");
process.chdir(root);

const words = process.argv.slice(2);
const names = words.filter(isGroupName);
const parts = words.filter((word) => !isGroupName(word));
const groups = names.length > 0 ? names : (["unit", "containers"] as const);

ensureValidator(root);
const interrupt = new AbortController();
let interruptedBy: NodeJS.Signals | null = null;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    interruptedBy = signal;
    jobs.length = 0;
    interrupt.abort();
  });
}
let command: BuiltCommand | null = null;
process.once("exit", () => command?.remove());

const totals = { passed: 0, failed: 0, skipped: 0 };
const jobs = groups.flatMap(jobsOf);
if (jobs.some(({ files }) => files.some((path) => path.startsWith("test/cli/")))) command = await buildCommand(root);
for (const group of groups) await Promise.all(Array.from({ length: GROUPS[group].atOnce }, () => work(group)));
if (interruptedBy === null && jobs.length === 0 && totals.passed + totals.failed + totals.skipped === 0) {
  console.error(`no test file matches: ${words.join(" ")}`);
  totals.failed++;
}
if (totals.failed > 0) process.exitCode = 1;
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
if (interruptedBy !== null) {
  command?.remove();
  process.kill(process.pid, interruptedBy);
}

/** Does one of a group's jobs after the other while there are any. */
async function work(group: GroupName): Promise<void> {
  for (let job = next(group); job !== undefined; job = next(group)) {
    const env = command === null ? {} : { [COMMAND_ENV]: command.path };
    tell(job, await runFiles(job.files, { timeoutMs: GROUPS[job.group].timeoutMs, signal: interrupt.signal, env }));
  }
}

function next(group: GroupName): Job | undefined {
  return jobs[0]?.group === group ? jobs.shift() : undefined;
}

function jobsOf(group: GroupName): Job[] {
  const { has, batch } = GROUPS[group];
  const files = readdirSync("test", { recursive: true, encoding: "utf8" })
    .map((path) => `test/${path}`)
    .filter((path) => has(path) && (parts.length === 0 || parts.some((part) => path.includes(part))))
    .sort();
  // Dealt out like cards: slow files stand side by side, and would fall to one process.
  const count = Math.ceil(files.length / batch);
  return Array.from({ length: count }, (_, index) => ({ files: files.filter((_, at) => at % count === index), group }));
}

function tell({ files, group }: Job, { report, problem, output, swept, ms }: Result): void {
  const strict = group === "containers" && process.env["CI"] === "true" && (report?.skipped ?? 0) > 0 ? "skipped on CI" : null;
  const wrong = problem ?? strict;
  totals.passed += report?.passed ?? 0;
  totals.skipped += report?.skipped ?? 0;
  totals.failed += (report?.failed ?? 0) + (wrong === null ? 0 : 1);
  const failed = wrong !== null || (report?.failed ?? 0) > 0;
  const seconds = (ms / 1000).toFixed(1);
  if (failed || (report?.skipped ?? 0) > 0 || group === "conformance") console.log(output.trimEnd());
  for (const what of swept) console.log(`swept ${what}`);
  console.log(
    `${failed ? "FAIL" : "ok  "} ${files.join(" ")} (${report?.passed ?? 0} passed, ${seconds} s)${wrong === null ? "" : `: ${wrong}`}`,
  );
}

/** A suite that runs by itself; a file that exports something is one that others call. */
function isConformance(path: string): boolean {
  return /^test\/conformance\/[^/]+\.ts$/.test(path) && !/^export /m.test(readFileSync(path, "utf8"));
}

function isGroupName(word: string): word is GroupName {
  return word in GROUPS;
}
