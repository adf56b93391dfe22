import type { Diagnostic, Source } from "../model/diagnostic.ts";
import type { Style } from "./style.ts";
import { clean, clip, plural, width } from "./text.ts";

/** The lines of a file that diagnostics may show, or `null` when it cannot be read. */
export type LineReader = (file: string) => readonly string[] | null;

export interface DiagnosticStyle {
  readonly style: Style;
  readonly lines: LineReader;
}

/** Problems for people: what, where with the source line and a caret, what to do. At most twenty; the rest is counted. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], options: DiagnosticStyle): string {
  const shown = inOrder(diagnostics).slice(0, MOST);
  const more = diagnostics.length - shown.length;
  const blocks = shown.map((diagnostic) => renderDiagnostic(diagnostic, options));
  if (more > 0) blocks.push(options.style.dim(`… and ${plural(more, "more problem")}`));
  return blocks.join(blocks.some((block) => block.includes("\n")) ? "\n\n" : "\n");
}

/** One problem, without a newline at its end. */
export function renderDiagnostic(diagnostic: Diagnostic, options: DiagnosticStyle): string {
  const { style } = options;
  const warning = diagnostic.code.startsWith("W_");
  const mark = warning ? style.yellow : style.red;
  const lines = [`${style.bold(mark(`${warning ? "warning" : "error"}[${diagnostic.code}]`))}: ${clean(diagnostic.message)}`];
  const frames = [
    ...(diagnostic.source === undefined ? [] : [{ source: diagnostic.source, note: "", mark }]),
    ...(diagnostic.related ?? []).map((r) => ({ source: r.source, note: clean(r.message), mark: style.cyan })),
  ];
  const digits = frames.reduce((most, { source }) => Math.max(most, String(source.line).length), 1);
  for (const { source, note, mark: paint } of frames) lines.push(...frame(source, note, { ...options, paint, digits }));
  for (const line of diagnostic.excerpt ?? []) lines.push(`${style.dim("  |")} ${clip(clean(line), LINE_WIDTH)}`.trimEnd());
  if (diagnostic.hint !== undefined)
    lines.push(`${" ".repeat(frames.length > 0 ? digits + 2 : 2)}${style.cyan("hint")}: ${clean(diagnostic.hint)}`);
  return lines.join("\n");
}

const MOST = 20;
/** Longest piece of a source line that is shown. */
const LINE_WIDTH = 100;

interface FrameOptions extends DiagnosticStyle {
  readonly paint: (text: string) => string;
  readonly digits: number;
}

function frame(source: Source, note: string, options: FrameOptions): readonly string[] {
  const { style, digits, paint } = options;
  const gutter = (text: string): string => style.dim(` ${text.padStart(digits)} |`);
  const place = `${" ".repeat(digits + 1)}${style.dim("-->")} ${clean(source.file)}:${source.line}:${source.column}`;
  const text = options.lines(source.file)?.[source.line - 1];
  if (text === undefined) return [note === "" ? place : `${place} ${note}`];
  // One column for each character, so that the caret stands below what it means; a line too long is cut on its left.
  const flat = clean(text.replaceAll("\t", " "));
  const offset = source.column > LINE_WIDTH ? source.column - LINE_WIDTH / 2 : 0;
  const before = flat.slice(offset, source.column - 1);
  const caret = "^".repeat(Math.max(1, width(flat.slice(source.column - 1, (source.end ?? source.column + 1) - 1))));
  return [
    place,
    gutter(""),
    `${gutter(String(source.line))} ${clip(flat.slice(offset), LINE_WIDTH)}`.trimEnd(),
    `${gutter("")} ${" ".repeat(width(before))}${paint(note === "" ? caret : `${caret} ${note}`)}`,
  ];
}

/** By place where every one has a place, else as given. */
function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const placed = diagnostics.flatMap((diagnostic) => (diagnostic.source === undefined ? [] : [{ diagnostic, source: diagnostic.source }]));
  if (placed.length < diagnostics.length) return diagnostics;
  placed.sort((a, b) =>
    a.source.file === b.source.file
      ? a.source.line - b.source.line || a.source.column - b.source.column
      : a.source.file < b.source.file
        ? -1
        : 1,
  );
  return placed.map(({ diagnostic }) => diagnostic);
}
