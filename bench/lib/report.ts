/** One thing that was measured on one or two sides. */
export interface Row {
  readonly what: string;
  /** Milliseconds, the median of all rounds. */
  readonly wharf: number;
  /** What it is compared with, and how that did; `null`: nothing to compare with. */
  readonly yardstick: { readonly name: string; readonly ms: number } | null;
  /** Most that wharf may take of the yardstick; `null`: only shown. */
  readonly target: number | null;
}

/** Whether a row keeps its promise; `null` when there is nothing to judge by. */
export function kept({ wharf, yardstick, target }: Row): boolean | null {
  return yardstick === null || target === null ? null : wharf / yardstick.ms <= target;
}

/** A table for people. */
export function format(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.what,
    `${row.wharf.toFixed(1)} ms`,
    row.yardstick === null ? "" : `${row.yardstick.ms.toFixed(1)} ms`,
    row.yardstick?.name ?? "",
    row.yardstick === null ? "" : (row.wharf / row.yardstick.ms).toFixed(2),
    row.target === null ? "" : `at most ${row.target}`,
    VERDICT[String(kept(row))] ?? "",
  ]);
  const all = [["", "wharf", "other", "which is", "ratio", "target", ""], ...cells];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0))) ?? [];
  return all
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const VERDICT: Readonly<Record<string, string>> = { true: "kept", false: "MISSED" };
