/** Names by which a layer says what it removes from the layers below it. */
import { malformed } from "./tar-header.ts";

const PREFIX = ".wh.";
const RESERVED = ".wh..wh.";
const OPAQUE_MARKER = ".wh..wh..opq";

/** Whether a file name is one of those; none of them is ever a file of a container. */
export function isReserved(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** Whether it hides everything that lower layers have in its directory. */
export function isOpaqueMarker(name: string): boolean {
  return name === OPAQUE_MARKER;
}

/** The name that it removes; `null` for the private names of old storage drivers, which mean nothing. */
export function whiteoutOf(name: string): string | null {
  if (name.startsWith(RESERVED)) return null;
  const hidden = name.slice(PREFIX.length);
  if (hidden === "" || hidden === "." || hidden === "..") throw malformed(`the whiteout "${name}" removes nothing`);
  return hidden;
}
