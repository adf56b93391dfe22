/** A repository as one pull or push sees it: the registry that has it, and the mirrors that are asked first. */
import { Failure } from "../../model/diagnostic.ts";
import type { Ask, Registry } from "./client.ts";

/** Where content may be read. */
export interface Source {
  readonly registry: Registry;
  /** Below the registry: `library/nginx`. */
  readonly path: string;
  /** The domain that a mirror stands in for; `null`: it is that registry itself. */
  readonly mirrorOf: string | null;
}

export interface RepositoryOptions extends Pick<Source, "registry" | "path"> {
  readonly mirrors?: readonly Source[];
  /** Hears what the user should know: of mirrors that are left aside, and what registries warn of. */
  readonly note: (message: string) => void;
  readonly warn: (text: string) => void;
}

export class Repository implements Source {
  readonly registry: Registry;
  readonly path: string;
  readonly mirrorOf = null;
  readonly warn: (text: string) => void;
  readonly #note: (message: string) => void;
  #mirrors: readonly Source[];

  constructor({ registry, path, mirrors = [], note, warn }: RepositoryOptions) {
    this.registry = registry;
    this.path = path;
    this.warn = warn;
    this.#note = note;
    this.#mirrors = mirrors;
  }

  /** Reads from the first of its mirrors that can give it, else from the registry. `read` verifies what it gives where that is possible. */
  async read<T>(read: (source: Source) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (const mirror of this.#mirrors) {
      try {
        return await read(mirror);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Failure)) throw error;
        if (!error.has("E_IMAGE_NOT_FOUND")) this.leaveAside(mirror, error.message); // a mirror need not have everything
      }
    }
    return read(this);
  }

  /** From now on a mirror is not asked any more. */
  leaveAside(source: Source, reason: string): void {
    if (!this.#mirrors.includes(source)) return;
    this.#mirrors = this.#mirrors.filter((mirror) => mirror !== source);
    this.#note(`the mirror ${source.registry.host} of ${source.mirrorOf} is left aside: ${reason}`);
  }

  /** As `leaveAside` for all mirrors. Gives whether there were any. */
  distrustMirrors(reason: string): boolean {
    const mirrors = this.#mirrors;
    for (const mirror of mirrors) this.leaveAside(mirror, reason);
    return mirrors.length > 0;
  }
}

/** What a reading request to a source has in common with others: where, for which scope, and how patiently. */
export function readingFrom(source: Source, what: `${"manifests" | "blobs"}/${string}`): Pick<Ask, "path" | "scope" | "once"> {
  const { path, mirrorOf } = source;
  const query = mirrorOf === null ? "" : `?ns=${encodeURIComponent(mirrorOf)}`;
  return { path: `/v2/${path}/${what}${query}`, scope: pullScope(path), once: mirrorOf !== null };
}

export function pullScope(path: string): string {
  return `repository:${path}:pull`;
}
