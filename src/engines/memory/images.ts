import { createHash } from "node:crypto";
import { arch } from "node:os";
import type { ImageConfig, ImageSummary, Images, ImportOptions, Pruned, PruneOptions, RemovedImage } from "../../engine/images.ts";
import { Failure } from "../../model/diagnostic.ts";
import type { Json } from "../../model/json.ts";
import type { ObservedContainer, ObservedImage } from "../../model/observed.ts";
import { normalPlatform, type Platform, parsePlatform } from "../../model/platform.ts";
import { familiar, parseReference, partsOf, type Reference } from "../../model/reference.ts";
import type { Image, Store, World } from "./world.ts";

/** The images of a world: metadata alone, for nothing is ever run from them. `fetched` gives what its registry has of a name. */
export function imagesOf(store: Store, fetched: (reference: Reference, signal: AbortSignal) => Promise<Image>): Images {
  return {
    resolve: async (reference, signal) => sha256((await fetched(reference, signal)).id),
    list: async () => summaries(store.read()),
    inspect: async (nameOrId) => {
      const world = store.read();
      const found = find(world, nameOrId);
      return found === null ? null : document(world, found.image);
    },
    import: async (tar, options, signal) => importImage(store, tar, { options, signal }),
    history: async (nameOrId) => {
      const found = find(store.read(), nameOrId)?.image;
      if (found === undefined) return null;
      return [{ id: found.id, created: found.created, createdBy: "import", comment: "", size: found.size }];
    },
    tag: async (nameOrId, target) => {
      const world = store.read();
      const found = find(world, nameOrId);
      if (found === null) throw absent(nameOrId);
      store.write(named(world, { reference: target, image: found.image, digest: null }));
    },
    push: async (reference) => {
      if (store.read().observed.images[reference] === undefined) throw absent(reference);
      throw contentless("pushed", [reference]);
    },
    prune: async (options) => {
      const { world, pruned } = prune(store.read(), options);
      if (!options.dryRun) store.write(world);
      return pruned;
    },
    save: async (namesOrIds) => {
      for (const name of namesOrIds) if (find(store.read(), name) === null) throw absent(name);
      throw contentless("saved", namesOrIds);
    },
    load: async () => {
      throw contentless("loaded", []);
    },
    verify: async (namesOrIds) => {
      for (const name of namesOrIds) if (find(store.read(), name) === null) throw absent(name);
      return []; // there is no content that could be damaged
    },
    usage: async () => {
      const world = store.read();
      const images = summaries(world).map((summary) => ({ ...summary, shared: 0, containers: usersOf(world, summary.id).length }));
      const sizes = Object.values(world.images).map(({ id, size }) => ({ size, idle: usersOf(world, id).length === 0 }));
      const sum = (of: readonly { readonly size: number }[]): number => of.reduce((total, { size }) => total + size, 0);
      return { images, layers: sum(sizes), content: 0, reclaimable: sum(sizes.filter(({ idle }) => idle)) };
    },
    remove: async (nameOrId, { force }) => {
      const { world, removed } = remove(store.read(), { nameOrId, force });
      store.write(world);
      return removed;
    },
  };
}

/** An image that a registry has under a name. */
export function registryImage(
  reference: Reference,
  { config, platform }: { readonly config: ImageConfig; readonly platform: string | null },
): Image {
  const wanted = platform === null ? null : parsePlatform(platform);
  return image({ config, platform: wanted === null || "problem" in wanted ? null : wanted, content: reference, size: 0, created: null });
}

/** What the planner sees of an image. */
export function observedImage({ id, config }: Image, digest: string | null): ObservedImage {
  const { Entrypoint = [], Cmd = [], Volumes = {} } = config;
  return { id, digest, command: [...Entrypoint, ...Cmd], volumes: Object.keys(Volumes) };
}

export function sha256(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

interface NewImage {
  readonly config: ImageConfig;
  /** `null`: this machine's. */
  readonly platform: Platform | null;
  /** What tells it from another image with the same metadata. */
  readonly content: string;
  readonly size: number;
  readonly created: string | null;
}

function image({ config, platform, content, size, created }: NewImage): Image {
  const made = { created, size, config, platform: platform ?? normalPlatform({ os: "linux", architecture: arch(), variant: null }) };
  return { id: sha256(JSON.stringify({ ...made, content })), ...made };
}

async function importImage(
  store: Store,
  tar: AsyncIterable<Uint8Array>,
  { options, signal }: { readonly options: ImportOptions; readonly signal: AbortSignal },
): Promise<string> {
  const { reference, config, platform } = options;
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of tar) {
    signal.throwIfAborted();
    hash.update(chunk);
    size += chunk.length;
  }
  const made = image({ config, platform, content: hash.digest("hex"), size, created: new Date().toISOString() });
  store.write(named(store.read(), { reference, image: made, digest: null }));
  return made.id;
}

/** The world in which a name means an image; the one that it meant before stays without it. */
function named(
  world: World,
  { reference, image: made, digest }: { readonly reference: Reference; readonly image: Image; readonly digest: string | null },
): World {
  const images = { ...world.observed.images, [reference]: observedImage(made, digest) };
  return { ...world, observed: { ...world.observed, images }, images: { ...world.images, [made.id]: made } };
}

function summaries(world: World): readonly ImageSummary[] {
  return Object.values(world.images).flatMap(({ id, created, size, platform, config }): readonly ImageSummary[] => {
    const names = namesOf(world, id);
    const summary = { reference: null, id, digest: null, created, size, platform, labels: config.Labels ?? {} };
    if (names.length === 0) return [summary];
    return names.map((reference) => ({ ...summary, reference, digest: world.observed.images[reference]?.digest ?? null }));
  });
}

