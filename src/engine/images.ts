import type { Json } from "../model/json.ts";
import type { Platform } from "../model/platform.ts";
import type { Reference } from "../model/reference.ts";

/** The image side of an engine, for the `image …` commands. */
export interface Images {
  list(signal: AbortSignal): Promise<readonly ImageSummary[]>;
  /** Docker's image inspect document. `null` when there is no such image. */
  inspect(nameOrId: string, signal: AbortSignal): Promise<Json | null>;
  /** The steps that made it, the newest first. `null` when there is no such image. */
  history(nameOrId: string, signal: AbortSignal): Promise<readonly HistoryStep[] | null>;
  /** Gives an image a further name, taking it from the image that had it. Throws `E_IMAGE_ABSENT`. */
  tag(nameOrId: string, target: Reference, signal: AbortSignal): Promise<void>;
  /** Makes an image with one layer from a root file system tar (plain or gzip); gives its id. */
  import(tar: AsyncIterable<Uint8Array>, options: ImportOptions, signal: AbortSignal): Promise<string>;
  /** The digest that a name has in its registry now; nothing is fetched. Throws what keeps the registry from saying it. */
  resolve(reference: Reference, signal: AbortSignal): Promise<string>;
  push(reference: Reference, progress: ImageProgress, signal: AbortSignal): Promise<{ readonly digest: string; readonly size: number }>;
  /** Takes the name off; the content goes when no name and no container needs it. Throws when a container uses it and `force` is false. */
  remove(nameOrId: string, options: { readonly force: boolean }, signal: AbortSignal): Promise<readonly RemovedImage[]>;
  /** Removes images that no container uses and no command works on. */
  prune(options: PruneOptions, signal: AbortSignal): Promise<Pruned>;
  /** An archive of images. What cannot be archived throws before the first byte; with no name at all the archive is of nothing. */
  save(namesOrIds: readonly string[], format: ArchiveFormat, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Takes in the images of an archive of either format, whole or compressed. */
  load(archive: AsyncIterable<Uint8Array>, progress: ImageProgress, signal: AbortSignal): Promise<readonly LoadedImage[]>;
  /** Holds what is kept against its digests and records; no names: all of it. Gives what is wrong, mended or not. */
  verify(namesOrIds: readonly string[], options: VerifyOptions, signal: AbortSignal): Promise<readonly Damage[]>;
  usage(signal: AbortSignal): Promise<ImageUsage>;
}

export type ImageProgress = (item: string, phase: string, done: number, total: number | null) => void;

export interface RemovedImage {
  readonly kind: "untagged" | "deleted";
  /** A familiar reference, or an id. */
  readonly what: string;
}

export interface PruneOptions {
  /** Also those that have a tag. */
  readonly all: boolean;
  readonly matches: (image: ImageSummary) => boolean;
  /** Only says what would go. */
  readonly dryRun: boolean;
}

export interface Pruned {
  readonly removed: readonly RemovedImage[];
  /** Bytes on disk. */
  readonly freed: number;
}

export type ArchiveFormat = "docker-archive" | "oci-archive";

export interface LoadedImage {
  readonly id: string;
  /** Canonical references that it has now; none where the archive names none. */
  readonly references: readonly Reference[];
}

export interface VerifyOptions {
  /** Makes damaged content again: from what is kept of it, else from the registry that it came from. */
  readonly repair: boolean;
  readonly progress: ImageProgress;
}

export interface Damage {
  /** A familiar reference or an id; a file's name where the image cannot be known. */
  readonly image: string;
  /** `layer 0123456789ab`, `manifest`, `configuration`, `record`. */
  readonly part: string;
  /** `is missing`, `has 12 bytes of 40`. */
  readonly problem: string;
  readonly repaired: boolean;
  /** Why it was not repaired, where that was tried. */
  readonly why: string | null;
}

export interface ImageUsage {
  readonly images: readonly (ImageSummary & {
    /** Bytes of layers that other images have too. */
    readonly shared: number;
    /** How many containers were made from it. */
    readonly containers: number;
  })[];
  /** Bytes of all unpacked layers, each counted once. */
  readonly layers: number;
  /** Bytes of compressed layers and documents, kept for pushing, saving and repairs. */
  readonly content: number;
  /** Bytes of layers that only images without containers have. */
  readonly reclaimable: number;
}

export interface HistoryStep {
  /** The image's id at its newest step. */
  readonly id: string | null;
  /** RFC 3339 UTC. */
  readonly created: string | null;
  readonly createdBy: string;
  readonly comment: string;
  /** Bytes of the layer that the step made, 0 when it made none. */
  readonly size: number;
}

export interface ImageSummary {
  /** Canonical reference, with a digest only when the tag moved to another image; `null` for an image without any name. */
  readonly reference: Reference | null;
  readonly id: string;
  readonly digest: string | null;
  /** RFC 3339 UTC, or `null` when the image does not say. */
  readonly created: string | null;
  /** Bytes of its unpacked layers. */
  readonly size: number;
  readonly platform: Platform;
  readonly labels: Readonly<Record<string, string>>;
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
  readonly Healthcheck?: ImageHealthcheck;
  /** Lines of a Dockerfile for a build that begins from the image. */
  readonly OnBuild?: readonly string[];
  /** What a line for a shell runs in. */
  readonly Shell?: readonly string[];
}

/** Nanoseconds; 0 and what is absent is Docker's default. */
export type ImageHealthcheck = {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
};
