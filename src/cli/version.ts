import pjson from "../../package.json" with { type: "json" };

/** This wharf's own version, as in its package.json. */
export const VERSION: string = pjson.version;

/** What `wharf version` prints, without a newline. The launcher answers it without loading anything else. */
export function versionLine(): string {
  return `wharf ${VERSION}`;
}