/** The image that a name, an id or the unique beginning of an id means. */
function find(world: World, nameOrId: string): { readonly name: Reference | null; readonly image: Image } | null {
  const reference = parseReference(nameOrId);
  const named = typeof reference === "string" ? world.images[world.observed.images[reference]?.id ?? ""] : undefined;
  if (typeof reference === "string" && named !== undefined) return { name: reference, image: named };
  const hex = nameOrId.replace(/^sha256:/, "");
  if (!/^[0-9a-f]{4,64}$/.test(hex)) return null;
  const [first, ...others] = Object.values(world.images).filter(({ id }) => id.startsWith(`sha256:${hex}`));
  if (others.length > 0)
    throw new Failure({
      code: "E_IMAGE_AMBIGUOUS",
      message: `the id ${hex} fits ${others.length + 1} images`,
      hint: "use more digits of the id",
    });
  return first === undefined ? null : { name: null, image: first };
}

/** Only what `parseReference` made is ever a key there. */
function namesOf({ observed }: World, id: string): readonly Reference[] {
  return Object.keys(observed.images).flatMap((key) => {
    const reference = parseReference(key);
    return typeof reference === "string" && observed.images[reference]?.id === id ? [reference] : [];
  });
}

function remove(
  world: World,
  { nameOrId, force }: { readonly nameOrId: string; readonly force: boolean },
): { readonly world: World; readonly removed: readonly RemovedImage[] } {
  const found = find(world, nameOrId);
  if (found === null) throw absent(nameOrId);
  const {
    name,
    image: { id },
  } = found;
  const names = namesOf(world, id);
  const going = name === null ? names : [name];
  const stays = going.length < names.length;
  const users = usersOf(world, id);
  const what = name === null ? shortId(id) : familiar(name);
  if (!force && !stays && users.length > 0)
    throw inUse(
      what,
      users.map((user) => user.name),
    );
  if (!force && name === null && names.length > 1) throw severalNames(what, names);
  const images = Object.fromEntries(Object.entries(world.observed.images).filter(([key]) => !going.some((gone) => gone === key)));
  const untagged = { ...world, observed: { ...world.observed, images } };
  const removed = going.map((reference): RemovedImage => ({ kind: "untagged", what: familiar(reference) }));
  if (stays || users.length > 0) return { world: untagged, removed };
  const kept = Object.fromEntries(Object.entries(world.images).filter(([key]) => key !== id));
  return { world: { ...untagged, images: kept }, removed: [...removed, { kind: "deleted", what: id }] };
}

/** Images without a tag go, with `all` those that no container uses. */
function prune(before: World, { all, matches }: PruneOptions): { readonly world: World; readonly pruned: Pruned } {
  const idle = summaries(before).filter((image) => usersOf(before, image.id).length === 0 && (all || image.reference === null));
  const ids = [...new Set(idle.filter(matches).map(({ id }) => id))];
  let world = before;
  const removed: RemovedImage[] = [];
  for (const id of ids) {
    const step = remove(world, { nameOrId: id, force: true });
    world = step.world;
    removed.push(...step.removed);
  }
  return { world, pruned: { removed, freed: ids.reduce((sum, id) => sum + (before.images[id]?.size ?? 0), 0) } };
}

function usersOf(world: World, id: string): readonly ObservedContainer[] {
  return world.observed.containers.filter(({ image: of }) => of.id === id);
}

/** Docker's inspect document of an image. */
function document(world: World, { id, created, size, platform, config }: Image): Json {
  const names = namesOf(world, id);
  return {
    Id: id,
    RepoTags: names.filter((name) => partsOf(name).tag !== null).map(familiar),
    RepoDigests: names.flatMap((name) => {
      const digest = world.observed.images[name]?.digest ?? null;
      return digest === null ? [] : [`${partsOf(name).domain}/${partsOf(name).path}@${digest}`];
    }),
    Created: created ?? "",
    Size: size,
    Os: platform.os,
    Architecture: platform.architecture,
    ...(platform.variant === null ? {} : { Variant: platform.variant }),
    Config: { ...config },
    RootFS: { Type: "layers", Layers: [] },
  };
}

function shortId(id: string): string {
  return id.slice("sha256:".length, "sha256:".length + 12);
}

function absent(what: string): Failure {
  return new Failure({
    code: "E_IMAGE_ABSENT",
    message: `there is no image ${what} in the store`,
    hint: "`wharf image ls` lists the images of the store",
  });
}

export function contentless(done: string, names: readonly string[]): Failure {
  return new Failure({
    code: "E_UNSUPPORTED",
    message: `${names.length === 0 ? "images" : names.join(", ")} cannot be ${done}: the memory engine knows what an image is called and what it runs, not what is in it`,
    hint: "choose another engine with --engine",
  });
}

function inUse(what: string, containers: readonly string[]): Failure {
  return new Failure({
    code: "E_IMAGE_IN_USE",
    message: `unable to remove ${what}: in use by ${containers.join(", ")}`,
    hint: "remove the containers first, or use -f: the image then only loses its name",
  });
}

function severalNames(what: string, names: readonly Reference[]): Failure {
  return new Failure({
    code: "E_IMAGE_AMBIGUOUS",
    message: `unable to remove ${what}: the image has several names: ${names.map(familiar).join(", ")}`,
    hint: "remove it by name, or use -f to take off all of them",
  });
}
