/** Taking names off images, and images out of the store. */
import type { RemovedImage } from "../../engine/images.ts";
import { Failure } from "../../model/diagnostic.ts";
import { hexOf } from "../../model/digest.ts";
import { familiar } from "../../model/reference.ts";
import { findImage, namesOf } from "./catalog.ts";
import { emptyTrash, mark } from "./collect.ts";
import type { Layout } from "./layout.ts";
import { locked } from "./lease.ts";
import { type NameRecord, removeRecord } from "./records.ts";

export interface RemoveOptions {
  readonly force: boolean;
  /** Names of the containers of each image that has some, by its id. */
  readonly users: ReadonlyMap<string, readonly string[]>;
}

/**
 * Takes a name off; with the last one (or by id) the image goes, too, unless containers need it. Throws where that takes `force`:
 * containers use the image, or an id is given of an image with several names.
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

async function takeOff(layout: Layout, nameOrId: string, { force, users }: RemoveOptions): Promise<readonly RemovedImage[]> {
  const found = await findImage(layout, nameOrId);
  if (found === null)
    throw new Failure({
      code: "E_IMAGE_NOT_FOUND",
      message: `no such image here: ${nameOrId}`,
      hint: "`wharf image ls` lists the images of the store",
    });
  const { name, image } = found;
  const names = await namesOf(layout, image.id);
  const others = name === null ? [] : names.filter(({ reference }) => reference !== name.reference);
  const containers = users.get(image.id) ?? [];
  const what = name === null ? hexOf(image.id).slice(0, 12) : familiar(name.reference);
  if (!force && others.length === 0 && containers.length > 0) throw inUse(what, hexOf(image.id).slice(0, 12), containers);
  if (!force && name === null && names.length > 1) throw severalNames(what, names);
  const going = name === null ? names : [name];
  for (const { reference } of going) await removeRecord(layout.name(reference));
  const untagged = going.map(({ reference }): RemovedImage => ({ kind: "untagged", what: familiar(reference) }));
  if (others.length > 0 || containers.length > 0) return untagged;
  await removeRecord(layout.imageRecord(image.id));
  return [...untagged, { kind: "deleted", what: image.id }];
}

function inUse(what: string, id: string, containers: readonly string[]): Failure {
  const by = containers.length === 1 ? `container ${containers[0]} is using` : `containers ${containers.join(", ")} are using`;
  return new Failure({
    code: "E_IMAGE_IN_USE",
    message: `unable to remove ${what}: ${by} its image ${id}`,
    hint: "remove the containers first, or use -f: the image then only loses its name",
  });
}

function severalNames(what: string, names: readonly NameRecord[]): Failure {
  return new Failure({
    code: "E_IMAGE_AMBIGUOUS",
    message: `unable to remove ${what}: the image has several names: ${names.map(({ reference }) => familiar(reference)).join(", ")}`,
    hint: "remove it by name, or use -f to take off all of them",
  });
}
