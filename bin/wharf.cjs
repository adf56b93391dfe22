#!/usr/bin/env -S node --
"use strict";
// `--` above: Node 20 would take `--env-file`, which is wharf's as it is Compose's, for its own wherever it stands.
// Starts the built command. Everything else is in src/cli/launch.ts, which the build makes into dist/launch.cjs.
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const launch = join(__dirname, "..", "dist", "launch.cjs");

try {
  require(launch);
} catch (error) {
  if (error.code !== "MODULE_NOT_FOUND" || existsSync(launch)) throw error;
  process.stderr.write("wharf is not built yet: run `npm run build` (or `./setup`, which does everything) in its directory\n");
  process.exitCode = 1;
}
