/**
 * What bin/wharf.cjs runs: answers `version` at once, and for everything else loads the bundle through the code cache.
 * The build makes it a file of its own, so it must stay small: whatever it imports is parsed at every start.
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory, runCached } from "../lib/code-cache.ts";
import { versionLine } from "./version.ts";

/** Put in by the build: the hash of main.cjs, and the words that name commands. */
declare const WHARF_BUILD: string;
declare const WHARF_VERBS: readonly string[];

const [, , first, ...rest] = process.argv;
if (rest.length === 0 && (first === "version" || first === "--version")) print(`${versionLine()}\n`);
else {
  const key = { build: WHARF_BUILD, verb: first !== undefined && WHARF_VERBS.includes(first) ? first : "other" };
  const keep = runCached(join(__dirname, "main.cjs"), { directory: cacheDirectory(process.env), key, load: require });
  if (keep !== null) process.once("exit", keep);
}

/** Writes without process.stdout: to make that costs more than all the rest of `wharf version`. */
function print(text: string): void {
  try {
    writeSync(1, text);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error; // nobody reads: nothing to say
  }
}
