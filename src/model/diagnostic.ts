import type { Code } from "./codes.ts";

/** A place in a file that the user wrote. Lines and columns start at 1; `end` is exclusive and on the same line. */
export interface Source {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly end?: number;
}

/** One problem, as data: the renderer decides how it looks, the code's family decides the exit status. */
export interface Diagnostic {
  readonly code: Code;
  /** What is wrong, naming the offending thing and its value. One line, no trailing full stop needed. */
  readonly message: string;
  /** What to do next. */
  readonly hint?: string;
  /** Where, when it came from a file. */
  readonly source?: Source;
  /** Lines of something else that tell more: the last output of a container. May hold anything. */
  readonly excerpt?: readonly string[];
  /** Further places that belong to it, each with a word on why (`first used here`). */
  readonly related?: readonly { readonly source: Source; readonly message: string }[];
}

/** The one throwable class of wharf. `cause` keeps what lay underneath for `--verbose`. */
export class Failure extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: Diagnostic | readonly Diagnostic[], options?: ErrorOptions) {
    const all: readonly Diagnostic[] = "code" in diagnostics ? [diagnostics] : diagnostics;
    super(all.map((d) => d.message).join("\n"), options);
    this.name = "Failure";
    this.diagnostics = all;
  }

  /** Whether any of its diagnostics has this code. */
  has(code: Code): boolean {
    return this.diagnostics.some((d) => d.code === code);
  }
}

/** Collects problems so that a user sees all of them at once. */
export class Report {
  readonly #items: Diagnostic[] = [];

  get items(): readonly Diagnostic[] {
    return this.#items;
  }

  add(item: Diagnostic): void {
    this.#items.push(item);
  }

  hasErrors(): boolean {
    return this.#items.some((d) => d.code.startsWith("E_"));
  }

  /** Throws a `Failure` with every error when there is one. Warnings never throw. */
  orThrow(): void {
    const errors = this.#items.filter((d) => d.code.startsWith("E_"));
    if (errors.length > 0) throw new Failure(errors);
  }
}

/** The failure's diagnostics, or what the system said in our words, or one `E_INTERNAL` for anything else that is not ours. */
export function diagnosticsOf(error: unknown): readonly Diagnostic[] {
  if (error instanceof Failure) return error.diagnostics;
  if (error instanceof AggregateError) return error.errors.flatMap((e: unknown) => [...diagnosticsOf(e)]);
  const full = fullDisk(error);
  if (full !== null) return [full];
  return [{ code: "E_INTERNAL", message: error instanceof Error ? error.message : String(error) }];
}

/** What to say where the system had no room for a file; `null` where that is not what went wrong. */
export function fullDisk(error: unknown): Diagnostic | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!("code" in cause) || (cause.code !== "ENOSPC" && cause.code !== "EDQUOT")) continue;
    const where = "path" in cause && typeof cause.path === "string" ? ` for ${cause.path}` : "";
    const what = cause.code === "ENOSPC" ? "no space is left on the disk" : "the disk quota is used up";
    return { code: "E_DISK_FULL", message: `${what}${where}`, hint: FULL_DISK_HINT };
  }
  return null;
}

export const FULL_DISK_HINT = "make room (wharf image du, wharf image prune -a, df), and run the command again";
