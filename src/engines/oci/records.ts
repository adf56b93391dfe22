import { mkdirSync, readdirSync, renameSync, statSync, unlinkSync } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ImageConfig } from "../../engine/images.ts";
import { createAtomic, isTemporary, parseWritten, sweepTemporaries, writeAtomic } from "../../lib/atomic-file.ts";
import { identify, isAlive, type ProcessIdentity } from "../../lib/process-identity.ts";
import { removeFile } from "../../lib/remove-file.ts";
import { readJson, readText, statIfThere } from "../../lib/written.ts";
import type { ContainerSpec } from "../../model/action.ts";
import { Failure } from "../../model/diagnostic.ts";
import type { PublishedPort } from "../../model/observed.ts";
import { ADDITIONS } from "../../model/service-additions.ts";
import { bundleDirectory, containerDirectory, type Layout } from "./layout.ts";
import type { ProcessConfig } from "./process-config.ts";

/** What a container is made of: written when it is created, anew by a rename and by a change in place. `version` guards its form. */
export interface ContainerRecord {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  /** RFC 3339 UTC. */
  readonly createdAt: string;
  readonly spec: ContainerSpec;
  readonly image: { readonly reference: string; readonly id: string; readonly layers: readonly string[]; readonly config: ImageConfig };
  readonly process: ProcessConfig;
  readonly hostname: string;
  readonly mounts: readonly PlacedMount[];
  /** Of one that goes when it has ended: the command that made it, which sees to that as long as it lives. */
  readonly owner?: ProcessIdentity;
  /** A change in place is under way, or broke off: what is here may not all be in force. */
  readonly unfinished?: true;
}

/** A mount whose source is decided. */
export interface PlacedMount {
  readonly type: "bind" | "volume" | "tmpfs";
  /** Host path; empty for tmpfs. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** Engine name of the volume, or `null`. */
  readonly volume: string | null;
  readonly anonymous: boolean;
  readonly noCopy: boolean;
  readonly propagation: string;
  /** Of an anonymous volume, for when it is made. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The image whose files it shows; absent: it shows none. `layers` as of the container's own. */
  readonly image?: { readonly reference: string; readonly id: string; readonly layers: readonly string[] };
  /** Of a bind: what lies mounted below the source. Absent: it is there too. */
  readonly recursive?: "disabled" | "writable" | "readonly";
  /** Path inside the volume of the part that is mounted; absent: all of it. */
  readonly subpath?: string;
  /** Where that part is mounted on this machine while the container has its mounts: what the runtime is given instead of `source`. */
  readonly staged?: string;
  /** It is a config or secret of the service, and the source a file of ours. */
  readonly given?: "config" | "secret";
  /** Mount options of a tmpfs (`size=…`, `mode=…`), flags of a bind. */
  readonly options: readonly string[];
}

/** Its last start. */
export interface RunState {
  readonly process: ProcessIdentity;
  readonly conmon: ProcessIdentity | null;
  readonly startedAt: string;
  readonly ports: readonly PublishedPort[];
  /** Id of the container whose network it shares; absent: its own. */
  readonly networkOf?: string;
  /** It has no ports and no names: another container has them, which it shall replace or which replaced it. With ports: it is to hand them over. */
  readonly beside?: boolean;
}

export type Status =
  | { readonly state: "created" }
  | { readonly state: "running"; readonly run: RunState }
  /** `exitCode` is 255 when nobody saw it end (its monitor was killed, or the machine went down). */
  | {
      readonly state: "exited";
      readonly run: RunState;
      readonly exitCode: number;
      readonly finishedAt: string | null;
      readonly seen: boolean;
    };

export interface Container {
  readonly record: ContainerRecord;
  readonly status: Status;
}

/** Every container of this world. */
export function allContainers(layout: Layout): Container[] {
  return allRecords(layout).map((record) => ({ record, status: statusOf(layout, record.id) }));
}

