/** Copying between containers and this machine: which name what gets where, exactly as `docker cp` has it. */
import { posix } from "node:path";
import type { FileStat, Files } from "../engine/files.ts";
import { Failure } from "../model/diagnostic.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { exclusively } from "../reconcile/reconcile.ts";
import { hostFiles } from "./host-files.ts";
import { writeWhole } from "./image-archives.ts";
import { containerOf, containersOf, oneOffsOf, targets } from "./selection.ts";
import type { Session } from "./session.ts";
import { pour } from "./streams.ts";

export interface CopyChoice {
  readonly from: string;
  readonly to: string;
  /** Keep owners (`-a`). */
  readonly archive: boolean;
  /** Copy what a link at the source leads to. */
  readonly follow: boolean;
  readonly index: number | null;
  /** Into the containers of `run` too. */
  readonly all: boolean;
}

/** One end of a copy: a container's path, or one of this machine; `-` for a stream there. */
interface End {
  readonly container: string | null;
  readonly path: string;
}

/** Copies files out of a container, or into every container of a service. */
export async function copy(session: Session, choice: CopyChoice): Promise<number> {
  const from = endOf(choice.from);
  const to = endOf(choice.to);
  if (from.container !== null && to.container !== null)
    throw new Failure({
      code: "E_USAGE",
      message: "files are not copied from one container to another",
      hint: `wharf cp ${choice.from} - | wharf cp - ${choice.to}`,
    });
  if (from.container === null && to.container === null)
    throw new Failure({ code: "E_USAGE", message: "which container?", hint: "write one end as SERVICE:PATH" });
  if (from.container !== null) {
    const [container] = await chosen(session, from.container, choice);
    if (container !== undefined)
      await withFiles(session, container, (files) => copyOut(session, files, { ...choice, source: from.path, target: to.path, container }));
    return 0;
  }
  const containers = await chosen(session, to.container ?? "", choice);
  if (from.path === "-" && containers.length > 1)
    throw new Failure({
      code: "E_USAGE",
      message: `a stream can be read once, and ${to.container} has ${containers.length} containers`,
      hint: "say which one with --index",
    });
  for (const container of containers)
    await withFiles(session, container, (files) => copyIn(session, files, { ...choice, source: from.path, target: to.path, container }));
  return 0;
}

