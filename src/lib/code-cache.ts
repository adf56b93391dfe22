/**
 * V8's compiled form of the bundle, kept between runs:
 *
 *   $XDG_CACHE_HOME/wharf/code/<build>-<node version>-<architecture>-<verb>.bin
 *
 * (a supervisor's lies below its world's RUN). It is written when the first run of a verb ends, so that it holds the functions which that verb
 * uses. V8 compares only its own version, its flags and the length of the source; the hash of the build in the name is what makes the pair right.
 * Loading a planted cache would run its code: the directory and the file must belong to the user who runs, and nobody else may enter. The
 * directory is opened before it is looked at, so that whoever owns what is above it cannot put another one in its place meanwhile.
 */
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { Script } from "node:vm";

export interface CacheKey {
  /** Hash of the bundle's bytes, hexadecimal. */
  readonly build: string;
  /** A word out of a closed list: it becomes a part of a file's name. */
  readonly verb: string;
}

/** Directory of the code cache, or `null` when there is no home to put it in. */
export function cacheDirectory(env: NodeJS.ProcessEnv): string | null {
  const base = env["XDG_CACHE_HOME"];
  if (base?.startsWith("/")) return join(base, "wharf", "code");
  const home = env["HOME"] ?? homedir();
  return home.startsWith("/") ? join(home, ".cache", "wharf", "code") : null;
}

/**
 * Runs a bundle, which is wrapped already, as `require` would, from cached code where there is some. Where there is none, gives what keeps the
 * code of the functions that have been used until it is called. `load` is what the bundle gets for `require`: its caller's, who lies beside it
 * (to make one, node would load its ES modules).
 */
export function runCached(
  file: string,
  { directory, key, load }: { readonly directory: string | null; readonly key: CacheKey; readonly load: NodeJS.Require },
): (() => void) | null {
  const cachedData = directory === null ? undefined : readCache(directory, key);
  const script = new Script(readFileSync(file, "latin1"), cachedData === undefined ? { filename: file } : { filename: file, cachedData });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, load, module, file, dirname(file));
  if (directory === null || (cachedData !== undefined && script.cachedDataRejected !== true)) return null;
  return () => writeCache(directory, key, script.createCachedData());
}

/** The cached code, or `undefined` when there is none that may be trusted. */
export function readCache(directory: string, key: CacheKey): Buffer | undefined {
  return inside(directory, (path) => {
    const file = openSync(join(path, fileName(key)), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { uid, size } = fstatSync(file);
      if (uid !== process.geteuid?.()) return undefined;
      const data = Buffer.allocUnsafeSlow(size);
      return readSync(file, data) === size ? data : undefined;
    } finally {
      closeSync(file);
    }
  });
}

/** Keeps compiled code and drops what older builds left. Where the directory cannot be written, or is not ours alone, nothing is kept. */
export function writeCache(directory: string, key: CacheKey, data: Uint8Array): void {
  unlessExpected(() => mkdirSync(directory, { recursive: true, mode: 0o700 }));
  inside(directory, (path) => {
    const name = fileName(key);
    const temporary = join(path, `${name}.${process.pid}.tmp`);
    try {
      writeFileSync(temporary, data, { mode: 0o600, flag: "wx" });
      renameSync(temporary, join(path, name));
    } catch (error) {
      rmSync(temporary, { force: true }); // on a full disk each command would leave one more
      throw error;
    }
    for (const other of readdirSync(path)) if (!other.startsWith(`${key.build}-`)) rmSync(join(path, other), { force: true });
  });
}

function fileName({ build, verb }: CacheKey): string {
  return `${build}-${process.version}-${process.arch}-${verb}.bin`;
}

/** Does something in the directory, by a path that leads to no other; nothing, and gives `undefined`, where it is not ours alone. */
function inside<T>(directory: string, work: (path: string) => T): T | undefined {
  return unlessExpected(() => {
    const opened = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      const { uid, mode } = fstatSync(opened);
      return uid === process.geteuid?.() && (mode & 0o077) === 0 ? work(`/proc/self/fd/${opened}`) : undefined;
    } finally {
      closeSync(opened);
    }
  });
}

function unlessExpected<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isExpected(error)) return undefined;
    throw error;
  }
}

/** A cache is a convenience: a home that is missing, full, read-only or somebody else's must not stop a command. */
const EXPECTED: ReadonlySet<string> = new Set(["ENOENT", "EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENOTDIR", "EEXIST", "ELOOP"]);

function isExpected(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && EXPECTED.has(error.code);
}
