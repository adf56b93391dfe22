declare const brand: unique symbol;
/** A content digest that was checked: `sha256:` and 64, or `sha512:` and 128 lower-case hex digits. Safe as a part of a path. */
export type Digest = string & { readonly [brand]: "Digest" };

const HEX_LENGTH: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

const SHAPE = /^([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*):([a-fA-F0-9]{32,})$/;

/** The digest that a text spells, or what is wrong with it. */
export function parseDigest(text: string): Digest | { readonly problem: string } {
  const [, algorithm = "", hex = ""] = SHAPE.exec(text) ?? [];
  if (algorithm === "") return { problem: `"${text}" is not a digest (algorithm:hex)` };
  const length = Object.hasOwn(HEX_LENGTH, algorithm) ? HEX_LENGTH[algorithm] : undefined;
  if (length === undefined) return { problem: `digest algorithm "${algorithm}" is not supported (sha256 and sha512 are)` };
  if (hex.length !== length || /[A-F]/.test(hex))
    return { problem: `a ${algorithm} digest has ${length} lower-case hex digits, not "${hex}"` };
  return text as Digest;
}

/** `sha256` or `sha512`: the name under which node knows the hash too. */
export function algorithmOf(digest: Digest): string {
  return digest.slice(0, digest.indexOf(":"));
}

export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** The first twelve hex digits: how people name a layer or an image. */
export function shortDigest(digest: Digest): string {
  return hexOf(digest).slice(0, 12);
}
