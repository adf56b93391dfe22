import { Failure } from "../model/diagnostic.ts";
import { parseDocuments } from "./document.ts";
import type { Context, Draft } from "./draft.ts";

/** Reads the YAML of every file. Throws when one of them is no YAML, or when all are empty. */
export function parse(draft: Draft, { report }: Context): Draft {
  const layers = draft.files.flatMap((file) => parseDocuments(file, report));
  report.orThrow();
  if (layers.length > 0) return { ...draft, layers };
  const names = draft.files.map((file) => file.shown).join(", ");
  throw new Failure({ code: "E_EMPTY_SPEC", message: `there is nothing in ${names}`, hint: "a spec begins with `services:`" });
}
