/** The files of a container, looked at and written from outside, safe from what its programs do meanwhile. */
import { closeSync, constants, existsSync, openSync } from "node:fs";
import { posix } from "node:path";
import type { FileStat, Files } from "../../engine/files.ts";
import { kindOf, latin1 } from "../../files/kind.ts";
import { packTree } from "../../files/pack.ts";
import { enter, leave } from "../../files/step.ts";
import { unpackTree } from "../../files/unpack.ts";
import { isAlive } from "../../lib/process-identity.ts";
import { Failure } from "../../model/diagnostic.ts";
import type { Context } from "./context.ts";
import { noteEvent } from "./events.ts";
import { rootfsDirectory } from "./layout.ts";
import { prepareMounts } from "./placed-mounts.ts";
import { type Container, type ContainerRecord, liveRun, type PlacedMount, type RunState } from "./records.ts";
import { tidy } from "./remove.ts";
import { mountRootfs } from "./rootfs.ts";
import { ensureDirectoryInside, ensureFileInside, openDirectoryInside, resolveInside } from "./rootfs-path.ts";
import { MS_BIND, MS_REC, mount } from "./syscalls.ts";

/**
 * A running container's files are those that its first process sees. For one that does not run, its root file system is mounted as a start does it,
 * with the volumes and directories that lie in it, and taken apart again by `close`; nobody may start or remove it meanwhile.
 */
export async function filesOf(context: Context, container: Container): Promise<Files> {
  const { record } = container;
  const run = liveRun(context.layout, record.id);
  return told(context, record, await seenBy(context, container, run));
}

async function seenBy(context: Context, container: Container, run: RunState | null): Promise<Files> {
  if (run === null) return mounted(context, container);
  const descriptor = openSync(`/proc/${run.process.pid}/root`, constants.O_RDONLY);
  if (!isAlive(run.process)) {
    closeSync(descriptor); // somebody else's process may have that number by now
    return mounted(context, container);
  }
  return filesIn(descriptor, async () => closeSync(descriptor));
}

/** The same, with what is copied written down as events. */
function told({ layout }: Context, record: ContainerRecord, files: Files): Files {
  return {
    ...files,
    read: (path, as) => {
      noteEvent(layout, { record, action: "archive-path" });
      return files.read(path, as);
    },
    write: async (path, tar, options) => {
      await files.write(path, tar, options);
      noteEvent(layout, { record, action: "extract-to-dir" });
    },
  };
}

/** A container's root file system without what is mounted in it, as a tar stream. */
export async function* exportFiles(context: Context, { record }: Container): AsyncGenerator<Uint8Array> {
  const { layout, store } = context;
  noteEvent(layout, { record, action: "export" });
  const running = liveRun(layout, record.id) !== null;
  if (!running) {
    await tidy(context, record.id);
    await mountRootfs(layout, { id: record.id, layersDirectory: store.layersDirectory, layers: record.image.layers });
  }
  try {
    const directory = openSync(rootfsDirectory(layout, record.id), constants.O_RDONLY);
    try {
      yield* packTree({ directory, name: null, as: "." });
    } finally {
      closeSync(directory);
    }
  } finally {
    if (!running) await tidy(context, record.id);
  }
}

async function mounted(context: Context, { record }: Container): Promise<Files> {
  const { layout, store } = context;
  await tidy(context, record.id);
  try {
    const root = await mountRootfs(layout, { id: record.id, layersDirectory: store.layersDirectory, layers: record.image.layers });
    await prepareMounts(context, { record, rootfs: root });
    const depth = ({ target }: PlacedMount): number => posix.resolve("/", target).split("/").length;
    for (const placed of [...record.mounts].sort((a, b) => depth(a) - depth(b))) if (isThere(placed)) bind(root, placed);
    const descriptor = openSync(rootfsDirectory(layout, record.id), constants.O_RDONLY);
    return filesIn(descriptor, async () => {
      closeSync(descriptor);
      await tidy(context, record.id);
    });
  } catch (error) {
    await tidy(context, record.id);
    throw error;
  }
}

/** A tmpfs has nothing to look at, nor have secrets that went with a reboot. */
function isThere({ source, given }: PlacedMount): boolean {
  return source !== "" && (given === undefined || existsSync(source));
}

/** As the runtime would: what is missing at the target is made. Reached through what is open, so that no link in a shared volume leads it astray. */
function bind(root: string, { target, ...placed }: PlacedMount): void {
  const source = placed.staged ?? placed.source;
  const to = openSync(source, O_PATH);
  try {
    const make = { mode: 0o755, uid: 0, gid: 0 };
    const here = resolveInside(root, target);
    const isDirectory = resolveInside(source, "/").stats?.isDirectory() === true;
    const path =
      here.stats !== null ? here.path : isDirectory ? ensureDirectoryInside(root, target, make) : ensureFileInside(root, target, make);
    const at = openSync(path, O_PATH | constants.O_NOFOLLOW);
    try {
      mount(`/proc/self/fd/${to}`, `/proc/self/fd/${at}`, { type: null, flags: MS_BIND | MS_REC, data: null });
    } finally {
      closeSync(at);
    }
  } finally {
    closeSync(to);
  }
}

/** Not among node's constants; the same on every architecture that node runs on. */
const O_PATH = 0o10000000;

/** The files below an open directory, which stands for `/`. */
function filesIn(descriptor: number, close: () => Promise<void>): Files {
  const root = `/proc/self/fd/${descriptor}`;
  return {
    stat: (path) => statOf(root, path),
    async *read(path, as) {
      const { parent, name } = endOf(path);
      const directory = openOrRefuse(root, parent);
      try {
        yield* packTree({ directory, name: name === null ? null : latin1(name), as: latin1(as) });
      } finally {
        closeSync(directory);
      }
    },
    async write(path, tar, { keepOwners, skipped }) {
      const directory = openOrRefuse(root, path);
      try {
        const owner = keepOwners ? null : { uid: 0, gid: 0 };
        await unpackTree(tar, { directory, owner, changeDirectories: keepOwners, devices: true, skipped });
      } finally {
        closeSync(directory);
      }
    },
    close,
  };
}

function statOf(root: string, path: string): FileStat | null {
  const { inside: resolved, stats: followed } = resolveInside(root, path);
  const { parent, name } = endOf(path);
  if (name === null) return followed === null ? null : { kind: kindOf(followed), resolved, size: followed.size };
  const directory = openDirectoryInside(root, parent);
  if (directory === null) return null;
  try {
    const spot = enter(directory, latin1(name));
    if (spot === null) return null;
    leave(spot);
    return { kind: kindOf(spot.stats), resolved, size: spot.stats.size };
  } finally {
    closeSync(directory);
  }
}

/** A path's last name and what is before it. A path that ends with a slash or a dot is a directory's, whatever it is called. */
function endOf(path: string): { readonly parent: string; readonly name: string | null } {
  const at = path.lastIndexOf("/");
  const name = path.slice(at + 1);
  return name === "" || name === "." || name === ".." ? { parent: path, name: null } : { parent: path.slice(0, at + 1), name };
}

function openOrRefuse(root: string, path: string): number {
  const directory = openDirectoryInside(root, path);
  if (directory !== null) return directory;
  throw new Failure({ code: "E_COPY", message: `there is no directory ${path || "/"} in the container` });
}
