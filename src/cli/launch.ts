/**
 * What bin/wharf.cjs runs: answers `version` at once, and for everything else loads the bundle through the code cache.
 * The build makes it a file of its own, so it must stay small: whatever it imports is parsed at every start.
 */
import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import { cacheDirectory, readCache, writeCache } from "./code-cache.ts";
import { versionLine } from "./version.ts";

/** Put in by the build: the hash of main.cjs, and the words that name commands. */
declare const WHARF_BUILD: string;
declare const WHARF_VERBS: readonly string[];

const [, , first, ...rest] = process.argv;
if (rest.length === 0 && (first === "version" || first === "--version")) print(`${versionLine()}\n`);
else loadMain(first);

/** Writes without process.stdout: to make that costs more than all the rest of `wharf version`. */
function print(text: string): void {
  try {
    writeSync(1, text);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error; // nobody reads: nothing to say
  }
}

/** Runs dist/main.cjs, which is wrapped already, as `require` would, from cached code where there is some. */
function loadMain(word: string | undefined): void {
  const file = join(__dirname, "main.cjs");
  const key = { build: WHARF_BUILD, verb: word !== undefined && WHARF_VERBS.includes(word) ? word : "other" };
  const directory = cacheDirectory(process.env);
  const cachedData = directory === null ? undefined : readCache(directory, key);
  const script = new Script(readFileSync(file, "latin1"), cachedData === undefined ? { filename: file } : { filename: file, cachedData });
  if (directory !== null && (cachedData === undefined || script.cachedDataRejected === true)) {
    process.once("exit", () => writeCache(directory, key, script.createCachedData()));
  }
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
}
