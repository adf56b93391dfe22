/** What becomes of a container's output. */
export interface Logging {
  /** `json-file` and `local` are kept in one form here; `journald` goes to the journal too; `none` is kept nowhere. */
  readonly driver: "json-file" | "local" | "journald" | "none";
  /** Bytes after which a file is put aside and another one begun; `null`: never. */
  readonly maxSize: number | null;
  /** Files that are kept, the one that is written included; at least 1. */
  readonly maxFile: number;
}