/** What every container of this world is made of, whatever it does. */
export function allRecords(layout: Layout): readonly ContainerRecord[] {
  const entries = readdirSync(layout.containers).filter((entry) => !entry.startsWith("."));
  const records = entries.flatMap((entry) => readRecord(layout, entry) ?? []);
  if (parsed.size > 2 * entries.length + 100) parsed.clear(); // of containers that are gone
  return records.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
}

/** A container by its full id, or `null`. */
export function findContainer(layout: Layout, id: string): Container | null {
  const record = readRecord(layout, id);
  return record === null ? null : { record, status: statusOf(layout, id) };
}

/** A container by name. Throws E_NO_SUCH_CONTAINER. */
export function containerNamed(layout: Layout, name: string): Container {
  const id = readName(layout, name)?.id;
  const container = id === undefined ? null : findContainer(layout, id);
  if (container === null)
    throw new Failure({
      code: "E_NO_SUCH_CONTAINER",
      message: `there is no container named ${name}`,
      hint: "wharf ps -a lists those there are",
    });
  return container;
}

/** A container by its full id. Throws E_NO_SUCH_CONTAINER. */
export function containerWithId(layout: Layout, id: string): Container {
  const container = findContainer(layout, id);
  if (container === null)
    throw new Failure({
      code: "E_NO_SUCH_CONTAINER",
      message: `there is no container ${id.slice(0, 12)}`,
      hint: "wharf ps -a lists those there are",
    });
  return container;
}

/** What a container is doing, from its files and the process table. */
export function statusOf(layout: Layout, id: string): Status {
  const run = readRun(layout, id);
  if (run === null || isStarting(layout, id)) return { state: "created" };
  if (isAlive(run.process)) return { state: "running", run };
  const exit = readExit(layout, id);
  if (exit === null && run.conmon !== null && isAlive(run.conmon)) return { state: "running", run }; // its monitor is about to write how it ended
  return { state: "exited", run, exitCode: exit?.code ?? 255, finishedAt: exit?.at ?? null, seen: exit !== null };
}

/** The run of a container whose process lives now. Throws E_NOT_RUNNING. */
export function runOf(layout: Layout, { record }: Container): RunState {
  const run = liveRun(layout, record.id);
  if (run === null) throw notRunning(record);
  return run;
}

export function notRunning({ name, spec }: ContainerRecord): Failure {
  return new Failure({
    code: "E_NOT_RUNNING",
    message: `container ${name} is not running`,
    hint: `wharf start ${spec.service.name} starts it`,
  });
}

/** The run whose process lives now, also while it is still being started; `null` otherwise. */
export function liveRun(layout: Layout, id: string): RunState | null {
  const run = readRun(layout, id);
  return run !== null && isAlive(run.process) ? run : null;
}

/**
 * Whether another container has its ports and names. One that is to hand over its ports has them until the other one says that it has them:
 * a command may be killed in between.
 */
export function isBeside(layout: Layout, id: string): boolean {
  const run = liveRun(layout, id);
  if (run?.beside !== true) return false;
  if (run.ports.length === 0) return true;
  return allRecords(layout).some((other) => {
    const heir = other.id === id ? null : liveRun(layout, other.id);
    return heir !== null && heir.beside !== true && heir.ports.some((port) => run.ports.some((own) => isSame(own, port)));
  });
}

function isSame(a: PublishedPort, b: PublishedPort): boolean {
  return a.protocol === b.protocol && a.host === b.host && a.published === b.published;
}

/** Host ports of a container that runs or is being started by a command that lives; `null`: it does neither. */
export function heldPorts(layout: Layout, id: string): readonly PublishedPort[] | null {
  const run = liveRun(layout, id);
  if (run !== null) return run.ports;
  const starting = readStarting(layout, id);
  return starting !== null && isAlive(starting.owner) ? starting.ports : null;
}

export interface NewRecord {
  readonly record: ContainerRecord;
  /** Writes what else only its making gives it into its directory, wherever that is yet. */
  readonly fill?: (directory: string) => Promise<void>;
}

