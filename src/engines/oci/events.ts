/**
 * What happened to a project's containers, written by whoever did it into a file that is bounded: `root/events/PROJECT.jsonl`, the older half beside
 * it with `.1`. Ends, and memory that ran out, which nobody was there to see are read from the container itself: whoever starts or removes it writes
 * them down, too.
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerEvent, EventOptions } from "../../engine/events.ts";
import { parseWritten } from "../../lib/atomic-file.ts";
import { fullDisk } from "../../model/diagnostic.ts";
import { familiar, parseReference } from "../../model/reference.ts";
import type { Layout } from "./layout.ts";
import { allContainers, type Container, type ContainerRecord, findContainer, starvedAt } from "./records.ts";

/** Bytes of a file; then it becomes `….1`. */
const LIMIT = 512 * 1024;
/** How often a follower looks, in milliseconds. */
const LOOK_MS = 150;

interface Line extends ContainerEvent {
  /** When the run began that ended, which tells the ends of a container apart. */
  readonly run?: string;
}

/** Writes an event down, but of containers that `run` made: as Compose. `attributes`: what it has to tell besides the container's own. */
export function noteEvent(
  layout: Layout,
  {
    record,
    action,
    attributes = {},
  }: { readonly record: ContainerRecord; readonly action: string; readonly attributes?: Readonly<Record<string, string>> },
): void {
  if (!record.spec.oneOff) append(layout, record.spec.project, eventOf(record, { action, attributes, time: new Date().toISOString() }));
}

/** Writes down what a container's last run went through and how it ended, before that is forgotten. Nothing of one that never ran. */
export function noteEnd(layout: Layout, id: string): void {
  const container = findContainer(layout, id);
  for (const line of container === null ? [] : seenOf(layout, container)) append(layout, container?.record.spec.project ?? "", line);
}

/** All that is still written of a project's containers, in its order. */
export function eventsWritten(layout: Layout, project: string): readonly ContainerEvent[] {
  const path = journalFile(layout, project);
  const file = statSync(path, { throwIfNoEntry: false });
  const stamp = `${file?.ino} ${file?.size}`;
  const known = lastRead.get(path);
  if (known?.stamp === stamp) return known.events;
  const events = new Follower(path).read();
  lastRead.set(path, { stamp, events });
  return events;
}

/** Every container of a project asks for the same. */
const lastRead = new Map<string, { readonly stamp: string; readonly events: readonly ContainerEvent[] }>();

/** Projects of whose containers something is written. */
export function writtenProjects(layout: Layout): readonly string[] {
  const directory = join(layout.root, "events");
  if (!existsSync(directory)) return [];
  return readdirSync(directory).flatMap((name) => (name.endsWith(".jsonl") ? [name.slice(0, -".jsonl".length)] : []));
}

/** Writes down that a container is gone which nobody removed. */
export function noteGone(layout: Layout, project: string, { id, service, attributes }: ContainerEvent): void {
  append(layout, project, { time: new Date().toISOString(), action: "destroy", id, service, attributes });
}

/** Events of a project in their order, until `until` or the signal's end. */
export async function* readEvents(
  layout: Layout,
  project: string,
  { options, signal }: { readonly options: EventOptions; readonly signal: AbortSignal },
): AsyncGenerator<ContainerEvent> {
  const { since, until } = options;
  /** Ends that were told. */
  const ends = new Set<string>();
  const journal = new Follower(journalFile(layout, project));
  for (;;) {
    const over = until !== null && Date.now() >= until;
    const written = journal.read();
    const seen = allContainers(layout).flatMap((c) => (c.record.spec.project === project ? seenOf(layout, c) : []));
    for (const { run, ...event } of together(written, seen)) {
      const key = `${event.id} ${event.action} ${run}`;
      if (run !== undefined && ends.has(key)) continue;
      if (run !== undefined) ends.add(key);
      const at = Date.parse(event.time);
      if (at >= since && (until === null || at < until)) yield event;
    }
    if (over || signal.aborted) return;
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
  }
}

