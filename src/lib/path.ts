import { basename, dirname, normalize, relative, resolve } from "node:path";

/** A path made absolute: as it is when it begins with `/`, else from `base`. `.` and `..` are resolved. */
export function absolute(path: string, base: string): string {
  return resolve(base, path);
}

/** A path without `.`, `..` and slashes that say nothing; `.` for the empty one. */
export function cleaned(path: string): string {
  const clean = normalize(path);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}

/** The directory that holds a path; `/` for `/`. */
export function parent(path: string): string {
  return dirname(path);
}

/** The last part of a path; empty for `/`. */
export function lastPart(path: string): string {
  return basename(path);
}

/** How to show a path to someone who stands in `directory`: relative when it lies below, else absolute. */
export function shown(path: string, directory: string): string {
  const short = relative(directory, path);
  return short === "" || short === ".." || short.startsWith("../") ? path : short;
}

/** The way from one directory to a path; empty when they are the same. */
export function relativeFrom(path: string, directory: string): string {
  return relative(directory, path);
}
