import { parseDigest } from "./digest.ts";

declare const brand: unique symbol;
/** A canonical image reference: `docker.io/library/nginx:latest`, or with `@sha256:…` instead of the tag. */
export type Reference = string & { readonly [brand]: "Reference" };

export interface ReferenceParts {
  /** Host with its port, if any: `docker.io`, `127.0.0.1:5000`. */
  readonly domain: string;
  /** Repository below the domain: `library/nginx`. */
  readonly path: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

const DEFAULT_DOMAIN = "docker.io";
const LEGACY_DEFAULT_DOMAIN = "index.docker.io";
const OFFICIAL = "library/";
const NAME_LIMIT = 255;

const COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const PATH = `${COMPONENT}(?:/${COMPONENT})*`;
const HOST_LABEL = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const HOST = `(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|\\[[a-fA-F0-9:]+\\])`;
const DOMAIN = `${HOST}(?::[0-9]+)?`;
const TAG = "[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}";
const DIGEST = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";

const REFERENCE = new RegExp(`^(${DOMAIN})/(${PATH})(?::(${TAG}))?(?:@(${DIGEST}))?$`);
const IDENTIFIER = /^[a-f0-9]{64}$/;

/** Longer texts are no reference by any rule: name, tag and the longest digest together stay below. */
const TEXT_LIMIT = 1024;

/**
 * The canonical form of what a user writes as an image's name, or what is wrong with it.
 * No registry means `docker.io`, no project there `library`, no tag `latest`; beside a digest a tag says nothing and is dropped.
 */
export function parseReference(text: string): Reference | { readonly problem: string } {
  if (text === "") return { problem: "an image reference must not be empty" };
  if (text.length > TEXT_LIMIT) return { problem: `an image reference of ${text.length} characters is too long` };
  if (IDENTIFIER.test(text)) return { problem: `"${text}" is an image id, which cannot be a name` };
  const [domain, rest] = splitDomain(text);
  const path = /^[^:@]*/.exec(rest)?.[0] ?? "";
  if (/[A-Z]/.test(path)) return { problem: `repository name must be lowercase: "${path}" in "${text}"` };
  const [, host, repository, tag = "latest", digest] = REFERENCE.exec(`${domain}/${rest}`) ?? [];
  if (host === undefined || repository === undefined)
    return { problem: `"${text}" is not an image reference ([registry/]name[:tag][@digest])` };
  const name = `${host}/${repository}`;
  if (name.length > NAME_LIMIT)
    return { problem: `repository name must not be more than ${NAME_LIMIT} characters: "${name}" has ${name.length}` };
  if (digest === undefined) return `${name}:${tag}` as Reference;
  const checked = parseDigest(digest);
  return typeof checked === "string" ? (`${name}@${checked}` as Reference) : checked;
}

/** What a user would write for it: without `docker.io/`, and without `library/` there. The tag stays. */
export function familiar(reference: Reference): string {
  const { domain, path } = partsOf(reference);
  const suffix = reference.slice(domain.length + 1 + path.length);
  if (domain !== DEFAULT_DOMAIN) return reference;
  const short = path.startsWith(OFFICIAL) && !path.slice(OFFICIAL.length).includes("/") ? path.slice(OFFICIAL.length) : path;
  // What looks like a registry or an id without its prefix would be read as another name: it keeps the prefix.
  return parseReference(`${short}${suffix}`) === reference ? `${short}${suffix}` : reference;
}

/** The parts of a canonical reference; exactly one of tag and digest is there. */
export function partsOf(reference: Reference): ReferenceParts {
  const slash = reference.indexOf("/");
  const domain = reference.slice(0, slash);
  const rest = reference.slice(slash + 1);
  const at = rest.indexOf("@");
  if (at !== -1) return { domain, path: rest.slice(0, at), tag: null, digest: rest.slice(at + 1) };
  const colon = rest.indexOf(":");
  return { domain, path: rest.slice(0, colon), tag: rest.slice(colon + 1), digest: null };
}

/** The same repository by the digest of its content. */
export function withDigest(reference: Reference, digest: string): Reference {
  const { domain, path } = partsOf(reference);
  return `${domain}/${path}@${digest}` as Reference;
}

/** The first segment is a registry only when it cannot be a part of a name on the default one. */
function splitDomain(text: string): readonly [domain: string, rest: string] {
  const slash = text.indexOf("/");
  const first = text.slice(0, slash);
  const isDomain = slash !== -1 && (first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first);
  const domain = isDomain && first !== LEGACY_DEFAULT_DOMAIN ? first : DEFAULT_DOMAIN;
  const rest = isDomain ? text.slice(slash + 1) : text;
  return [domain, domain === DEFAULT_DOMAIN && !rest.includes("/") ? `${OFFICIAL}${rest}` : rest];
}
