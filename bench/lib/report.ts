/** One thing that was measured on one or two sides. */
export interface Row {
  readonly what: string;
  /** Milliseconds unless there is a unit, the median of all rounds. */
  readonly wharf: number;
  readonly unit?: string;
  /** What it is compared with, and how that did, in the same unit; `null`: nothing to compare with. */
  readonly yardstick: { readonly name: string; readonly ms: number } | null;
  /** Most that wharf may take of the yardstick; `null`: only shown. */
  readonly target: number | null;
  /** The target is the least that wharf must reach: more is better. */
  readonly isLeast?: boolean;
}

/** Whether a row keeps its promise; `null` when there is nothing to judge by. */
export function kept({ wharf, yardstick, target, isLeast = false }: Row): boolean | null {
  if (yardstick === null || target === null) return null;
  return isLeast ? wharf >= target * yardstick.ms : wharf <= target * yardstick.ms;
}

/** A table for people. */
export function format(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.what,
    figure(row.wharf, row),
    row.yardstick === null ? "" : figure(row.yardstick.ms, row),
    row.yardstick?.name ?? "",
    row.yardstick === null ? "" : (row.wharf / row.yardstick.ms).toFixed(2),
    row.target === null ? "" : `at ${row.isLeast === true ? "least" : "most"} ${row.target}`,
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

const figure = (value: number, { unit = "ms" }: Row): string => `${value.toFixed(1)} ${unit}`.trimEnd();

const VERDICT: Readonly<Record<string, string>> = { true: "kept", false: "MISSED" };
