/** Makes dist/ from src/. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { BUNDLES, bundle } from "./lib/bundle.ts";

const dist = join(import.meta.dirname, "..", "dist");
const kept: ReadonlySet<string> = new Set([".sources", ...BUNDLES]);

const size = await bundle(dist);
for (const name of await readdir(dist)) if (!kept.has(name)) await rm(join(dist, name), { recursive: true });
console.log(`dist/main.cjs ${Math.round(size / 1024)} KiB`);
