import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Failure } from "../../model/diagnostic.ts";
import { algorithmOf, type Digest, parseDigest } from "../../model/digest.ts";

export function digestOf(bytes: Uint8Array, like?: Digest): Digest {
  const algorithm = like === undefined ? "sha256" : algorithmOf(like);
  const digest = parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`);
  if (typeof digest !== "string") throw new Error(digest.problem);
  return digest;
}

/** The digest that an answer says its content has, or `null` when it says none that can be checked. */
export function saidDigest(response: IncomingMessage): Digest | null {
  const said = response.headers["docker-content-digest"];
  const digest = parseDigest(typeof said === "string" ? said : "");
  return typeof digest === "string" ? digest : null;
}

export function mismatch(
  what: string,
  { expected, got, host }: { readonly expected: string; readonly got: string; readonly host: string },
): Failure {
  return new Failure({
    code: "E_DIGEST_MISMATCH",
    message: `${host} sent something else than was asked for: ${what} should have the digest ${expected} and has ${got}`,
    hint: "try again; if it stays, the registry or a proxy before it is broken",
  });
}
