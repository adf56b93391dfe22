import type { Code } from "../model/codes.ts";
import { diagnosticsOf, Failure } from "../model/diagnostic.ts";
import type { Session } from "./session.ts";

/** Removes things by their names, and prints them. All that can go goes; what cannot is said. `unless`: a code that is no error here. */
export async function removeEach(
  session: Session,
  names: readonly string[],
  { remove, unless }: { readonly remove: (name: string, signal: AbortSignal) => Promise<void>; readonly unless: Code | null },
): Promise<number> {
  const problems: unknown[] = [];
  for (const name of names) {
    try {
      await remove(name, session.signal);
      session.out.line(name);
    } catch (error) {
      if (!(unless !== null && error instanceof Failure && error.has(unless))) problems.push(error);
    }
  }
  if (problems.length === 0) return 0;
  throw new Failure(
    problems.flatMap((problem) => [...diagnosticsOf(problem)]),
    { cause: problems[0] },
  );
}
