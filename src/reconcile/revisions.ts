// <directory>/<project>/<number>.json   one revision; written once, oldest ones go
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createAtomic, parseWritten } from "../lib/atomic-file.ts";
import { Failure } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import type { Observed } from "../model/observed.ts";
import { type Project, type ProjectFile, USUAL_REVISIONS } from "../model/project.ts";
import { withDigest } from "../model/reference.ts";
import { contentOf } from "../model/service.ts";
import { ADDITIONS } from "../model/service-additions.ts";
import { withDigests } from "../plan/files.ts";
import { digestOf } from "../plan/hash.ts";

/** What a successful `up` of a whole project made true. */
export interface Revision {
  readonly version: 1;
  /** From 1, never given again while any is kept. */
  readonly number: number;
  /** RFC 3339 UTC. */
  readonly at: string;
  /** The revision that it went back to, or `null`. */
  readonly of: number | null;
  readonly project: Project;
  /** The image of each service by the service's name. */
  readonly images: Readonly<Record<string, RevisionImage>>;
  /** Of what it makes true: two revisions with one digest are the same. */
  readonly digest: string;
}

export interface RevisionImage {
  readonly id: string;
  /** Digest of the manifest or index in the registry; `null`: it was made here. */
  readonly digest: string | null;
}

/** The revisions of a project, the newest first. */
export async function revisionsOf(directory: string, project: string): Promise<readonly Revision[]> {
  const found: Revision[] = [];
  for (const number of await numbers(join(directory, project))) {
    const revision = await read(fileOf(directory, project, number));
    if (revision !== null) found.push(revision);
  }
  return found.sort((a, b) => b.number - a.number);
}

/** Ids of the images that any revision of any project needs, with the projects that do. */
export async function imagesOfRevisions(directory: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const project of entries(directory))
    for (const { number, images } of await revisionsOf(directory, project))
      for (const { id } of Object.values(images)) found.set(id, `revision ${number} of ${project}`);
  return found;
}

/**
 * Notes what is true now, unless the newest revision says the same, and lets the oldest go that the project does not want to be kept; with them go
 * the claims on their images. Nothing goes for going back. To be called under the project's lock.
 */
export async function recordRevision(
  directory: string,
  { observed, of, ...wanted }: { readonly project: Project; readonly observed: Observed; readonly of: number | null },
): Promise<Revision | null> {
  const project = withDigests(wanted.project, observed.secretKey); // what files hold counts, and of secrets only that is kept
  const images = imagesIn(project, observed);
  const digest = digestOf(meaningOf(project, images));
  const known = [...(await numbers(join(directory, project.name)))].sort((a, b) => b - a);
  const kept = of === null ? (project.revisions ?? USUAL_REVISIONS) : known.length + 1;
  const newest = known[0] ?? 0;
  const isKnown = newest > 0 && (await read(fileOf(directory, project.name, newest)))?.digest === digest;
  const isNew = !isKnown && kept > 0;
  for (const old of known.slice(isNew ? kept - 1 : kept)) await rm(fileOf(directory, project.name, old), { force: true });
  if (!isNew) return null;
  const number = newest + 1;
  const revision: Revision = { version: 1, number, at: new Date().toISOString(), of, project, images, digest };
  await mkdir(join(directory, project.name), { recursive: true, mode: 0o700 });
  await createAtomic(fileOf(directory, project.name, number), JSON.stringify(revision), { durable: false });
  return revision;
}

/**
 * The project of a revision, to be made true again: a service whose image's name leads to other content by now is pinned to the content it had.
 * Throws `E_REVISION_IMAGE` where that can be found nowhere.
 */
export function projectOf(revision: Revision, images: Observed["images"]): Project {
  const services = revision.project.services.map((service) => {
    const had = revision.images[service.name];
    if (had === undefined || images[contentOf(service)]?.id === had.id) return service;
    if (had.digest === null)
      throw new Failure({
        code: "E_REVISION_IMAGE",
        message: `image ${service.image} of service ${service.name} was made here, and its name leads to another one since revision ${revision.number}`,
        hint: `give the old one a name again (wharf image tag ${had.id.slice(0, 19)} …), and name it in the spec`,
      });
    return { ...service, pin: withDigest(service.image, had.digest) };
  });
  return { ...revision.project, services };
}

/** A project whose directory was moved: what it has from there lies below the present one. */
export function movedTo(project: Project, { directory, files }: Pick<Project, "directory" | "files">): Project {
  const old = project.directory;
  const moved = (path: string): string => (path === old || path.startsWith(`${old}/`) ? `${directory}${path.slice(old.length)}` : path);
  const movedFile = (file: ProjectFile): ProjectFile =>
    file.origin.from === "file" ? { ...file, origin: { ...file.origin, path: moved(file.origin.path) } } : file;
  const services = project.services.map((service) => ({
    ...service,
    mounts: service.mounts.map((mount) => (mount.type === "bind" ? { ...mount, source: moved(mount.source) } : mount)),
  }));
  return { ...project, directory, files, services, configs: project.configs.map(movedFile), secrets: project.secrets.map(movedFile) };
}

function imagesIn(project: Project, observed: Observed): Readonly<Record<string, RevisionImage>> {
  return Object.fromEntries(
    project.services.flatMap((service) => {
      const image = observed.images[contentOf(service)];
      return image === undefined ? [] : [[service.name, { id: image.id, digest: image.digest }]];
    }),
  );
}

/** Where it was read from, and by which name an image was pinned, is no part of what it makes true. */
function meaningOf({ services, networks, volumes }: Project, images: Readonly<Record<string, RevisionImage>>): Json {
  const bare = services.map((service) => ({ ...service, pin: null }));
  const ids = Object.fromEntries(Object.entries(images).map(([name, { id }]) => [name, id]));
  return JSON.parse(JSON.stringify({ services: bare, networks, volumes, ids }));
}

const fileOf = (directory: string, project: string, number: number): string => join(directory, project, `${number}.json`);

async function numbers(directory: string): Promise<readonly number[]> {
  return entries(directory).flatMap((name) => (/^[1-9]\d*\.json$/.test(name) ? [Number.parseInt(name, 10)] : []));
}

function entries(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** What projects have got over time. */
const WITHOUT_FILES = { configs: [], secrets: [] } as const;

/** Our own files, written whole, save that a power cut may tear one; one of a later version is left alone. */
async function read(path: string): Promise<Revision | null> {
  const revision = parseWritten<Revision>(readFileSync(path, "utf8"));
  if (revision?.version !== 1) return null;
  const services = revision.project.services.map((service) => ({ ...ADDITIONS, ...service }));
  return { ...revision, project: { ...WITHOUT_FILES, ...revision.project, services } };
}
