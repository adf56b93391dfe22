/**
 * Parts of volumes that a container mounts. What lies in a volume is hostile, and others may change it meanwhile: the way to the part is
 * walked once, from one open directory to the next, and what it leads to is mounted at a place of ours, which the runtime is given.
 */
import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { mkdir, readdir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../model/diagnostic.ts";
import { type Layout, shortId } from "./layout.ts";
import { stackLayers } from "./rootfs.ts";
import { useInside } from "./rootfs-path.ts";
import { MS_BIND, MS_PRIVATE, MS_REC, mount, unmount } from "./syscalls.ts";

/** Where part number `index` of a container is mounted. */
export const stagedPath = (layout: Layout, id: string, index: number): string => join(layout.run, "mounts", shortId(id), String(index));

/** Mounts what lies at a path inside a directory. Nothing when it is mounted already. Throws E_SUBPATH. */
export async function stage(part: {
  readonly root: string;
  readonly subpath: string;
  /** From `stagedPath`. */
  readonly at: string;
  /** For the message: `volume shop_data`. */
  readonly what: string;
}): Promise<void> {
  const { root, subpath, at, what } = part;
  await mkdir(join(at, ".."), { recursive: true, mode: 0o700 }); // the parts may be anybody's to read: the way to them is root's
  while (unmount(at)); // of a start that was broken off, or of another time: it is walked anew
  await removePoint(at);
  useInside(root, subpath, (found) => {
    if (found === null)
      throw new Failure({
        code: "E_SUBPATH",
        message: `${what} has no ${JSON.stringify(subpath)}`,
        hint: "make it first, from a container that mounts all of it",
      });
    makePoint(at, found.stats.isDirectory());
    mount(found.path, at, { type: null, flags: MS_BIND | MS_REC, data: null });
    mount("none", at, { type: null, flags: MS_PRIVATE | MS_REC, data: null });
  });
}

/** Mounts the files of an image, or a part of them, which nothing can change. Throws E_SUBPATH, E_ROOTFS. */
export async function stageImage(image: {
  readonly reference: string;
  readonly layersDirectory: string;
  readonly layers: readonly string[];
  readonly subpath: string | null;
  /** From `stagedPath`. */
  readonly at: string;
}): Promise<void> {
  const { reference, layersDirectory, layers, subpath, at } = image;
  const whole = subpath === null ? at : `${at}.image`;
  const floor = `${at}.empty`;
  while (unmount(at));
  while (unmount(whole));
  await removePoint(at);
  await mkdir(whole, { recursive: true, mode: 0o700 });
  await mkdir(floor, { recursive: true, mode: 0o755 });
  // Without a directory to write to overlayfs wants two to read from.
  stackLayers({ layersDirectory, lower: [...layers, floor], upper: null, target: whole, what: `image ${reference}` });
  if (subpath !== null) await stage({ root: whole, subpath, at, what: `image ${reference}` });
}

/** Takes the parts of a container away. Nothing in them is touched: their places are removed as what they are, empty. */
export async function unstage(layout: Layout, id: string): Promise<void> {
  const directory = join(layout.run, "mounts", shortId(id));
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  for (const name of names) {
    while (unmount(join(directory, name)));
    await removePoint(join(directory, name));
  }
  await rmdir(directory);
}

async function removePoint(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR") await unlink(path);
    else if (code !== "ENOENT") throw error;
  }
}

function makePoint(path: string, isDirectory: boolean): void {
  if (isDirectory) mkdirSync(path, { mode: 0o700 });
  else closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600));
}
