/** A tree of files that can be copied from and to: a container's, or this machine's. */
export interface Files {
  /** What is at a path, or `null`. Links above it are followed, one at its end is not unless the path ends with `/` or `/.`. */
  stat(path: string): FileStat | null;
  /** Everything at a path as a tar stream. Its entries are called `as`, and what lies below it `as/…`; with `.` they are the content alone. */
  read(path: string, as: string): AsyncIterable<Uint8Array>;
  /** Unpacks a tar stream into a directory. Throws E_COPY. */
  write(directory: string, tar: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<void>;
  close(): Promise<void>;
}

export interface FileStat {
  readonly kind: "file" | "directory" | "symlink" | "other";
  /** The path with every link followed, also one at its end; what that names need not exist. */
  readonly resolved: string;
  /** Bytes of a file. */
  readonly size: number;
}

export interface WriteOptions {
  /** Owners as the archive says, for directories too that are there already; otherwise what is new belongs to root, or to the caller. */
  readonly keepOwners: boolean;
  /** Told of what was left out, and why. */
  readonly skipped: (path: string, why: string) => void;
}
