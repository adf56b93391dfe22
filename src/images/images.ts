import type { ImageConfig, ImageProgress, ImageSummary, ImportOptions, RemovedImage } from "../engine/images.ts";
import type { Json } from "../model/json.ts";
import type { Platform } from "../model/platform.ts";
import type { Reference } from "../model/reference.ts";

/** An image whose layers are unpacked and synced: ready to run. */
export interface StoredImage {
  readonly reference: Reference | null;
  /** Digest of its config. */
  readonly id: string;
  /** Digest of the manifest or index that its name resolved to, or `null` when it never saw a registry. */
  readonly digest: string | null;
  readonly created: string | null;
  readonly platform: Platform;
  /** Bytes of the unpacked layers. */
  readonly size: number;
  readonly config: ImageConfig;
  /** Short directory names below `layersDirectory`, the top layer first: overlayfs' order for `lowerdir`. */
  readonly layers: readonly string[];
}

export interface PullOptions {
  readonly platform: string | null;
  /** `always`: ask the registry whether the tag moved; `missing`: only when it is not here. */
  readonly policy: "always" | "missing";
  readonly progress: ImageProgress;
  readonly note: (message: string) => void;
  readonly signal: AbortSignal;
}

/** Everything about images on this machine. One instance a process; many processes at once. */
export interface ImageStore {
  /** Absolute; mounts use it as working directory so that `lowerdir` stays short. */
  readonly layersDirectory: string;
  /** By canonical or familiar reference, id, or unique prefix of an id (from 4 hex digits). `null`: not here. */
  find(nameOrId: string): Promise<StoredImage | null>;
  list(): Promise<readonly ImageSummary[]>;
  pull(reference: Reference, options: PullOptions): Promise<StoredImage>;
  push(reference: Reference, progress: ImageProgress, signal: AbortSignal): Promise<{ readonly digest: string; readonly size: number }>;
  import(tar: AsyncIterable<Uint8Array>, options: ImportOptions, signal: AbortSignal): Promise<string>;
  /** Docker's inspect document. */
  inspect(nameOrId: string): Promise<Json | null>;
  /** `users` maps image ids to names of containers made from them; their layers stay. */
  remove(
    nameOrId: string,
    options: { readonly force: boolean; readonly users: ReadonlyMap<string, readonly string[]> },
  ): Promise<readonly RemovedImage[]>;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** Directory of its own below WHARF_ROOT. Made when missing. */
  readonly directory: string;
  /** The caller's environment: where credentials files lie (HOME, DOCKER_CONFIG, REGISTRY_AUTH_FILE, XDG_…). */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Hosts that may be spoken to over http besides loopback. */
  readonly insecureRegistries: readonly string[];
}

export function openStore(_options: StoreOptions): ImageStore {
  throw new Error("not built yet");
}
