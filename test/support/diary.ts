/**
 * What the tests of one process have in the kernel and on disk, written down as they make it, so that whoever kills that process can sweep after
 * it. A file of lines, each a verb and names; the last may be torn. A process that is given no diary writes none.
 *
 *   world DIRECTORY          container DIRECTORY ID     bridge DIRECTORY NAME
 *   space NAME               gone DIRECTORY-OR-SPACE
 */
import { appendFileSync } from "node:fs";

/** Names the diary's file, for the process that writes it. */
export const DIARY_ENV = "WHARF_TEST_DIARY";

export type Entry =
  | readonly [verb: "world" | "space" | "gone", name: string]
  | readonly [verb: "container" | "bridge", world: string, name: string];

export interface Unswept {
  /** Directories of worlds, each with what was noted of it. */
  readonly worlds: ReadonlyMap<string, { readonly containers: Set<string>; readonly bridges: Set<string> }>;
  /** Named network namespaces. */
  readonly spaces: ReadonlySet<string>;
}

export function writeDiary(...entries: readonly Entry[]): void {
  const file = process.env[DIARY_ENV];
  if (file !== undefined && entries.length > 0) appendFileSync(file, entries.map((entry) => `${entry.join(" ")}\n`).join(""));
}

/** What began and is not gone, by a diary's text. */
export function readDiary(text: string): Unswept {
  const worlds = new Map<string, { readonly containers: Set<string>; readonly bridges: Set<string> }>();
  const spaces = new Set<string>();
  for (const line of text.split("\n").slice(0, -1)) {
    const [verb, subject = "", name = ""] = line.split(" ");
    if (verb === "world") worlds.set(subject, { containers: new Set(), bridges: new Set() });
    else if (verb === "container") worlds.get(subject)?.containers.add(name);
    else if (verb === "bridge") worlds.get(subject)?.bridges.add(name);
    else if (verb === "space") spaces.add(subject);
    else if (verb === "gone") {
      worlds.delete(subject);
      spaces.delete(subject);
    } else throw new Error(`no line of a diary of tests: ${line}`);
  }
  return { worlds, spaces };
}
