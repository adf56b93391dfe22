import { type Diagnostic, Failure } from "../model/diagnostic.ts";
import type { Session } from "./session.ts";

/** Prints the documents of things by their names as one JSON list. What is there is shown; what is not is said. */
export async function inspectEach(
  session: Session,
  names: readonly string[],
  { find, absent }: { readonly find: (name: string) => unknown; readonly absent: (name: string) => Diagnostic },
): Promise<number> {
  const found = await Promise.all(names.map(find));
  session.out.line(
    JSON.stringify(
      found.filter((document) => document !== null),
      null,
      2,
    ),
  );
  const missing = names.filter((_, index) => found[index] === null);
  if (missing.length > 0) throw new Failure(missing.map(absent));
  return 0;
}
