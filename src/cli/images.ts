import { createReadStream } from "node:fs";
import type { ImageSummary } from "../engine/images.ts";
import { diagnosticsOf, Failure } from "../model/diagnostic.ts";
import { familiar, parseReference, partsOf } from "../model/reference.ts";
import { table } from "../ui/table.ts";
import { age, bytes } from "../ui/units.ts";
import { type ImportFlags, importOptions } from "./image-config.ts";
import type { Session } from "./session.ts";

export interface ImageListOptions {
  readonly name: string | undefined;
  readonly quiet: boolean;
  readonly digests: boolean;
  readonly format: string;
}

/** Lists the images of the store. */
export async function listImages(session: Session, { name, quiet, digests, format }: ImageListOptions): Promise<number> {
  const all = await (await session.engine()).images.list(session.signal);
  const shown = all.filter((image) => name === undefined || isNamed(image, name));
  if (quiet) for (const id of new Set(shown.map((image) => image.id))) session.out.line(id);
  else if (format === "json") for (const image of shown) session.out.line(JSON.stringify(entry(image)));
  else {
    const columns = [
      { title: "REPOSITORY", shrinkTo: 20 },
      { title: "TAG", shrinkTo: 8 },
      ...(digests ? [{ title: "DIGEST" }] : []),
      { title: "IMAGE ID" },
      { title: "CREATED", drop: 1 },
      { title: "SIZE", align: "right" as const },
    ];
    const rows = shown.map((image) => {
      const { repository, tag } = names(image);
      const created = image.created === null ? "N/A" : `${age(Math.max(0, Date.now() - Date.parse(image.created)))} ago`;
      return [repository, tag, ...(digests ? [image.digest ?? "<none>"] : []), shortId(image.id), created, bytes(image.size)];
    });
    for (const line of table(columns, rows, { width: session.out.columns })) session.out.line(line);
  }
  return 0;
}

/** Prints Docker's inspect documents of images as one JSON list. */
export async function inspectImages(session: Session, wanted: readonly string[]): Promise<number> {
  const images = (await session.engine()).images;
  const documents = await Promise.all(
    wanted.map(async (name) => (await images.inspect(name, session.signal)) ?? Promise.reject(absent(name))),
  );
  session.out.line(JSON.stringify(documents, null, 2));
  return 0;
}

/** Makes an image from a root file system's tar (`-`: standard input) and prints its id. */
export async function importImage(session: Session, tar: string, flags: ImportFlags): Promise<number> {
  const options = importOptions(flags);
  const images = (await session.engine()).images;
  session.out.line(await images.import(tar === "-" ? process.stdin : createReadStream(tar), options, session.signal));
  return 0;
}

/** Takes names off images and removes those that nobody needs. All that can be removed is; what cannot be is said. */
export async function removeImages(session: Session, wanted: readonly string[], options: { readonly force: boolean }): Promise<number> {
  const images = (await session.engine()).images;
  const problems: unknown[] = [];
  for (const name of wanted) {
    try {
      for (const { kind, what } of await images.remove(name, options, session.signal)) {
        session.out.line(`${kind === "untagged" ? "Untagged" : "Deleted"}: ${what}`);
      }
    } catch (error) {
      problems.push(error);
    }
  }
  if (problems.length > 0)
    throw new Failure(
      problems.flatMap((problem) => [...diagnosticsOf(problem)]),
      { cause: problems[0] },
    );
  return 0;
}

/** After `down --rmi`: the images that the project named, but those that somebody else still needs. */
export async function removeProjectImages(session: Session, references: readonly string[]): Promise<number> {
  const images = (await session.engine()).images;
  for (const name of new Set(references)) {
    try {
      await images.remove(name, { force: false }, session.signal);
      session.say(`removed image ${name}`);
    } catch (error) {
      if (!(error instanceof Failure) || !(error.has("E_IMAGE_IN_USE") || error.has("E_IMAGE_NOT_FOUND"))) throw error;
      session.say(`kept image ${name}: ${error.message}`);
    }
  }
  return 0;
}

function entry(image: ImageSummary): Readonly<Record<string, string | number>> {
  const { repository, tag } = names(image);
  const { os, architecture, variant } = image.platform;
  return {
    ID: image.id,
    Repository: repository,
    Tag: tag,
    Digest: image.digest ?? "",
    CreatedAt: image.created ?? "",
    Size: image.size,
    Platform: [os, architecture, ...(variant === null ? [] : [variant])].join("/"),
  };
}

function names({ reference }: ImageSummary): { readonly repository: string; readonly tag: string } {
  if (reference === null) return { repository: "<none>", tag: "<none>" };
  const { tag } = partsOf(reference);
  const name = familiar(reference);
  if (tag === null) return { repository: name.slice(0, name.indexOf("@")), tag: "<none>" };
  return { repository: name.endsWith(`:${tag}`) ? name.slice(0, -tag.length - 1) : name, tag };
}

/** A name without a tag means every tag of the repository; the beginning of an id means that image. */
function isNamed({ reference, id }: ImageSummary, name: string): boolean {
  if (/^(sha256:)?[0-9a-f]{4,64}$/.test(name) && id.startsWith(name.startsWith("sha256:") ? name : `sha256:${name}`)) return true;
  const wanted = parseReference(name);
  if (reference === null || typeof wanted !== "string") return false;
  if (/[:@]/.test(name.slice(name.lastIndexOf("/") + 1))) return wanted === reference;
  const [{ domain, path }, found] = [partsOf(wanted), partsOf(reference)];
  return domain === found.domain && path === found.path;
}

function shortId(id: string): string {
  return id.replace("sha256:", "").slice(0, 12);
}

function absent(name: string): Failure {
  return new Failure({
    code: "E_IMAGE_ABSENT",
    message: `there is no image ${name} in the store`,
    hint: `wharf image pull ${name} fetches it`,
  });
}
