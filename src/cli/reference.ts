import { Failure } from "../model/diagnostic.ts";
import { parseReference, type Reference } from "../model/reference.ts";

/** A reference that a user gave, in its canonical form. Throws `Failure` saying what is wrong with it. */
export function referenceOf(text: string): Reference {
  const reference = parseReference(text);
  if (typeof reference === "string") return reference;
  throw new Failure({ code: "E_USAGE", message: `\`${text}\` is not an image name: ${reference.problem}` });
}
