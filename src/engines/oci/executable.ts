import type { Stats } from "node:fs";
import { posix } from "node:path";
import { Failure } from "../../model/diagnostic.ts";
import { type LookOptions, statInside } from "./rootfs-path.ts";
import { startFailure } from "./runtime.ts";

export interface SearchOptions extends LookOptions {
  /** The container's PATH. */
  readonly path: string;
  /** Absolute, in the container. */
  readonly cwd: string;
}

/**
 * Whether a container will find its program, asked before it is started so that the answer is a clear one. A name with a slash is a path
 * from the working directory, any other is looked for along PATH.
 */
export function findExecutable(root: string, name: string, options: SearchOptions): "found" | "not-found" | "not-executable" {
  if (name === "") return "not-found";
  if (name.includes("/")) {
    const stats = look(root, posix.resolve(options.cwd, name), options);
    return stats === null ? "not-found" : isProgram(stats) ? "found" : "not-executable";
  }
  const candidates = options.path.split(":").map((directory) => look(root, posix.resolve(options.cwd, directory, name), options));
  const files = candidates.filter((stats) => stats?.isFile() === true);
  if (files.length === 0) return "not-found";
  return files.some((stats) => stats !== null && isProgram(stats)) ? "found" : "not-executable";
}

/** Throws E_COMMAND_NOT_FOUND or E_COMMAND_NOT_EXECUTABLE for a program that a container, named `name`, cannot run. */
export function requireProgram(
  { argv, env, cwd }: { readonly argv: readonly string[]; readonly env: readonly string[]; readonly cwd: string },
  { name, root, covers }: LookOptions & { readonly name: string; readonly root: string },
): void {
  const [program = ""] = argv;
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? "";
  const answer = findExecutable(root, program, { path, cwd, ...(covers === undefined ? {} : { covers }) });
  if (answer === "not-found") throw startFailure(name, `exec: "${program}": executable file not found`);
  if (answer === "not-executable") throw startFailure(name, `exec: "${program}": permission denied`);
}

const isProgram = (stats: Stats): boolean => stats.isFile() && (stats.mode & 0o111) !== 0;

/** A circle of links on the way is no program either. */
function look(root: string, path: string, options: LookOptions): Stats | null {
  try {
    return statInside(root, path, options);
  } catch (error) {
    if (error instanceof Failure && error.has("E_ROOTFS_PATH")) return null;
    throw error;
  }
}
