/**
 * Configs and secrets: files that a container is given. What configs hold lies in the container's own directory. What secrets hold is never
 * written to a disk: each container that has some has a tmpfs of its own below the run directory, which only root can enter, from its
 * creation to its removal. It outlives stops and restarts, also those that no command asks for. A reboot empties it: then secrets that came
 * from a file are read again, and others have to be given by the command that starts the container.
 */
import { randomBytes } from "node:crypto";
import { closeSync, constants, existsSync, fchmodSync, fchownSync, ftruncateSync, openSync, unlinkSync, writeSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { createAtomic } from "../../lib/atomic-file.ts";
import { namesIn } from "../../lib/written.ts";
import type { Contents, GivenFile } from "../../model/action.ts";
import { Failure } from "../../model/diagnostic.ts";
import { bytesOf, Secret } from "../../model/secret.ts";
import { containerDirectory, type Layout, shortId } from "./layout.ts";
import { isMounted } from "./mounted.ts";
import type { ContainerRecord, PlacedMount } from "./records.ts";
import { EINVAL, MS_BIND, MS_NODEV, MS_NOSUID, MS_PRIVATE, mount, SystemCallError, unmount } from "./syscalls.ts";

/** Decides where on the host each file lies. */
export function placeFiles(layout: Layout, id: string, files: readonly GivenFile[]): readonly PlacedMount[] {
  return files.map(({ kind, target }, index) => ({
    type: "bind",
    source: join(kind === "config" ? configsOf(layout, id) : secretsOf(layout, id), String(index)),
    target,
    readOnly: true,
    volume: null,
    anonymous: false,
    noCopy: true,
    propagation: "rprivate",
    options: kind === "secret" ? ["nosuid", "nodev", "noexec"] : [],
    given: kind,
  }));
}

/** Writes what the configs of a container that is being made hold, below its directory. */
export async function writeConfigs(
  above: string,
  { record, contents }: { readonly record: ContainerRecord; readonly contents: Contents },
): Promise<void> {
  const configs = filesOf(record, "config");
  if (configs.length === 0) return;
  const directory = join(above, CONFIGS);
  await mkdir(directory, { mode: 0o700 });
  for (const { file, index } of configs)
    place(join(directory, String(index)), { file, bytes: await contentOf(file, { record, contents }) });
}

/** Has the secrets of a container in memory. Nothing when they are there. Throws E_SECRET_GONE. */
export async function writeSecrets(layout: Layout, record: ContainerRecord, contents: Contents): Promise<void> {
  const secrets = filesOf(record, "secret");
  if (secrets.length === 0) return;
  const directory = secretsOf(layout, record.id);
  if (isReady(directory)) return;
  await wipeSecrets(layout, record.id); // half-written by a command that was killed
  const found = await Promise.all(
    secrets.map(async ({ file, index }) => ({ file, index, bytes: await contentOf(file, { record, contents }) })),
  );
  await mkdir(join(layout.run, "secrets"), { recursive: true, mode: 0o700 });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  mountPrivately(
    directory,
    found.reduce((sum, { bytes }) => sum + bytes.length, 0),
  );
  for (const { file, index, bytes } of found) place(join(directory, String(index)), { file, bytes });
  closeSync(openSync(join(directory, READY), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600));
}

/** Forgets the secrets of a container that does not run. */
export async function wipeSecrets(layout: Layout, id: string): Promise<void> {
  const directory = secretsOf(layout, id);
  if (isMounted(directory)) {
    // A process that was given a copy of all mounts in the meantime holds the file system: what is in it goes in any case.
    for (const name of await readdir(directory)) empty(join(directory, name));
    while (unmount(directory));
  }
  try {
    await rmdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Forgets secrets of containers that are gone: somebody took their records away. */
export async function sweepSecrets(layout: Layout): Promise<void> {
  const held = await namesIn(join(layout.run, "secrets"));
  if (held.length === 0) return;
  const known = new Set((await readdir(layout.containers)).map(shortId));
  for (const name of held) if (!known.has(name)) await wipeSecrets(layout, name);
}

/** The key that digests of secrets are made with; made when it is first asked for. */
export async function secretKey(layout: Layout): Promise<Secret> {
  const path = join(layout.root, "secret.key");
  const read = async (): Promise<Secret> => new Secret((await readFile(path, "latin1")).trim());
  try {
    return await read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    await createAtomic(path, `${randomBytes(32).toString("hex")}\n`); // of two who make it at once one comes first
    return read();
  }
}

const CONFIGS = "configs";

const configsOf = (layout: Layout, id: string): string => join(containerDirectory(layout, id), CONFIGS);

const secretsOf = (layout: Layout, id: string): string => join(layout.run, "secrets", shortId(id));

function filesOf({ spec }: ContainerRecord, kind: GivenFile["kind"]): readonly { readonly file: GivenFile; readonly index: number }[] {
  return (spec.files ?? []).flatMap((file, index) => (file.kind === kind ? [{ file, index }] : []));
}

/** As the caller has it, else from its file. */
async function contentOf(
  file: GivenFile,
  { record, contents }: { readonly record: ContainerRecord; readonly contents: Contents },
): Promise<Uint8Array> {
  const { kind, source, origin } = file;
  const key = `${kind}/${source}`;
  const content = Object.hasOwn(contents, key) ? contents[key] : undefined;
  if (content !== undefined) return bytesOf(content);
  if (origin.from === "file") {
    try {
      return await readFile(origin.path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw gone(record, file, `its file ${origin.path} cannot be read any more (${code})`, error);
    }
  }
  const where = origin.from === "environment" ? `came from the variable ${origin.variable}` : "was written in the spec";
  throw gone(record, file, `it ${where}, and is not remembered`, null);
}

function gone(record: ContainerRecord, { kind, source }: GivenFile, why: string, cause: unknown): Failure {
  return new Failure(
    {
      code: "E_SECRET_GONE",
      message: `${record.name}: the ${kind} ${source} is not there: ${why}`,
      hint: `wharf up gives it again; ${kind}s with \`file:\` are read again by themselves after a reboot`,
    },
    { cause },
  );
}

/** Says that everything is in place. */
const READY = "ready";

const isReady = (directory: string): boolean => existsSync(join(directory, READY));

/**
 * A tmpfs that is seen in this mount namespace alone: what is mounted on a private mount is told to no other one. The bind below it, empty,
 * is what others may see.
 */
function mountPrivately(directory: string, bytes: number): void {
  mount(directory, directory, { type: null, flags: MS_BIND, data: null });
  mount("none", directory, { type: null, flags: MS_PRIVATE, data: null });
  const data = `mode=0700,size=${bytes + ROOM}`;
  const flags = MS_NOSUID | MS_NODEV;
  try {
    mount("wharf-secrets", directory, { type: "tmpfs", flags, data: `${data},noswap` });
  } catch (error) {
    // The kernel has the word since 6.4: before that memory may be written to a swap partition, as everything may.
    if (!(error instanceof SystemCallError) || error.errno !== EINVAL) throw error;
    mount("wharf-secrets", directory, { type: "tmpfs", flags, data });
  }
}

/** For pages that files do not fill, and the files' names. */
const ROOM = 1024 * 1024;

/** Makes a file that nobody can open before it has its owner and mode. */
function place(path: string, { file, bytes }: { readonly file: GivenFile; readonly bytes: Uint8Array }): void {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    writeFully(descriptor, bytes);
    fchownSync(descriptor, file.uid, file.gid);
    fchmodSync(descriptor, file.mode);
  } finally {
    closeSync(descriptor);
  }
}

function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

function empty(path: string): void {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    ftruncateSync(descriptor, 0);
  } finally {
    closeSync(descriptor);
  }
  unlinkSync(path);
}
