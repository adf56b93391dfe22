import { clean, clip, pad, padLeft, width } from "./text.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** May be cut down to this many columns when the table is wider than the terminal. */
  readonly shrinkTo?: number;
  /** May be left out, the highest number first, when cutting down is not enough. */
  readonly drop?: number;
}

export interface TableOptions {
  /** Columns of the terminal, or `null` where nothing may be cut. */
  readonly width: number | null;
}

/** Lines of a table with a header, two spaces between columns, no trailing space. Cells come from outside: they are cleaned. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], options: TableOptions): readonly string[] {
  const cells = rows.map((row) => columns.map((_, i) => clean(row[i] ?? "")));
  const natural = columns.map((column, i) => cells.reduce((most, row) => Math.max(most, width(row[i] ?? "")), width(column.title)));
  const widths = fit(columns, natural, options.width ?? Number.POSITIVE_INFINITY);
  const line = (row: readonly string[]): string =>
    columns
      .flatMap((column, i) => {
        const room = widths[i] ?? null;
        if (room === null) return [];
        const cell = clip(row[i] ?? "", room);
        return [column.align === "right" ? padLeft(cell, room) : pad(cell, room)];
      })
      .join(GAP)
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...cells.map(line)];
}

const GAP = "  ";

/** A width for each column, `null` for those left out. */
function fit(columns: readonly Column[], natural: readonly number[], room: number): readonly (number | null)[] {
  const widths: (number | null)[] = [...natural];
  const excess = (): number => {
    const shown = widths.filter((w) => w !== null);
    return shown.reduce((sum, w) => sum + w, 0) + GAP.length * Math.max(0, shown.length - 1) - room;
  };
  const shrink = (): void => {
    columns.forEach((column, i) => {
      const now = widths[i] ?? null;
      if (now === null || column.shrinkTo === undefined) return;
      const over = excess();
      if (over > 0) widths[i] = Math.max(Math.min(now, column.shrinkTo), now - over);
    });
  };
  shrink();
  const droppable = columns
    .flatMap((column, i) => (column.drop === undefined ? [] : [{ i, drop: column.drop }]))
    .sort((a, b) => b.drop - a.drop);
  for (const { i } of droppable) {
    if (excess() <= 0) break;
    widths[i] = null;
    columns.forEach((_, j) => {
      if (widths[j] !== null) widths[j] = natural[j] ?? 0; // the room that came free goes to the others again
    });
    shrink();
  }
  return widths;
}
