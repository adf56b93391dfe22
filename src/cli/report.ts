import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { exitStatus } from "../model/codes.ts";
import { type Diagnostic, diagnosticsOf, Failure } from "../model/diagnostic.ts";
import { type DiagnosticStyle, type LineReader, renderDiagnostics } from "../ui/diagnostics.ts";
import { styleOf } from "../ui/style.ts";
import { Output } from "./output.ts";
import { type Settings, settingsOf, surroundings } from "./settings.ts";

/**
 * Tells a person about an error that ended a command, on standard error, and gives the exit status it asks for. With `--progress json` it is
 * one event a problem. `settings`: `null` when the error came before there were any.
 */
export async function reportError(error: unknown, settings: Settings | null): Promise<number> {
  const look = settings ?? settingsOf({}, { ...surroundings(), env: coloursOnly(process.env) });
  const out = new Output(2);
  const diagnostics = diagnosticsOf(error);
  out.write(problemText(diagnostics, look));
  if (look.verbose) for (const line of traces(error)) out.line(line);
  await out.flush();
  return error instanceof ProgramFailure ? error.status : exitStatus(diagnostics.map(({ code }) => code));
}

/** A failure whose exit status is the program's affair, not the code's family's. */
export class ProgramFailure extends Failure {
  readonly status: 126 | 127;

  constructor(failure: Failure, status: 126 | 127) {
    super(failure.diagnostics, { cause: failure.cause });
    this.status = status;
  }
}

/** Diagnostics as standard error shows them, each block ended by a newline. */
export function problemText(diagnostics: readonly Diagnostic[], settings: Settings): string {
  if (diagnostics.length === 0) return "";
  if (settings.progress !== "json") return `${renderDiagnostics(diagnostics, diagnosticStyle(settings))}\n`;
  const at = new Date().toISOString();
  return diagnostics.map((diagnostic, i) => `${JSON.stringify({ type: "notice", diagnostic, seq: i + 1, at })}\n`).join("");
}

export function diagnosticStyle(settings: Pick<Settings, "colour" | "cwd">): DiagnosticStyle {
  return { style: styleOf(settings.colour.stderr), lines: lineReader(settings.cwd) };
}

/** Reads source files for code frames, each once; a file that cannot be read shows no lines. */
function lineReader(cwd: string): LineReader {
  const files = new Map<string, readonly string[] | null>();
  return (file) => {
    const known = files.get(file);
    if (known !== undefined) return known;
    const lines = readLines(resolve(cwd, file));
    files.set(file, lines);
    return lines;
  };
}

/** `null` whatever the reason: the message matters more than its picture. */
function readLines(path: string): readonly string[] | null {
  try {
    return readFileSync(path, "utf8").split(/\r?\n/);
  } catch (error) {
    if (error instanceof Error && "code" in error) return null;
    throw error;
  }
}

/** Before the settings are known only the colours are, and a wrong value elsewhere must not hide the first error. */
function coloursOnly(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { NO_COLOR: env["NO_COLOR"], FORCE_COLOR: env["FORCE_COLOR"], TERM: env["TERM"] };
}

/** Stack traces of an error and of what caused it. */
function* traces(error: unknown): Iterable<string> {
  for (let at = error; at instanceof Error; at = at.cause) {
    yield `${at === error ? "" : "caused by: "}${at instanceof Failure ? `${at.name}: ${at.message}\n` : ""}${at.stack ?? at.message}`;
    if (at instanceof AggregateError) for (const inner of at.errors) yield* traces(inner);
  }
}
