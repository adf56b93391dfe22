/**
 * Makes what runs from src/: one CommonJS file with everything that a command needs (V8 reads it from a code cache, so what is not used costs
 * nothing), a launcher that picks it up, and the unpacking worker.
 *
 *   launch.cjs            what bin/wharf.cjs requires: `version`, the code cache
 *   main.cjs              the command, as one function expression
 *   unpack-worker.cjs     entry of the worker threads that unpack layers
 *   supervisor.cjs        starts the process that looks after a project, from its code cache
 *   supervisor-main.cjs   that process, as one function expression
 */
import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { COMMANDS } from "../../src/commands/table.ts";
import { lazyModules } from "./lazy-modules.ts";
import { slimOclif } from "./slim-oclif.ts";

/** Files that `bundle` makes. */
export const BUNDLES = ["launch.cjs", "main.cjs", "supervisor.cjs", "supervisor-main.cjs", "unpack-worker.cjs"] as const;

const MODULE_URL = 'const moduleUrl=require("node:url").pathToFileURL(__filename).href;';

const root = join(import.meta.dirname, "..", "..");

/** How every file is made. */
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
  outExtension: { ".js": ".cjs" },
  external: ["koffi"],
  // What is inlined is initialised when it is first imported; nothing is looked up on disk.
  supported: { "dynamic-import": false },
  // Sources name themselves by import.meta.url; CommonJS has __filename.
  define: { "import.meta.url": "moduleUrl" },
  banner: { js: MODULE_URL },
  logLevel: "warning",
};

/** Wrapped as `require` would wrap it: the launcher compiles the file as it is, without making a second copy of it in memory. */
const WRAPPED: BuildOptions = {
  banner: { js: `(function(exports,require,module,__filename,__dirname){${MODULE_URL}` },
  footer: { js: "})" },
};

/** Makes the files in a directory; the size of main.cjs, in bytes. */
export async function bundle(outdir: string): Promise<number> {
  await mkdir(outdir, { recursive: true });
  const oclif = slimOclif();
  const supervisor = "src/engines/oci/supervisor";
  await Promise.all([
    build({ ...COMMON, ...WRAPPED, outdir, entryPoints: ["src/cli/main.ts"], plugins: [oclif.plugin, lazyModules({ root })] }),
    build({ ...COMMON, outdir, entryPoints: ["src/images/unpack-worker.ts"] }),
    build({
      ...COMMON,
      ...WRAPPED,
      outdir,
      entryPoints: { "supervisor-main": `${supervisor}/main.ts` },
      plugins: [lazyModules({ root })],
    }),
  ]);
  oclif.assertApplied();
  const main = await readFile(join(outdir, "main.cjs"));
  const verbs = new Set(Object.keys(COMMANDS).map((id) => id.split(":")[0]));
  const launcher = (entryPoints: Readonly<Record<string, string>>, of: Uint8Array): BuildOptions => ({
    ...COMMON,
    outdir,
    entryPoints,
    banner: {},
    define: { WHARF_BUILD: JSON.stringify(hashOf(of)), WHARF_VERBS: JSON.stringify([...verbs]) },
  });
  await Promise.all([
    build(launcher({ launch: "src/cli/launch.ts" }, main)),
    build(launcher({ supervisor: `${supervisor}/launch-bundle.ts` }, await readFile(join(outdir, "supervisor-main.cjs")))),
  ]);
  return main.length;
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}
