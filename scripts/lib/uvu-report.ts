/** What one process of tests did, read from what uvu prints. */
export interface Report {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Files in which not one test ran or was skipped. */
  readonly empty: readonly string[];
}

/** Reads uvu's output for the files it was given; `null` when it has no totals, because it did not come to its end. */
export function readReport(output: string, files: readonly string[]): Report | null {
  const total = count(output, "Total");
  const passed = count(output, "Passed");
  const skipped = count(output, "Skipped");
  if (total === null || passed === null || skipped === null) return null;
  const lines = output.split("\n");
  const empty = files.filter((file) => skipped === 0 && testsOf(lines, file, files) === 0);
  return { passed, failed: total - passed, skipped, empty };
}

/** Tests in one file's part of the output: from the line with its name to the next file's. */
function testsOf(lines: readonly string[], file: string, files: readonly string[]): number {
  const start = lines.indexOf(file);
  if (start < 0) return 0;
  let tests = 0;
  for (const line of lines.slice(start + 1)) {
    if (files.includes(line)) break;
    tests += Number(/\(\d+ \/ (\d+)\)\s*$/.exec(line)?.[1] ?? 0);
  }
  return tests;
}

/** The last `Name:  N` in the output: tests may print whatever they like before. */
function count(output: string, name: string): number | null {
  const found = [...output.matchAll(new RegExp(`^ {2}${name}: +(\\d+)$`, "gm"))].at(-1)?.[1];
  return found === undefined ? null : Number(found);
}