/** `SERVICE:PATH`, or a path of this machine: an absolute one, or one whose first part begins with a dot or has no colon. */
export function endOf(text: string): End {
  const colon = text.indexOf(":");
  if (colon < 1 || text.startsWith("/") || text.startsWith(".")) return { container: null, path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

/** What a copy has to know of the place it goes to. */
export interface Place {
  readonly stat: FileStat | null;
  /** As it was written. */
  readonly path: string;
  /** Of where the path leads, links followed; `null`: there is nothing. */
  readonly followed: FileStat | null;
}

/** The directory that a copy is unpacked into, and what it is called there; `.`: the content of a directory alone. */
export interface Landing {
  readonly directory: string;
  readonly as: string;
}

/** Where a copy lands. `source`: its last name (`.` for content alone) and whether it is a directory. Throws E_COPY. */
export function landing(source: { readonly name: string; readonly directory: boolean }, to: Place): Landing {
  const { stat, path, followed } = to;
  if (followed?.kind === "directory") return { directory: followed.resolved, as: source.name };
  const wantsDirectory = saysDirectory(path);
  if (followed !== null) {
    if (wantsDirectory) throw refused(`${path} is not a directory`);
    if (source.directory)
      throw refused(`a directory cannot be copied onto the file ${path}`, "give a directory, or a name that is not there yet");
  }
  if (followed === null && wantsDirectory && !source.directory)
    throw refused(`there is no directory ${path}`, "make it first; a name without a slash at its end becomes a file");
  const end = stat?.resolved ?? path.replace(/\/+\.?$/, "");
  return { directory: posix.dirname(end), as: posix.basename(end) };
}

interface Transfer extends CopyChoice {
  readonly source: string;
  readonly target: string;
  readonly container: ObservedContainer;
}

async function copyOut(session: Session, files: Files, { source, target, archive, follow, container }: Transfer): Promise<void> {
  const { path, name, directory } = sourceIn(files, rooted(source), { follow, where: container.name });
  if (target === "-") {
    if (session.out.terminal)
      throw new Failure({
        code: "E_USAGE",
        message: "an archive is not written to a terminal",
        hint: "redirect the output, or give a path",
      });
    await pour(files.read(path, name), session.out.stream);
    return;
  }
  const host = hostFiles(session.settings.cwd);
  const there = landing({ name, directory }, placeIn(host, target));
  await host.write(there.directory, files.read(path, there.as), {
    keepOwners: archive,
    skipped: (what, why) => skipped(session, what, why),
  });
}

async function copyIn(session: Session, files: Files, { source, target, archive, follow, container }: Transfer): Promise<void> {
  const to = placeIn(files, rooted(target));
  const options = { keepOwners: archive, skipped: (what: string, why: string) => skipped(session, what, why) };
  if (source === "-") {
    if (to.followed?.kind !== "directory")
      throw refused(`${container.name}:${target} is not a directory`, "an archive is unpacked into one that is there");
    await files.write(to.followed.resolved, process.stdin, { ...options, keepOwners: true });
    return;
  }
  const host = hostFiles(session.settings.cwd);
  const { path, name, directory } = sourceIn(host, source, { follow, where: null });
  const there = landing({ name, directory }, to);
  await files.write(there.directory, host.read(path, there.as), options);
}

/** What is copied: a link stays one unless it is to be followed, and keeps its own name also then. */
function sourceIn(
  files: Files,
  path: string,
  { follow, where }: { readonly follow: boolean; readonly where: string | null },
): { readonly path: string; readonly name: string; readonly directory: boolean } {
  const itself = files.stat(path);
  const stat = itself !== null && itself.kind === "symlink" && follow ? files.stat(itself.resolved) : itself;
  if (stat === null) throw refused(`there is nothing at ${where === null ? path : `${where}:${path}`}`);
  if (saysDirectory(path) && stat.kind !== "directory") throw refused(`${path} is not a directory`);
  const contentAlone = /(?:^|\/)\.$/.test(path) || stat.resolved === "/";
  const last = posix.basename(path);
  const name = contentAlone ? "." : last === ".." || last === "" ? posix.basename(stat.resolved) : last;
  const followed = follow || saysDirectory(path) || last === "..";
  return { path: followed ? `${stat.resolved}${stat.kind === "directory" ? "/" : ""}` : path, name, directory: stat.kind === "directory" };
}

function placeIn(files: Files, path: string): Place {
  // What a slash at its end asks for is looked at apart: a file with a slash behind it is nothing.
  const bare = path.replace(/(?<=.)\/+\.?$/, "") || "/";
  const stat = files.stat(bare);
  const followed = stat?.kind === "symlink" ? files.stat(stat.resolved) : stat;
  return { path, stat, followed };
}

function saysDirectory(path: string): boolean {
  return /(?:^|\/)\.?$/.test(path);
}

/** Paths in a container begin at its root. */
function rooted(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

async function chosen(session: Session, name: string, { index, all }: CopyChoice): Promise<readonly ObservedContainer[]> {
  const replicas = await containersOf(session, [name]);
  const wanted = index === null ? replicas : replicas.filter(({ number }) => number === index);
  const found = all && index === null ? [...wanted, ...(await oneOffsOf(session, name, { running: false }))] : wanted;
  if (found.length > 0) return found;
  const message = index === null ? `service ${name} has no container` : `service ${name} has no container number ${index}`;
  throw new Failure({ code: "E_NO_SUCH_CONTAINER", message, hint: `wharf create ${name} makes what the spec describes` });
}

async function withFiles(session: Session, container: ObservedContainer, work: (files: Files) => Promise<void>): Promise<void> {
  const engine = await session.engine();
  await held(session, container, "cp", async () => {
    const files = await engine.files(container.id, session.signal);
    try {
      await work(files);
    } finally {
      await files.close();
    }
  });
}

/** A container that does not run is held, so that no other command starts or removes it meanwhile. */
export async function held(session: Session, container: ObservedContainer, purpose: string, use: () => Promise<void>): Promise<void> {
  if (container.state === "running" || container.state === "paused") return use();
  const [target] = await targets(session, [container.name]);
  if (target === undefined) return use();
  await exclusively(await session.world({ renderer: "quiet" }), { project: target.project, purpose }, use);
}

export interface ExportChoice {
  readonly target: string;
  readonly index: number | null;
  /** A file; `undefined`: standard output. */
  readonly output: string | undefined;
}

/** Writes a container's own files as one archive. */
export async function exportContainer(session: Session, { target, index, output }: ExportChoice): Promise<number> {
  if (output === undefined && session.out.terminal)
    throw new Failure({ code: "E_USAGE", message: "an archive is not written to a terminal", hint: "use -o FILE, or redirect the output" });
  const container = await containerOf(session, target, index);
  const engine = await session.engine();
  await held(session, container, "export", async () => {
    const archive = engine.exportFiles(container.id, session.signal);
    await (output === undefined ? pour(archive, session.out.stream) : writeWhole(archive, output));
  });
  return 0;
}

function skipped(session: Session, what: string, why: string): void {
  session.say(`left out ${what}: ${why}`);
}

function refused(message: string, hint?: string): Failure {
  return new Failure({ code: "E_COPY", message, ...(hint === undefined ? {} : { hint }) });
}
