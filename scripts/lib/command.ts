/** The command for the tests that start it: built anew for every run, in a directory of that run's own, so that it is never an older one. */
import { rmSync } from "node:fs";
import { copyFile, mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { bundle } from "./bundle.ts";

/** Names the file to start, for the processes of tests. */
export const COMMAND_ENV = "WHARF_TEST_COMMAND";

export interface BuiltCommand {
  /** The file to start. */
  readonly path: string;
  remove(): void;
}

/** Builds it below the project, where its packages are found. */
export async function buildCommand(root: string): Promise<BuiltCommand> {
  const base = join(root, ".tmp");
  await mkdir(base, { recursive: true });
  const directory = await mkdtemp(join(base, "command-"));
  const path = join(directory, "bin", "wharf.cjs");
  await bundle(join(directory, "dist"));
  await mkdir(join(directory, "bin"));
  await copyFile(join(root, "bin", "wharf.cjs"), path);
  return { path, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
