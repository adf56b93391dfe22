import type {
  ArchiveFormat,
  Damage,
  HistoryStep,
  ImageConfig,
  ImageProgress,
  ImageSummary,
  ImageUsage,
  ImportOptions,
  LoadedImage,
  Pruned,
  PruneOptions,
  RemovedImage,
  VerifyOptions,
} from "../engine/images.ts";
import { Failure } from "../model/diagnostic.ts";
import type { Digest } from "../model/digest.ts";
import type { Json } from "../model/json.ts";
import type { Platform } from "../model/platform.ts";
import type { Reference } from "../model/reference.ts";
import type { RegistryMirror } from "../model/registry-settings.ts";
import type { LayerOver } from "./commit.ts";
import type { PullContext } from "./pull.ts";
import { type Entry, findEntry, sizeOf, summaries, tagImage } from "./store/catalog.ts";
import { overlayOf } from "./store/layers.ts";
import { layoutOf, prepare } from "./store/layout.ts";
import { type Lease, takeLease } from "./store/lease.ts";
import type { ImageUsers } from "./store/remove.ts";

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
  /** The digest that a name has in its registry now. */
  resolve(reference: Reference, signal: AbortSignal): Promise<string>;
  push(reference: Reference, progress: ImageProgress, signal: AbortSignal): Promise<{ readonly digest: string; readonly size: number }>;
  import(tar: AsyncIterable<Uint8Array>, options: ImportOptions, signal: AbortSignal): Promise<string>;
  /** A new image of another one and a layer more; gives its id. */
  addLayer(tar: AsyncIterable<Uint8Array>, options: LayerOver, signal: AbortSignal): Promise<string>;
  /** As `find`; what is found stays, whatever others prune, until this store is closed. */
  hold(nameOrId: string): Promise<StoredImage | null>;
  /** Docker's inspect document. */
  inspect(nameOrId: string): Promise<Json | null>;
  history(nameOrId: string): Promise<readonly HistoryStep[] | null>;
  tag(nameOrId: string, target: Reference): Promise<void>;
  remove(nameOrId: string, options: { readonly force: boolean; readonly users: ImageUsers }): Promise<readonly RemovedImage[]>;
  prune(options: PruneOptions & { readonly users: ImageUsers }): Promise<Pruned>;
  save(namesOrIds: readonly string[], format: ArchiveFormat, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  load(archive: AsyncIterable<Uint8Array>, progress: ImageProgress, signal: AbortSignal): Promise<readonly LoadedImage[]>;
  verify(
    namesOrIds: readonly string[],
    options: VerifyOptions & { readonly users: ImageUsers; readonly signal: AbortSignal },
  ): Promise<readonly Damage[]>;
  usage(users: ImageUsers): Promise<ImageUsage>;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** Directory of its own below WHARF_ROOT. Made when missing. */
  readonly directory: string;
  /** The caller's environment: where credentials files lie (HOME, DOCKER_CONFIG, REGISTRY_AUTH_FILE, XDG_…). */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Hosts (`host`, `host:port`, subnets) that may be spoken to over http besides loopback. */
  readonly insecureRegistries: readonly string[];
  /** Tried before the registries that they mirror, in this order; none unless given. */
  readonly registryMirrors?: readonly RegistryMirror[];
}

