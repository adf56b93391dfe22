import type { Diagnostic } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import type { Project } from "../model/project.ts";

/** Reads files for the loader: the only way it touches the outside. Throws errors with `code` as node's fs does (`ENOENT`). */
export interface Reader {
  read(path: string): Promise<Uint8Array>;
  exists(path: string): Promise<boolean>;
}

export interface LoadOptions {
  /** As given with `-f`, in order (`-` is standard input); `null`: find a default file in `cwd` or a parent. */
  readonly files: readonly string[] | null;
  /** What `-f -` reads. */
  readonly stdin: (() => Promise<Uint8Array>) | null;
  readonly cwd: string;
  readonly projectName: string | null;
  readonly projectDirectory: string | null;
  /** Given with `--env-file`; `null`: `.env` in the project's directory when there is one. */
  readonly envFiles: readonly string[] | null;
  /** Active profiles; `*` is all. */
  readonly profiles: readonly string[];
  /** The caller's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Loaded {
  readonly project: Project;
  readonly warnings: readonly Diagnostic[];
  /** Compose's canonical form of the whole file, for `wharf config`. */
  readonly config: Json;
}

/** Loads a spec. Throws one `Failure` with every error found. */
export async function load(_options: LoadOptions, _reader: Reader): Promise<Loaded> {
  throw new Error("not built yet");
}
