import type { Json } from "../model/json.ts";
import type { Platform } from "../model/platform.ts";
import type { Reference } from "../model/reference.ts";

/** The image side of an engine, for the `image …` commands. */
export interface Images {
  list(signal: AbortSignal): Promise<readonly ImageSummary[]>;
  /** Docker's image inspect document. `null` when there is no such image. */
  inspect(nameOrId: string, signal: AbortSignal): Promise<Json | null>;
  /** Makes an image with one layer from a root file system tar (plain or gzip); gives its id. */
  import(tar: AsyncIterable<Uint8Array>, options: ImportOptions, signal: AbortSignal): Promise<string>;
  push(reference: Reference, progress: ImageProgress, signal: AbortSignal): Promise<{ readonly digest: string; readonly size: number }>;
  /** Takes the name off; the content goes when no name and no container needs it. Throws when a container uses it and `force` is false. */
  remove(nameOrId: string, options: { readonly force: boolean }, signal: AbortSignal): Promise<readonly RemovedImage[]>;
}

export type ImageProgress = (item: string, phase: string, done: number, total: number | null) => void;

export interface RemovedImage {
  readonly kind: "untagged" | "deleted";
  /** A familiar reference, or an id. */
  readonly what: string;
}

export interface ImageSummary {
  /** Canonical reference, or `null` for an image that lost its name. */
  readonly reference: Reference | null;
  readonly id: string;
  readonly digest: string | null;
  /** RFC 3339 UTC, or `null` when the image does not say. */
  readonly created: string | null;
  /** Bytes of its unpacked layers. */
  readonly size: number;
  readonly platform: Platform;
}

export interface ImportOptions {
  readonly reference: Reference;
  readonly platform: Platform | null;
  readonly config: ImageConfig;
}

/** The metadata that an image copies into its containers: the `config` of the OCI image configuration. */
export interface ImageConfig {
  readonly Cmd?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Env?: readonly string[];
  readonly ExposedPorts?: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly WorkingDir?: string;
  readonly User?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly Volumes?: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly StopSignal?: string;
}
