import type { Row, Transfer } from "./board.ts";
import type { Style } from "./style.ts";
import { clean, clip, pad, plural, width } from "./text.ts";
import { isOver, sumOf } from "./transfers.ts";
import { elapsed } from "./units.ts";

export interface FrameOptions {
  readonly style: Style;
  /** Size of the terminal. */
  readonly columns: number;
  readonly rows: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Counts the pictures drawn, for what turns. */
  readonly tick: number;
}

/**
 * The picture of a run while it goes on: at most `rows - 2` lines. Where not all fits, what is at work and what failed comes first, and the rest
 * is counted.
 */
export function frame(rows: readonly Row[], options: FrameOptions): readonly string[] {
  const room = Math.max(1, options.rows - 2);
  const names = nameColumn(rows);
  if (rows.length <= room) return withLayers(rows, room - rows.length, { ...options, names });
  const ranked = rows.map((row, index) => ({ row, index })).sort((a, b) => RANK[a.row.status] - RANK[b.row.status] || a.index - b.index);
  const shown = ranked.slice(0, room - 1).sort((a, b) => a.index - b.index);
  const hidden = ranked.slice(room - 1).map(({ row }) => row);
  const count = (status: Row["status"]): number => hidden.filter((row) => row.status === status).length;
  const parts = [`${count("done")} done`, `${count("waiting") + count("running")} to come`];
  const more = options.style.dim(`   … ${hidden.length} more (${parts.join(", ")})`);
  return [...shown.map(({ row }) => line(row, { ...options, names })), more];
}

/** What stays on the screen when the run is over: one line for each thing, its notes below it. */
export function finalLines(rows: readonly Row[], options: FrameOptions): readonly string[] {
  const names = nameColumn(rows);
  return rows.flatMap((row) => [
    line(row, { ...options, names }),
    ...row.notes.map((note) => options.style.dim(clip(`     ${clean(note)}`, options.columns - 1))),
  ]);
}

interface LineOptions extends FrameOptions {
  /** Columns that names take. */
  readonly names: number;
}

const RANK = { running: 0, failed: 1, waiting: 2, skipped: 3, done: 4 } as const satisfies Record<Row["status"], number>;
export const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] as const;
const BAR = 10;

function nameColumn(rows: readonly Row[]): number {
  return Math.min(
    48,
    rows.reduce((most, row) => Math.max(most, width(label(row))), 0),
  );
}

function label(row: Row): string {
  return `${row.noun} ${clean(row.name)}`;
}

function withLayers(rows: readonly Row[], spare: number, options: LineOptions): readonly string[] {
  let left = spare;
  return rows.flatMap((row) => {
    const layers = row.status === "running" && row.transfers.length > 1 ? row.transfers.filter(isMoving).slice(0, left) : [];
    left -= layers.length;
    return [
      line(row, options),
      ...layers.map((t) =>
        options.style.dim(clip(`     ${clean(t.item)} ${pad(t.phase, 8)} ${sumOf([t], options.now).text}`, options.columns - 1)),
      ),
    ];
  });
}

function line(row: Row, options: LineOptions): string {
  const { style } = options;
  const spent = row.status === "running" && row.since !== null ? options.now - row.since : row.ms;
  const time =
    row.status === "waiting" || row.status === "skipped" || (row.status === "running" && spent < 1000) ? "" : elapsed(Math.max(0, spent));
  const detail = row.status === "running" ? transfers(row, options.now) : (row.why ?? "");
  const verb = row.status === "failed" ? "failed" : row.status === "skipped" ? "skipped" : row.verb;
  // The text is cut to the terminal before colours are put around its parts: a line that wraps would break the repainting.
  const room = options.columns - 4;
  const name = clip(pad(clip(label(row), options.names), options.names), room);
  const rest = clip([pad(verb, 10), time, clean(detail)].filter((part) => part !== "").join("  "), room - width(name) - 2);
  return ` ${mark(row, options)} ${name}  ${row.status === "failed" ? style.red(rest) : style.dim(rest)}`.trimEnd();
}

function mark(row: Row, { style, tick }: LineOptions): string {
  switch (row.status) {
    case "running":
      return style.cyan(SPINNER[tick % SPINNER.length] ?? "-");
    case "done":
      return style.green("✔");
    case "failed":
      return style.red("✘");
    case "skipped":
      return style.yellow("-");
    case "waiting":
      return style.dim("·");
  }
}

/** The transfers of a row as one: a bar where the whole is known, the amount, the rate, the time that is left. */
function transfers(row: Row, now: number): string {
  const moving = row.transfers;
  if (moving.length === 0) return "";
  const { done, total, text } = sumOf(moving, now);
  const filled = total === null || total === 0 ? null : Math.min(BAR, Math.floor((done / total) * BAR));
  const bar = filled === null ? "" : `[${"=".repeat(filled)}${" ".repeat(BAR - filled)}]`;
  const layers = moving.length > 1 ? `${moving.filter(isOver).length}/${plural(moving.length, "layer")}` : "";
  return [bar, text, layers].filter((part) => part !== "").join(" ");
}

/** Worth a line of its own. */
function isMoving(transfer: Transfer): boolean {
  return !isOver(transfer) && transfer.phase !== "waiting";
}
