/** System calls that layers need and Node lacks: making device nodes, and extended attributes. koffi loads with the first of them. */
import { lazyLibc } from "../../lib/libc.ts";

export type SpecialKind = "character" | "block" | "fifo";

/** Throws an error with `code` as node's fs does. The last component of the path is never followed. */
export function makeSpecial(
  path: string | Buffer,
  options: { readonly kind: SpecialKind; readonly major: number; readonly minor: number },
): void {
  const { mknod } = libc();
  check("mknod", mknod(cString(path), FILE_TYPE[options.kind] | 0o600, deviceNumber(options.major, options.minor)), path);
}

/** Sets an extended attribute of the path itself, also where it is a symbolic link. */
export function setXattr(path: string | Buffer, name: string, value: Buffer): void {
  const { lsetxattr } = libc();
  check("lsetxattr", lsetxattr(cString(path), cString(Buffer.from(name, "latin1")), value, value.length, 0), path);
}

/** The extended attributes of the path itself, those that this process may see; none where the file system has none. */
export function readXattrs(path: string | Buffer): ReadonlyMap<string, Buffer> {
  const { llistxattr, lgetxattr } = libc();
  const file = cString(path);
  const names = Buffer.alloc(NAMES_LIMIT);
  const length = llistxattr(file, names, names.length);
  if (length < 0 && libc().errno() === ENOTSUP) return new Map();
  check("llistxattr", Math.min(length, 0), path);
  const found = new Map<string, Buffer>();
  for (const name of names.subarray(0, length).toString("latin1").split("\0").filter(Boolean)) {
    const value = Buffer.alloc(VALUE_LIMIT);
    const size = lgetxattr(file, cString(Buffer.from(name, "latin1")), value, value.length);
    if (size < 0 && libc().errno() === ENODATA) continue; // it was taken away meanwhile
    check("lgetxattr", Math.min(size, 0), path);
    found.set(name, value.subarray(0, size));
  }
  return found;
}

/** The kernel's own limits for the names and for a value. */
const NAMES_LIMIT = 65_536;
const VALUE_LIMIT = 65_536;
const ENODATA = 61;
const ENOTSUP = 95;

/** Largest device numbers that the kernel's 32-bit encoding holds. */
export const MAJOR_LIMIT = 0xfff;
export const MINOR_LIMIT = 0xfffff;

const FILE_TYPE: Readonly<Record<SpecialKind, number>> = { character: 0o020000, block: 0o060000, fifo: 0o010000 };

const ERRNO: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  13: "EACCES",
  17: "EEXIST",
  22: "EINVAL",
  28: "ENOSPC",
  30: "EROFS",
  34: "ERANGE",
  95: "ENOTSUP",
  122: "EDQUOT",
};

interface Libc {
  readonly mknod: (path: Buffer, mode: number, device: number) => number;
  readonly lsetxattr: (path: Buffer, name: Buffer, value: Buffer, size: number, flags: number) => number;
  readonly llistxattr: (path: Buffer, names: Buffer, size: number) => number;
  readonly lgetxattr: (path: Buffer, name: Buffer, value: Buffer, size: number) => number;
  readonly errno: () => number;
}

const libc = lazyLibc(
  ({ func, errno }): Libc => ({
    mknod: func("int mknod(const uint8_t *path, uint32_t mode, uint64_t device)"),
    lsetxattr: func("int lsetxattr(const uint8_t *path, const uint8_t *name, const uint8_t *value, size_t size, int flags)"),
    llistxattr: func("int64_t llistxattr(const uint8_t *path, _Out_ uint8_t *names, size_t size)"),
    lgetxattr: func("int64_t lgetxattr(const uint8_t *path, const uint8_t *name, _Out_ uint8_t *value, size_t size)"),
    errno,
  }),
);

/** glibc's `makedev` for numbers within the limits: twelve bits of major above eight of minor, the rest of minor on top. */
function deviceNumber(major: number, minor: number): number {
  return (minor & 0xff) + major * 0x100 + (minor >> 8) * 0x100000;
}

function cString(text: string | Buffer): Buffer {
  return Buffer.concat([typeof text === "string" ? Buffer.from(text) : text, Buffer.from([0])]);
}

function check(call: string, result: number, path: string | Buffer): void {
  if (result === 0) return;
  const errno = libc().errno();
  const code = ERRNO[errno] ?? `errno ${errno}`;
  throw Object.assign(new Error(`${code}: ${call} '${path.toString()}'`), { code, syscall: call });
}