/** Writes a new container: staged beside the others, its name reserved, then moved into place. Throws E_NAME_TAKEN, and what `fill` throws. */
export async function createRecord(layout: Layout, { record, fill }: NewRecord): Promise<void> {
  const me = identify(process.pid);
  if (me === null) throw new Error("this process is not in /proc");
  const staging = join(layout.containers, `.new-${me.pid}-${me.start}-${record.id}`);
  mkdirSync(staging, { mode: 0o711 });
  try {
    mkdirSync(join(staging, "upper"), { mode: 0o755 });
    mkdirSync(join(staging, "work"), { mode: 0o700 });
    await writeAtomic(join(staging, "container.json"), JSON.stringify(record), { durable: false });
    await fill?.(staging);
    await reserveName(layout, record.name, { id: record.id, owner: me });
    try {
      renameSync(staging, containerDirectory(layout, record.id));
    } catch (error) {
      await releaseName(layout, record.name, record.id);
      throw error;
    }
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

/** Gives a container another name. Throws E_NAME_TAKEN. */
export async function renameRecord(layout: Layout, record: ContainerRecord, name: string): Promise<ContainerRecord> {
  const me = identify(process.pid);
  if (me === null) throw new Error("this process is not in /proc");
  const renamed = { ...record, name };
  await reserveName(layout, name, { id: record.id, owner: me });
  await rewriteRecord(layout, renamed);
  await releaseName(layout, record.name, record.id);
  return renamed;
}

/** Writes what a container is made of from now on, under the name that it has. */
export async function rewriteRecord(layout: Layout, record: ContainerRecord): Promise<void> {
  await writeAtomic(join(containerDirectory(layout, record.id), "container.json"), JSON.stringify(record)); // no power cut takes its files
}

/** Takes a container's files away. Its mounts must be gone. Two may do so at once: a command, and the supervisor for one made with `--rm`. */
export async function removeRecord(layout: Layout, record: ContainerRecord): Promise<void> {
  const trash = join(layout.containers, `.trash-${record.id}`);
  await rm(join(layout.exits, record.id), { force: true }); // first: of a record that is gone nobody would look for it
  try {
    await rename(containerDirectory(layout, record.id), trash);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error; // the other one was quicker
  }
  await releaseName(layout, record.name, record.id);
  await rm(trash, { recursive: true, force: true });
}

export async function writeState(layout: Layout, id: string, state: RunState): Promise<void> {
  await writeAtomic(join(containerDirectory(layout, id), "state.json"), JSON.stringify(state), { durable: false });
}

/** Forgets the last run, before a new one. */
export async function clearState(layout: Layout, id: string): Promise<void> {
  const directory = containerDirectory(layout, id);
  for (const name of ["state.json", "exit", "oom"]) removeFile(join(directory, name));
  removeFile(join(layout.exits, id));
}

/** When the last run first had no memory left and lost a process by that (RFC 3339 UTC), as conmon noted it; `null`: never. */
export function starvedAt(layout: Layout, id: string): string | null {
  return statIfThere(join(containerDirectory(layout, id), "oom"))?.mtime.toISOString() ?? null;
}

export interface Exit {
  readonly code: number;
  readonly at: string;
}

/** How the last run ended, as conmon wrote it down; `null` while it did not. */
export function readExit(layout: Layout, id: string): Exit | null {
  const path = join(containerDirectory(layout, id), "exit");
  const text = readText(path);
  if (text === null) return null;
  const code = Number.parseInt(text, 10);
  const at = statIfThere(path);
  return at === null ? null : { code: Number.isInteger(code) && code >= 0 ? code : 255, at: at.mtime.toISOString() };
}

/** A start under way: who makes it, and the host ports that it took. */
export interface Starting {
  readonly owner: ProcessIdentity;
  readonly ports: readonly PublishedPort[];
}

/** Marks a start under way, so that a command killed in the middle of it is noticed, and so that nobody else takes its ports. */
export async function markStarting(layout: Layout, id: string, starting: Starting): Promise<void> {
  await writeAtomic(startingMarker(layout, id), JSON.stringify(starting), { durable: false });
}

export async function unmarkStarting(layout: Layout, id: string): Promise<void> {
  unlinkSync(startingMarker(layout, id));
}

export function readStarting(layout: Layout, id: string): Starting | null {
  return readJson<Starting>(startingMarker(layout, id));
}

function isStarting(layout: Layout, id: string): boolean {
  return statSync(startingMarker(layout, id), { throwIfNoEntry: false }) !== undefined;
}

/** Removes what commands left that were killed half-way, and containers that a power cut left no record of: staged ones, names of nothing, trash. */
export async function sweepRecords(layout: Layout): Promise<void> {
  const entries = await readdir(layout.containers);
  for (const entry of entries) {
    const [, pid, start] = /^\.new-(\d+)-(\d+)-/.exec(entry) ?? [];
    const abandoned = pid !== undefined && identify(Number(pid))?.start !== start;
    const torn = /^[0-9a-f]{64}$/.test(entry) && readRecord(layout, entry) === null && liveRun(layout, entry) === null;
    if (abandoned || torn || entry.startsWith(".trash-")) await rm(join(layout.containers, entry), { recursive: true, force: true });
  }
  const present = new Set(entries);
  await sweepTemporaries(layout.names);
  for (const name of await readdir(layout.names)) {
    if (isTemporary(name)) continue;
    const held = readName(layout, name);
    if (held === null || (!(present.has(held.id) && isNamed(layout, held, name)) && !isAlive(held.owner)))
      await rm(join(layout.names, name), { force: true });
  }
}

interface NameHolder {
  readonly id: string;
  /** Who reserved it: as long as that process lives the container may still be on its way. */
  readonly owner: ProcessIdentity;
}

/** Whether the container goes by this name. One that was being renamed when the command was killed has a name too many. */
function isNamed(layout: Layout, { id }: NameHolder, name: string): boolean {
  return readRecord(layout, id)?.name === name;
}

const startingMarker = (layout: Layout, id: string): string => join(bundleDirectory(layout, id), "starting");

async function reserveName(layout: Layout, name: string, holder: NameHolder): Promise<void> {
  const path = join(layout.names, name);
  for (;;) {
    if (await createAtomic(path, JSON.stringify(holder), { durable: false })) return;
    const other = readName(layout, name);
    if (other === null) continue;
    const record = readRecord(layout, other.id);
    if (record?.name !== name && !isAlive(other.owner)) {
      await rm(path, { force: true });
      continue;
    }
    const project = record?.spec.project;
    throw new Failure({
      code: "E_NAME_TAKEN",
      message: `the container name ${name} is taken by ${project === undefined ? "a container that is being created" : `container ${other.id.slice(0, 12)} of project ${project}`}`,
      hint: `remove it (wharf rm ${name}), or choose another name`,
    });
  }
}

async function releaseName(layout: Layout, name: string, id: string): Promise<void> {
  if (readName(layout, name)?.id === id) await rm(join(layout.names, name), { force: true });
}

function readName(layout: Layout, name: string): NameHolder | null {
  return readJson<NameHolder>(join(layout.names, name));
}

function readRecord(layout: Layout, id: string): ContainerRecord | null {
  const path = join(containerDirectory(layout, id), "container.json");
  const file = statIfThere(path);
  if (file === null) return null;
  const stamp = `${file.ino} ${file.mtimeMs} ${file.size}`;
  const known = parsed.get(path);
  if (known?.stamp === stamp) return known.record;
  const read = readJson<ContainerRecord>(path);
  if (read === null) return null;
  const record = { ...read, spec: { ...read.spec, service: { ...ADDITIONS, ...read.spec.service } } };
  parsed.set(path, { stamp, record });
  return record;
}

/** Records as last read, by path. A record is written whole, into a new file: the same file has the same in it. */
const parsed = new Map<string, { readonly stamp: string; readonly record: ContainerRecord }>();

/** Its last start, `null` where there was none. Of one that a power cut left nothing of it is known only that it is over. */
function readRun(layout: Layout, id: string): RunState | null {
  const text = readText(join(containerDirectory(layout, id), "state.json"));
  return text === null ? null : (parseWritten<RunState>(text) ?? LOST);
}

const LOST: RunState = { process: { boot: "", pid: 0, start: "" }, conmon: null, startedAt: new Date(0).toISOString(), ports: [] };