/** What was written stays in its order: clocks of files are coarse. What was only seen is put in by its time. */
function together(written: readonly Line[], seen: readonly Line[]): readonly Line[] {
  const all = [...written];
  const isSame = (a: Line, b: Line): boolean => a.id === b.id && a.action === b.action && a.run === b.run;
  for (const line of seen) {
    if (all.some((other) => isSame(line, other))) continue;
    const next = all.findIndex(({ time }) => time > line.time);
    all.splice(next === -1 ? all.length : next, 0, line);
  }
  return all;
}

const journalFile = (layout: Layout, project: string): string => join(layout.root, "events", `${project}.jsonl`);

/** Reads what is added to a file, and goes on when it is put aside. */
class Follower {
  readonly #path: string;
  #inode = 0;
  #offset = 0;

  constructor(path: string) {
    this.#path = path;
  }

  read(): Line[] {
    const there = statSync(this.#path, { throwIfNoEntry: false });
    const first = this.#inode === 0;
    const moved = there !== undefined && there.ino !== this.#inode;
    const aside = `${this.#path}.1`;
    const before = moved && existsSync(aside) ? linesOf(aside, first ? 0 : this.#offset).lines : [];
    if (moved) this.#offset = 0;
    if (there === undefined) return [];
    this.#inode = there.ino;
    const { lines, end } = linesOf(this.#path, this.#offset);
    this.#offset = end;
    return [...before, ...lines];
  }
}

/**
 * Whole lines from an offset on, and where they end. Of a line that its writer did not live to finish, what the next writer added to it is taken:
 * every line begins with its time. Nothing where the file was put aside a moment ago.
 */
function linesOf(path: string, offset: number): { readonly lines: Line[]; readonly end: number } {
  const text = readIfThere(path).subarray(offset);
  const end = text.lastIndexOf(10) + 1;
  const lines = text
    .toString("utf8", 0, end)
    .split("\n")
    .flatMap((line): readonly Line[] => {
      const read = parseWritten<Line>(line) ?? parseWritten<Line>(line.slice(Math.max(0, line.lastIndexOf(BEGINNING))));
      return read === null ? [] : [read];
    });
  return { lines, end: offset + end };
}

const BEGINNING = '{"time":';

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

/** On a full disk the line is lost: what takes something away must not fail for want of a place to write that down. */
function append(layout: Layout, project: string, line: Line): void {
  const path = journalFile(layout, project);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LIMIT) putAside(path);
  if (size === 0) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    appendFileSync(path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  } catch (error) {
    if (fullDisk(error) === null) throw error;
    if (existsSync(path) && size <= LIMIT) truncateSync(path, size); // no half line stays for the next one to go on with
  }
}

function putAside(path: string): void {
  try {
    renameSync(path, `${path}.1`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // another one was quicker
  }
}

/** What is to be seen of a run afterwards: when its memory ran out, and its end. */
function seenOf(layout: Layout, { record, status }: Container): readonly Line[] {
  if (status.state === "created" || record.spec.oneOff) return [];
  const { startedAt: run } = status.run;
  const starved = starvedAt(layout, record.id);
  const oom = starved === null ? [] : [{ ...eventOf(record, { time: starved, action: "oom", attributes: {} }), run }];
  if (status.state === "running") return oom;
  const { exitCode, finishedAt } = status;
  return [...oom, { ...eventOf(record, { time: finishedAt ?? run, action: "die", attributes: { exitCode: String(exitCode) } }), run }];
}

function eventOf(
  { id, name, image, spec }: ContainerRecord,
  { time, action, attributes }: { readonly time: string; readonly action: string; readonly attributes: Readonly<Record<string, string>> },
): ContainerEvent {
  return {
    time,
    action,
    id,
    service: spec.service.name,
    attributes: { ...spec.service.labels, image: nameOf(image.reference), name, ...attributes },
  };
}

/** As people write it; what is no reference (an id) as it is. */
function nameOf(image: string): string {
  const reference = parseReference(image);
  return typeof reference === "string" ? familiar(reference) : image;
}