export function openStore(options: StoreOptions): ImageStore {
  const layout = layoutOf(options.directory);
  let prepared: Promise<void> | undefined;
  let swept: Promise<void> | undefined;
  let opened: Promise<PullContext> | undefined;
  let holding: Promise<Lease> | undefined;
  const held: Lease[] = [];
  const ready = (): Promise<void> => (prepared ??= prepare(layout));
  /** Before the first change: what processes left that died at work goes. */
  const changing = async (): Promise<void> => {
    await ready();
    swept ??= import("./store/sweep.ts").then(({ sweepDead }) => sweepDead(layout));
    await swept;
  };
  /** What speaks to registries and unpacks is loaded when it is first needed. */
  const speaking = async (): Promise<PullContext> => {
    await ready();
    opened ??= Promise.all([import("./registries.ts"), import("./unpack/pool.ts")]).then(([{ Registries }, { UnpackPool }]) => ({
      layout,
      registries: new Registries(options),
      pool: new UnpackPool(),
      held,
      changing,
    }));
    return opened;
  };
  const working = async (): Promise<PullContext> => {
    await changing();
    return speaking();
  };
  const find = async (nameOrId: string): Promise<Entry | null> => {
    await ready();
    return findEntry(layout, nameOrId);
  };
  const keep = async (id: Digest): Promise<void> => {
    holding ??= takeLease(layout, [id]);
    await (await holding).keep([id]);
  };
  return {
    layersDirectory: layout.layers,
    find: async (nameOrId) => storedOrNull(await find(nameOrId)),
    hold: async (nameOrId) => {
      const seen = await find(nameOrId);
      if (seen === null) return null;
      await keep(seen.image.id);
      return storedOrNull(await find(nameOrId)); // it may have gone just before
    },
    list: async () => {
      await ready();
      return summaries(layout);
    },
    pull: async (reference, pullOptions) => {
      const [{ pullImage }, context] = await Promise.all([import("./pull.ts"), speaking()]);
      return stored(await pullImage(context, reference, pullOptions));
    },
    resolve: async (reference, signal) => {
      const [{ resolveDigest }, { registries }] = await Promise.all([import("./resolve.ts"), speaking()]);
      return resolveDigest(registries, reference, { signal, note: () => {} });
    },
    push: async (reference, progress, signal) => {
      const [{ pushImage }, context] = await Promise.all([import("./push.ts"), working()]);
      return pushImage(context, reference, { progress, signal });
    },
    import: async (tar, importOptions, signal) => {
      const [{ importImage }, context] = await Promise.all([import("./import.ts"), working()]);
      return importImage(context, tar, { ...importOptions, signal });
    },
    addLayer: async (tar, layerOptions, signal) => {
      const [{ addLayer }, context] = await Promise.all([import("./commit.ts"), working()]);
      return addLayer(context, tar, { ...layerOptions, signal });
    },
    inspect: async (nameOrId) => {
      const entry = await find(nameOrId);
      return entry === null ? null : (await import("./inspect.ts")).inspectImage(layout, entry);
    },
    history: async (nameOrId) => {
      const entry = await find(nameOrId);
      return entry === null ? null : (await import("./history.ts")).historyOf(layout, entry);
    },
    tag: async (nameOrId, target) => {
      await changing();
      if ((await tagImage(layout, nameOrId, target)) === null) throw absent(nameOrId);
    },
    remove: async (nameOrId, removeOptions) => {
      await changing();
      return (await import("./store/remove.ts")).removeImage(layout, nameOrId, removeOptions);
    },
    prune: async (pruneOptions) => {
      await changing();
      return (await import("./store/remove.ts")).pruneImages(layout, pruneOptions);
    },
    save: async (namesOrIds, format, signal) => {
      await ready();
      return (await import("./archive/save.ts")).saveImages(layout, namesOrIds, { format, signal });
    },
    load: async (archive, progress, signal) => {
      const [{ loadImages }, context] = await Promise.all([import("./archive/load.ts"), working()]);
      return loadImages(context, archive, { progress, signal });
    },
    verify: async (namesOrIds, verifyOptions) => {
      const [{ verifyImages }, context] = await Promise.all([import("./verify.ts"), working()]);
      return verifyImages(context, namesOrIds, verifyOptions);
    },
    usage: async (users) => {
      await ready();
      return (await import("./usage.ts")).usageOf(layout, users);
    },
    close: async () => {
      const context = await opened;
      await context?.pool.close();
      context?.registries.close();
      for (const lease of [await holding, ...held]) await lease?.release();
    },
  };
}

function absent(nameOrId: string): Failure {
  return new Failure({
    code: "E_IMAGE_ABSENT",
    message: `there is no image ${nameOrId} in the store`,
    hint: "`wharf image ls` lists the images of the store",
  });
}

function storedOrNull(entry: Entry | null): StoredImage | null {
  return entry === null ? null : stored(entry);
}

function stored(entry: Entry): StoredImage {
  const { name, image, configuration, layers } = entry;
  return {
    reference: name?.reference ?? null,
    id: image.id,
    digest: name?.digest ?? null,
    created: configuration.created,
    platform: configuration.platform,
    size: sizeOf(entry),
    config: configuration.config,
    layers: overlayOf(layers),
  };
}
