import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../model/diagnostic.ts";
import { containerDirectory, type Layout, rootfsDirectory } from "./layout.ts";
import { isMounted } from "./mounted.ts";
import { MS_PRIVATE, mount, SystemCallError, unmount } from "./syscalls.ts";

/** Stacks the image's layers under the container's own one. Nothing when it is mounted already. Gives the directory. */
export async function mountRootfs(
  layout: Layout,
  options: { readonly id: string; readonly layersDirectory: string; readonly layers: readonly string[] },
): Promise<string> {
  const { id, layersDirectory, layers } = options;
  const target = rootfsDirectory(layout, id);
  mkdirSync(target, { recursive: true, mode: 0o755 });
  if (isMounted(target)) return target;
  const own = containerDirectory(layout, id);
  // Overlayfs wants at least one lower directory: an image without layers stands on an empty one.
  const lower = layers.length === 0 ? [join(own, "empty")] : layers;
  if (layers.length === 0) mkdirSync(join(own, "empty"), { recursive: true });
  const upper = `upperdir=${join(own, "upper")},workdir=${join(own, "work")}`;
  stackLayers({ layersDirectory, lower, upper, target, what: id.slice(0, 12) });
  return target;
}

/** Mounts layers, the top one first, under a directory for what is written (`null`: nothing can be). Throws E_ROOTFS. */
export function stackLayers(stack: {
  readonly layersDirectory: string;
  readonly lower: readonly string[];
  readonly upper: string | null;
  readonly target: string;
  readonly what: string;
}): void {
  const { layersDirectory, lower, upper, target, what } = stack;
  // The kernel takes one page of options: short names, relative to the layers' directory, leave room for some five hundred layers.
  const data = [`lowerdir=${lower.join(":")}`, ...(upper === null ? [] : [upper])].join(",");
  const home = process.cwd();
  process.chdir(layersDirectory);
  try {
    mount("overlay", target, { type: "overlay", flags: 0, data });
    mount("none", target, { type: null, flags: MS_PRIVATE, data: null });
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw new Failure(
      {
        code: "E_ROOTFS",
        message: `the layers of ${what} could not be stacked: ${error.message}`,
        hint: "the kernel needs overlayfs, and WHARF_ROOT must not lie on an overlay or network file system itself",
      },
      { cause: error },
    );
  } finally {
    process.chdir(home);
  }
}

export function unmountRootfs(layout: Layout, id: string): void {
  const target = rootfsDirectory(layout, id);
  while (unmount(target)); // once for each time it was mounted
}
