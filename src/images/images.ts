import type { ImageConfig, ImageProgress, ImageSummary, ImportOptions, RemovedImage } from "../engine/images.ts";
import type { Json } from "../model/json.ts";
import type { Platform } from "../model/platform.ts";
import type { Reference } from "../model/reference.ts";
import type { PullContext } from "./pull.ts";
import { type Entry, findEntry, sizeOf, summaries } from "./store/catalog.ts";
import { layoutOf, prepare } from "./store/layout.ts";

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

export function openStore(options: StoreOptions): ImageStore {
  const layout = layoutOf(options.directory);
  let prepared: Promise<void> | undefined;
  let opened: Promise<PullContext> | undefined;
  const ready = (): Promise<void> => (prepared ??= prepare(layout));
  /** What speaks to registries and unpacks is loaded when it is first needed. */
  const working = async (): Promise<PullContext> => {
    await ready();
    opened ??= Promise.all([import("./registries.ts"), import("./unpack/pool.ts")]).then(([{ Registries }, { UnpackPool }]) => ({
      layout,
      registries: new Registries(options),
      pool: new UnpackPool(),
    }));
    return opened;
  };
  return {
    layersDirectory: layout.layers,
    find: async (nameOrId) => {
      await ready();
      const entry = await findEntry(layout, nameOrId);
      return entry === null ? null : stored(entry);
    },
    list: async () => {
      await ready();
      return summaries(layout);
    },
    pull: async (reference, pullOptions) => {
      const [{ pullImage }, context] = await Promise.all([import("./pull.ts"), working()]);
      return stored(await pullImage(context, reference, pullOptions));
    },
    push: async (reference, progress, signal) => {
      const [{ pushImage }, context] = await Promise.all([import("./push.ts"), working()]);
      return pushImage(context, reference, { progress, signal });
    },
    import: async (tar, importOptions, signal) => {
      const [{ importImage }, context] = await Promise.all([import("./import.ts"), working()]);
      return importImage(context, tar, { ...importOptions, signal });
    },
    inspect: async (nameOrId) => {
      await ready();
      const entry = await findEntry(layout, nameOrId);
      return entry === null ? null : (await import("./inspect.ts")).inspectImage(layout, entry);
    },
    remove: async (nameOrId, removeOptions) => {
      await ready();
      return (await import("./store/remove.ts")).removeImage(layout, nameOrId, removeOptions);
    },
    close: async () => {
      const context = await opened;
      await context?.pool.close();
      context?.registries.close();
    },
  };
}

function stored(entry: Entry): StoredImage {
  const { name, image, configuration, layers } = entry;
  // A layer that comes twice counts where it is highest: what it says below is said again there. Overlayfs takes none twice.
  const names = new Set(layers.toReversed().map((layer) => layer.name));
  return {
    reference: name?.reference ?? null,
    id: image.id,
    digest: name?.digest ?? null,
    created: configuration.created,
    platform: configuration.platform,
    size: sizeOf(entry),
    config: configuration.config,
    layers: [...names],
  };
}
