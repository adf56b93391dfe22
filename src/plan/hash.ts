import { createHash } from "node:crypto";
import { canonical, type Json } from "../model/json.ts";

/**
 * The versioned hash of what a container was made from: equal attributes, equal text. `attributes` holds no value that is the default,
 * so that an attribute added to wharf later leaves every hash as it is. A change of this text recreates everybody's containers.
 */
export function configHash(attributes: Readonly<Record<string, Json>>): string {
  return `1:${createHash("sha256").update(canonical(attributes)).digest("hex")}`;
}

/** SHA-256 of a value's canonical text: equal values, equal digests. */
export function digestOf(value: Json): string {
  return `sha256:${createHash("sha256").update(canonical(value)).digest("hex")}`;
}
