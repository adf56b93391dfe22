/** A module with the engine in it as the build makes it: beside it lies the supervisor, which comes up faster than from its sources. */
import { copyFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { ROOT } from "./sources.ts";

/** Bundles a file of this directory and loads it. Below the project, where its packages are found. */
export async function builtModule(name: string): Promise<unknown> {
  const directory = join(ROOT, ".tmp", "built");
  await mkdir(directory, { recursive: true });
  for (const file of ["supervisor.cjs", "supervisor-main.cjs", "unpack-worker.cjs"])
    await copyFile(join(ROOT, "dist", file), join(directory, file));
  const outfile = join(directory, `${name}.cjs`);
  await build({
    absWorkingDir: ROOT,
    entryPoints: [join(import.meta.dirname, `${name}.ts`)],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20.19",
    external: ["koffi"],
    define: { "import.meta.url": "moduleUrl" },
    banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
    logLevel: "warning",
  });
  return createRequire(import.meta.url)(outfile);
}
