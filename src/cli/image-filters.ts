import type { ImageSummary } from "../engine/images.ts";
import { Failure } from "../model/diagnostic.ts";
import { familiar, parseReference, partsOf } from "../model/reference.ts";
import { parseTime } from "./logs.ts";

type Test = (image: ImageSummary) => boolean;

/** What `--filter` of `image ls` chooses, with Docker's words. `all`: the images that `before` and `since` may name. */
export function imageFilter(filters: readonly string[], all: readonly ImageSummary[], now: number): Test {
  const given = pairsOf(filters);
  const tests = [...new Set(given.map(({ key }) => key))].map((key): Test => {
    const values = given.flatMap((pair) => (pair.key === key ? [pair.value] : []));
    const ones = values.map((value) => testOf(key, value, { all, now }));
    // Labels narrow down, everything else is a choice.
    return key.startsWith("label") ? (image) => ones.every((test) => test(image)) : (image) => ones.some((test) => test(image));
  });
  return (image) => tests.every((test) => test(image));
}

/** What `--filter` of `image prune` chooses. */
export function pruneFilter(filters: readonly string[], now: number): Test {
  for (const { key } of pairsOf(filters)) if (!PRUNE_KEYS.includes(key)) throw unknownKey(key, PRUNE_KEYS);
  return imageFilter(filters, [], now);
}

/** Whether an image has lost its tags. */
export function isDangling({ reference }: ImageSummary): boolean {
  return reference === null || partsOf(reference).tag === null;
}

/** A name without a tag means every tag of the repository; the beginning of an id means that image. */
export function isNamed({ reference, id }: ImageSummary, name: string): boolean {
  if (hasId(id, name)) return true;
  const wanted = parseReference(name);
  if (reference === null || typeof wanted !== "string") return false;
  if (/[:@]/.test(name.slice(name.lastIndexOf("/") + 1))) return wanted === reference;
  const [{ domain, path }, found] = [partsOf(wanted), partsOf(reference)];
  return domain === found.domain && path === found.path;
}

const PRUNE_KEYS = ["until", "label", "label!"];
const LIST_KEYS = ["dangling", "label", "label!", "reference", "before", "since", "until", "id"];

function testOf(key: string, value: string, { all, now }: { readonly all: readonly ImageSummary[]; readonly now: number }): Test {
  switch (key) {
    case "dangling": {
      const wanted = truth(value);
      return (image) => isDangling(image) === wanted;
    }
    case "label":
      return (image) => hasLabel(image, value);
    case "label!":
      return (image) => !hasLabel(image, value);
    case "reference":
      return (image) => fits(image, value);
    case "id":
      return ({ id }) => hasId(id, value);
    case "until": {
      const time = parseTime("filter until", value, now);
      return (image) => image.created !== null && Date.parse(image.created) < time;
    }
    case "before":
    case "since": {
      const other = all.find((image) => isNamed(image, value));
      if (other === undefined)
        throw new Failure({ code: "E_IMAGE_ABSENT", message: `--filter ${key}=${value}: there is no image ${value} in the store` });
      const time = timeOf(other);
      return (image) => image.id !== other.id && (key === "before" ? timeOf(image) < time : timeOf(image) > time);
    }
    default:
      throw unknownKey(key, LIST_KEYS);
  }
}

export function pairsOf(filters: readonly string[]): readonly { readonly key: string; readonly value: string }[] {
  return filters.map((filter) => {
    const [, key, value] = /^([a-z]+!?)=(.*)$/s.exec(filter) ?? [];
    if (key === undefined || value === undefined)
      throw new Failure({ code: "E_USAGE", message: `--filter ${filter} is not key=value`, hint: "such as dangling=true" });
    return { key, value };
  });
}

export function unknownKey(key: string, known: readonly string[]): Failure {
  return new Failure({ code: "E_USAGE", message: `there is no filter ${key}`, hint: `there are ${known.join(", ")}` });
}

export function truth(value: string, key = "dangling"): boolean {
  if (/^(true|1)$/i.test(value)) return true;
  if (/^(false|0)$/i.test(value)) return false;
  throw new Failure({ code: "E_USAGE", message: `--filter ${key}=${value}: give true or false` });
}

export function hasLabel({ labels }: Pick<ImageSummary, "labels">, wanted: string): boolean {
  const equals = wanted.indexOf("=");
  const key = equals === -1 ? wanted : wanted.slice(0, equals);
  return Object.hasOwn(labels, key) && (equals === -1 || labels[key] === wanted.slice(equals + 1));
}

/** A shell pattern for the familiar name, with its tag or without. */
function fits({ reference }: ImageSummary, pattern: string): boolean {
  if (reference === null) return false;
  const name = familiar(reference);
  const { path } = partsOf(reference);
  const repository = name.slice(0, name.length - (reference.length - reference.indexOf("/") - 1 - path.length));
  const expression = patternOf(pattern);
  return expression.test(name) || expression.test(repository);
}

/** `*` and `?` do not go over a slash, as in Go's `path.Match`. */
function patternOf(pattern: string): RegExp {
  const parts = pattern.match(/\[\^?[^\]]+\]|[\s\S]/g) ?? [];
  const source = parts.map((part) => {
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    return /^\[.+\]$/.test(part) ? part.replaceAll("\\", "\\\\") : part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  });
  try {
    return new RegExp(`^${source.join("")}$`);
  } catch (error) {
    throw new Failure({ code: "E_USAGE", message: `--filter reference=${pattern} is not a pattern` }, { cause: error });
  }
}

function hasId(id: string, text: string): boolean {
  return /^(sha256:)?[0-9a-f]{4,64}$/.test(text) && id.startsWith(text.startsWith("sha256:") ? text : `sha256:${text}`);
}

/** An image that does not say when it was made is as old as can be. */
function timeOf({ created }: ImageSummary): number {
  return created === null ? 0 : Date.parse(created);
}
