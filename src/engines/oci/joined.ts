/** Namespaces of process numbers and of IPC that a container has not to itself: this machine's, or those of a container that runs. */
import { readlinkSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "../../lib/process-identity.ts";
import { Failure } from "../../model/diagnostic.ts";
import { type Sharing, sharingText } from "../../model/isolation.ts";
import type { NamespacePlace, Namespaces } from "./isolation.ts";
import { bundleDirectory, type Layout } from "./layout.ts";
import { allContainers, type ContainerRecord, liveRun, type RunState } from "./records.ts";
import { shmSize } from "./resources.ts";
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, mount, unmount } from "./syscalls.ts";

export interface Joined {
  readonly namespaces: Namespaces;
  /** Host directory that it has at /dev/shm; `null`: one of its own. */
  readonly sharedMemory: string | null;
  /** Those whose namespaces it is in. */
  readonly others: readonly Other[];
}

interface Other {
  readonly kind: Kind;
  readonly record: ContainerRecord;
  readonly run: RunState;
}

type Kind = "pid" | "ipc";

/** Where a container that is about to start lives. Throws E_NAMESPACE_SHARED when another one is not there, does not run, or keeps its IPC to itself. */
export function joinedOf(layout: Layout, record: ContainerRecord): Joined {
  const { pid, ipc } = record.spec.service.isolation;
  const others = (["pid", "ipc"] as const).flatMap((kind) => otherOf(layout, record, kind) ?? []);
  const placeOf = (kind: Kind, { type }: Sharing): NamespacePlace => {
    const other = others.find((candidate) => candidate.kind === kind);
    if (other !== undefined) return { path: `/proc/${other.run.process.pid}/ns/${kind}` };
    return type === "host" ? "host" : "private";
  };
  return {
    namespaces: { pid: placeOf("pid", pid), ipc: placeOf("ipc", ipc) },
    sharedMemory: memoryOf(layout, record),
    others,
  };
}

/** Makes the memory that a container shares with others, where it has some. Nothing when it is there already. */
export async function mountSharedMemory(layout: Layout, { id, spec }: ContainerRecord): Promise<void> {
  if (spec.service.isolation.ipc.type !== "shareable") return;
  const directory = memoryDirectory(layout, id);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  unmountSharedMemory(layout, id);
  const data = `mode=1777,size=${shmSize(spec.service.resources)}`;
  mount("shm", directory, { type: "tmpfs", flags: MS_NOSUID | MS_NODEV | MS_NOEXEC, data });
}

export function unmountSharedMemory(layout: Layout, id: string): void {
  while (unmount(memoryDirectory(layout, id))); // nothing is there for those that share none
}

/** Makes sure that a process that was just made is where it should be: the other one may have ended, and its number be someone else's. */
export function confirmJoined({ others }: Joined, { name, pid }: { readonly name: string; readonly pid: number }): void {
  for (const { kind, record, run } of others) {
    const isThere = isAlive(run.process) && namespaceOf(pid, kind) === namespaceOf(run.process.pid, kind);
    if (!isThere)
      throw refused(`container ${name} shares the ${WHAT[kind]} of ${record.name}, which ended meanwhile`, "start that one first");
  }
}

const WHAT = { pid: "process numbers", ipc: "IPC" } as const;

function otherOf(layout: Layout, record: ContainerRecord, kind: Kind): Other | null {
  const sharing = record.spec.service.isolation[kind];
  if (!("of" in sharing)) return null;
  const isMeant = ({ id, name, spec }: ContainerRecord): boolean =>
    id !== record.id &&
    (sharing.type === "container"
      ? name === sharing.of || (sharing.of.length >= 12 && id.startsWith(sharing.of))
      : spec.project === record.spec.project && spec.service.name === sharing.of && !spec.oneOff);
  const meant = allContainers(layout).filter(({ record: other }) => isMeant(other));
  const running = meant.flatMap(({ record: other }) => {
    const run = liveRun(layout, other.id);
    return run === null ? [] : [{ kind, record: other, run }];
  });
  const [first] = running.sort((a, b) => a.record.spec.number - b.record.spec.number || (a.record.createdAt < b.record.createdAt ? 1 : -1));
  if (first !== undefined) return first;
  throw refused(
    `container ${record.name} shares the ${WHAT[kind]} of ${sharing.type} ${sharing.of}, which ${meant.length === 0 ? "is not there" : "does not run"}`,
    sharing.type === "service" ? `wharf up -d ${sharing.of} starts it` : "start it first",
  );
}

/** Who shares IPC shares /dev/shm: the other's, which may be that of a third. */
function memoryOf(layout: Layout, record: ContainerRecord): string | null {
  const { ipc } = record.spec.service.isolation;
  if (ipc.type === "host") return "/dev/shm";
  if (ipc.type === "shareable") return memoryDirectory(layout, record.id);
  const other = otherOf(layout, record, "ipc");
  if (other === null) return null;
  const memory = memoryOf(layout, other.record);
  if (memory !== null) return memory;
  throw refused(
    `container ${record.name} shares the IPC of ${other.record.name}, whose own is ${sharingText(other.record.spec.service.isolation.ipc)}`,
    "say `ipc: shareable` there",
  );
}

const memoryDirectory = (layout: Layout, id: string): string => join(bundleDirectory(layout, id), "shm");

function namespaceOf(pid: number, kind: Kind): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function refused(message: string, hint: string): Failure {
  return new Failure({ code: "E_NAMESPACE_SHARED", message, hint });
}
