import { closeSync, constants, lstatSync, openSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { FileStat, Files } from "../engine/files.ts";
import { kindOf, latin1 } from "../files/kind.ts";
import { packTree } from "../files/pack.ts";
import { isGone } from "../files/step.ts";
import { unpackTree } from "../files/unpack.ts";
import { Failure } from "../model/diagnostic.ts";

/** The caller's own files, paths relative to a directory. */
export function hostFiles(cwd: string): Files {
  const absolute = (path: string): string => `${resolve(cwd, path)}${/(?:^|\/)\.?$/.test(path) ? "/" : ""}`;
  return {
    stat: (path) => statOf(absolute(path)),
    async *read(path, as) {
      const whole = absolute(path);
      const itself = whole.endsWith("/");
      const directory = openDirectory(itself ? whole : dirname(whole));
      try {
        yield* packTree({ directory, name: itself ? null : latin1(basename(whole)), as: latin1(as) });
      } finally {
        closeSync(directory);
      }
    },
    async write(path, tar, { keepOwners, skipped }) {
      const directory = openDirectory(absolute(path));
      try {
        const owner = keepOwners ? null : { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
        // A container's device nodes would be doors to this machine's devices.
        await unpackTree(tar, { directory, owner, changeDirectories: keepOwners, devices: false, skipped });
      } finally {
        closeSync(directory);
      }
    },
    close: async () => {},
  };
}

function statOf(path: string): FileStat | null {
  try {
    const stats = path.endsWith("/") ? statSync(path) : lstatSync(path);
    return { kind: kindOf(stats), resolved: resolvedOf(path), size: stats.size };
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** With a link to nothing at its end, where that leads. */
function resolvedOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return join(realpathSync(dirname(path)), basename(path));
  }
}

function openDirectory(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "EACCES") throw error;
    const what = code === "EACCES" ? `${path} may not be opened` : `there is no directory ${path}`;
    throw new Failure({ code: "E_COPY", message: what }, { cause: error });
  }
}
