/** Taking names off images, and images out of the store. */
import type { Pruned, PruneOptions, RemovedImage } from "../../engine/images.ts";
import { Failure } from "../../model/diagnostic.ts";
import { hexOf } from "../../model/digest.ts";
import { familiar, partsOf } from "../../model/reference.ts";
import { findImage, namesOf, repositoryOf, summaryOf, type WholeImage, wholeImages } from "./catalog.ts";
import { mark } from "./collect.ts";
import { emptyTrash } from "./layers.ts";
import type { Layout } from "./layout.ts";
import { liveLeases, locked } from "./lease.ts";
import { type NameRecord, removeRecord } from "./records.ts";

export interface ImageUser {
  /** Of a container. */
  readonly name: string;
  readonly running: boolean;
}

/** The containers made from each image, by its id. */
export type ImageUsers = ReadonlyMap<string, readonly ImageUser[]>;

export interface RemoveOptions {
  readonly force: boolean;
  readonly users: ImageUsers;
}

/**
 * Takes a name off; with the last tag (or by id) the image goes, too, unless containers need it. Throws where that takes `force`: containers or
 * commands use the image, or an id is given of an image with several names; and in any case where the id is given of an image that runs.
 */
export async function removeImage(layout: Layout, nameOrId: string, options: RemoveOptions): Promise<readonly RemovedImage[]> {
  const removed = await locked(layout, async () => {
    const gone = await takeOff(layout, nameOrId, options);
    await mark(layout);
    return gone;
  });
  await emptyTrash(layout);
  return removed;
}

export interface StorePruneOptions extends PruneOptions {
  readonly users: ImageUsers;
}

/** Removes images that neither a container nor a command at work needs. */
export async function pruneImages(layout: Layout, { all, matches, dryRun, users }: StorePruneOptions): Promise<Pruned> {
  const pruned = await locked(layout, async (): Promise<Pruned> => {
    const { keeps } = await liveLeases(layout);
    const images = await wholeImages(layout, { damaged: true });
    const going = images.filter(({ entry, names }) => {
      const { id } = entry.image;
      if (users.has(id) || keeps.has(id)) return false;
      if (!all && names.some(isTagged)) return false;
      return (names.length === 0 ? [null] : names).some((name) => matches(summaryOf(entry, name)));
    });
    const removed = going.flatMap(({ entry, names }): RemovedImage[] => [
      ...names.map(({ reference }): RemovedImage => ({ kind: "untagged", what: familiar(reference) })),
      { kind: "deleted", what: entry.image.id },
    ]);
    if (dryRun) return { removed, freed: alone(going, images) };
    for (const { entry, names } of going) {
      for (const { reference } of names) await removeRecord(layout.name(reference));
      await removeRecord(layout.imageRecord(entry.image.id));
    }
    return { removed, freed: await mark(layout) };
  });
  await emptyTrash(layout);
  return pruned;
}

/** Bytes of what only these images have. */
function alone(going: readonly WholeImage[], all: readonly WholeImage[]): number {
  const staying = new Set(all.filter((image) => !going.includes(image)).flatMap(partsOfImage));
  const parts = new Map(going.flatMap((image) => sizesOf(image).filter(([key]) => !staying.has(key))));
  return [...parts.values()].reduce((sum, size) => sum + size, 0);
}

function partsOfImage(image: WholeImage): readonly string[] {
  return sizesOf(image).map(([part]) => part);
}

function sizesOf({ entry }: WholeImage): readonly (readonly [part: string, size: number])[] {
  return [
    ...entry.layers.map((layer) => [`layer ${layer.key}`, layer.size] as const),
    ...entry.image.layers.map(({ blob }) => [`blob ${blob.digest}`, blob.size] as const),
  ];
}

async function takeOff(layout: Layout, nameOrId: string, { force, users }: RemoveOptions): Promise<readonly RemovedImage[]> {
  const found = await findImage(layout, nameOrId);
  if (found === null)
    throw new Failure({
      code: "E_IMAGE_ABSENT",
      message: `there is no image ${nameOrId} in the store`,
      hint: "`wharf image ls` lists the images of the store",
    });
  const { name, image } = found;
  const names = await namesOf(layout, image.id);
  const others = name === null ? [] : remaining(name, names);
  const containers = users.get(image.id) ?? [];
  const needed = (await liveLeases(layout)).others.has(image.id);
  const what = name === null ? hexOf(image.id).slice(0, 12) : familiar(name.reference);
  const id = hexOf(image.id).slice(0, 12);
  const running = containers.filter((user) => user.running);
  if (name === null && running.length > 0 && (force || names.length <= 1)) throw inUse(what, id, { containers: running, hint: STOP_FIRST });
  if (!force && others.length === 0 && containers.length > 0) throw inUse(what, id, { containers, hint: REMOVE_FIRST });
  if (!force && name === null && names.length > 1) throw severalNames(what, names);
  if (others.length === 0 && needed)
    throw new Failure({
      code: "E_IMAGE_IN_USE",
      message: `unable to remove ${what}: another command works on it`,
      hint: "try again when it is done",
    });
  const going = name === null || others.length === 0 ? names : [name];
  for (const { reference } of going) await removeRecord(layout.name(reference));
  const untagged = going.map(({ reference }): RemovedImage => ({ kind: "untagged", what: familiar(reference) }));
  if (others.length > 0 || containers.length > 0) return untagged;
  await removeRecord(layout.imageRecord(image.id));
  return [...untagged, { kind: "deleted", what: image.id }];
}

/** The names that an image has left without one of them. Digests of its repository alone are none: they go with the last tag there. */
function remaining(name: NameRecord, names: readonly NameRecord[]): readonly NameRecord[] {
  const others = names.filter(({ reference }) => reference !== name.reference);
  const repository = repositoryOf(name.reference);
  return isTagged(name) && !others.some(isTagged) && others.every((other) => repositoryOf(other.reference) === repository) ? [] : others;
}

function isTagged({ reference }: NameRecord): boolean {
  return partsOf(reference).tag !== null;
}

const REMOVE_FIRST = "remove the containers first, or use -f: the image then only loses its name";
const STOP_FIRST = "stop and remove the containers first";

function inUse(
  what: string,
  id: string,
  { containers, hint }: { readonly containers: readonly ImageUser[]; readonly hint: string },
): Failure {
  const names = containers.map(({ name }) => name);
  const by = names.length === 1 ? `container ${names[0]} is using` : `containers ${names.join(", ")} are using`;
  return new Failure({ code: "E_IMAGE_IN_USE", message: `unable to remove ${what}: ${by} its image ${id}`, hint });
}

function severalNames(what: string, names: readonly NameRecord[]): Failure {
  return new Failure({
    code: "E_IMAGE_AMBIGUOUS",
    message: `unable to remove ${what}: the image has several names: ${names.map(({ reference }) => familiar(reference)).join(", ")}`,
    hint: "remove it by name, or use -f to take off all of them",
  });
}
