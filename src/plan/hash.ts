import { createHash, createHmac } from "node:crypto";
import { canonical, type Json } from "../model/json.ts";
import { bytesOf, type Content, type Secret } from "../model/secret.ts";

/**
 * The versioned hash of what only a new container could have otherwise: equal attributes, equal text. `fixed` holds no value that is the default,
 * so that an attribute added to wharf later leaves every hash as it is. A change of this text recreates everybody's containers.
 */
export function configHash(fixed: Readonly<Record<string, Json>>): string {
  return `2:${sha256(fixed)}`;
}

/** As the first versions made it, of all attributes: containers that carry it are told by it. */
export function firstHash(attributes: Readonly<Record<string, Json>>): string {
  return `${FIRST}${sha256(Object.fromEntries(Object.entries(attributes).filter(([key]) => !LATER.has(key))))}`;
}

/** What no container was recorded with then. */
const LATER: ReadonlySet<string> = new Set(["post_start", "pre_stop", "stop_grace_period"]);

export const isFirstHash = (hash: string | null): boolean => hash?.startsWith(FIRST) === true;

const FIRST = "1:";

const sha256 = (value: Json): string => createHash("sha256").update(canonical(value)).digest("hex");

/** SHA-256 of a value's canonical text: equal values, equal digests. */
export function digestOf(value: Json): string {
  return `sha256:${sha256(value)}`;
}

/** Tells one content of a config from another. */
export function configDigest(content: Content): string {
  return createHash("sha256").update(bytesOf(content)).digest("hex").slice(0, 32);
}

/** Likewise for a secret. Only with the key could somebody find out by trial which one it is, or that two hold the same. */
export function secretDigest(content: Content, { key, name }: { readonly key: Secret | undefined; readonly name: string }): string {
  return createHmac("sha256", key?.reveal() ?? "")
    .update(`${name}\0`)
    .update(bytesOf(content))
    .digest("hex")
    .slice(0, 32);
}
