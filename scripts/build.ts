/**
 * Makes dist/ from src/: one CommonJS file with everything that a command needs (V8 reads it from a code cache, so what is not used costs
 * nothing), a launcher that picks it up, and the unpacking worker.
 *
 *   launch.cjs          what bin/wharf.cjs requires: `version`, the code cache
 *   main.cjs            the command, as one function expression
 *   unpack-worker.cjs   entry of the worker threads that unpack layers
 *   supervisor.cjs      the process that looks after a project
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { COMMANDS } from "../src/commands/table.ts";
import { lazyBuiltins } from "./lib/lazy-builtins.ts";
import { slimOclif } from "./lib/slim-oclif.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const WORKER = "src/images/unpack-worker.ts";

const MODULE_URL = 'const moduleUrl=require("node:url").pathToFileURL(__filename).href;';

/** How every file of dist/ is made. */
const COMMON: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  // Minified class names would show in stack traces and in `error.name` comparisons.
  keepNames: false,
  format: "cjs",
  platform: "node",
  target: "node20.19",
  charset: "ascii", // so that the file is read as Latin-1: one byte a character, no decoding
  legalComments: "none",
  outdir: dist,
  outExtension: { ".js": ".cjs" },
  external: ["koffi"],
  // What is inlined is initialised when it is first imported; nothing is looked up on disk.
  supported: { "dynamic-import": false },
  // Sources name themselves by import.meta.url; CommonJS has __filename.
  define: { "import.meta.url": "moduleUrl" },
  banner: { js: MODULE_URL },
  logLevel: "warning",
};

await mkdir(dist, { recursive: true });
const oclif = slimOclif();
const main = await build({
  ...COMMON,
  entryPoints: ["src/cli/main.ts"],
  plugins: [oclif.plugin, lazyBuiltins()],
  // Wrapped as `require` would wrap it: the launcher compiles the file as it is, without making a second copy of it in memory.
  banner: { js: `(function(exports,require,module,__filename,__dirname){${MODULE_URL}` },
  footer: { js: "})" },
  write: true,
  metafile: true,
});
oclif.assertApplied();
if (existsSync(join(root, WORKER))) await build({ ...COMMON, entryPoints: [WORKER] });
await build({ ...COMMON, entryPoints: { supervisor: "src/engines/oci/supervisor/main.ts" }, plugins: [lazyBuiltins()] });
const verbs = new Set(Object.keys(COMMANDS).map((id) => id.split(":")[0]));
await build({
  ...COMMON,
  entryPoints: ["src/cli/launch.ts"],
  banner: {},
  define: { WHARF_BUILD: JSON.stringify(await hashOf(join(dist, "main.cjs"))), WHARF_VERBS: JSON.stringify([...verbs]) },
});
await removeAllBut([".sources", "launch.cjs", "main.cjs", "supervisor.cjs", "unpack-worker.cjs"]);
console.log(`dist/main.cjs ${Math.round((main.metafile.outputs["dist/main.cjs"]?.bytes ?? 0) / 1024)} KiB`);

async function hashOf(file: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex")
    .slice(0, 16);
}

async function removeAllBut(names: readonly string[]): Promise<void> {
  for (const name of await readdir(dist)) if (!names.includes(name)) await rm(join(dist, name), { recursive: true });
}
